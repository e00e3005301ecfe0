//! A write that removes a mirror which HostedClusters use.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Check, Finding, Level, Related, Rule, SetWrite,
    finding::some_hosted,
    subject::{overrides_placement, releases_of},
};
use crate::{
    hypershift::{
        Derivation, Derivations, RELEASE_REPOSITORIES, Releases,
        catalogs::{CATALOGS, DEFAULT_NAMESPACE, catalogs_of},
        mirror_of, readings,
    },
    node::places,
    objects::{
        HostedCluster, MirrorSet,
        reference::Image,
        scope::{is_nested, names_registry},
    },
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

/// A finding for each repository of release images that loses a mirror, with the hosted clusters that pull from it.
fn find_release_images(write: &SetWrite<'_>, old: &MirrorSet, hosted: &[&HostedCluster]) -> Vec<Finding> {
    if !old.kind.is_digest() {
        return Vec::new();
    }
    let mut users: BTreeMap<String, Vec<&HostedCluster>> = BTreeMap::new();
    for hosted in hosted {
        for repository in repositories_of(hosted) {
            users.entry(repository).or_default().push(hosted);
        }
    }
    let mut findings = Vec::new();
    for (repository, users) in users {
        let Some(mirror) = removed_mirror(write, old, &repository) else { continue };
        let key = format!("release {repository} {mirror}");
        let what = format!(
            "this write removes mirror \"{mirror}\" of {repository}, used by {}",
            some_hosted(&users)
        );
        let effect = "control planes then pull from another mirror or the source";
        findings.push(finding(old, key, what, effect, &users));
    }
    findings
}

/// Where releases of OKD and of the CI lie. Their components are not in the repository of OpenShift's own, the second
/// of [`RELEASE_REPOSITORIES`].
const OTHER_PRODUCTS: [&str; 3] = ["registry.ci.openshift.org", "quay.io/okd", "quay.io/openshift"];

/// The repositories from which the control plane of a HostedCluster is pulled.
fn repositories_of(hosted: &HostedCluster) -> BTreeSet<String> {
    let Ok(image) = Image::parse(&hosted.spec.release.image) else { return BTreeSet::new() };
    let mut repositories = BTreeSet::from([image.name().to_owned()]);
    if !OTHER_PRODUCTS.iter().any(|scope| is_nested(image.name(), scope)) {
        // The components keep their names, wherever the release image itself is.
        let [_, components] = RELEASE_REPOSITORIES;
        repositories.insert(components.to_owned());
    }
    repositories
}

/// The first location of a repository that the write removes. The repository itself, which may be among its mirrors, is
/// tried without an entry, too.
fn removed_mirror(write: &SetWrite<'_>, old: &MirrorSet, repository: &str) -> Option<String> {
    if !covers(old, repository) {
        return None;
    }
    let before = places(write.cluster.before, repository, |found| found.set.kind.is_digest())?;
    let after = places(write.cluster.after, repository, |found| found.set.kind.is_digest());
    // If no source covers the repository any more, every location is removed.
    let after = after.map(|after| after.places).unwrap_or_default();
    let mut before = before.places.into_iter().filter(|place| *place != repository);
    // Nodes cannot pull from a mirror without a registry, so its removal is no loss.
    before.find(|place| names_registry(place) && !after.contains(place))
}

/// A finding for each place of catalogs that a HostedCluster uses and no mirror set leads to any more.
fn find_catalogs(write: &SetWrite<'_>, old: &MirrorSet, hosted: &[&HostedCluster]) -> Vec<Finding> {
    if !CATALOGS.iter().any(|catalog| covers(old, &catalog.image())) {
        return Vec::new();
    }
    let [before, after] = [write.cluster.before, write.cluster.after].map(Derivations::of_mirror_sets);
    let mut users: BTreeMap<String, Vec<&HostedCluster>> = BTreeMap::new();
    for hosted in hosted {
        let releases = releases_of(hosted, write.settings);
        let (before, after) = (before.for_releases(&releases), after.for_releases(&releases));
        if let Some(place) = removed_place(hosted, &releases, before, after) {
            users.entry(place).or_default().push(hosted);
        }
    }
    let mut findings = Vec::new();
    for (mirror, users) in users {
        let what = format!(
            "this write removes mirror \"{mirror}\" of {DEFAULT_NAMESPACE}, used by {} for the catalogs",
            some_hosted(&users)
        );
        let effect = "catalog overrides still point to it, although no mirror set does";
        findings.push(finding(old, format!("catalogs {mirror}"), what, effect, &users));
    }
    findings
}

/// The first namespace that a HostedCluster's catalog overrides and the mirror sets led to, and the mirror sets no
/// longer lead to; the image, if the mirror gives it another name. Without the annotation, HyperShift pulls catalogs
/// from their source, whatever the mirror sets say.
fn removed_place(
    hosted: &HostedCluster,
    releases: &Releases,
    before: &Derivation,
    after: &Derivation,
) -> Option<String> {
    let (value, placement) = (hosted.catalog_overrides()?, overrides_placement(hosted)?);
    for reading in readings(value, releases, placement) {
        for catalog in catalogs_of(releases) {
            let (before, after) = (before.mirrors_of(catalog), after.mirrors_of(catalog));
            let used = reading.places(catalog).into_iter().flatten();
            let mut removed = used.filter(|place| before.contains(place) && !after.contains(place));
            if let Some(image) = removed.next() {
                return Some(mirror_of(&image, catalog).to_owned());
            }
        }
    }
    None
}

fn finding(old: &MirrorSet, key: String, what: String, effect: &str, users: &[&HostedCluster]) -> Finding {
    Finding {
        effect: effect.to_owned(),
        fix: "add the new mirror first, or keep this entry".into(),
        related: users.iter().map(|hosted| Related::to_hosted(hosted, "spec")).collect(),
        ..Finding::new(old.list_path(), key, what)
    }
}

#[cfg(test)]
mod tests;
