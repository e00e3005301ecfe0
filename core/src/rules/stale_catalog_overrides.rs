//! Catalog overrides that mirrorguard filled in, and that no longer match the mirror sets.

use super::{Check, Finding, Found, HostedWrite, Level, Rule, Survey, finding::of_releases};
use crate::objects::annotation;

pub(super) const RULE: Rule = Rule {
    id: "stale-catalog-overrides",
    level: Level::Warn,
    summary: "catalog overrides that mirrorguard filled in, and that no longer match the mirror sets",
    page: include_str!("stale_catalog_overrides.md"),
    check: Check::Cluster(check),
    ..Rule::BASE
};

fn check(survey: &Survey<'_>, found: &mut Vec<Found>) {
    for write in survey.hosted() {
        let finding = orphan(&write).or_else(|| outdated(&write));
        found.extend(finding.map(|finding| Found { object: write.new.id(), finding }));
    }
}

/// The annotation that marks a value as filled in, without the value.
fn orphan(write: &HostedWrite<'_>) -> Option<Finding> {
    let hosted = write.new;
    hosted.annotation(annotation::DERIVED)?;
    if hosted.catalog_overrides().is_some() {
        return None;
    }
    let (namespace, name) = (&hosted.metadata.namespace, &hosted.metadata.name);
    Some(Finding {
        fix: format!("run oc -n {namespace} annotate hostedcluster {name} {}-", annotation::DERIVED).into(),
        ..Finding::new(
            annotation::path(annotation::DERIVED),
            "orphan",
            "the catalog overrides annotation that mirrorguard filled in was removed, but this annotation was not",
        )
    })
}

/// A value that was filled in, and that the mirror sets no longer give.
fn outdated(write: &HostedWrite<'_>) -> Option<Finding> {
    let hosted = write.new;
    let existing = hosted.catalog_overrides()?;
    if !hosted.has_derived_overrides() || write.leaves_catalogs_alone() {
        return None;
    }
    let releases = write.releases();
    let derivation = write.derivation();
    let from = derivation.from;
    let (key, now, fix) = match &derivation.value {
        Ok(value) if value == existing => return None,
        Ok(value) => (
            format!("outdated {existing} {value}"),
            format!("the value from {from} is now \"{value}\"{}", of_releases(&releases)),
            "set any annotation on the HostedCluster, so that the webhook updates the value",
        ),
        Err(obstacle) => (
            format!("outdated {existing}"),
            format!("there is no correct value from {from} now: {}", obstacle.short()),
            "mirror the catalogs again, or remove both annotations",
        ),
    };
    let what = format!("mirrorguard filled in \"{existing}\", but {now}");
    Some(Finding {
        effect: "HyperShift looks for the catalogs where they were mirrored before".to_owned(),
        fix: fix.into(),
        ..Finding::new(annotation::path(annotation::CATALOG_OVERRIDES), key, what)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::annotation::{CATALOG_OVERRIDES, DERIVED},
        rules::{survey_testing::Cluster, testing::assert_texts},
    };

    const NOW: &str = "registry.redhat.io/redhat=m.lab/redhat";
    const OLD: &str = "registry.redhat.io/redhat=old.lab/redhat";

    /// A value that was filled in.
    fn filled_in(value: &str) -> String {
        format!("{CATALOG_OVERRIDES}: {value}, {DERIVED}: {value}")
    }

    #[test]
    fn a_value_that_was_filled_in_is_compared_with_the_one_that_would_be_filled_in_now() {
        let moved = format!("outdated {OLD} {NOW}");
        let table: [(String, &str, Option<&str>, &str); 6] = [
            (filled_in(NOW), "", None, "up to date"),
            (filled_in(OLD), "", Some(&moved), "the mirror has moved"),
            (filled_in(OLD), "olmCatalogPlacement: guest", None, "it reaches no catalog"),
            (format!("{CATALOG_OVERRIDES}: {OLD}"), "", None, "the owner's"),
            (format!("{CATALOG_OVERRIDES}: {OLD}, {DERIVED}: {NOW}"), "", None, "changed by the owner"),
            (format!("{DERIVED}: {NOW}"), "", Some("orphan"), "only one of the two was removed"),
        ];
        let sets = [("imageTagMirrors", "a", "registry.redhat.io/redhat", "m.lab/redhat")];
        let mut findings = Vec::new();
        for (annotations, spec, expected, reason) in table {
            let cluster = Cluster::new(&sets).hosted(&annotations, spec);
            let expected: Vec<_> = expected.iter().map(|key| format!("HostedCluster/lab: {key}")).collect();
            assert_eq!(cluster.keys(RULE.id), expected, "{annotations}: {reason}");
            findings.extend(cluster.findings(RULE.id));
        }
        let without_sets = Cluster::new(&[]).hosted(&filled_in(OLD), "");
        assert_eq!(without_sets.keys(RULE.id), [format!("HostedCluster/lab: outdated {OLD}")]);
        findings.extend(without_sets.findings(RULE.id));
        assert_texts(RULE.id, &findings);
    }
}
