//! Tests of where HyperShift looks for images.

use super::*;
use crate::{
    objects::SetKind::Idms,
    rules::testing::{assert_texts, for_releases, found_in, hosted, set},
};

const RELEASE: &str = RELEASE_REPOSITORIES[0];
const EXPLICIT: (&str, &[&str]) = (RELEASE, &["m.lab/a/ocp-release"]);

/// The field that is blamed, what follows the source in the key, and where each era looks (empty where it does
/// not use the mirror).
type Expected = (&'static str, &'static str, &'static [(Era, &'static str)]);

fn at_source(key: &'static str, looks: &'static [(Era, &'static str)]) -> Expected {
    ("source", key, looks)
}

struct Case {
    source: &'static str,
    mirror: &'static str,
    /// Of the configuration; empty for every release.
    releases: &'static str,
    /// The release image of a HostedCluster, and its annotations.
    hosted: Option<(&'static str, &'static str)>,
    expected: Option<Expected>,
    reason: &'static str,
}

impl Case {
    /// A case without a finding, for every release and without a HostedCluster.
    const fn new(source: &'static str, mirror: &'static str, reason: &'static str) -> Self {
        Self { source, mirror, releases: "", hosted: None, expected: None, reason }
    }

    /// What is found in an IDMS as it stands. It also has an entry for the release, unless the source under test is
    /// about the release itself.
    fn found(&self) -> Vec<Finding> {
        let mirrors = [self.mirror];
        let explicit = if self.source.starts_with("quay.io/openshift") { None } else { Some(EXPLICIT) };
        let entries: Vec<_> = [(self.source, &mirrors[..])].into_iter().chain(explicit).collect();
        let hosted = self.hosted.map(|(image, annotations)| hosted("h", image, annotations));
        found_in(RULE.id, &set(Idms, "own", &entries), hosted, &for_releases(self.releases))
    }

    /// Path, key and effect of the finding that is expected.
    fn expected(&self) -> Vec<(String, String, String)> {
        let Some((field, key, looks)) = self.expected else { return Vec::new() };
        let astray: Vec<_> = looks.iter().map(|(era, place)| astray_at(*era, place)).collect();
        vec![(
            format!("spec.imageDigestMirrors[0].{field}"),
            format!("{} {key}", self.source),
            describe_lookups(&astray),
        )]
    }
}

fn astray_at(era: Era, place: &str) -> Astray {
    let look = if place.is_empty() { Redirect::None } else { Redirect::To(place.to_owned()) };
    Astray { era, mirror: 0, look }
}

/// Compares what is found with what is expected, without the crashes of old releases, which have a test of their own.
fn check_all(table: &[Case]) {
    for case in table {
        let found = case.found().into_iter().filter(|found| !found.key.ends_with(" crash"));
        let found: Vec<_> = found.map(|found| (found.path, found.key, found.effect)).collect();
        assert_eq!(found, case.expected(), "{}", case.reason);
    }
}

#[test]
fn a_mirror_of_the_release_needs_two_path_elements() {
    let (one, field) = ("m.lab:8443/release", "mirrors[0]");
    let unused = Some((field, one, &[(Era::Prefix, "")][..]));
    check_all(&[
        Case::new(RELEASE, "m.lab:8443/a/ocp-release", "two path elements"),
        Case { expected: unused, ..Case::new(RELEASE, one, "one path element") },
        Case { releases: "4.16", ..Case::new(RELEASE, one, "up to 4.16 one is enough") },
        Case {
            releases: "4.16 4.18",
            expected: unused,
            ..Case::new(RELEASE, one, "in one of the releases it is not")
        },
        Case {
            expected: Some((field, "m.lab:8443", &[(Era::Exact, ""), (Era::Prefix, "")])),
            ..Case::new(RELEASE, "m.lab:8443", "a host with a port is read as a name with a tag")
        },
        Case {
            releases: "4.18",
            hosted: Some(("quay.io/r:4.16.1", "")),
            expected: Some((field, "m.lab:8443", &[(Era::Exact, ""), (Era::Prefix, "")])),
            ..Case::new(RELEASE, "m.lab:8443", "hosted clusters add their own releases")
        },
        Case {
            releases: "4.16",
            hosted: Some(("quay.io/r:4.16.1", "")),
            ..Case::new(RELEASE, one, "the same as the configured ones")
        },
        Case::new(RELEASE, RELEASE, "the repository itself redirects nowhere else"),
    ]);
}

#[test]
fn the_suggested_location_serves_every_release() {
    let eras = [Era::Exact, Era::Prefix];
    let table = [
        (RELEASE, "m.lab:8443", "m.lab:8443/openshift-release-dev/ocp-release", "both elements are missing"),
        (RELEASE, "m.lab:8443/a", "m.lab:8443/a/ocp-release", "one of them is missing"),
        ("ci.lab/release", "m.lab", "m.lab/mirror/release", "the source itself has only one"),
        ("ci.lab/release", "m.lab/a", "m.lab/a/release", "the mirror has one of them"),
    ];
    for (source, mirror, expected, reason) in table {
        let location = with_two_elements(source, mirror);
        assert_eq!(location, expected, "{reason}");
        assert_eq!(astray(&eras, source, source, &[location]), [], "{reason}");
    }
}

#[test]
fn hosts_are_not_compared() {
    check_all(&[
        Case::new("quay.io/openshift-release-dev", "m.lab/a/b", "root-level-source reports it"),
        Case::new("quay.io/other", "m.lab/x", "nothing that HyperShift looks up"),
        Case::new("quay.io/other/ocp-release", "m.lab/x", "the namespace is compared"),
        Case {
            releases: "4.16",
            expected: Some(at_source(RELEASE, &[(Era::Exact, "m.lab/ci/release")])),
            ..Case::new("ci.lab/openshift-release-dev/ocp-release", "m.lab/ci/release", "another host")
        },
        Case {
            expected: Some(at_source(RELEASE, &[(Era::Prefix, "m.lab/ci/ocp-release")])),
            ..Case::new("ci.lab/openshift-release-dev", "m.lab/ci", "a namespace, from 4.17 on")
        },
        Case::new("ci.lab/openshift-release-dev/ocp-release", "m.lab/a/ocp-release", "the same place"),
        Case::new("localhost/a/openshift-release-dev", "m.lab/ci", "a longer path"),
    ]);
}

const CUSTOM: Option<(&str, &str)> = Some(("ci.lab:5000/ocp/release:4.18.1", ""));
const OPERATOR: Option<(&str, &str)> =
    Some(("", "hypershift.openshift.io/control-plane-operator-image: ci.lab:5000/dev/cpo:1"));

#[test]
fn what_hosted_clusters_name_is_looked_up_too() {
    check_all(&[
        Case::new("ci.lab:5000", "m.lab/ci", "nobody names an image of it"),
        Case {
            hosted: CUSTOM,
            expected: Some(at_source("ci.lab:5000/ocp/release", &[(Era::Prefix, "")])),
            ..Case::new("ci.lab:5000", "m.lab/ci", "a root with a port never matches")
        },
        Case { hosted: CUSTOM, ..Case::new("ci.lab:5000/ocp", "m.lab/ocp", "from 4.17 on a namespace does") },
        Case {
            hosted: CUSTOM,
            expected: Some(at_source("ci.lab:5000/ocp/release", &[(Era::Prefix, "m.lab/ocp/release")])),
            ..Case::new("ci.lab:5000/ocp", "m.lab/x/ocp", "but only the last element of its mirror is kept")
        },
        Case {
            hosted: OPERATOR,
            ..Case::new("*.lab:5000", "m.lab/ci", "a port hides a host from a wildcard")
        },
        Case {
            hosted: OPERATOR,
            expected: Some(at_source("ci.lab:5000/dev/cpo", &[(Era::Exact, "")])),
            ..Case::new("ci.lab:5000/dev", "m.lab/dev", "the operator's image of an annotation")
        },
    ]);
}

#[test]
fn hosted_clusters_of_several_eras_may_name_one_repository() {
    let own = set(Idms, "own", &[("ci.lab/ocp/release", &["m.lab"])]);
    let [newer, older] = ["4.18.1", "4.16.1"].map(|tag| format!("ci.lab/ocp/release:{tag}"));
    let table = [
        (vec![hosted("a", &newer, "")], vec![Era::Prefix], "one"),
        (vec![hosted("a", &newer, ""), hosted("b", &older, "")], vec![Era::Exact, Era::Prefix], "two"),
    ];
    for (clusters, eras, reason) in table {
        let found = found_in(RULE.id, &own, clusters, &for_releases("4.18"));
        let [finding] = &*found else { panic!("{reason}: {found:?}") };
        // As in every era that is astray with these places.
        let expected: Vec<_> = eras
            .into_iter()
            .map(|era| astray(&[era], "ci.lab/ocp/release", "ci.lab/ocp/release", &["m.lab"]))
            .collect();
        assert_eq!(finding.effect, describe_lookups(&expected.concat()), "{reason}");
    }
}

#[test]
fn sources_that_cannot_be_parsed_crash_control_planes_up_to_4_16() {
    let (old, new) = (Some(("quay.io/r:4.16.1", "")), Some(("quay.io/r:4.17.1", "")));
    let long = "quay.io/".to_owned() + &"a/".repeat(150) + "b";
    let long: &'static str = Box::leak(long.into_boxed_str());
    let wildcard = |reason| Case::new("*.redhat.io", "m.lab/x", reason);
    let table = [
        (wildcard("no hosted cluster, and no release configured"), false),
        (Case { hosted: old, ..wildcard("an old hosted cluster") }, true),
        (Case { hosted: new, ..wildcard("a newer one") }, false),
        (Case { releases: "4.15 4.18", ..wildcard("an old release is configured") }, true),
        (Case { releases: "4.18", ..wildcard("only newer ones are") }, false),
        (Case { hosted: Some(("quay.io/r@sha256:1", "")), ..wildcard("a release that nobody knows") }, true),
        (Case { hosted: old, ..Case::new("quay.io/ubi9", "m.lab/x", "a source that can be parsed") }, false),
        (Case { hosted: old, ..Case::new(long, "m.lab/x", "a name that is too long") }, true),
        (
            Case { hosted: old, ..Case::new("*.redhat.io", "", "an entry without a mirror is not read") },
            false,
        ),
    ];
    for (case, expected) in table {
        let found = case.found();
        let crash = found.iter().find(|found| found.key == format!("{} crash", case.source));
        assert_eq!(crash.is_some(), expected, "{}", case.reason);
        let related = crash.map_or(0, |crash| crash.related.len());
        assert_eq!(related, usize::from(expected && case.hosted.is_some()), "{}", case.reason);
    }
}

#[test]
fn each_kind_has_its_text_level_and_hosted_cluster() {
    let found = [
        Case::new(RELEASE, "m.lab:8443/release", ""),
        Case { hosted: CUSTOM, ..Case::new("ci.lab:5000/ocp", "m.lab/x/ocp", "") },
        Case { releases: "4.16", ..Case::new("ci.lab/openshift-release-dev/ocp-release", "m.lab/ci", "") },
        Case { releases: "4.18", ..Case::new("ci.lab/openshift-release-dev", "m.lab/ci", "") },
        Case { hosted: Some(("quay.io/r:4.16.1", "")), ..Case::new("*.redhat.io", "m.lab/x", "") },
    ]
    .map(|case| case.found())
    .concat();
    let about: Vec<_> = found.iter().map(|one| (one.at_most, one.related.len())).collect();
    assert_eq!(
        about,
        [(Level::Deny, 0), (Level::Deny, 1), (Level::Deny, 0), (Level::Warn, 0), (Level::Deny, 1)]
    );
    assert_texts(RULE.id, &found);
}
