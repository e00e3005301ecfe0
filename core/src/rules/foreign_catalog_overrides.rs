//! Catalog overrides that someone set by hand, and that do not match the mirror sets.

use super::{Check, Finding, Fix, Found, HostedWrite, Level, Rule, Survey, finding::of_releases};
use crate::{
    hypershift::{
        CatalogEra, Origin, Releases,
        catalogs::{self, Catalog, CatalogOverrides},
    },
    objects::{HostedCluster, annotation},
};

pub(super) const RULE: Rule = Rule {
    id: "foreign-catalog-overrides",
    level: Level::Warn,
    summary: "catalog overrides set by hand that do not match the mirror sets",
    page: include_str!("foreign_catalog_overrides.md"),
    check: Check::Cluster(check),
    ..Rule::BASE
};

fn check(survey: &Survey<'_>, found: &mut Vec<Found>) {
    for write in survey.hosted() {
        let finding = review(&write);
        found.extend(finding.map(|finding| Found { object: write.new.id(), finding }));
    }
}

fn review(write: &HostedWrite<'_>) -> Option<Finding> {
    let hosted = write.new;
    let value = hosted.catalog_overrides()?;
    if hosted.has_derived_overrides() || write.overrides_reach_nothing() {
        return None;
    }
    let releases = &write.releases();
    let derivation = write.derivation();
    let derived = derivation.value.as_deref().ok();
    let derived = derived.filter(|derived| !resolve_alike(value, derived, releases));
    let mut finding = match hosted.annotation(annotation::DERIVED) {
        Some(filled_in) => changed(filled_in, value, derived, derivation.from),
        None => set_by_hand(hosted, value, derived?, derivation.from, releases),
    };
    finding.effect = match derived {
        Some(_) => {
            format!("HyperShift does not look for the catalogs where {} would place them", derivation.from)
        }
        None => "mirrorguard no longer updates the value".to_owned(),
    };
    Some(finding)
}

/// A value that was filled in and then changed.
fn changed(filled_in: &str, value: &str, derived: Option<&str>, from: Origin) -> Finding {
    let derived =
        derived.map_or_else(String::new, |derived| format!(", and the value from {from} is \"{derived}\""));
    Finding {
        fix: format!(
            "remove {} to keep the value, or remove both annotations to have it filled in again",
            annotation::DERIVED
        )
        .into(),
        ..Finding::new(
            annotation::path(annotation::CATALOG_OVERRIDES),
            format!("changed {filled_in} {value}"),
            format!("mirrorguard filled in \"{filled_in}\", but someone changed it to \"{value}\"{derived}"),
        )
    }
}

/// A value that was never filled in, where another one would be.
fn set_by_hand(
    hosted: &HostedCluster,
    value: &str,
    derived: &str,
    from: Origin,
    releases: &Releases,
) -> Finding {
    Finding {
        fix: Fix::changing_pulls(format!(
            "set the value to \"{derived}\", or remove the annotation to have it filled in"
        ))
        .set(hosted.id(), annotation::path(annotation::CATALOG_OVERRIDES), derived),
        ..Finding::new(
            annotation::path(annotation::CATALOG_OVERRIDES),
            format!("set by hand {value}"),
            format!(
                "\"{value}\" was set by hand, but the value from {from} is \"{derived}\"{}",
                of_releases(releases)
            ),
        )
    }
}

/// Whether the releases look for every catalog in the same locations with either value.
fn resolve_alike(a: &str, b: &str, releases: &Releases) -> bool {
    let [a, b] = [a, b].map(|value| catalogs::parse(value).unwrap_or_default());
    CatalogEra::of(releases).all(|era| {
        catalogs::catalogs_of(releases).all(|catalog| resolve(&a, era, catalog) == resolve(&b, era, catalog))
    })
}

/// Where an era looks for a catalog; several lists where it depends on the order of a map.
fn resolve(overrides: &CatalogOverrides<'_>, era: CatalogEra, catalog: &Catalog) -> Vec<Vec<String>> {
    match era {
        CatalogEra::Replace => vec![catalogs::replace_era(overrides, &catalog.image()).into_iter().collect()],
        CatalogEra::List => catalogs::list_era(overrides, catalog),
    }
}

#[cfg(test)]
mod tests {
    use super::{Finding, RULE};
    use crate::objects::annotation::{CATALOG_OVERRIDES, DERIVED};
    use crate::rules::{survey_testing::Cluster, testing::assert_texts};

    const NOW: &str = "registry.redhat.io/redhat=m.lab/redhat";
    const OTHER: &str = "registry.redhat.io/redhat=n.lab/redhat";
    const SETS: [(&str, &str, &str, &str); 1] =
        [("imageTagMirrors", "a", "registry.redhat.io/redhat", "m.lab/redhat")];

    /// What is found in the only HostedCluster of a cluster.
    fn found(cluster: &Cluster) -> Vec<Finding> {
        let mut all = Vec::new();
        for audited in cluster.found(RULE.id) {
            assert_eq!(audited.object.to_string(), "HostedCluster/clusters/lab");
            all.extend(audited.verdict.diagnostics.into_iter().map(|diagnostic| diagnostic.finding));
        }
        all
    }

    fn typed(value: &str) -> String {
        format!("{CATALOG_OVERRIDES}: {value}")
    }

    fn filled_in(derived: &str, value: &str) -> String {
        format!("{CATALOG_OVERRIDES}: {value}, {DERIVED}: {derived}")
    }

    struct Case {
        annotations: String,
        spec: &'static str,
        key: Option<String>,
        reason: &'static str,
    }

    fn case(annotations: String, key: Option<String>, reason: &'static str) -> Case {
        Case { annotations, spec: "", key, reason }
    }

    #[test]
    fn a_typed_value_may_resolve_to_the_locations_of_the_mirror_sets() {
        let by_hand = Some(format!("set by hand {OTHER}"));
        let guest = "olmCatalogPlacement: guest";
        let table = [
            case(typed(NOW), None, "the same"),
            case(typed("registry.redhat.io=m.lab"), None, "another spelling, the same locations"),
            case(typed(OTHER), by_hand, "other locations"),
            Case { annotations: typed(OTHER), spec: guest, key: None, reason: "no catalog" },
            case(filled_in(NOW, NOW), None, "ours"),
            case(typed("\"\""), None, "the owner wants none"),
            case(typed("\"=\""), None, "the same"),
            case(
                filled_in("a=b", NOW),
                Some(format!("changed a=b {NOW}")),
                "changed to what is right: it is still the owner's now",
            ),
            case(filled_in(NOW, OTHER), Some(format!("changed {NOW} {OTHER}")), "changed to other locations"),
        ];
        let mut all = Vec::new();
        for Case { annotations, spec, key, reason } in table {
            let found = found(&Cluster::new(&SETS).hosted(&annotations, spec));
            let keys: Vec<_> = found.iter().map(|finding| finding.key.clone()).collect();
            assert_eq!(keys, Vec::from_iter(key), "{annotations}: {reason}");
            all.extend(found);
        }
        assert_texts(RULE.id, &all);
    }

    #[test]
    fn where_no_mirror_set_covers_a_catalog_the_owner_is_right() {
        assert_eq!(found(&Cluster::new(&[]).hosted(&typed(NOW), "")), []);
    }
}
