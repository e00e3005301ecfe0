use super::*;
use crate::{
    objects::Object,
    rules::{
        Settings,
        testing::{assert_texts, findings, found_in, in_words, never, set},
    },
};

const SOURCE: &str = "q.io/c";

fn idms(mirrors: &[&str]) -> MirrorSet {
    set(SetKind::Idms, "new", &[(SOURCE, mirrors)])
}

fn itms(mirrors: &[&str]) -> MirrorSet {
    set(SetKind::Itms, "new", &[(SOURCE, mirrors)])
}

fn icsp(mirrors: &[&str]) -> MirrorSet {
    set(SetKind::Icsp, "i", &[(SOURCE, mirrors)])
}

/// The only finding of several that must be one.
fn only(found: Vec<Finding>) -> Finding {
    let [finding] = found.try_into().unwrap_or_else(|found| panic!("{found:?}"));
    finding
}

/// What is found in a new set next to another, where only conflicts are denied.
fn find(there: &MirrorSet, new: &MirrorSet) -> Finding {
    let settings = Settings { icsp_alongside_idms: IcspAlongsideIdms::Conflicts, ..Settings::default() };
    only(findings(RULE.id, &settings, &[there], None, new))
}

/// What is found in an ICSP that is there already.
fn find_existing(icsp: &MirrorSet, idms: MirrorSet) -> Finding {
    only(found_in(RULE.id, icsp, [Object::from(idms)], &Settings::default()))
}

struct Case {
    there: MirrorSet,
    new: MirrorSet,
    /// The highest level, the path and the key of the finding.
    expected: (Level, &'static str, &'static str),
    /// The path in the set that is there.
    related: &'static str,
    reason: &'static str,
}

impl Case {
    fn check(&self) -> Finding {
        let Self { there, new, expected, related, reason } = self;
        let found = find(there, new);
        assert_eq!((found.at_most, &*found.path, &*found.key), *expected, "{reason}");
        assert_eq!(found.related[0].object, there.id(), "{reason}");
        assert_eq!(found.related[0].path, *related, "{reason}");
        found
    }
}

/// An ICSP with these mirrors, and an IDMS that is the step of its migration.
fn step(there: &[&str], new: &[&str], reason: &'static str) -> Case {
    let expected = (Level::Warn, NAME, "covers ImageContentSourcePolicy/i");
    Case { there: icsp(there), new: idms(new), expected, related: NAME, reason }
}

/// An ICSP, and a set after which nodes try other places for the source.
fn tries(
    there: &[&str],
    new: MirrorSet,
    path: &'static str,
    key: &'static str,
    reason: &'static str,
) -> Case {
    let related = "spec.repositoryDigestMirrors[0].source";
    Case { there: icsp(there), new, expected: (Level::Deny, path, key), related, reason }
}

/// An ICSP, and an IDMS with the mirrors in another order.
fn contradicts(there: &[&str], new: &[&str], key: &'static str, reason: &'static str) -> Case {
    let expected = (Level::Deny, "spec.imageDigestMirrors[0].mirrors", key);
    let related = "spec.repositoryDigestMirrors[0].mirrors";
    Case { there: icsp(there), new: idms(new), expected, related, reason }
}

#[test]
fn only_what_means_the_same_is_the_step_of_a_migration() {
    let (digests, tags) = ("spec.imageDigestMirrors[0].source", "spec.imageTagMirrors[0].source");
    let table = [
        step(&["m/b", "m/a"], &["m/b", "m/a"], "the same"),
        step(&["m/b"], &["m/b", "m/a"], "one mirror more"),
        step(&["m/b", "m/a", "m/b", "m/c"], &["m/a", "m/b", "m/c"], "as nodes try it"),
        step(&["m/b", "m/b"], &["m/b"], "the repeated mirror once"),
        tries(&["m/b"], never(idms(&["m/b"])), digests, "q.io/c m/b blocked", "another policy"),
        tries(&["m/b"], idms(&["n/b"]), digests, "q.io/c m/b n/b source", "another mirror"),
        tries(&["m/b"], never(itms(&["m/b"])), tags, "q.io/c m/b blocked", "tags with another policy"),
        contradicts(
            &["m/b", "m/a"],
            &["m/a", "m/b"],
            "q.io/c contradicts m/a m/b",
            "the merged order is by chance that of the IDMS",
        ),
        contradicts(
            &["m/a", "m/b"],
            &["m/b", "m/a"],
            "q.io/c contradicts m/b m/a",
            "the merged order is by chance that of the ICSP",
        ),
    ];
    let mut all: Vec<_> = table.iter().map(Case::check).collect();
    all.push(find(&idms(&["m/a", "m/b"]), &icsp(&["m/b", "m/a"])));
    all.push(find(&idms(&["n/b"]), &icsp(&["m/b"])));
    all.push(find_existing(&icsp(&["m/b"]), idms(&["m/b"])));
    all.push(find_existing(&icsp(&["m/b"]), never(idms(&["m/b"]))));
    assert_texts(RULE.id, &all);
}

