//! Tests of what nodes refuse.

use SetKind::{Idms, Itms};

use super::*;
use crate::{
    hypershift::RELEASE_REPOSITORIES,
    objects::{ClusterVersion, ImageConfig, Object, SetKind},
    rules::{
        Settings,
        testing::{assert_texts, found_in, never, set},
    },
};

const RELEASE: &str = RELEASE_REPOSITORIES[0];

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

/// What is found in a set as it stands, next to other objects and the lists of image.config.
fn found(set: &MirrorSet, others: Vec<Object>, blocked: &[&str], allowed: &[&str]) -> Vec<Finding> {
    let config = ImageConfig {
        blocked_registries: texts(blocked),
        allowed_registries: texts(allowed),
        ..ImageConfig::default()
    };
    found_in(RULE.id, set, others.into_iter().chain([Object::from(config)]), &Settings::default())
}

/// The paths in an IDMS, without the field of its list.
fn paths(found: &[Finding]) -> Vec<String> {
    found.iter().map(|finding| finding.path.replace("spec.imageDigestMirrors", "")).collect()
}

fn payload(image: &str) -> Object {
    let desired_image = image.to_owned();
    Object::ClusterVersion(ClusterVersion { desired_image, ..ClusterVersion::default() })
}

struct Case {
    source: &'static str,
    mirror: &'static str,
    blocked: &'static [&'static str],
    allowed: &'static [&'static str],
    /// The fields that are found, as [`paths`] writes them.
    expected: &'static [&'static str],
    reason: &'static str,
}

/// The usual entry, with nothing listed.
const ENTRY: Case = Case {
    source: "quay.io/a",
    mirror: "m.lab:1/a",
    blocked: &[],
    allowed: &[],
    expected: &[],
    reason: "nothing is listed",
};

fn check_all(table: &[Case]) {
    for Case { source, mirror, blocked, allowed, expected, reason } in table {
        let own = set(Idms, "own", &[(source, &[mirror])]);
        assert_eq!(paths(&found(&own, Vec::new(), blocked, allowed)), *expected, "{reason}");
    }
}

#[test]
fn blocked_registries_are_read_as_the_nodes_read_them() {
    let (mirror, source): (&[_], &[_]) = (&["[0].mirrors[0]"], &["[0].source"]);
    check_all(&[
        ENTRY,
        Case { blocked: &["m.lab:1"], expected: mirror, reason: "the mirror's registry", ..ENTRY },
        Case { blocked: &["m.lab:2"], reason: "another port", ..ENTRY },
        Case { blocked: &["m.lab"], expected: mirror, reason: "a host covers every port", ..ENTRY },
        Case { blocked: &["*.lab"], expected: mirror, reason: "a wildcard over the mirror", ..ENTRY },
        Case { blocked: &["m.lab:1/a/b"], reason: "only a part of the mirror", ..ENTRY },
        Case { blocked: &["quay.io"], expected: source, reason: "policy.json refuses its name", ..ENTRY },
        Case {
            source: "quay.io",
            mirror: "m.lab:1",
            blocked: &["quay.io/a"],
            reason: "policy.json refuses only a part of the source",
            ..ENTRY
        },
        Case {
            source: RELEASE,
            blocked: &["quay.io"],
            reason: "policy.json accepts the repository of the payload",
            ..ENTRY
        },
        Case { mirror: "quay.io/a", blocked: &["quay.io"], reason: "an entry that the nodes drop", ..ENTRY },
    ]);
}

#[test]
fn allowed_registries_are_read_as_the_nodes_read_them() {
    let (mirror, source): (&[_], &[_]) = (&["[0].mirrors[0]"], &["[0].source"]);
    check_all(&[
        Case { allowed: &["quay.io", "m.lab:1"], reason: "both are allowed", ..ENTRY },
        Case { allowed: &["quay.io"], expected: mirror, reason: "the mirror is not", ..ENTRY },
        Case { allowed: &["m.lab:1"], expected: source, reason: "the source is not", ..ENTRY },
        Case {
            source: "quay.io",
            mirror: "m.lab:1",
            allowed: &["quay.io/a", "m.lab:1"],
            reason: "a part of the source is allowed",
            ..ENTRY
        },
        Case {
            source: RELEASE,
            allowed: &["m.lab:1"],
            expected: source,
            reason: "the payload has to be allowed like any other image",
            ..ENTRY
        },
        Case {
            blocked: &["n.lab"],
            allowed: &["n.lab"],
            reason: "next to blocked ones the allowed ones are no limit",
            ..ENTRY
        },
    ]);
}

