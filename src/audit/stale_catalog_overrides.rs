//! Catalog overrides that were filled in and are not what would be filled in now.

use super::{Found, ObjectId, Survey, of_release};
use crate::{
    objects::annotation,
    rules::{Check, Finding, HostedWrite, Level, Rule},
};

pub(super) const CHECK: Rule = Rule {
    id: "stale-catalog-overrides",
    level: Level::Warn,
    summary: "catalog overrides that were filled in, and that the mirror sets no longer derive",
    page: include_str!("stale_catalog_overrides.md"),
    check: Check::Cluster(check),
};

fn check(survey: &Survey<'_>, found: &mut Vec<Found>) {
    for write in survey.hosted() {
        let finding = orphan(&write).or_else(|| outdated(&write));
        found.extend(finding.map(|finding| Found { object: ObjectId::of_hosted(write.new), finding }));
    }
}

/// The marker without what it marks.
fn orphan(write: &HostedWrite<'_>) -> Option<Finding> {
    let hosted = write.new;
    hosted.annotation(annotation::DERIVED)?;
    if hosted.annotation(annotation::CATALOG_OVERRIDES).is_some() {
        return None;
    }
    let fix = remove(hosted.metadata.namespace.as_str(), &hosted.metadata.name, annotation::DERIVED);
    let what = "the overrides that were filled in are gone, the mark of it is left".to_owned();
    Some(Finding::new(path(annotation::DERIVED), what, "", fix))
}

/// Our value, while the mirror sets say something else.
fn outdated(write: &HostedWrite<'_>) -> Option<Finding> {
    let hosted = write.new;
    let there = hosted.annotation(annotation::CATALOG_OVERRIDES)?;
    let is_ours = hosted.annotation(annotation::DERIVED) == Some(there);
    if !is_ours || write.leaves_catalogs_alone() {
        return None;
    }
    let release = of_release(write.release());
    let (what, fix) = match &write.derivations.for_release(write.release()).value {
        Ok(value) if value == there => return None,
        Ok(value) => (
            format!("the value filled in is \"{there}\", the mirror sets now derive \"{value}\"{release}"),
            "write the HostedCluster once more (add a label, for example): the webhook brings it up to date"
                .to_owned(),
        ),
        Err(obstacle) => (
            format!("the value filled in is \"{there}\", and none can be derived now: {}", obstacle.short()),
            "mirror the catalogs again, or remove both annotations".to_owned(),
        ),
    };
    let effect = "the catalogs are looked for where they were mirrored before";
    Some(Finding::new(path(annotation::CATALOG_OVERRIDES), what, effect, fix))
}

fn path(annotation: &str) -> String {
    format!("metadata.annotations[{annotation}]")
}

/// The command that removes an annotation.
fn remove(namespace: &str, name: &str, annotation: &str) -> String {
    format!("oc -n {namespace} annotate hostedcluster {name} {annotation}-")
}
