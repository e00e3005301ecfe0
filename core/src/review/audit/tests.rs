use std::sync::Arc;

use crate::rules::{AUDITED_KINDS, Check, RULES, Rule, survey_testing::Cluster};

fn checks() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().filter(|rule| matches!(rule.check, Check::Cluster(_)))
}

#[test]
fn a_hosted_cluster_on_its_way_out_is_left_alone() {
    let sets = [("imageDigestMirrors", "a", "quay.io/openshift-release-dev", "m.lab/a")];
    let mut cluster = Cluster::new(&sets).hosted("", "pullSecret: {name: ps}").operator("=");
    cluster = cluster.started("control-plane-operator", "=", "=").secret("clusters", "ps", Some(&[]));
    let found = |cluster: &Cluster| checks().map(|rule| cluster.found(rule.id).len()).sum::<usize>();
    assert_eq!(found(&cluster), 2, "a mirror and an override");
    let hosted = Arc::make_mut(&mut cluster.inventory.hosted_clusters[0]);
    hosted.metadata.deletion_timestamp = Some("2026-08-01T00:00:00Z".to_owned());
    assert_eq!(found(&cluster), 0);
}

#[test]
fn an_exemption_holds_for_checks_too() {
    let sets = [("imageDigestMirrors", "a", "quay.io/a", "m.lab:8443/a")];
    let cluster = Cluster::new(&sets).ca_of_nodes(None);
    let table = [
        ("objects: [Image/cluster]", "2026-01-01", 1, "exempt"),
        ("objects: [Image/other]", "2026-01-01", 0, "another object"),
        ("objects: [Image/cluster]", "2025-12-31", 0, "until the day before"),
        ("annotated: true", "2026-01-01", 0, "not asked for"),
    ];
    for (who, until, expected, reason) in table {
        let text = format!(
            "exemptions: [{{rules: [missing-mirror-ca], {who}, reason: comes tomorrow, until: {until}}}]\n"
        );
        let settings = crate::config::parse("c.yaml", &text).unwrap();
        assert_eq!(cluster.exempted(&settings).len(), expected, "{reason}");
    }
}

#[test]
fn the_list_of_kinds_has_all_that_checks_blame() {
    assert!(AUDITED_KINDS.is_sorted());
    let sets = [("imageDigestMirrors", "a", "quay.io/openshift-release-dev", "m.lab:8443/a")];
    let mut cluster =
        Cluster::new(&sets).hosted("mirrorguard.io/x: y", "pullSecret: {name: ps}").operator("=");
    cluster = cluster.started("control-plane-operator", "=", "=").secret("clusters", "ps", Some(&[]));
    cluster = cluster.ca_of_nodes(Some(&["m.lab"])).ca_of_hosted(None);
    let found: Vec<_> = checks().flat_map(|rule| cluster.found(rule.id)).collect();
    assert!(found.len() > 3);
    for object in found.iter().map(|audited| &audited.object) {
        assert!(AUDITED_KINDS.contains(&(object.kind, !object.namespace.is_empty())), "{object:?}");
    }
}
