//! Some of the annotations that name the catalogs' images, or one by tag.

use super::{Check, Finding, HostedWrite, Level, Rule};
use crate::{
    hypershift::{
        Release,
        catalogs::{CATALOGS, Catalog},
    },
    objects::annotation,
};

pub(super) const RULE: Rule = Rule {
    id: "incomplete-catalog-images",
    level: Level::Deny,
    summary: "some of the catalog-image annotations of a HostedCluster, or one by tag",
    page: include_str!("incomplete_catalog_images.md"),
    check: Check::HostedCluster(check),
    ..Rule::BASE
};

const EFFECT: &str = "the hosted control plane fails to reconcile";

fn check(write: &HostedWrite<'_>, findings: &mut Vec<Finding>) {
    if write.runs_no_catalogs() {
        return;
    }
    let value = |catalog: &Catalog| write.new.annotation(catalog.image_annotation);
    let Some(present) = CATALOGS.iter().find(|catalog| value(catalog).is_some()) else { return };
    for catalog in &CATALOGS {
        if let Some(image) = value(catalog).filter(|image| !image.contains("@sha256:")) {
            findings.push(Finding::new(
                path(catalog),
                format!("\"{image}\" is not by digest"),
                EFFECT,
                "name the image as repository@sha256:…".to_owned(),
            ));
        }
    }
    let releases = write.releases();
    for catalog in &CATALOGS {
        let dropped = catalog.name == "redhat-marketplace";
        if value(catalog).is_some() || (dropped && releases.begin_at(Release::AFTER_FOUR_CATALOGS)) {
            continue;
        }
        // Without its release, or in the one release that dropped it on the way, the fourth may be needed.
        let unsure = dropped && (releases.is_every() || releases.begin_at(Release::THREE_CATALOGS));
        let needed = if unsure { ", which releases before 4.22 need" } else { "" };
        findings.push(Finding {
            at_most: if unsure { Level::Warn } else { Level::Deny },
            ..Finding::new(
                path(present),
                format!("{} is not there{needed}", catalog.image_annotation),
                EFFECT,
                "set the annotations of all default catalogs, or none of them".to_owned(),
            )
        });
    }
}

fn path(catalog: &Catalog) -> String {
    annotation::path(catalog.image_annotation)
}
