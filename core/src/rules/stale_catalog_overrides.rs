//! Catalog overrides that were filled in and are not what would be filled in now.

use super::{Check, Finding, Found, HostedWrite, Level, Rule, Survey, finding::of_releases};
use crate::objects::annotation;

pub(super) const RULE: Rule = Rule {
    id: "stale-catalog-overrides",
    level: Level::Warn,
    summary: "catalog overrides that were filled in, and that the mirror sets no longer derive",
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

/// The marker without what it marks.
fn orphan(write: &HostedWrite<'_>) -> Option<Finding> {
    let hosted = write.new;
    hosted.annotation(annotation::DERIVED)?;
    if hosted.catalog_overrides().is_some() {
        return None;
    }
    let fix = remove(hosted.metadata.namespace.as_str(), &hosted.metadata.name, annotation::DERIVED);
    let what = "the overrides that were filled in are gone, the mark of it is left".to_owned();
    Some(Finding::new(annotation::path(annotation::DERIVED), what, "", fix))
}

/// Our value, while the mirror sets say something else.
fn outdated(write: &HostedWrite<'_>) -> Option<Finding> {
    let hosted = write.new;
    let there = hosted.catalog_overrides()?;
    if !hosted.has_derived_overrides() || write.leaves_catalogs_alone() {
        return None;
    }
    let releases = write.releases();
    let release = of_releases(&releases);
    let (what, fix) = match &write.state.derivations().for_releases(&releases).value {
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
    Some(Finding::new(annotation::path(annotation::CATALOG_OVERRIDES), what, effect, fix))
}

/// The command that removes an annotation.
fn remove(namespace: &str, name: &str, annotation: &str) -> String {
    format!("oc -n {namespace} annotate hostedcluster {name} {annotation}-")
}

#[cfg(test)]
mod tests {
    use crate::objects::annotation::{CATALOG_OVERRIDES, DERIVED};
    use crate::rules::survey_testing::Cluster;

    const NOW: &str = "registry.redhat.io/redhat=m.lab/redhat";
    const OLD: &str = "registry.redhat.io/redhat=old.lab/redhat";
    const SETS: [(&str, &str, &str, &str); 1] =
        [("imageTagMirrors", "a", "registry.redhat.io/redhat", "m.lab/redhat")];

    #[test]
    fn what_was_filled_in_is_compared_with_what_would_be_now() {
        let both = |value: &str| format!("{CATALOG_OVERRIDES}: {value}, {DERIVED}: {value}");
        let table = [
            (both(NOW), "", None, "up to date"),
            (
                both(OLD),
                "",
                Some(format!(
                    "the value filled in is \"{OLD}\", the mirror sets now derive \"{NOW}\" for 4.18"
                )),
                "the mirror has moved",
            ),
            (both(OLD), "olmCatalogPlacement: guest", None, "it reaches no catalog"),
            (format!("{CATALOG_OVERRIDES}: {OLD}"), "", None, "the owner's"),
            (format!("{CATALOG_OVERRIDES}: {OLD}, {DERIVED}: {NOW}"), "", None, "changed, so the owner's"),
            (
                format!("{DERIVED}: {NOW}"),
                "",
                Some("the overrides that were filled in are gone, the mark of it is left".to_owned()),
                "half of it removed",
            ),
        ];
        for (annotations, spec, expected, reason) in table {
            let told = Cluster::new(&SETS).hosted(&annotations, spec).told("stale-catalog-overrides");
            let expected: Vec<_> = expected.iter().map(|what| format!("HostedCluster/lab: {what}")).collect();
            assert_eq!(told, expected, "{annotations}: {reason}");
        }
    }

    #[test]
    fn without_mirror_sets_the_obstacle_is_named() {
        let annotations = format!("{CATALOG_OVERRIDES}: {OLD}, {DERIVED}: {OLD}");
        let told = Cluster::new(&[]).hosted(&annotations, "").told("stale-catalog-overrides");
        let expected = format!(
            "HostedCluster/lab: the value filled in is \"{OLD}\", and none can be derived now: \
             no mirror set covers the index images of the default catalogs"
        );
        assert_eq!(told, [expected]);
    }
}
