//! Tests about the list of checks, and their pages.
#![expect(clippy::disallowed_methods, reason = "the tests look at the folder that the checks stand in")]

use std::fs;

use super::{CHECKS, KINDS, every_rule, testing::Cluster};
use crate::rules::RULES;

#[test]
fn ids_are_sorted_and_no_rule_has_the_same() {
    assert!(CHECKS.is_sorted_by(|a, b| a.rule.id < b.rule.id));
    for check in CHECKS {
        assert!(RULES.iter().all(|rule| rule.id != check.rule.id), "{}", check.rule.id);
        assert!(!check.rule.summary.ends_with('.') && !check.rule.summary.is_empty(), "{}", check.rule.id);
    }
    assert_eq!(every_rule().count(), RULES.len() + CHECKS.len());
}

#[test]
fn every_page_is_in_the_list_and_has_its_parts() {
    let mut pages: Vec<_> = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/audit"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".md").map(|stem| stem.replace('_', "-")))
        .collect();
    pages.sort();
    assert_eq!(pages, CHECKS.iter().map(|check| check.rule.id).collect::<Vec<_>>());
    for check in CHECKS {
        assert!(check.rule.page.starts_with(&format!("# {}\n", check.rule.id)), "{}", check.rule.id);
        for part in ["## What it finds", "## Why it hurts", "## How to mend it"] {
            assert!(check.rule.page.contains(&format!("\n{part}\n")), "{}: {part}", check.rule.id);
        }
    }
}

#[test]
fn the_configuration_on_a_page_is_accepted() {
    let blocks = CHECKS.iter().flat_map(|check| check.rule.page.split("```yaml config\n").skip(1));
    let blocks: Vec<_> = blocks.filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty(), "no page shows any");
    for block in blocks {
        crate::config::parse("page", block).unwrap();
    }
}

#[test]
fn a_hosted_cluster_on_its_way_out_is_left_alone() {
    let sets = [("imageDigestMirrors", "a", "quay.io/openshift-release-dev", "m.lab/a")];
    let mut cluster = Cluster::new(&sets).hosted("", "pullSecret: {name: ps}").operator("=");
    cluster = cluster.started("control-plane-operator", "=", "=").secret("clusters", "ps", Some(&[]));
    let found =
        |cluster: &Cluster| CHECKS.iter().map(|check| cluster.found(check.rule.id).len()).sum::<usize>();
    assert_eq!(found(&cluster), 2, "a mirror and an override");
    cluster.inventory.hosted_clusters[0].metadata.deletion_timestamp =
        Some("2026-08-01T00:00:00Z".to_owned());
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
    assert!(KINDS.is_sorted());
    let sets = [("imageDigestMirrors", "a", "quay.io/openshift-release-dev", "m.lab:8443/a")];
    let mut cluster =
        Cluster::new(&sets).hosted("mirrorguard.io/x: y", "pullSecret: {name: ps}").operator("=");
    cluster = cluster.started("control-plane-operator", "=", "=").secret("clusters", "ps", Some(&[]));
    cluster = cluster.ca_of_nodes(Some(&["m.lab"])).ca_of_hosted(None);
    let found: Vec<_> = CHECKS.iter().flat_map(|check| cluster.found(check.rule.id)).collect();
    assert!(found.len() > 3);
    for object in found.iter().map(|audited| &audited.object) {
        assert!(KINDS.contains(&(object.kind, !object.namespace.is_empty())), "{object:?}");
    }
}
