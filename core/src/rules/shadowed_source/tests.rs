use serde_json::{Value, json};

use super::*;
use crate::{
    context::Context,
    node::{render, route_pull},
    objects::{
        Change, MirrorSet, Object,
        SetKind::{Icsp, Idms, Itms},
        reference::Image,
    },
    rules::{
        Settings,
        testing::{assert_texts, findings, in_words, never, review, set},
    },
    write::Operation,
};

/// The places that a pull of an image tries.
fn tried(sets: &[&MirrorSet], image: &str) -> Vec<String> {
    let context: Context = sets.iter().map(|set| Object::from((*set).clone())).collect();
    let conf = render(context.view()).unwrap();
    route_pull(&conf, &Image::parse(image).unwrap()).tries.unwrap()
}

fn find(others: &[&MirrorSet], new: &MirrorSet) -> Vec<Finding> {
    findings(RULE.id, &Settings::default(), others, None, new)
}

/// The kinds of pulls that are reported to lose mirrors.
fn pulls(found: &[Finding]) -> Vec<&str> {
    found.iter().map(|finding| finding.key.split(' ').next().unwrap()).collect()
}

#[test]
fn exactly_what_nodes_no_longer_try_is_reported() {
    // The broader set, the narrower one, and the kind of pulls that lose mirrors; empty for none.
    let table = [
        ("IDMS q.io/a m.io/a", "IDMS q.io/a/b n.io/b", "digest", "another mirror"),
        ("IDMS q.io/a m.io/a", "IDMS q.io/a/b m.io/a/b", "", "the same mirror with the path"),
        ("IDMS q.io/a m.io/a", "IDMS q.io/a/b n.io/b m.io/a/b", "", "one more mirror"),
        ("IDMS q.io/a m.io/a n.io/a", "IDMS q.io/a/b m.io/a/b", "digest", "one of two"),
        ("IDMS q.io/a m.io/a", "ITMS q.io/a/b m.io/a/b", "digest", "an ITMS hides an IDMS"),
        ("ITMS q.io/a m.io/a", "IDMS q.io/a/b m.io/a/b", "tag", "an IDMS hides an ITMS"),
        ("IDMS q.io m.io", "IDMS q.io/a/b n.io/b", "digest", "two steps above"),
        ("IDMS *.q.io m.io", "IDMS x.q.io/b n.io/b", "digest", "a wildcard"),
        ("IDMS *.q.io m.io", "IDMS x.q.io/b m.io/b", "", "a wildcard's mirror replaces the host"),
        ("IDMS q.io/a q.io/a m.io/a", "IDMS q.io/a/b m.io/a/b", "", "the source is tried in any case"),
        ("IDMS q.io/a", "IDMS q.io/a/b n.io/b", "", "nothing to hide"),
        ("IDMS q.io/a m.io/a", "IDMS q.io/a/b", "", "it hides nothing"),
        ("IDMS q.io/a m.io/a", "IDMS q.io/ab n.io/b", "", "another namespace"),
        ("ICSP q.io/a m.io/a", "ICSP q.io/a/b n.io/b", "digest", "two ICSPs"),
        ("IDMS q.io m.io", "IDMS q.io:1/a n.io/a", "digest", "a host covers every port"),
        ("IDMS q.io m.io", "IDMS q.io:1/a m.io:1/a", "", "its mirror is tried with the port"),
        ("IDMS *.io m.lab", "IDMS q.io n.io", "", "a wildcard that is as long decides"),
        ("IDMS *.io m.lab", "IDMS qq.io n.io", "digest", "a shorter one does not"),
    ];
    let mut all = Vec::new();
    for (wide, narrow, expected, reason) in table {
        let (there, new) = (in_words("wide", wide), in_words("new", narrow));
        let found = find(&[&there], &new);
        assert_eq!(pulls(&found).concat(), expected, "{reason}");
        all.extend(found);
        let source = &new.entries[0].source;
        let digest = format!("{source}/x@sha256:{}", "0".repeat(64));
        for (pull, image) in [("digest", digest), ("tag", format!("{source}/x:1"))] {
            let after = tried(&[&there, &new], &image);
            let lost = tried(&[&there], &image).iter().any(|place| !after.contains(place));
            assert_eq!(lost, expected == pull, "{reason}: what a {pull} pull tries");
        }
    }
    let two = in_words("wide", "IDMS q.io/a m.io/a n.io/a");
    all.extend(find(&[&two], &in_words("new", "IDMS q.io/a/b o.io/b")));
    let several: [(&str, &[&str]); 2] = [("q.io/a/b", &["o.io/b"]), ("q.io/a/c", &["o.io/c"])];
    all.extend(find(&[&two], &set(Idms, "new", &several)));
    all.extend(find(&[&two], &set(Itms, "new", &several)));
    assert_texts(RULE.id, &all);
}

