//! A write that removes a mirror which HostedClusters use.

use std::collections::BTreeMap;

use super::{
    Check, Finding, Level, Related, Rule, SetWrite,
    finding::some_hosted,
    subject::{overrides_reach_nothing, releases_of},
};
use crate::{
    hypershift::{
        CatalogMirrors, Derivation, Derivations, RELEASE_REPOSITORIES,
        catalogs::{self, CATALOGS},
    },
    node::places,
    objects::{HostedCluster, MirrorSet, reference::Image, scope::is_nested},
};

pub(super) const RULE: Rule = Rule {
    id: "mirror-in-use",
    level: Level::Warn,
    summary: "a write that removes a mirror of a HostedCluster's catalogs or release images",
    page: include_str!("mirror_in_use.md"),
    check: Check::MirrorSet(check),
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(old) = write.old_set() else { return };
    let mut hosted: Vec<_> = write.cluster.before.hosted_clusters().collect();
    hosted.retain(|hosted| hosted.metadata.deletion_timestamp.is_none());
    if hosted.is_empty() {
        return;
    }
    findings.extend(find_release_images(write, old, &hosted));
    findings.extend(find_catalogs(write, old, &hosted));
}

/// Whether an entry of the set covers a scope: only then can the write remove the scope's mirrors.
fn covers(set: &MirrorSet, scope: &str) -> bool {
    set.effective_entries().any(|(_, entry)| is_nested(scope, &entry.source))
}

fn find_release_images(write: &SetWrite<'_>, old: &MirrorSet, hosted: &[&HostedCluster]) -> Option<Finding> {
    if !old.kind.is_digest() {
        return None;
    }
    let mut users: BTreeMap<String, Vec<&HostedCluster>> = BTreeMap::new();
    for hosted in hosted {
        let own = Image::parse(&hosted.spec.release.image).map(|image| image.name().to_owned());
        // The components keep their names, wherever the release image itself is.
        let [_, components] = RELEASE_REPOSITORIES;
        for repository in own.into_iter().chain([components.to_owned()]) {
            users.entry(repository).or_default().push(hosted);
        }
    }
    users.retain(|repository, _| removed_mirror(write, old, repository).is_some());
    let (first, hosted) = users.iter().max_by_key(|(_, hosted)| hosted.len())?;
    let mirror = removed_mirror(write, old, first)?;
    let names: Vec<_> = users.keys().map(|name| name.rsplit('/').next().unwrap_or(name).to_owned()).collect();
    let what = format!(
        "this write removes mirror \"{mirror}\", used by {} for {}",
        some_hosted(hosted),
        names.join(" and ")
    );
    let effect = "control planes then pull from another mirror or the source";
    Some(finding(old, format!("release {mirror}"), what, effect, hosted))
}

/// The first location of a repository that the write removes.
fn removed_mirror(write: &SetWrite<'_>, old: &MirrorSet, repository: &str) -> Option<String> {
    if !covers(old, repository) {
        return None;
    }
    let before = places(write.cluster.before, repository, |found| found.set.kind.is_digest())?;
    let after = places(write.cluster.after, repository, |found| found.set.kind.is_digest());
    let after = after.map(|after| after.places).unwrap_or_default();
    before.places.into_iter().find(|place| !after.contains(place))
}

fn find_catalogs(write: &SetWrite<'_>, old: &MirrorSet, hosted: &[&HostedCluster]) -> Option<Finding> {
    if !CATALOGS.iter().any(|catalog| covers(old, &catalog.image())) {
        return None;
    }
    let [before, after] = [write.cluster.before, write.cluster.after].map(Derivations::of_mirror_sets);
    let mut removed = None;
    let mut users = Vec::new();
    for hosted in hosted {
        let releases = releases_of(hosted, write.settings);
        let (before, after) = (before.for_releases(&releases), after.for_releases(&releases));
        let configured = write.settings.catalog_overrides.as_deref();
        if let Some(namespace) = removed_namespace(hosted, configured, before, after) {
            removed.get_or_insert(namespace);
            users.push(*hosted);
        }
    }
    let mirror = removed?;
    let what =
        format!("this write removes mirror \"{mirror}\", used by {} for the catalogs", some_hosted(&users));
    let effect = "catalog overrides may still point to it, although no mirror set does";
    Some(finding(old, format!("catalogs {mirror}"), what, effect, &users))
}

