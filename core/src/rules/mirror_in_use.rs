//! A write that takes away a mirror which HostedClusters live on.

use std::collections::BTreeMap;

use super::{
    Check, Finding, Level, Related, Rule, SetWrite,
    finding::some_hosted,
    subject::{overrides_reach_nothing, releases_of},
};
use crate::{
    hypershift::{
        Derivation, Derivations, RELEASE_REPOSITORIES,
        catalogs::{self, CATALOGS},
    },
    node::places,
    objects::{HostedCluster, MirrorSet, reference::Image, scope::is_nested},
};

pub(super) const RULE: Rule = Rule {
    id: "mirror-in-use",
    level: Level::Warn,
    summary: "a write that takes away the mirror of a HostedCluster's catalogs or release images",
    page: include_str!("mirror_in_use.md"),
    check: Check::MirrorSet(check),
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(old) = write.old_set() else { return };
    let stays = |hosted: &&HostedCluster| hosted.metadata.deletion_timestamp.is_none();
    let hosted: Vec<_> = write.cluster.before.hosted_clusters().filter(stays).collect();
    if hosted.is_empty() {
        return;
    }
    findings.extend(release_images(write, old, &hosted));
    findings.extend(catalog_images(write, old, &hosted));
}

/// Only what an entry of the set covered can have been taken away with it.
fn covered(old: &MirrorSet, scope: &str) -> bool {
    old.effective_entries().any(|(_, entry)| is_nested(scope, &entry.source))
}

fn release_images(write: &SetWrite<'_>, old: &MirrorSet, hosted: &[&HostedCluster]) -> Option<Finding> {
    let mut users: BTreeMap<String, Vec<&HostedCluster>> = BTreeMap::new();
    for hosted in hosted {
        let own = Image::parse(&hosted.spec.release.image).map(|image| image.name().to_owned());
        // Wherever the release itself lies, its components keep their names.
        let [_, components] = RELEASE_REPOSITORIES;
        for repository in own.into_iter().chain([components.to_owned()]) {
            users.entry(repository).or_default().push(hosted);
        }
    }
    let lost = |repository: &str| -> Option<String> {
        let find = |view| places(view, repository, |found| found.set.kind.is_digest());
        let before =
            find(write.cluster.before).filter(|_| old.kind.is_digest() && covered(old, repository))?;
        let after = find(write.cluster.after).map(|after| after.places).unwrap_or_default();
        before.places.into_iter().find(|place| !after.contains(place))
    };
    users.retain(|repository, _| lost(repository).is_some());
    let (first, hosted) = users.iter().max_by_key(|(_, hosted)| hosted.len())?;
    let names: Vec<_> = users.keys().map(|name| name.rsplit('/').next().unwrap_or(name).to_owned()).collect();
    Some(finding(old, &names.join(" and "), &lost(first)?, hosted, "control planes then pull from elsewhere"))
}

fn catalog_images(write: &SetWrite<'_>, old: &MirrorSet, hosted: &[&HostedCluster]) -> Option<Finding> {
    if !CATALOGS.iter().any(|catalog| covered(old, &catalog.image())) {
        return None;
    }
    let (before, after) = (Derivations::of(write.cluster.before), Derivations::of(write.cluster.after));
    let lost = |hosted: &&HostedCluster| -> Option<String> {
        if overrides_reach_nothing(hosted) {
            return None;
        }
        let releases = releases_of(hosted, write.settings);
        let (before, after) = (before.for_releases(&releases), after.for_releases(&releases));
        let derived = before.value.as_deref().ok().filter(|_| !hosted.has_catalog_overrides_annotation());
        let value = hosted.catalog_overrides().or(derived)?;
        let overrides = catalogs::parse(value)?;
        let mut places = overrides.0.iter().flat_map(|(_, places)| places);
        places.find(|place| names_more(before, after, place)).map(|place| (*place).to_owned())
    };
    let users: Vec<_> = hosted.iter().filter(|hosted| lost(hosted).is_some()).copied().collect();
    let place = lost(users.first()?)?;
    Some(finding(old, "the catalogs", &place, &users, "no mirror set leads there any more"))
}

/// Whether the mirror sets placed a catalog in a namespace and do so no more.
fn names_more(before: &Derivation, after: &Derivation, namespace: &str) -> bool {
    let places = |derivation: &Derivation, index: usize| {
        let found = derivation.catalogs.get(index)?;
        Some(found.mirrors.contains(&found.catalog.image_of(namespace)))
    };
    (0..before.catalogs.len()).any(|at| places(before, at) == Some(true) && places(after, at) != Some(true))
}

