//! A typed override value that HyperShift ignores, corrupts or reads at random.

use super::{Check, Finding, HostedWrite, Level, Rule};
use crate::{
    hypershift::{Misreading, find_correction, misreadings},
    objects::annotation,
};

pub(crate) const RULE: Rule = Rule {
    id: "misread-catalog-overrides",
    level: Level::Deny,
    summary: "a catalog overrides value that HyperShift ignores, corrupts or reads at random",
    page: include_str!("misread_catalog_overrides.md"),
    check: Check::HostedCluster(check),
    ..Rule::BASE
};

pub(crate) fn check(write: &HostedWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(value) = write.new.catalog_overrides() else { return };
    if write.overrides_reach_nothing() {
        return;
    }
    let releases = write.releases();
    let placed = write.state.derivations().for_releases(&releases);
    for misreading in misreadings(value, &releases, placed) {
        let is_right = |right: &String| misreadings(right, &releases, placed).is_empty();
        let right =
            placed.value.clone().ok().filter(is_right).or_else(|| find_correction(value).filter(is_right));
        let fix = right.map_or_else(
            || "name the namespace: registry.redhat.io/redhat=HOST/NAMESPACE".to_owned(),
            |right| format!("write \"{right}\""),
        );
        let (at_most, effect) = match misreading {
            Misreading::Ignored(..) => (Level::Warn, "it can be left out"),
            _ => (Level::Deny, "the catalogs are not pulled from the mirror"),
        };
        let what = misreading.to_string();
        findings.push(Finding {
            at_most,
            ..Finding::new(annotation::path(annotation::CATALOG_OVERRIDES), what, effect, fix)
        });
    }
}
