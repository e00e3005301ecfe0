//! Some of the annotations that name the catalogs' images, or one that does so by tag.

use super::{Check, DependsOn, Finding, HostedWrite, Level, Rule};
use crate::{
    hypershift::{
        Span,
        catalogs::{CATALOGS, Catalog},
    },
    objects::annotation,
};

pub(super) const RULE: Rule = Rule {
    id: "incomplete-catalog-images",
    level: Level::Deny,
    summary: "some catalog-image annotations are missing, or one names its image by tag",
    page: include_str!("incomplete_catalog_images.md"),
    check: Check::HostedCluster(check),
    depends_on: DependsOn::Objects,
    ..Rule::BASE
};

const EFFECT: &str = "the hosted control plane fails to reconcile";

fn check(write: &HostedWrite<'_>, findings: &mut Vec<Finding>) {
    if write.runs_no_catalogs() {
        return;
    }
    let (mut present, mut missing) = (Vec::new(), Vec::new());
    for catalog in &CATALOGS {
        match write.new.annotation(catalog.image_annotation) {
            Some(image) => present.push((catalog, image)),
            None => missing.push(catalog),
        }
    }
    let Some((first, _)) = present.first() else { return };
    let by_tag = present.iter().filter(|(_, image)| !image.contains("@sha256:"));
    findings.extend(by_tag.map(|(catalog, image)| without_digest(catalog, image)));
    let releases = write.releases();
    for catalog in missing {
        let is_marketplace = catalog.name == "redhat-marketplace";
        if is_marketplace && !Span::MAY_NEED_FOUR_IMAGES.contains_any(&releases) {
            continue;
        }
        // If the release is not known, or is the one of which a z-stream dropped this catalog, its image may be needed.
        let unsure = is_marketplace && (releases.is_every() || Span::THREE_CATALOGS.contains_all(&releases));
        findings.push(missing_at(first, catalog, unsure));
    }
}

fn without_digest(catalog: &Catalog, image: &str) -> Finding {
    Finding {
        effect: EFFECT.to_owned(),
        fix: "name the image by digest: REPOSITORY@sha256:DIGEST".into(),
        ..Finding::new(
            annotation::path(catalog.image_annotation),
            format!("{} {image}", catalog.image_annotation),
            format!("\"{image}\" has no digest"),
        )
    }
}

/// The finding for a missing annotation, reported at one that is there. `unsure`: the release may not require it.
fn missing_at(present: &Catalog, missing: &Catalog, unsure: bool) -> Finding {
    let name = missing.image_annotation;
    let (at_most, kind, needed, effect) = if unsure {
        (
            Level::Warn,
            format!("missing before {}", Span::THREE_CATALOGS.first()),
            format!(", but releases {} may require it", Span::MAY_NEED_FOUR_IMAGES),
            "if it is required, the hosted control plane fails to reconcile",
        )
    } else {
        (Level::Deny, "missing".to_owned(), String::new(), EFFECT)
    };
    Finding {
        at_most,
        effect: effect.to_owned(),
        fix: "set the annotations of all default catalogs, or none of them".into(),
        ..Finding::new(
            annotation::path(present.image_annotation),
            format!("{name} {kind}"),
            format!("{name} is missing{needed}"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{hosted_testing::findings_in_hosted, testing::assert_texts};

    const RELEASE: &str = "quay.io/r:4.18.1";

    /// An annotation for each catalog, at an index in the list of catalogs.
    fn annotations(images: &[(usize, &str)]) -> String {
        let pairs: Vec<_> = images
            .iter()
            .map(|(at, image)| format!("{}: \"{image}\"", CATALOGS[*at].image_annotation))
            .collect();
        pairs.join(", ")
    }

    /// What is found in a HostedCluster with this release image, these annotations and more of its spec.
    fn found(image: &str, images: &[(usize, &str)], spec: &str) -> Vec<Finding> {
        findings_in_hosted(RULE.id, image, &annotations(images), spec, &[])
    }

    fn about(finding: &Finding) -> (Level, String, String) {
        (finding.at_most, finding.path.clone(), finding.key.clone())
    }

    /// What is expected where the annotation of the third catalog may be needed.
    fn unsure() -> Vec<(Level, String, String)> {
        vec![expected(Level::Warn, 2, "missing before 4.22")]
    }

    /// Level, path and key of a finding at the first catalog's annotation, about the catalog with the index `about`.
    fn expected(at_most: Level, about: usize, kind: &str) -> (Level, String, String) {
        let path = annotation::path(CATALOGS[0].image_annotation);
        (at_most, path, format!("{} {kind}", CATALOGS[about].image_annotation))
    }

    struct Case {
        image: &'static str,
        /// As for [`annotations`].
        images: &'static [(usize, &'static str)],
        spec: &'static str,
        expected: Vec<(Level, String, String)>,
        reason: &'static str,
    }

    const DIGEST: &str = "m.lab/i@sha256:01";
    const ALL: &[(usize, &str)] = &[(0, DIGEST), (1, DIGEST), (2, DIGEST), (3, DIGEST)];
    const THREE: &[(usize, &str)] = &[(0, DIGEST), (1, DIGEST), (3, DIGEST)];
    const BY_TAG: &[(usize, &str)] = &[(0, "m.lab/i:v1"), (1, DIGEST), (2, DIGEST), (3, DIGEST)];

    #[test]
    fn the_annotations_are_needed_together_and_by_digest() {
        let complete = Case { image: RELEASE, images: ALL, spec: "", expected: vec![], reason: "all" };
        let table = [
            Case {
                images: BY_TAG,
                expected: vec![expected(Level::Deny, 0, "m.lab/i:v1")],
                reason: "one by tag",
                ..complete
            },
            Case {
                images: &[(0, DIGEST), (1, DIGEST), (2, DIGEST)],
                expected: vec![expected(Level::Deny, 3, "missing")],
                reason: "one is missing",
                ..complete
            },
            Case {
                images: THREE,
                expected: vec![expected(Level::Deny, 2, "missing")],
                reason: "the release needs the fourth",
                ..complete
            },
            Case {
                image: "quay.io/r:4.22.1",
                images: THREE,
                expected: unsure(),
                reason: "a z-stream of the release dropped the fourth",
                ..complete
            },
            Case {
                image: "quay.io/r@sha256:01",
                images: THREE,
                expected: unsure(),
                reason: "the release is not known",
                ..complete
            },
            Case {
                image: "quay.io/r:4.23.1",
                images: THREE,
                expected: vec![],
                reason: "three are enough",
                ..complete
            },
            Case {
                images: BY_TAG,
                spec: "olmCatalogPlacement: guest",
                expected: vec![],
                reason: "they are not read",
                ..complete
            },
            complete,
        ];
        assert_eq!(found(RELEASE, &[], ""), [], "none");
        let mut all = Vec::new();
        for Case { image, images, spec, expected, reason } in table {
            let found = found(image, images, spec);
            let about: Vec<_> = found.iter().map(about).collect();
            assert_eq!(about, expected, "{reason}");
            all.extend(found);
        }
        assert_texts(RULE.id, &all);
    }
}