#[test]
fn while_nothing_renders_no_finding_says_what_nodes_try() {
    let broken = set(SetKind::Idms, "broken", &[("https://q.io/d", &["m/d"])]);
    let table = [
        (idms(&["n/b"]), None, true, "nodes try both mirrors"),
        (never(idms(&["n/b"])), None, false, "the policies differ"),
        (idms(&["n/b"]), Some(broken), false, "another set is refused"),
    ];
    let settings = Settings { icsp_alongside_idms: IcspAlongsideIdms::Conflicts, ..Settings::default() };
    for (new, other, expected, reason) in table {
        let others = [icsp(&["m/b"])].into_iter().chain(other).map(Object::from);
        let found = only(found_in(RULE.id, &new, others, &settings));
        assert_eq!(found.path, "spec.imageDigestMirrors[0].source", "{reason}");
        assert_eq!(!found.effect.is_empty(), expected, "{reason}");
    }
}

#[test]
fn an_icsp_contradicts_an_idms_whatever_the_mirrors_are_called() {
    for (there, new, key) in [
        (["m/a", "m/b"], ["m/b", "m/a"], "q.io/c contradicts m/b m/a"),
        (["m/b", "m/a"], ["m/a", "m/b"], "q.io/c contradicts m/a m/b"),
    ] {
        let expected = (Level::Deny, "spec.repositoryDigestMirrors[0].mirrors", key);
        let related = "spec.imageDigestMirrors[0].mirrors";
        Case { there: idms(&there), new: icsp(&new), expected, related, reason: key }.check();
    }
}

#[test]
fn a_narrower_entry_is_compared_with_what_the_broader_one_leads_to() {
    let table = [
        ("ICSP q.io m.io", "IDMS q.io/b m.io/b", false, "the same place"),
        ("ICSP q.io m.io", "IDMS q.io/b n.io/b", true, "another one"),
        ("ICSP *.q.io m.io", "IDMS x.q.io/b m.io/b", false, "a wildcard's mirror replaces the host"),
        ("ICSP *.q.io m.io", "IDMS x.q.io/b m.io", true, "the wildcard's mirror has the path as well"),
        ("ICSP *.q.io m.io", "IDMS x.q.io m.io", false, "a host without a path"),
        ("ICSP *.q.io m.io", "IDMS *.x.q.io m.io", false, "a narrower wildcard"),
        ("IDMS *.q.io m.io", "ICSP x.q.io/b m.io/b", false, "the kinds the other way round"),
    ];
    for (there, new, is_denied, reason) in table {
        let settings = Settings { icsp_alongside_idms: IcspAlongsideIdms::Conflicts, ..Settings::default() };
        let there = in_words("there", there);
        let found = findings(RULE.id, &settings, &[&there], None, &in_words("new", new));
        assert_eq!(found.iter().any(|finding| finding.at_most == Level::Deny), is_denied, "{reason}");
    }
}

#[test]
fn what_is_left_of_a_migration_names_the_idms() {
    let covering = idms(&["m/b"]);
    for (idms, at_most, path) in [
        (covering.clone(), Level::Warn, NAME),
        (never(covering), Level::Deny, "spec.repositoryDigestMirrors[0].source"),
    ] {
        let found = find_existing(&icsp(&["m/b"]), idms.clone());
        assert_eq!((found.at_most, &*found.path), (at_most, path));
        assert_eq!((&found.related[0].object, &*found.related[0].path), (&idms.id(), NAME));
    }
}

#[test]
fn an_idms_that_covers_many_icsps_is_reported_once() {
    let entry: (&str, &[&str]) = (SOURCE, &["m/b"]);
    let name = |at: usize| format!("ImageContentSourcePolicy/i{at:02}");
    // How many ICSPs there are, and how many of them are listed and named in the command.
    for (count, listed) in [(1, 1), (10, 10), (40, 10)] {
        let icsps: Vec<_> = (0..count).map(|at| set(SetKind::Icsp, &format!("i{at:02}"), &[entry])).collect();
        let found = only(findings(
            RULE.id,
            &Settings::default(),
            &icsps.iter().collect::<Vec<_>>(),
            None,
            &idms(&["m/b"]),
        ));
        assert_eq!((found.at_most, &*found.path), (Level::Warn, NAME), "{count}");
        let keys: Vec<_> = (0..listed).map(|at| format!("covers {}", name(at))).collect();
        assert_eq!(found.faults().collect::<Vec<_>>(), keys, "{count}");
        let related: Vec<_> = found.related.iter().map(|related| related.object.to_string()).collect();
        assert_eq!(related, (0..listed).map(name).collect::<Vec<_>>(), "{count}");
        assert_eq!(found.related.more(), count - listed, "{count}");
        let is_named = |at: usize| found.fix.title.split([' ', ',']).any(|word| word == format!("i{at:02}"));
        assert_eq!((0..count).filter(|at| is_named(*at)).count(), listed, "{}", found.fix.title);
    }
}

