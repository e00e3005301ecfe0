//! An annotation `mirrorguard.io/…` that does not exist, or has an invalid value, and a misspelt annotation of
//! HyperShift that concerns catalogs.

use super::{Check, DependsOn, Finding, Fix, HostedWrite, Level, Rule};
use crate::{
    hypershift::catalogs::CATALOGS,
    objects::{Change, HostedCluster, annotation},
    suggest::{closest, is_misspelt},
};

pub(super) const RULE: Rule = Rule {
    id: "unknown-annotation",
    level: Level::Warn,
    summary: "an annotation mirrorguard.io/… that is unknown or has an invalid value, or a misspelt one of HyperShift for catalogs",
    page: include_str!("unknown_annotation.md"),
    check: Check::HostedCluster(check),
    depends_on: DependsOn::Nothing,
    ..Rule::BASE
};

const EFFECT: &str = "it has no effect";

fn check(write: &HostedWrite<'_>, findings: &mut Vec<Finding>) {
    for (name, value) in &write.new.metadata.annotations {
        if name.starts_with(annotation::OUR_PREFIX) {
            findings.extend(unknown_name(write.new, name).or_else(|| invalid_value(write.new, name, value)));
        } else {
            findings.extend(misspelt_for_catalogs(write.new, name));
        }
    }
}

fn unknown_name(hosted: &HostedCluster, name: &str) -> Option<Finding> {
    if annotation::OURS.contains(&name) {
        return None;
    }
    let fix = match similar(name) {
        Some(meant) => rename(hosted, name, meant),
        None => format!("remove it, or use one of {}", annotation::OURS.join(", ")).into(),
    };
    Some(Finding {
        effect: EFFECT.to_owned(),
        fix,
        ..Finding::new(annotation::path(name), name, format!("the annotation {name} is unknown"))
    })
}

/// Renames an annotation to the one that was meant, or removes it if that is set too.
fn rename(hosted: &HostedCluster, name: &str, meant: &str) -> Fix {
    let path = annotation::path(name);
    if hosted.metadata.annotations.contains_key(meant) {
        return Fix::safe(format!("remove it: {meant} is set")).remove(hosted.id(), path);
    }
    Fix::changing_pulls(format!("rename it to {meant}"))
        .change(hosted.id(), Change::Rename { path, name: meant.to_owned() })
}

fn invalid_value(hosted: &HostedCluster, name: &str, value: &str) -> Option<Finding> {
    if name != annotation::OPT_OUT || value == "disabled" {
        return None;
    }
    let what = format!("\"{value}\" is not a valid value of {name}");
    Some(Finding {
        effect: EFFECT.to_owned(),
        fix: Fix::changing_pulls("set it to \"disabled\", or remove it").set(
            hosted.id(),
            annotation::path(name),
            "disabled",
        ),
        ..Finding::new(annotation::path(name), format!("{name} {value}"), what)
    })
}

/// An annotation that HyperShift does not read, and that was meant for catalogs.
fn misspelt_for_catalogs(hosted: &HostedCluster, name: &str) -> Option<Finding> {
    let meant = meant_for_catalogs(name)?;
    Some(Finding {
        effect: "HyperShift ignores it".to_owned(),
        fix: rename(hosted, name, meant),
        ..Finding::new(annotation::path(name), name, format!("the annotation {name} is unknown"))
    })
}

/// The annotation of HyperShift for catalogs that a misspelt name was meant to be; `None` if the name is right, or not
/// similar enough.
fn meant_for_catalogs(name: &str) -> Option<&'static str> {
    let (prefix, typed) = name.split_once('/')?;
    let mut known = for_catalogs();
    if known.clone().any(|known| known == name) {
        return None;
    }
    if format!("{prefix}/") != annotation::HYPERSHIFT_PREFIX {
        // Only the prefix may be misspelt then: another owner may have a similar name.
        return known.find(|known| name_of(known) == typed);
    }
    let meant = closest(typed, for_catalogs().map(name_of))?;
    // HyperShift has other annotations with similar names, but none of those has this word.
    if typed.contains("catalog") || is_misspelt(typed, meant) {
        return known.find(|known| name_of(known) == meant);
    }
    None
}

/// The annotations of HyperShift for catalogs.
fn for_catalogs() -> impl Iterator<Item = &'static str> + Clone {
    CATALOGS.iter().map(|catalog| catalog.image_annotation).chain([annotation::CATALOG_OVERRIDES])
}

