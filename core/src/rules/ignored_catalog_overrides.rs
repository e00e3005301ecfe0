//! A catalog overrides value that decides about no catalog.

use super::{Check, Finding, HostedWrite, Level, Rule, subject::named_catalog};
use crate::{hypershift::Release, objects::annotation};

pub(super) const RULE: Rule = Rule {
    id: "ignored-catalog-overrides",
    level: Level::Warn,
    summary: "catalog overrides next to catalog-image annotations, or up to 4.16 with guest placement",
    page: include_str!("ignored_catalog_overrides.md"),
    check: Check::HostedCluster(check),
    ..Rule::BASE
};

fn check(write: &HostedWrite<'_>, findings: &mut Vec<Finding>) {
    let hosted = write.new;
    if hosted.catalog_overrides().is_none() {
        return;
    }
    let path = annotation::path(annotation::CATALOG_OVERRIDES);
    if hosted.catalogs_run_in_guest() {
        if write.releases().meet(None, Some(Release::SECOND_ERA)) {
            findings.push(Finding::new(
                path,
                "up to 4.16 it is ignored with olmCatalogPlacement: guest".to_owned(),
                "its nodes pull the catalogs from registry.redhat.io",
                "disable the default catalogs and add CatalogSources in the hosted cluster".to_owned(),
            ));
        }
    } else if let Some(catalog) = named_catalog(hosted) {
        let other = catalog.image_annotation.split_once('/').map_or(catalog.image_annotation, |(_, n)| n);
        findings.push(Finding::new(
            path,
            format!("it is ignored next to {other}"),
            "the catalogs are the images named there",
            "remove one of the two".to_owned(),
        ));
    }
}
