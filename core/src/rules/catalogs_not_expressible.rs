//! Mirror sets speak of the catalogs, but no value of the annotation says the same in every release.

use super::{Check, Finding, HostedWrite, Level, Rule};
use crate::hypershift::{Obstacle, catalogs::CATALOGS};

pub(crate) const RULE: Rule = Rule {
    id: "catalogs-not-expressible",
    level: Level::Warn,
    summary: "mirror sets for the catalogs exist but no value of the overrides annotation is right",
    page: include_str!("catalogs_not_expressible.md"),
    check: Check::HostedCluster(check),
    ..Rule::BASE
};

pub(crate) fn check(write: &HostedWrite<'_>, findings: &mut Vec<Finding>) {
    if write.leaves_catalogs_alone() || write.new.has_catalog_overrides_annotation() {
        return;
    }
    let obstacle = match &write.derivation().value {
        Ok(_) | Err(Obstacle::NoneMirrored) => return,
        Err(obstacle) => obstacle,
    };
    let names: Vec<_> =
        CATALOGS.iter().map(|c| format!("{}: \"…@sha256:…\"\n", c.image_annotation)).collect();
    findings.push(Finding {
        yaml: Some(names.concat()),
        ..Finding::new(
            "metadata.annotations",
            format!("no catalog overrides are filled in, because {}", obstacle.short()),
            "catalogs are pulled from registry.redhat.io",
            "mirror the whole namespace, or set the catalog-image annotations".to_owned(),
        )
    });
}