#[test]
fn each_set_is_reported_for_what_it_hides_itself() {
    let wide = [set(Idms, "wide", &[("q.io/a", &["m.io/a"])]), set(Itms, "wide", &[("q.io/a", &["m.io/a"])])];
    let digests = set(Idms, "digests", &[("q.io/a/b", &["n.io/b"])]);
    let same = set(Idms, "same", &[("q.io/a/b", &["m.io/a/b"])]);
    let tags = set(Itms, "tags", &[("q.io/a/b", &["m.io/a/b"])]);
    let table: [(&MirrorSet, &[&MirrorSet], &[&str], &str); 5] = [
        (&digests, &[], &["digest", "tag"], "it has no mirror for tags either"),
        (&digests, &[&tags], &["digest"], "the ITMS serves tags"),
        (&tags, &[&digests], &[], "the IDMS hides it from digest pulls"),
        (&digests, &[&tags, &same], &[], "another entry of the source includes the mirror"),
        (&same, &[&tags], &[], "both include it"),
    ];
    for (new, narrow, expected, reason) in table {
        let others: Vec<_> = wide.iter().chain(narrow.iter().copied()).collect();
        assert_eq!(pulls(&find(&others, new)), expected, "{reason}");
    }
    let over_icsp = set(Icsp, "wide", &[("q.io/a", &["m.io/a"])]);
    assert!(find(&[&over_icsp], &digests).is_empty(), "for icsp-alongside-idms");
}

#[test]
fn the_nearest_source_above_is_found_for_every_entry_of_a_set() {
    let new = set(
        Idms,
        "new",
        &[
            ("q.io", &["m.io"]),
            ("q.io/a/b", &["n.io/1"]),
            ("q.io/a/c", &["n.io/2"]),
            ("q.io/a", &["m.io/a"]),
            ("r.io/a", &["n.io/3"]),
            ("q.io/z/z/z", &["m.io/z/z/z"]),
        ],
    );
    let found = find(&[], &new);
    let [finding] = &*found else { panic!("{found:?}") };
    let places = (&*finding.path, &*finding.related[0].path);
    assert_eq!(places, ("spec.imageDigestMirrors[1].source", "spec.imageDigestMirrors[3].source"));
    let faults: Vec<_> = finding.faults().collect();
    assert_eq!(faults, ["digest q.io/a/b m.io/a/b", "digest q.io/a/c m.io/a/c"]);
}

#[test]
fn sources_that_hide_a_broader_one_in_the_same_way_are_one_finding() {
    let wide = [in_words("wide", "IDMS q.io m.io"), in_words("wide", "ITMS q.io m.io")];
    let tags = in_words("tags", "ITMS q.io/c m.io/c");
    let new = set(
        Idms,
        "new",
        &[("q.io/a", &["n.io/a"]), ("q.io/b", &["n.io/b"]), ("q.io/c", &["n.io/c"]), ("q.io/d", &["m.io/d"])],
    );
    let found = find(&[&wide[0], &wide[1], &tags], &new);
    let faults: Vec<_> = found.iter().map(|finding| finding.faults().collect::<Vec<_>>()).collect();
    let digest = ["digest q.io/a m.io/a", "digest q.io/b m.io/b", "digest q.io/c m.io/c"];
    let tag = ["tag q.io/a m.io/a", "tag q.io/b m.io/b", "tag q.io/d m.io/d"];
    assert_eq!(faults, [&digest[..], &tag]);
    let changed: Vec<_> = found.iter().map(|finding| finding.fix.changes.len()).collect();
    assert_eq!(changed, [3, 1], "mirrors of three entries, and entries of one set");
}

#[test]
fn a_mirror_that_is_no_longer_hidden_makes_no_new_finding() {
    let wide = in_words("wide", "IDMS q.io/a m.io/a n.io/a");
    let settings = Settings { levels: [(RULE.id.to_owned(), Level::Deny)].into(), ..Settings::default() };
    // The mirrors of the source before and after an update.
    let table = [
        ("o.io/b", "o.io/b m.io/a/b", true, "one of two is still hidden"),
        ("o.io/b m.io/a/b", "o.io/b", false, "one more is hidden"),
        ("o.io/b n.io/a/b", "o.io/b m.io/a/b", false, "another one is hidden"),
    ];
    for (old, new, is_allowed, reason) in table {
        let [old, new] = [old, new].map(|mirrors| in_words("new", &format!("IDMS q.io/a/b {mirrors}")));
        let state = [Object::from(wide.clone()), old.clone().into()].into_iter().collect();
        let verdict = review(&state, &settings, Operation::Update { old, new });
        assert_eq!(verdict.is_allowed(), is_allowed, "{reason}");
    }
}

#[test]
fn the_fix_adds_what_is_hidden() {
    let wide = set(Idms, "wide", &[("q.io/a", &["m.io/a"])]);
    let own_mirrors = Change::Append {
        path: "spec.imageDigestMirrors[0].mirrors".to_owned(),
        items: vec![json!("m.io/a/b")],
    };
    let entry =
        |policy: Value| Change::Append { path: "spec.imageDigestMirrors".to_owned(), items: vec![policy] };
    let plain = entry(json!({"source": "q.io/a/b", "mirrors": ["m.io/a/b"]}));
    let never_contacted = entry(json!({
        "source": "q.io/a/b", "mirrors": ["m.io/a/b"], "mirrorSourcePolicy": "NeverContactSource"
    }));
    let of = |kind| set(kind, "new", &[("q.io/a/b", &["n.io/b"])]);
    for (new, object, change, reason) in [
        (of(Idms), of(Idms).id(), own_mirrors, "after the own mirror"),
        (of(Itms), wide.id(), plain, "in the IDMS, because that serves digest pulls"),
        (never(of(Itms)), wide.id(), never_contacted, "one source has one policy"),
    ] {
        let found = find(&[&wide], &new);
        assert_eq!(found[0].fix.changes, [(object, change)], "{reason}");
    }
}
