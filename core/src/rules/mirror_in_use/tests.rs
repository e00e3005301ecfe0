use SetKind::{Icsp, Idms, Itms};

use super::*;
use crate::{
    objects::{Object, SetKind, annotation},
    rules::{
        Settings,
        testing::{assert_texts, hosted, of_rule, review, set},
    },
    state::State,
    write::Operation,
};

const RELEASE: &str = RELEASE_REPOSITORIES[0];
const COMPONENTS: &str = RELEASE_REPOSITORIES[1];
const COPY: &str = "m.lab/a/release:4.18.1";
const OVERRIDES: &str =
    "hypershift.openshift.io/olm-catalogs-is-registry-overrides: registry.redhat.io/redhat=m.lab/redhat";

/// Another set, release image and annotations of a HostedCluster, the key of what is found, the reason.
type Row<'a> = (Option<MirrorSet>, Option<(&'a str, &'a str)>, Option<&'a str>, &'static str);

/// What is found in the deletion of a set next to another set and a HostedCluster, if there are any.
fn find_in_deletion(deleted: &MirrorSet, other: Option<MirrorSet>, hosted: Option<Object>) -> Vec<Finding> {
    let sets = other.into_iter().chain([deleted.clone()]).map(Object::from);
    let state: State = sets.chain(hosted).collect();
    let verdict = review(&state, &Settings::default(), Operation::Delete(deleted.clone()));
    assert!(verdict.is_allowed(), "a deletion is never denied");
    of_rule(RULE.id, verdict)
}

fn assert_rows<const N: usize>(deleted: &MirrorSet, rows: [Row<'_>; N]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (other, cluster, key, reason) in rows {
        let cluster = cluster.map(|(image, annotations)| hosted("h", image, annotations));
        let found = find_in_deletion(deleted, other, cluster);
        assert_eq!(found.first().map(|finding| &*finding.key), key, "{reason}");
        findings.extend(found);
    }
    findings
}

/// The same entries in a set of another kind.
fn copy_as(kind: SetKind, set: &MirrorSet) -> MirrorSet {
    MirrorSet { kind, name: "other".into(), ..set.clone() }
}

