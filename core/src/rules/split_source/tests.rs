//! Sources that are in several entries.

use serde_json::json;

use super::*;
use crate::{
    objects::{
        Change, MirrorSet, Object, ObjectId,
        SetKind::{Icsp, Idms, Itms},
    },
    rules::{
        Settings,
        testing::{assert_texts, findings, never, set},
    },
};

/// A set with the source that every set has here.
fn of(kind: SetKind, name: &str, mirrors: &[&str]) -> MirrorSet {
    set(kind, name, &[("quay.io/a", mirrors)])
}

fn find(others: &[&MirrorSet], new: &MirrorSet) -> Vec<Finding> {
    findings(RULE.id, &Settings::default(), others, None, new)
}

#[test]
fn one_source_is_reported_where_its_mirrors_are_merged_and_no_other_rule_reports_it() {
    let new = of(Idms, "new", &["m.lab/a"]);
    let table = [
        (of(Idms, "there", &["n.lab/a"]), Some(Level::Deny), "another mirror"),
        (of(Idms, "there", &["m.lab/a", "n.lab/a"]), Some(Level::Deny), "another mirror, in the only order"),
        (of(Idms, "there", &["m.lab/a"]), Some(Level::Warn), "the same mirror: one may be forgotten"),
        (of(Itms, "there", &["m.lab/a"]), None, "an IDMS and an ITMS are the normal pair"),
        (of(Icsp, "there", &["n.lab/a"]), None, "for icsp-alongside-idms"),
        (never(of(Idms, "there", &["n.lab/a"])), None, "for conflicting-source-policy"),
        (of(Idms, "there", &["quay.io/a", "m.lab/a"]), None, "for mirror-order-conflict"),
        (
            of(Idms, "there", &["n.lab/a", "o.lab/a", "n.lab/a"]),
            Some(Level::Deny),
            "it contradicts only itself",
        ),
        (of(Idms, "there", &[]), None, "without a mirror there is nothing to merge"),
        (set(Idms, "there", &[("quay.io/a/b", &["n.lab/a"])]), None, "another source"),
    ];
    let mut all = Vec::new();
    for (there, expected, reason) in table {
        let found = find(&[&there], &new);
        assert_eq!(found.first().map(|finding| finding.at_most), expected, "{reason}");
        all.extend(found);
    }
    let icsps = find(&[&of(Icsp, "there", &["n.lab/a"])], &of(Icsp, "new", &["m.lab/a"]));
    assert_eq!(icsps.len(), 1, "two ICSPs are merged as two IDMSs are");
    all.extend(icsps);
    all.extend(find(&[], &set(Idms, "new", &[("quay.io/a", &["m.lab/a"]), ("quay.io/a", &["n.lab/a"])])));
    // Two sources, whose entries alternate.
    let [a, b]: [(&str, &[&str]); 2] = [("quay.io/a", &["m.lab/a"]), ("quay.io/b", &["m.lab/b"])];
    all.extend(find(&[], &set(Idms, "new", &[a, a, b, b, a])));
    assert_texts(RULE.id, &all);
}

#[test]
fn the_first_entry_keeps_every_mirror_in_the_merged_order() {
    let there = of(Idms, "there", &["b.lab/a", "c.lab/a"]);
    let found = find(&[&there], &of(Idms, "new", &["a.lab/a", "b.lab/a"]));
    let value = json!(["a.lab/a", "b.lab/a", "c.lab/a"]);
    let set = Change::Set { path: "spec.imageDigestMirrors[0].mirrors".to_owned(), value };
    let remove = Change::Remove { path: "spec.imageDigestMirrors[0]".to_owned() };
    let new = ObjectId::new("ImageDigestMirrorSet", "", "new");
    assert_eq!(found[0].fix.changes, [(new, set), (there.id(), remove)]);
}

#[test]
fn lists_without_an_order_are_left_to_a_person() {
    let table: [(&[&str], bool, &str); 2] = [
        (&["n.lab/a", "o.lab/a"], true, "an order"),
        (&["n.lab/a", "o.lab/a", "n.lab/a"], false, "it contradicts itself"),
    ];
    for (mirrors, expected, reason) in table {
        let found = find(&[&of(Idms, "there", mirrors)], &of(Idms, "new", &["m.lab/a"]));
        assert_eq!(found[0].fix.is_applicable(), expected, "{reason}");
    }
}

