//! A catalog overrides annotation that has no effect on any catalog.

use super::{Check, DependsOn, Finding, Fix, HostedWrite, Level, Rule, subject::named_catalog};
use crate::{
    hypershift::{Span, catalogs::Catalog},
    objects::{HostedCluster, annotation},
};

pub(super) const RULE: Rule = Rule {
    id: "ignored-catalog-overrides",
    level: Level::Warn,
    summary: "a catalog overrides annotation that has no effect on any catalog",
    page: include_str!("ignored_catalog_overrides.md"),
    check: Check::HostedCluster(check),
    depends_on: DependsOn::Nothing,
    ..Rule::BASE
};

fn check(write: &HostedWrite<'_>, findings: &mut Vec<Finding>) {
    let hosted = write.new;
    // Without the default catalogs, nothing is pulled from elsewhere than the annotation says.
    if hosted.catalog_overrides().is_none() || hosted.disables_default_catalogs() {
        return;
    }
    if hosted.catalogs_run_in_guest() {
        if Span::REPLACED_CATALOGS.contains_any(&write.releases()) {
            findings.push(with_guest_placement());
        }
    } else if let Some(catalog) = named_catalog(hosted) {
        findings.push(next_to_image(hosted, catalog));
    }
}

fn with_guest_placement() -> Finding {
    Finding {
        effect: "the nodes of the hosted cluster pull the catalogs from registry.redhat.io".to_owned(),
        fix: "set spec.configuration.operatorhub.disableAllDefaultSources: true, and in a hosted cluster that exists \
              also the same field of its OperatorHub; then create CatalogSources there"
            .into(),
        ..Finding::new(
            annotation::path(annotation::CATALOG_OVERRIDES),
            "olmCatalogPlacement",
            format!(
                "releases {} ignore this annotation with olmCatalogPlacement: guest",
                Span::REPLACED_CATALOGS
            ),
        )
    }
}

fn next_to_image(hosted: &HostedCluster, catalog: &Catalog) -> Finding {
    let name = catalog.image_annotation.rsplit('/').next().unwrap_or_default();
    Finding {
        effect: "the catalogs use the images in the catalog-image annotations".to_owned(),
        fix: Fix::safe("remove this annotation, or remove the catalog-image annotations")
            .remove(hosted.id(), annotation::path(annotation::CATALOG_OVERRIDES)),
        ..Finding::new(
            annotation::path(annotation::CATALOG_OVERRIDES),
            catalog.image_annotation,
            format!("HyperShift ignores this annotation, because {name} is set"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        hypershift::catalogs::CATALOGS,
        rules::{hosted_testing::findings_in_hosted, testing::assert_texts},
    };

    struct Case {
        release: &'static str,
        annotations: String,
        spec: &'static str,
        key: Option<&'static str>,
        reason: &'static str,
    }

    #[test]
    fn a_value_without_effect_is_found() {
        let overrides = format!("{}: a.lab=b.lab", annotation::CATALOG_OVERRIDES);
        let image = CATALOGS[3].image_annotation;
        let of =
            |release, spec, key, reason| Case { release, annotations: overrides.clone(), spec, key, reason };
        let guest = "olmCatalogPlacement: guest";
        let disabled = "configuration: {operatorhub: {disableAllDefaultSources: true}}";
        let guest_disabled =
            "olmCatalogPlacement: guest, configuration: {operatorhub: {disableAllDefaultSources: true}}";
        let table = [
            of("4.16.9", "", None, "it is used"),
            of("4.16.9", guest, Some("olmCatalogPlacement"), "guest placement"),
            of("4.17.9", guest, None, "from 4.17 on it is used with guest placement too"),
            Case {
                annotations: format!("{overrides}, {image}: m.lab/i"),
                ..of("4.18.9", "", Some(image), "next to the image of a catalog")
            },
            of("4.16.9", guest_disabled, None, "nobody needs the default catalogs"),
            Case {
                annotations: format!("{overrides}, {image}: m.lab/i"),
                ..of("4.18.9", disabled, None, "there is no catalog that the other annotations name")
            },
            Case {
                annotations: format!("{image}: m.lab/i"),
                ..of("4.18.9", "", None, "the annotation is not there")
            },
        ];
        let mut all = Vec::new();
        for Case { release, annotations, spec, key, reason } in table {
            let found = findings_in_hosted(RULE.id, &format!("quay.io/r:{release}"), &annotations, spec, &[]);
            let path = annotation::path(annotation::CATALOG_OVERRIDES);
            let found_at = found.first().map(|finding| (&*finding.path, &*finding.key));
            assert_eq!(found_at, key.map(|key| (&*path, key)), "{reason}");
            all.extend(found);
        }
        assert_texts(RULE.id, &all);
    }
}