#[test]
fn the_repository_itself_is_no_mirror_that_is_removed() {
    type Mirrors<'a> = &'a [&'a str];
    let release = &*format!("{RELEASE}:4.18.1");
    // The key of what is found where the entry with these mirrors becomes one with the others.
    let table: [(Mirrors<'_>, Mirrors<'_>, Option<&str>, &str); 2] = [
        (&[RELEASE, "m.lab/r"], &["m.lab/r"], None, "it is tried last instead"),
        (&["n.lab/r", "m.lab/r"], &["m.lab/r"], Some("n.lab/r"), "a mirror"),
    ];
    for (before, after, expected, reason) in table {
        let [old, new] = [before, after].map(|mirrors| set(Idms, "own", &[(RELEASE, mirrors)]));
        let state: State = [Object::from(old.clone()), hosted("h", release, "")].into_iter().collect();
        let verdict = review(&state, &Settings::default(), Operation::Update { old, new });
        let keys: Vec<_> = of_rule(RULE.id, verdict).into_iter().map(|finding| finding.key).collect();
        let expected: Vec<_> =
            expected.map(|mirror| format!("release {RELEASE} {mirror}")).into_iter().collect();
        assert_eq!(keys, expected, "{reason}");
    }
}

#[test]
fn a_deletion_is_found_where_a_hosted_cluster_uses_the_mirror() {
    let release = set(Idms, "own", &[(RELEASE, &["m.lab/a/release"])]);
    let namespace = set(Idms, "own", &[("quay.io/openshift-release-dev", &["m.lab/a"])]);
    let catalogs = set(Itms, "own", &[("registry.redhat.io/redhat", &["m.lab/redhat"])]);
    let specific = Some(set(Idms, "specific", &[(RELEASE, &["n.lab/a/release"])]));
    let tag = &*format!("{RELEASE}:4.18.1");
    let digest = &*format!("{RELEASE}@sha256:{}", "0".repeat(64));
    let other = &*OVERRIDES.replace("m.lab", "n.lab");
    let empty = &*format!("{}: \"\"", annotation::CATALOG_OVERRIDES);
    let equals = &*format!("{}: \"=\"", annotation::CATALOG_OVERRIDES);
    let image = "hypershift.openshift.io/redhat-operators-catalog-image: m.lab/x@sha256:0";
    let images = &*format!("{OVERRIDES}, {image}");
    let key = format!("release {RELEASE} m.lab/a/release");
    let found = Some(&*key);
    let mut findings = assert_rows(
        &release,
        [
            (None, Some((tag, "")), found, "the release comes from it"),
            (None, Some((digest, "")), found, "by digest too"),
            (None, None, None, "there is no HostedCluster"),
            (None, Some((COPY, "")), None, "the release comes from elsewhere"),
            (Some(copy_as(Icsp, &release)), Some((tag, "")), None, "an equivalent ICSP keeps it"),
            (Some(copy_as(Itms, &release)), Some((tag, "")), found, "an ITMS does not"),
        ],
    );
    let (okd, ci) = ("quay.io/okd/scos-release:4.18.1", "registry.ci.openshift.org/ocp/release:4.18.1");
    let key = format!("release {COMPONENTS} m.lab/a/ocp-v4.0-art-dev");
    let found = Some(&*key);
    findings.extend(assert_rows(
        &namespace,
        [
            (None, Some((COPY, "")), found, "the components keep their names"),
            (None, Some((okd, "")), None, "OKD has other components"),
            (None, Some((ci, "")), None, "releases of the CI too"),
            (specific, Some((tag, "")), found, "the components have no more specific source"),
        ],
    ));
    let found = Some("catalogs m.lab/redhat");
    findings.extend(assert_rows(
        &catalogs,
        [
            (None, Some((COPY, OVERRIDES)), found, "the catalogs of an annotation"),
            (None, Some((COPY, "")), None, "without an annotation they come from their source"),
            (None, Some((COPY, other)), None, "they come from elsewhere"),
            (None, Some((COPY, empty)), None, "the owner wants none filled in"),
            (None, Some((COPY, equals)), None, "the owner wants none, as HyperShift writes it"),
            (Some(copy_as(Idms, &catalogs)), Some((COPY, OVERRIDES)), None, "a digest set still names them"),
            (None, Some((COPY, images)), None, "the catalogs' images are named"),
        ],
    ));
    assert_texts(RULE.id, &findings);
}

/// Hosted clusters, each with its release image and annotations.
type Clusters<'a> = &'a [(&'a str, &'a str, &'a str)];

/// The repository or namespace and the hosted clusters of each finding in the deletion of a set.
fn users_of(deleted: &MirrorSet, clusters: Clusters<'_>) -> Vec<(String, Vec<String>)> {
    let hosted = clusters.iter().map(|(name, image, annotations)| hosted(name, image, annotations));
    let state: State = hosted.chain([Object::from(deleted.clone())]).collect();
    let verdict = review(&state, &Settings::default(), Operation::Delete(deleted.clone()));
    let mut users = Vec::new();
    for found in of_rule(RULE.id, verdict) {
        let names = found.related.iter().map(|related| related.object.to_string());
        users.push((found.key, names.map(|name| name.rsplit('/').next().unwrap().to_owned()).collect()));
    }
    users
}

#[test]
fn each_finding_counts_the_hosted_clusters_that_use_its_mirror() {
    let ours = format!("{RELEASE}:4.18.1");
    let namespace = set(Idms, "own", &[("quay.io/openshift-release-dev", &["m.lab/a"])]);
    let clusters: Clusters<'_> = &[("a", &ours, ""), ("b", COPY, ""), ("c", &ours, "")];
    let expected = [
        (format!("release {RELEASE} m.lab/a/ocp-release"), vec!["a".to_owned(), "c".to_owned()]),
        (
            format!("release {COMPONENTS} m.lab/a/ocp-v4.0-art-dev"),
            vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
        ),
    ];
    assert_eq!(
        users_of(&namespace, clusters),
        expected,
        "b is pulled from elsewhere, its components are not"
    );
    let two = set(Itms, "own", &[("registry.redhat.io/redhat", &["m.lab/redhat", "n.lab/redhat"])]);
    let other = OVERRIDES.replace("m.lab", "n.lab");
    let clusters: Clusters<'_> =
        &[("a", COPY, OVERRIDES), ("b", COPY, &other), ("c", COPY, ""), ("d", COPY, OVERRIDES)];
    let expected = [
        ("catalogs m.lab/redhat".to_owned(), vec!["a".to_owned(), "d".to_owned()]),
        ("catalogs n.lab/redhat".to_owned(), vec!["b".to_owned()]),
    ];
    assert_eq!(users_of(&two, clusters), expected, "each namespace has its own hosted clusters");
}