/// The fields that a finding is about: its own, those that are listed, and how many more.
fn fields(finding: &Finding) -> (&str, Vec<&str>, usize) {
    let related = finding.related.iter().map(|related| &*related.path);
    (&finding.path, related.collect(), finding.related.more())
}

#[test]
fn each_other_entry_is_related_once() {
    let eight: [(&str, &[&str]); 8] = [("quay.io/a", &["m.lab/a"]); 8];
    let found = find(&[], &set(Idms, "new", &eight));
    let others = [0, 2, 3, 4, 5, 6, 7].map(|index| format!("spec.imageDigestMirrors[{index}].source"));
    let others = others.iter().map(String::as_str).collect();
    let all: Vec<_> = found.iter().map(fields).collect();
    assert_eq!(all, [("spec.imageDigestMirrors[1].source", others, 0)]);
}

#[test]
fn the_answer_for_one_set_grows_with_its_entries_alone() {
    let mirrors: Vec<_> = (0..1500).map(|number| format!("m{number}.lab/a")).collect();
    let lists: Vec<[&str; 1]> = mirrors.iter().map(|mirror| [&**mirror]).collect();
    let table = [
        (vec![&["m.lab/a"][..]; 1500], 1499, 1, "the same mirrors"),
        (lists.iter().map(|list| &list[..]).collect(), 1500, 1500, "all with another mirror"),
    ];
    for (lists, changes, keys, reason) in table {
        let entries: Vec<_> = lists.into_iter().map(|mirrors| ("quay.io/a", mirrors)).collect();
        let found = find(&[], &set(Idms, "new", &entries));
        let [finding] = &*found else { panic!("{reason}: {} findings", found.len()) };
        assert_eq!((finding.related.len(), finding.related.more()), (10, 1489), "{reason}");
        assert_eq!(finding.fix.changes.len(), changes, "{reason}");
        assert_eq!(finding.key.lines().count(), keys, "{reason}");
        assert!(finding.message().len() < 250 && finding.fix.title.len() < 250, "{reason}");
    }
}

#[test]
fn the_changes_of_many_sets_are_offered_once() {
    let sets: Vec<_> = (0..50).map(|number| of(Idms, &format!("s{number:02}"), &["m.lab/a"])).collect();
    let mut changes = Vec::new();
    for set in &sets {
        let others: Vec<_> = sets.iter().filter(|other| other.name != set.name).collect();
        let found = find(&others, set);
        assert_eq!((found.len(), found[0].related.len(), found[0].related.more()), (1, 10, 39));
        changes.push(found[0].fix.changes.len());
    }
    // The first set offers to remove all others, each of the others to remove itself.
    assert_eq!((changes[0], changes[1..].iter().sum::<usize>()), (49, 49));
}

#[test]
fn a_mirror_without_a_registry_gets_into_no_other_entry() {
    let there = of(Idms, "there", &["n/a"]);
    let found = find(&[&there], &of(Idms, "new", &["m.lab/a"]));
    let [finding] = &*found else { panic!("{found:?}") };
    assert!(!finding.fix.is_applicable() && !finding.fix.title.contains("n/a"), "{:?}", finding.fix);
    let nowhere = set(Idms, "new", &[("a/b", &["m.lab/a"]), ("a/b", &["n.lab/a"])]);
    assert_eq!(find(&[], &nowhere), [], "the source matches no image");
}

