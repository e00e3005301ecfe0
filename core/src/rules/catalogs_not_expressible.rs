//! The catalogs are mirrored, but no value of the annotation is correct in every release.

use super::{Check, Finding, Fix, HostedWrite, Level, Related, Rule};
use crate::hypershift::{Obstacle, catalogs::CATALOGS};

pub(crate) const RULE: Rule = Rule {
    id: "catalogs-not-expressible",
    level: Level::Warn,
    summary: "the default catalogs are mirrored, but no catalog overrides value is correct in every release",
    page: include_str!("catalogs_not_expressible.md"),
    check: Check::HostedCluster(check),
    ..Rule::BASE
};

fn check(write: &HostedWrite<'_>, findings: &mut Vec<Finding>) {
    // An annotation of the owner's is left alone, even if its value is empty.
    if write.leaves_catalogs_alone() || write.new.has_catalog_overrides_annotation() {
        return;
    }
    let derivation = write.derivation();
    let obstacle = match &derivation.value {
        Ok(_) | Err(Obstacle::NoneMirrored) => return,
        Err(obstacle) => obstacle,
    };
    let lines = CATALOGS.iter().map(|catalog| format!("{}: \"…@sha256:…\"\n", catalog.image_annotation));
    findings.push(Finding {
        effect: "the catalogs are pulled from registry.redhat.io".to_owned(),
        fix: Fix { template: Some(lines.collect()), ..Fix::from(advice(obstacle)) },
        related: related_to(obstacle).into(),
        ..Finding::of_faults(
            "metadata.annotations",
            obstacle.keys(),
            format!("the catalog overrides annotation is not filled in, because {}", obstacle.short()),
        )
    });
}

fn advice(obstacle: &Obstacle) -> &'static str {
    match obstacle {
        Obstacle::NotRendered(_) => {
            "fix what makes registries.conf unusable, or set the catalog-image annotations"
        }
        Obstacle::Configured(_) => "correct catalogOverrides.value, or set the annotation",
        Obstacle::NotServed(_) | Obstacle::ServedTwice(..) => {
            "serve all default catalogs from one namespace, or set catalogOverrides.value in the configuration"
        }
        Obstacle::Unqualified(..) => {
            "write the mirror as HOST/NAMESPACE, or set the catalog-image annotations"
        }
        _ => "mirror the whole namespace registry.redhat.io/redhat, or set the catalog-image annotations",
    }
}

/// The fields that decide where the catalogs are pulled from, each once.
fn related_to(obstacle: &Obstacle) -> Vec<Related> {
    let mut related: Vec<Related> = Vec::new();
    for (object, path) in obstacle.deciders().into_iter().flat_map(|deciders| &deciders.fields) {
        let field = Related { object: object.clone(), path: path.clone() };
        if !related.contains(&field) {
            related.push(field);
        }
    }
    related
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::{
            MirrorSet,
            SetKind::{Idms, Itms},
        },
        rules::{
            hosted_testing::findings_in_hosted,
            testing::{assert_texts, set},
        },
    };

    const RELEASE: &str = "quay.io/openshift-release-dev/ocp-release:4.22.1-x86_64";
    const NAMESPACE: &str = "registry.redhat.io/redhat";
    const COMMUNITY: &str = "registry.redhat.io/redhat/community-operator-index";
    const INDEX: &str = "registry.redhat.io/redhat/redhat-operator-index";

    fn found(annotations: &str, sets: &[MirrorSet]) -> Vec<Finding> {
        findings_in_hosted(RULE.id, RELEASE, annotations, "", sets)
    }

    fn itms(entries: &[(&str, &[&str])]) -> [MirrorSet; 1] {
        [set(Itms, "a", entries)]
    }

    #[test]
    fn each_reason_why_no_value_is_right_is_a_finding_of_its_own() {
        let other = "registry.redhat.io/redhat/certified-operator-index";
        let table = [
            (
                found("", &itms(&[(INDEX, &["m.lab/redhat/redhat-operator-index"])])),
                "not mirrored registry.redhat.io/redhat/certified-operator-index\n\
                 not mirrored registry.redhat.io/redhat/community-operator-index",
            ),
            (
                found("", &itms(&[(NAMESPACE, &["m.lab/redhat"]), (INDEX, &["m.lab/mine"])])),
                "renamed registry.redhat.io/redhat/redhat-operator-index m.lab/mine",
            ),
            (
                found(
                    "",
                    &itms(&[(NAMESPACE, &["m.lab/redhat"]), (other, &["m.lab/x/certified-operator-index"])]),
                ),
                "disagreeing registry.redhat.io/redhat/certified-operator-index \
                 registry.redhat.io/redhat/community-operator-index",
            ),
            (
                found(
                    "",
                    &[
                        set(Itms, "tags", &[("registry.redhat.io", &["m.lab/tags"])]),
                        set(Idms, "digests", &[(COMMUNITY, &["m.lab/redhat/community-operator-index"])]),
                    ],
                ),
                "disagreeing registry.redhat.io/redhat/certified-operator-index \
                 registry.redhat.io/redhat/community-operator-index",
            ),
            (found("", &itms(&[("registry.redhat.io", &["m3/x"])])), "unqualified m3/x"),
            (found("", &itms(&[(NAMESPACE, &["m.lab/redhat/"])])), "not rendered"),
            (
                found("", &itms(&[(NAMESPACE, &["a.lab/registry.redhat.io/redhat", "b.lab/r"])])),
                "misread registry.redhat.io/redhat/certified-operator-index up to 4.16",
            ),
        ];
        for (found, key) in &table {
            let [finding] = &**found else { panic!("{key}: {found:?}") };
            assert_eq!((&*finding.path, &*finding.key), ("metadata.annotations", *key));
        }
        let related = table[3].0[0].related.iter().map(|field| format!("{} {}", field.object, field.path));
        let expected = [
            "ImageTagMirrorSet/tags spec.imageTagMirrors[0].source",
            "ImageDigestMirrorSet/digests spec.imageDigestMirrors[0].source",
        ];
        assert_eq!(related.collect::<Vec<_>>(), expected);
        assert_texts(RULE.id, &table.map(|(found, _)| found).concat());
    }

    #[test]
    fn nothing_is_found_where_no_value_is_missing() {
        let partly = itms(&[(INDEX, &["m.lab/redhat/redhat-operator-index"])]);
        let whole = itms(&[(NAMESPACE, &["m.lab/redhat"])]);
        let table: [(&str, &[MirrorSet], &str); 4] = [
            ("", &[], "no catalog is mirrored"),
            ("", &whole, "a value is right"),
            ("hypershift.openshift.io/olm-catalogs-is-registry-overrides: a=b", &partly, "a value is there"),
            ("mirrorguard.io/catalog-overrides: disabled", &partly, "the owner does not want one"),
        ];
        for (annotations, sets, reason) in table {
            assert_eq!(found(annotations, sets), [], "{reason}");
        }
    }
}
