//! Catalog overrides that somebody typed, and that lead elsewhere than the mirror sets.

use super::{Check, Finding, Found, HostedWrite, Level, Rule, Survey, finding::of_releases};
use crate::{
    hypershift::{
        CatalogEra, Releases,
        catalogs::{self, CatalogOverrides},
    },
    objects::annotation,
};

pub(super) const RULE: Rule = Rule {
    id: "foreign-catalog-overrides",
    level: Level::Warn,
    summary: "typed catalog overrides that lead elsewhere than the mirror sets",
    page: include_str!("foreign_catalog_overrides.md"),
    check: Check::Cluster(check),
    ..Rule::BASE
};

fn check(survey: &Survey<'_>, found: &mut Vec<Found>) {
    for write in survey.hosted() {
        let finding = judge(&write);
        found.extend(finding.map(|finding| Found { object: write.new.id(), finding }));
    }
}

fn judge(write: &HostedWrite<'_>) -> Option<Finding> {
    let hosted = write.new;
    let there = hosted.catalog_overrides()?;
    let marked = hosted.annotation(annotation::DERIVED);
    if hosted.has_derived_overrides() || write.overrides_reach_nothing() {
        return None;
    }
    let releases = &write.releases();
    let derived = write.state.derivations().for_releases(releases).value.as_ref().ok();
    let derived = derived.filter(|derived| !lead_alike(there, derived, releases));
    let (what, fix) = match (marked, derived) {
        (None, None) => return None,
        (None, Some(derived)) => (
            format!("\"{there}\" was typed, the mirror sets derive \"{derived}\"{}", of_releases(releases)),
            format!("write \"{derived}\", or remove the annotation to have it filled in"),
        ),
        (Some(marked), derived) => (
            format!(
                "\"{marked}\" was filled in, and somebody has changed it to \"{there}\"{}",
                derived.map_or_else(String::new, |d| format!("; the mirror sets derive \"{d}\""))
            ),
            format!(
                "remove {} to keep the value as the owner's, or both annotations to have it filled in again",
                annotation::DERIVED
            ),
        ),
    };
    let effect = match derived {
        Some(_) => "the catalogs are looked for where no mirror set places them",
        None => "it is not kept up to date any more",
    };
    Some(Finding::new(annotation::path(annotation::CATALOG_OVERRIDES), what, effect, fix))
}

/// Whether the releases look for every catalog in the same places with either value.
fn lead_alike(a: &str, b: &str, releases: &Releases) -> bool {
    let [a, b] = [a, b].map(|value| catalogs::parse(value).unwrap_or_default());
    let places = |overrides: &CatalogOverrides<'_>, era, catalog: &catalogs::Catalog| match era {
        CatalogEra::Replace => vec![catalogs::replace_era(overrides, &catalog.image()).into_iter().collect()],
        CatalogEra::List => catalogs::list_era(overrides, catalog),
    };
    CatalogEra::of(releases).all(|era| {
        catalogs::catalogs_of(releases).all(|catalog| places(&a, era, catalog) == places(&b, era, catalog))
    })
}

#[cfg(test)]
mod tests {
    use crate::objects::annotation::{CATALOG_OVERRIDES, DERIVED};
    use crate::rules::survey_testing::Cluster;

    const NOW: &str = "registry.redhat.io/redhat=m.lab/redhat";
    const SETS: [(&str, &str, &str, &str); 1] =
        [("imageTagMirrors", "a", "registry.redhat.io/redhat", "m.lab/redhat")];

    #[test]
    fn a_typed_value_may_lead_where_the_mirror_sets_lead() {
        let typed = |value: &str| format!("{CATALOG_OVERRIDES}: {value}");
        let table = [
            (typed(NOW), "", None, "the same"),
            (typed("registry.redhat.io=m.lab"), "", None, "another spelling, the same places"),
            (
                typed("registry.redhat.io/redhat=n.lab/redhat"),
                "",
                Some(
                    "\"registry.redhat.io/redhat=n.lab/redhat\" was typed, the mirror sets derive \"registry.redhat.io/redhat=m.lab/redhat\" for 4.18",
                ),
                "other places",
            ),
            (
                typed("registry.redhat.io/redhat=n.lab/redhat"),
                "olmCatalogPlacement: guest",
                None,
                "no catalog",
            ),
            (format!("{CATALOG_OVERRIDES}: {NOW}, {DERIVED}: {NOW}"), "", None, "ours"),
            (typed("\"\""), "", None, "the owner wants none"),
            (typed("\"=\""), "", None, "the same"),
            (
                format!("{CATALOG_OVERRIDES}: {NOW}, {DERIVED}: a=b"),
                "",
                Some(
                    "\"a=b\" was filled in, and somebody has changed it to \"registry.redhat.io/redhat=m.lab/redhat\"",
                ),
                "changed to what is right: it is still the owner's now",
            ),
        ];
        for (annotations, spec, expected, reason) in table {
            let told = Cluster::new(&SETS).hosted(&annotations, spec).told("foreign-catalog-overrides");
            let expected: Vec<_> = expected.iter().map(|what| format!("HostedCluster/lab: {what}")).collect();
            assert_eq!(told, expected, "{annotations}: {reason}");
        }
    }

    #[test]
    fn where_no_mirror_set_speaks_of_catalogs_the_owner_is_right() {
        let annotations = format!("{CATALOG_OVERRIDES}: {NOW}");
        assert!(Cluster::new(&[]).hosted(&annotations, "").told("foreign-catalog-overrides").is_empty());
    }
}
