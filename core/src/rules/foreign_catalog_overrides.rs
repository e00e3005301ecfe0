//! Catalog overrides that someone set by hand, and that do not match the mirror sets.

use super::{Check, DependsOn, Finding, Fix, Found, HostedWrite, Level, Rule, Survey};
use crate::{
    hypershift::{Derivation, Deviation, Origin, Placement, find_deviation},
    objects::{HostedCluster, annotation},
};

pub(crate) const RULE: Rule = Rule {
    id: "foreign-catalog-overrides",
    level: Level::Warn,
    summary: "catalog overrides set by hand that do not match the mirror sets",
    page: include_str!("foreign_catalog_overrides.md"),
    check: Check::Cluster(check),
    depends_on: DependsOn::Nothing,
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
    let deviation = find_deviation(value, releases, Placement::Management, &derivation);
    let finding = match (hosted.annotation(annotation::DERIVED), deviation) {
        (Some(filled_in), Some(_)) => changed(filled_in, value, derived, derivation.from),
        // It leads where the mirror sets do: there is no other value to name.
        (Some(filled_in), None) => changed(filled_in, value, None, derivation.from),
        // A value by hand is right where no value could be filled in.
        (None, deviation) => {
            leads_elsewhere(hosted, value, &deviation.filter(|_| derived.is_some())?, &derivation)
        }
    };
    Some(finding)
}

fn effect_elsewhere(from: Origin) -> String {
    format!("HyperShift does not look for the catalogs where {from} would place them")
}

/// A value that was filled in and then changed. `derived` is the value that would be right now; `None` if there is
/// none, or if the changed value is right as well.
fn changed(filled_in: &str, value: &str, derived: Option<&str>, from: Origin) -> Finding {
    let effect = match &derived {
        Some(_) => effect_elsewhere(from),
        None => "mirrorguard no longer updates the value".to_owned(),
    };
    let derived =
        derived.map_or_else(String::new, |derived| format!(", and the value from {from} is \"{derived}\""));
    Finding {
        effect,
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

/// The finding for a value that leads to other locations than the mirror sets, or whatever else `derivation` is made
/// from. This rule reports it only if there is a value to fill in. `Reviewer::check_overrides` also calls this if there
/// is none, and then the fix has no value.
pub(crate) fn leads_elsewhere(
    hosted: &HostedCluster,
    value: &str,
    deviation: &Deviation,
    derivation: &Derivation,
) -> Finding {
    let Deviation { readers, actual, placed } = deviation;
    let from = derivation.from;
    let readers = readers.map_or_else(String::new, |readers| format!(" in releases {readers}"));
    let (actual, placed) = (actual.join(", then "), placed.join(", then "));
    let path = annotation::path(annotation::CATALOG_OVERRIDES);
    let fix = match &derivation.value {
        Ok(derived) => {
            let title =
                format!("set the value to \"{derived}\", or remove the annotation to have it filled in");
            Fix::changing_pulls(title).set(hosted.id(), &*path, derived.as_str())
        }
        Err(_) => format!("correct the value or {from}").into(),
    };
    Finding {
        effect: effect_elsewhere(from),
        fix,
        ..Finding::new(
            path,
            format!("set by hand {value}"),
            format!("\"{value}\" leads to {actual}{readers}, but {} {placed}", from.says()),
        )
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
        /// Of the finding that is expected.
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
            case(typed(NOW), None, "the value that would be filled in"),
            case(typed("registry.redhat.io=m.lab"), None, "another spelling, the same locations"),
            case(typed(OTHER), by_hand, "other locations"),
            Case { annotations: typed(OTHER), spec: guest, key: None, reason: "no catalog" },
            case(filled_in(NOW, NOW), None, "as it was filled in"),
            case(typed("\"\""), None, "the owner wants none"),
            case(typed("\"=\""), None, "the owner wants none, as HyperShift writes it"),
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