/// The first namespace in a HostedCluster's catalog overrides that the mirror sets no longer redirect to.
fn removed_namespace(
    hosted: &HostedCluster,
    configured: Option<&str>,
    before: &Derivation,
    after: &Derivation,
) -> Option<String> {
    if overrides_reach_nothing(hosted) {
        return None;
    }
    let derived = configured.or(before.value.as_deref().ok());
    let derived = derived.filter(|_| !hosted.has_catalog_overrides_annotation());
    let overrides = catalogs::parse(hosted.catalog_overrides().or(derived)?)?;
    let mut namespaces = overrides.0.iter().flat_map(|(_, namespaces)| namespaces);
    namespaces.find(|namespace| is_removed(before, after, namespace)).map(|namespace| (*namespace).to_owned())
}

/// Whether the mirror sets redirected a catalog to a namespace, and no longer do.
fn is_removed(before: &Derivation, after: &Derivation, namespace: &str) -> bool {
    before.catalogs.iter().enumerate().any(|(index, found)| {
        let after = after.catalogs.get(index);
        is_in(found, namespace) && !after.is_some_and(|after| is_in(after, namespace))
    })
}

/// Whether a catalog has a mirror in a namespace.
fn is_in(found: &CatalogMirrors, namespace: &str) -> bool {
    found.mirrors.contains(&found.catalog.image_of(namespace))
}

fn finding(old: &MirrorSet, key: String, what: String, effect: &str, users: &[&HostedCluster]) -> Finding {
    Finding {
        effect: effect.to_owned(),
        fix: "add the new mirror first, or keep this entry".into(),
        related: users.iter().map(|hosted| Related::to_hosted(hosted, "spec")).collect(),
        ..Finding::new(format!("spec.{}", old.kind.list_field()), key, what)
    }
}

#[cfg(test)]
mod tests {
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

    const RELEASE: &str = "quay.io/openshift-release-dev/ocp-release";
    const COPY: &str = "m.lab/a/release:4.18.1";
    const OVERRIDES: &str =
        "hypershift.openshift.io/olm-catalogs-is-registry-overrides: registry.redhat.io/redhat=m.lab/redhat";

    /// Another set, release image and annotations of a HostedCluster, the key of what is found, the reason.
    type Row<'a> = (Option<MirrorSet>, Option<(&'a str, &'a str)>, Option<&'a str>, &'static str);

    /// What is found in the deletion of a set next to another set and one HostedCluster.
    fn find_in_deletion(
        deleted: &MirrorSet,
        other: Option<MirrorSet>,
        hosted: Option<Object>,
    ) -> Vec<Finding> {
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
    fn a_deletion_is_found_where_a_hosted_cluster_uses_the_mirror() {
        let release = set(Idms, "own", &[(RELEASE, &["m.lab/a/release"])]);
        let namespace = set(Idms, "own", &[("quay.io/openshift-release-dev", &["m.lab/a"])]);
        let catalogs = set(Itms, "own", &[("registry.redhat.io/redhat", &["m.lab/redhat"])]);
        let specific = Some(set(Idms, "specific", &[(RELEASE, &["n.lab/a/release"])]));
        let tag = &*format!("{RELEASE}:4.18.1");
        let digest = &*format!("{RELEASE}@sha256:{}", "0".repeat(64));
        let empty = &*format!("{}: \"\"", annotation::CATALOG_OVERRIDES);
        let equals = &*format!("{}: \"=\"", annotation::CATALOG_OVERRIDES);
        let image = "hypershift.openshift.io/redhat-operators-catalog-image: m.lab/x@sha256:0";
        let images = &*format!("{OVERRIDES}, {image}");
        let found = Some("release m.lab/a/release");
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
        let found = Some("release m.lab/a/ocp-v4.0-art-dev");
        findings.extend(assert_rows(
            &namespace,
            [
                (None, Some((tag, "")), found, "the release and its components"),
                (None, Some((COPY, "")), found, "the components keep their names"),
                (specific, Some((tag, "")), found, "the components have no more specific source"),
            ],
        ));
        let found = Some("catalogs m.lab/redhat");
        findings.extend(assert_rows(
            &catalogs,
            [
                (None, Some((COPY, "")), found, "the catalogs that would be filled in"),
                (None, Some((COPY, OVERRIDES)), found, "the catalogs of an annotation"),
                (None, Some((COPY, empty)), None, "the owner wants none filled in"),
                (None, Some((COPY, equals)), None, "the same"),
                (
                    Some(copy_as(Idms, &catalogs)),
                    Some((COPY, OVERRIDES)),
                    None,
                    "a digest set still names them",
                ),
                (None, Some((COPY, images)), None, "the catalogs' images are named"),
            ],
        ));
        assert_texts(RULE.id, &findings);
    }
}