/// The name of an annotation of HyperShift without the prefix.
fn name_of(name: &'static str) -> &'static str {
    name.trim_start_matches(annotation::HYPERSHIFT_PREFIX)
}

/// The annotation of mirrorguard that was probably meant.
fn similar(name: &str) -> Option<&'static str> {
    // All have the same prefix, which alone would make them similar.
    let known = annotation::OURS.iter().map(|known| known.trim_start_matches(annotation::OUR_PREFIX));
    let meant = closest(name.trim_start_matches(annotation::OUR_PREFIX), known)?;
    annotation::OURS.iter().find(|known| known.strip_prefix(annotation::OUR_PREFIX) == Some(meant)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        rules::{Settings, testing::assert_texts},
        state::State,
    };

    /// What is found in a HostedCluster with this annotation alone.
    fn find(name: &str, value: &str) -> Option<Finding> {
        find_in(&[(name, value)])
    }

    /// The last finding in a HostedCluster with these annotations.
    fn find_in(annotations: &[(&str, &str)]) -> Option<Finding> {
        let mut hosted = HostedCluster::default();
        let annotations = annotations.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        hosted.metadata.annotations.extend(annotations);
        let (state, settings) = (State::default(), Settings::default());
        let write = HostedWrite { old: None, new: &hosted, state: &state, settings: &settings };
        let mut findings = Vec::new();
        check(&write, &mut findings);
        findings.pop()
    }

    #[test]
    fn an_annotation_that_has_no_effect_is_found() {
        let table = [
            ("mirrorguard.io/catalog-overrides: disabled", false, "the opt-out"),
            ("mirrorguard.io/catalog-overrides-derived: a=b", false, "the mark"),
            ("example.com/catalog-overides: disabled", false, "of another owner"),
            ("mirrorguard.io/catalog-overides: disabled", true, "a letter is missing"),
            ("mirrorguard.io/skip: true", true, "no similar name"),
            ("mirrorguard.io/catalog-overrides: false", true, "another value"),
            ("hypershift.openshift.io/olm-catalogs-is-registry-override: a=b", true, "a letter is missing"),
        ];
        let mut findings = Vec::new();
        for (annotation, expected, reason) in table {
            let (name, value) = annotation.split_once(": ").unwrap();
            let found = find(name, value);
            assert_eq!(found.is_some(), expected, "{annotation}: {reason}");
            findings.extend(found);
        }
        assert_texts(RULE.id, &findings);
    }

    #[test]
    fn an_annotation_is_not_renamed_to_one_that_is_set() {
        let misspelt = ("mirrorguard.io/catalog-overides", "disabled");
        let right = (annotation::OPT_OUT, "disabled");
        let table =
            [(&[misspelt][..], true, "the right one is free"), (&[misspelt, right], false, "both are there")];
        for (annotations, expected, reason) in table {
            let finding = find_in(annotations).unwrap();
            let [(_, change)] = &*finding.fix.changes else { panic!("{reason}: {:?}", finding.fix) };
            assert_eq!(matches!(change, Change::Rename { .. }), expected, "{reason}");
        }
    }

    #[test]
    fn misspelt_annotations_for_catalogs_are_found() {
        let overrides = Some(annotation::CATALOG_OVERRIDES);
        let operators = Some("hypershift.openshift.io/redhat-operators-catalog-image");
        let table = [
            (annotation::CATALOG_OVERRIDES, None, "as it is"),
            ("hypershift.openshift.io/redhat-operators-catalog-image", None, "as it is"),
            ("hypershift.openshift.io/olm-catalogs-is-registry-override", overrides, "a letter is missing"),
            ("hypershift.openshift.io/olm-catalog-is-registry-overrides", overrides, "another one"),
            ("hypershift.openshift.io/olm-catalogs-registry-overrides", overrides, "a word is missing"),
            ("hypershift.openshift.io/olm-catlogs-is-registry-overrides", overrides, "in the word itself"),
            ("hypershift.openshift.io/redhat-operator-catalog-image", operators, "a letter is missing"),
            ("hypershift.openshift.io/redhat-operators-catalog-images", operators, "one too many"),
            ("hypershift.openshfit.io/olm-catalogs-is-registry-overrides", overrides, "the prefix"),
            ("olm-catalogs-is-registry-overrides", None, "no prefix at all"),
            ("example.com/olm-catalog-is-registry-overrides", None, "of another owner"),
        ];
        for (name, expected, reason) in table {
            assert_eq!(meant_for_catalogs(name), expected, "{name}: {reason}");
        }
    }

    /// From `hypershift api/hypershift/v1beta1/hostedcluster_types.go`: annotations of a HostedCluster, and labels that
    /// may be copied into annotations.
    const OF_HYPERSHIFT: &str = "disable-pki-reconciliation skip-release-image-validation destroy-grace-period \
        control-plane-priority-class api-critical-priority-class etcd-priority-class konnectivity-server-image \
        konnectivity-agent-image haproxy-image control-plane-operator-image control-plane-operator-image-labels \
        restart-date release-image capi-manager-image cluster-autoscaler-image aws-kms-provider-image \
        ibmcloud-kms-provider-image portieris-image private-ingress-controller \
        ingress-controller-load-balancer-scope capi-provider-aws-image capi-provider-kubevirt-image \
        capi-provider-agent-image capi-provider-azure-image capi-provider-powervs-image \
        capi-provider-openstack-image capi-provider-gcp-image orc-image machine-approver-image force-upgrade-to \
        disable-profiling cleanup-cloud-resources silence-cluster-alerts infra-id image-overrides \
        allow-unsupported-kubevirt-rhcos-variants ensureexists-pullsecret-reconcile cluster topology \
        cluster-scheduled request-serving-node-additional-selector disable-machine-management \
        pod-security-admission-label-override disable-monitoring-services enable-metrics-forwarding \
        kubevirt-vm-jsonpatch kube-apiserver-gogc kube-apiserver-gomemlimit aws-load-balancer-subnets \
        aws-load-balancer-target-node-labels management-platform cluster-size-override machine-health-check-timeout \
        resource-based-cp-auto-scaling recommended-cluster-size skip-delete-hosted-controlplane-namespace \
        disable-ignition-server kube-apiserver-goaway-chance aws-machine-public-ips restored-from-backup";

    #[test]
    fn other_annotations_of_hypershift_are_left_alone() {
        for name in OF_HYPERSHIFT.split_whitespace() {
            let name = format!("{}{name}", annotation::HYPERSHIFT_PREFIX);
            assert_eq!(meant_for_catalogs(&name), None, "{name}");
        }
    }

    #[test]
    fn a_similar_name_is_suggested() {
        let table = [
            (
                "mirrorguard.io/catalog-overides",
                Some("mirrorguard.io/catalog-overrides"),
                "a letter is missing",
            ),
            ("mirrorguard.io/exemt", Some("mirrorguard.io/exempt"), "another one"),
            ("mirrorguard.io/skip", None, "no similar name"),
        ];
        for (name, expected, reason) in table {
            assert_eq!(similar(name), expected, "{reason}");
        }
    }
}