#[test]
fn the_places_of_many_icsps_are_not_repeated_for_each_set() {
    let at = |kind, at: usize| set(kind, &format!("s{at:04}"), &[(SOURCE, &[&*format!("m.lab/{at:04}")])]);
    let size = |count: usize| {
        let icsps: Vec<_> = (0..count).map(|number| at(SetKind::Icsp, number)).collect();
        let there: Vec<_> = icsps.iter().collect();
        let found = only(findings(RULE.id, &Settings::default(), &there, None, &at(SetKind::Idms, 9999)));
        (found.message().len() + found.key.len(), found.key)
    };
    let ((few, key), (many, other)) = (size(200), size(900));
    assert_eq!(few, many, "the numbers have as many digits");
    assert_ne!(key, other, "other places are another fault");
}

#[test]
fn an_entry_is_made_with_the_policy_of_its_source() {
    let other = set(SetKind::Idms, "there", &[("q.io/d", &["m.lab/d"])]);
    let idms = |mirror| never(set(SetKind::Idms, "there", &[(SOURCE, &[mirror])]));
    let table = [
        (other, Some(false), "another source"),
        (idms("m.lab/c"), None, "an IDMS that never contacts the source has the entry already"),
        (idms("m.lab/d"), None, "an IDMS has the source, and another one would split it"),
        (never(set(SetKind::Itms, "there", &[(SOURCE, &["m.lab/c"])])), Some(true), "only an ITMS has it"),
    ];
    for (there, expected, reason) in table {
        let found = only(findings(RULE.id, &Settings::default(), &[&there], None, &icsp(&["m.lab/c"])));
        let is_never = found.fix.yaml().map(|yaml| yaml.contains("mirrorSourcePolicy: NeverContactSource"));
        assert_eq!(is_never, expected, "{reason}: {:?}", found.fix);
    }
}

#[test]
fn a_place_is_found_at_the_mirror_of_a_broader_source() {
    let settings = Settings { icsp_alongside_idms: IcspAlongsideIdms::Conflicts, ..Settings::default() };
    let table = [
        ("q.io", "w.io/x", true, "a registry, whose mirror the same path follows"),
        ("q.io", "w.io/y", false, "another path"),
        ("*.io", "w.io/x", true, "a wildcard, whose mirror takes the place of the host"),
        ("*.io", "w.io", false, "the path is not replaced"),
    ];
    for (broader, mirror, is_same, reason) in table {
        let there = set(SetKind::Icsp, "i", &[(broader, &["w.io"])]);
        let new = set(SetKind::Idms, "new", &[("q.io/x", &[mirror])]);
        let found = findings(RULE.id, &settings, &[&there], None, &new);
        assert_eq!(
            found.iter().all(|finding| finding.at_most != Level::Deny),
            is_same,
            "{reason}: {found:?}"
        );
    }
}

#[test]
fn an_icsp_is_deleted_only_if_all_of_it_is_known() {
    let idms = set(SetKind::Idms, "d", &[("quay.io/a", &["m.lab/a"])]);
    let table = [
        ("", true, "known"),
        (", \"${E}\"", false, "an entry is a placeholder"),
        (", {source: quay.io/b, mirrors: [\"${M}\"]}", false, "the mirror of an entry is"),
        (", {source: \"https://quay.io/b\", mirrors: [m.lab/b]}", false, "an invalid source"),
    ];
    for (other, expected, reason) in table {
        let yaml = format!(
            "apiVersion: operator.openshift.io/v1alpha1\nkind: ImageContentSourcePolicy\nmetadata: {{name: i}}\n\
             spec: {{repositoryDigestMirrors: [{{source: quay.io/a, mirrors: [m.lab/a]}}{other}]}}\n"
        );
        let object = crate::objects::manifest::read("test", yaml).objects.remove(0).object;
        let Object::MirrorSet(icsp) = object else { panic!("{reason}: {object:?}") };
        for rule in [RULE.id, "deprecated-icsp"] {
            let found = found_in(rule, &icsp, [Object::from(idms.clone())], &Settings::default());
            let deletes = found.iter().any(|finding| finding.fix.title.contains("delete"));
            assert_eq!(deletes, expected, "{reason}: {found:?}");
        }
    }
}
