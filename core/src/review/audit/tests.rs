use std::sync::Arc;

use super::Audited;
use crate::rules::{AUDITED_KINDS, Check, RULES, Rule, survey_testing::Cluster};

fn audit_rules() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().filter(|rule| matches!(rule.check, Check::Cluster(_)))
}

#[test]
fn a_hosted_cluster_that_is_being_deleted_is_ignored() {
    let sets = [("imageDigestMirrors", "a", "quay.io/openshift-release-dev", "m.lab/a")];
    let mut cluster = Cluster::new(&sets).hosted("", "pullSecret: {name: ps}").operator("=");
    cluster = cluster.started("control-plane-operator", "=", "=").secret("clusters", "ps", Some(&[]));
    assert_eq!(
        find_all(&cluster).len(),
        2,
        "a mirror without credentials, and overrides that are out of date"
    );
    let hosted = Arc::make_mut(&mut cluster.inventory.hosted_clusters[0]);
    hosted.metadata.deletion_timestamp = Some("2026-08-01T00:00:00Z".to_owned());
    assert!(find_all(&cluster).is_empty());
}

/// What every rule of an audit finds.
fn find_all(cluster: &Cluster) -> Vec<Audited> {
    audit_rules().flat_map(|rule| cluster.found(rule.id)).collect()
}

#[test]
fn an_exemption_holds_for_an_audit_too() {
    let sets = [("imageDigestMirrors", "a", "quay.io/a", "m.lab:8443/a")];
    let cluster = Cluster::new(&sets).ca_of_nodes(None);
    // Audits of this cluster are made on 2026-01-01.
    let table = [
        ("objects: [Image/cluster]", "2026-01-01", true, "on the last day"),
        ("objects: [Image/other]", "2026-01-01", false, "another object"),
        ("objects: [Image/cluster]", "2025-12-31", false, "until the day before"),
        ("annotated: true", "2026-01-01", false, "not requested"),
    ];
    for (who, until, expected, reason) in table {
        let text =
            format!("exemptions: [{{rules: [missing-mirror-ca], {who}, reason: CHG-1, until: {until}}}]\n");
        let settings = crate::config::parse("c.yaml", &text).unwrap();
        assert_eq!(!cluster.exempted(&settings).is_empty(), expected, "{reason}");
    }
}

#[test]
fn every_kind_with_findings_is_in_the_list() {
    assert!(AUDITED_KINDS.is_sorted());
    let sets = [("imageDigestMirrors", "a", "quay.io/openshift-release-dev", "m.lab:8443/a")];
    let mut cluster =
        Cluster::new(&sets).hosted("mirrorguard.io/x: y", "pullSecret: {name: ps}").operator("=");
    cluster = cluster.started("control-plane-operator", "=", "=").secret("clusters", "ps", Some(&[]));
    cluster = cluster.ca_of_nodes(Some(&["m.lab"])).ca_of_hosted(None);
    let found = find_all(&cluster);
    assert!(found.len() > 3);
    for object in found.iter().map(|audited| &audited.object) {
        assert!(AUDITED_KINDS.contains(&(object.kind, !object.namespace.is_empty())), "{object:?}");
    }
}