fn finding(old: &MirrorSet, what: &str, place: &str, users: &[&HostedCluster], effect: &str) -> Finding {
    let related = users.iter().map(|hosted| Related::to_hosted(hosted, "spec")).collect();
    Finding {
        related,
        ..Finding::new(
            format!("spec.{}", old.kind.list_field()),
            format!("takes {place} away, the mirror of {what} of {}", some_hosted(users)),
            effect,
            "write the new place first, or keep the entry".to_owned(),
        )
    }
}

#[cfg(test)]
mod tests {
    use SetKind::{Icsp, Idms, Itms};

    use super::*;
    use crate::{
        objects::{Object, SetKind},
        rules::{
            Settings,
            testing::{hosted, review, set},
        },
        state::State,
        write::Operation,
    };

    const RELEASE: &str = "quay.io/openshift-release-dev/ocp-release";
    const OVERRIDES: &str =
        "hypershift.openshift.io/olm-catalogs-is-registry-overrides: registry.redhat.io/redhat=m.lab/redhat";

    /// Whether deleting a set is found next to another set and one HostedCluster.
    fn is_found(old: &MirrorSet, other: Option<MirrorSet>, hosted: Option<Object>) -> bool {
        let sets = other.into_iter().chain([old.clone()]).map(Object::from);
        let state: State = sets.chain(hosted).collect();
        let verdict = review(&state, &Settings::default(), Operation::Delete(old.clone()));
        assert!(verdict.is_allowed(), "a deletion is never denied");
        verdict.rule_ids().contains(&RULE.id)
    }

    #[test]
    fn a_deletion_is_found_where_something_lives_on_it() {
        let release = set(Idms, "own", &[(RELEASE, &["m.lab/a/release"])]);
        let namespace = set(Idms, "own", &[("quay.io/openshift-release-dev", &["m.lab/a"])]);
        let catalogs = set(Itms, "own", &[("registry.redhat.io/redhat", &["m.lab/redhat"])]);
        let same = |set: &MirrorSet, kind| Some(MirrorSet { kind, name: "other".into(), ..set.clone() });
        let ours = || Some(hosted("h", &format!("{RELEASE}:4.18.1"), ""));
        let by_digest = format!("{RELEASE}@sha256:{}", "0".repeat(64));
        let elsewhere = || Some(hosted("h", "m.lab/a/release:4.18.1", ""));
        let annotated = || Some(hosted("h", "m.lab/a/release:4.18.1", OVERRIDES));
        let name = crate::objects::annotation::CATALOG_OVERRIDES;
        let wants_none = |none| Some(hosted("h", "m.lab/a/release:4.18.1", &format!("{name}: \"{none}\"")));
        let images = "hypershift.openshift.io/redhat-operators-catalog-image: m.lab/x@sha256:0";
        let by_image = Some(hosted("h", "m.lab/a/release:4.18.1", &format!("{OVERRIDES}, {images}")));
        let nearer = Some(set(Idms, "near", &[(RELEASE, &["n.lab/a/release"])]));
        let table = [
            (&release, None, ours(), true, "the release comes from it"),
            (&release, None, Some(hosted("h", &by_digest, "")), true, "by digest too"),
            (&release, None, None, false, "nobody is there"),
            (&release, None, elsewhere(), false, "the release comes from elsewhere"),
            (&release, same(&release, Icsp), ours(), false, "an equal ICSP keeps it"),
            (&release, same(&release, Itms), ours(), true, "an ITMS does not"),
            (&namespace, None, elsewhere(), true, "the components keep their names"),
            (&namespace, nearer, ours(), true, "the components have no nearer source"),
            (&catalogs, None, elsewhere(), true, "the catalogs that would be filled in"),
            (&catalogs, None, annotated(), true, "the catalogs of an annotation"),
            (&catalogs, None, wants_none(""), false, "the owner wants none filled in"),
            (&catalogs, None, wants_none("="), false, "the same"),
            (&catalogs, same(&catalogs, Idms), annotated(), false, "a digest set still names them"),
            (&catalogs, None, by_image, false, "the catalogs' images are named"),
        ];
        for (old, other, hosted, expected, reason) in table {
            assert_eq!(is_found(old, other, hosted), expected, "{reason}");
        }
    }
}