#[test]
fn a_source_that_is_never_contacted_is_no_mirror() {
    let own = set(Idms, "own", &[("quay.io/a", &["m.lab/x/a"])]);
    // The source that is never contacted, a source that may be contacted, and whether the mirror is reported.
    let table = [
        ("m.lab", None, true, "the registry of the mirror"),
        ("m.lab/x", None, true, "its namespace"),
        ("m.lab/y", None, false, "its neighbour"),
        ("m.lab", Some("m.lab/x"), false, "a nearer source decides"),
    ];
    for (blocking, nearer, expected, reason) in table {
        let blocking = never(set(Itms, "never", &[(blocking, &["n.lab"])]));
        let nearer = nearer.map(|source| set(Idms, "nearer", &[(source, &["n.lab/x"])]));
        let others = [Some(blocking), nearer].into_iter().flatten().map(Object::from).collect();
        assert_eq!(!found(&own, others, &[], &[]).is_empty(), expected, "{reason}");
    }
}

#[test]
fn the_payload_is_never_cut_off() {
    let own = set(Idms, "own", &[("quay.io/a", &["m.lab/a"])]);
    let nothing: [&str; 0] = [];
    assert_eq!(
        paths(&found(&own, vec![payload("m.lab/a/release:1")], &["m.lab"], &[])),
        nothing,
        "it covers the payload"
    );
    assert_eq!(
        paths(&found(&own, vec![payload("m.lab/a/release:1")], &["m.lab/a/x", "m.lab/a"], &[])),
        nothing,
        "one covers the payload, the other only a part of the mirror"
    );
    assert_eq!(
        paths(&found(&own, Vec::new(), &["m.lab"], &[])),
        ["[0].mirrors[0]"],
        "without a ClusterVersion it is not known to cover the payload"
    );
}

#[test]
fn a_wildcard_as_long_as_the_host_of_a_mirror_decides() {
    let table: [(&str, &str, &[&str], &str); 3] = [
        ("m.lab/a", "*.lab", &["[0].mirrors[0]"], "the wildcard is blocked"),
        ("m.lab/a", "m.lab", &[], "the host itself decides nothing"),
        ("mm.lab/a", "*.lab", &[], "the host is longer"),
    ];
    for (mirror, blocked, expected, reason) in table {
        let own = set(Idms, "own", &[("quay.io/a", &[mirror])]);
        let host = mirror.split_once('/').unwrap().0;
        let mut others =
            [set(Itms, "wide", &[("*.lab", &["n.io"])]), set(Itms, "host", &[(host, &["n.io"])])];
        for other in &mut others {
            if &*other.entries[0].source == blocked {
                *other = never(other.clone());
            }
        }
        assert_eq!(paths(&found(&own, others.map(Object::from).into(), &[], &[])), expected, "{reason}");
    }
}

#[test]
fn each_way_of_refusing_is_a_finding_of_its_own() {
    let own = set(Idms, "own", &[("quay.io/a", &["m.lab/a"])]);
    let with_payload = set(Idms, "own", &[("quay.io/a", &["m.lab/a"]), ("quay.io/p/r", &["m.lab/r"])]);
    let digested = format!("quay.io/p/r@sha256:{}", "0".repeat(64));
    let blocking = Object::from(never(set(Itms, "never", &[("m.lab", &["n.lab"])])));
    let (blocked, refused) = ("m.lab/a blocked", "quay.io/a refused");
    let table = [
        (found(&own, Vec::new(), &["m.lab"], &[]), blocked, Level::Deny, "the mirror is blocked"),
        (found(&own, vec![blocking], &[], &[]), blocked, Level::Deny, "it is never contacted"),
        (found(&own, Vec::new(), &[], &["quay.io"]), "m.lab/a not allowed", Level::Warn, "not allowed"),
        (found(&own, Vec::new(), &["quay.io"], &[]), refused, Level::Deny, "the source is blocked"),
        (
            found(&with_payload, vec![payload(&digested)], &["quay.io/p/r"], &[]),
            refused,
            Level::Deny,
            "only the payload is blocked, which makes it the only one allowed",
        ),
        (found(&own, Vec::new(), &[], &["m.lab"]), refused, Level::Deny, "the source is not allowed"),
    ];
    for (found, key, at_most, reason) in &table {
        let [finding] = &**found else { panic!("{reason}: {found:?}") };
        assert_eq!((&*finding.key, finding.at_most), (*key, *at_most), "{reason}");
    }
    assert_texts(RULE.id, &table.map(|(found, ..)| found).concat());
}