/// An IDMS as the program reads it, of entries in YAML on one line each.
fn read(name: &str, entries: &[&str]) -> MirrorSet {
    let entries = entries.join("\n  - ");
    let yaml = format!(
        "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {{name: {name}}}\nspec:\n  \
         imageDigestMirrors:\n  - {entries}\n"
    );
    match crate::objects::manifest::read("test", yaml).objects.remove(0).object.valid_part() {
        Object::MirrorSet(set) => (*set).clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_object_with_an_entry_that_cannot_be_read_is_not_empty() {
    let first = of(Idms, "a", &["m.lab/a"]);
    let repeat = "{source: quay.io/a, mirrors: [m.lab/a]}";
    let table = [
        (&[repeat][..], true, "nothing else"),
        (&[repeat, "{source: \"${S}\", mirrors: [m.lab/b]}"], false, "a source that is a placeholder"),
        (&[repeat, "\"${E}\""], false, "an entry that is a placeholder"),
        (&[repeat, "{source: \"https://quay.io/b\", mirrors: [m.lab/b]}"], false, "an invalid source"),
        (&[repeat, "{source: quay.io/b, mirrors: [\"m.lab/b/\"]}"], false, "an invalid mirror"),
    ];
    for (entries, expected, reason) in table {
        let found = find(&[&first], &read("j", entries));
        let [finding] = &*found else { panic!("{reason}: {found:?}") };
        assert_eq!(finding.fix.title.contains("ImageDigestMirrorSet/j"), expected, "{reason}");
        let removed = Change::Remove { path: "spec.imageDigestMirrors[0]".to_owned() };
        let id = ObjectId::new("ImageDigestMirrorSet", "", "j");
        assert_eq!(finding.fix.changes, [(id, removed)], "{reason}");
    }
}

#[test]
fn entries_are_united_only_if_all_mirrors_of_the_source_are_known() {
    let (one, two) = ("{source: quay.io/a, mirrors: [m.lab/a]}", "{source: quay.io/a, mirrors: [m2.lab/a]}");
    let table = [
        (&[one, two][..], true, "known"),
        (&[one, "{source: quay.io/a, mirrors: [\"${M}/a\"]}", two], false, "a mirror is a placeholder"),
        (&[one, "{source: quay.io/a, mirrors: \"${M}\"}", two], false, "all mirrors are"),
        (&[one, "{source: quay.io/b, mirrors: [\"${M}/a\"]}", two], true, "a mirror of another source is"),
        (&["{source: quay.io/a, mirrors: [m.lab/a, \"m.lab/b:v1\"]}", two], false, "a mirror is invalid"),
    ];
    for (entries, expected, reason) in table {
        let found = find(&[], &read("d", entries));
        let [finding] = &*found else { panic!("{reason}: {found:?}") };
        let offered = (finding.fix.is_applicable(), finding.fix.title.contains("m2.lab/a"));
        assert_eq!(offered, (expected, expected), "{reason}: {}", finding.fix.title);
    }
}

#[test]
fn a_source_that_is_its_own_mirror_is_not_merged_away() {
    let [first, listing]: [(&str, &[&str]); 2] =
        [("quay.io/a", &["m.lab/a"]), ("quay.io/a", &["m.lab/a", "quay.io/a"])];
    let new = set(Idms, "q", &[first, listing]);
    for (new, expected, reason) in [(never(new.clone()), false, "nothing renders"), (new, true, "twin")] {
        let found = find(&[], &new);
        let [finding] = &*found else { panic!("{reason}: {found:?}") };
        let offered = (finding.fix.is_applicable(), finding.fix.title.contains("m.lab/a"));
        assert_eq!(offered, (expected, expected), "{reason}: {}", finding.fix.title);
    }
}

#[test]
fn repeats_are_one_finding() {
    let repeated: [(&str, &[&str]); 4] = [("quay.io/a", &["m.lab/a"]); 4];
    let found = find(&[], &set(Idms, "new", &repeated));
    let removed: Vec<_> = found.iter().map(|finding| finding.fix.changes.len()).collect();
    assert_eq!(removed, [3]);
}

#[test]
fn a_source_that_is_twice_in_one_set_is_reported_at_the_second() {
    let new = set(Idms, "new", &[("quay.io/a", &["m.lab/a"]), ("quay.io/a", &["n.lab/a"])]);
    let found = find(&[], &new);
    let paths: Vec<_> = found.iter().map(|finding| &*finding.path).collect();
    assert_eq!(paths, ["spec.imageDigestMirrors[1].source"]);
}
