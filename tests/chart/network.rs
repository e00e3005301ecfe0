//! What the `NetworkPolicy` allows.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::chart::{objects, one, rejection};

/// The egress rules with such values.
fn egress(values: &[&str]) -> Result<Vec<Value>> {
    let values = [&["networkPolicy.enabled=true"], values].concat();
    let policy = one(&objects(&values, &[])?, "NetworkPolicy")?.clone();
    policy["spec"]["egress"].as_array().cloned().context("no egress")
}

#[test]
fn the_collector_and_dns_can_be_reached() -> Result<()> {
    let dns = json!({"ports": [
        {"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"},
        // OpenShift's DNS pods listen there, behind port 53 of their Service.
        {"port": 5353, "protocol": "UDP"}, {"port": 5353, "protocol": "TCP"},
    ]});
    let table = [
        ("http://collector.observability.svc:4318", 4318, "the port of the URL"),
        ("https://collector.lab.example:4318/otlp", 4318, "a path after the port"),
        ("http://[fd00::1]:4318", 4318, "an IPv6 address"),
        ("http://collector.lab.example", 80, "the default of http"),
        ("https://collector.lab.example/otlp:1", 443, "the default of https"),
        ("https://[fd00::4318]", 443, "the end of an IPv6 address is not a port"),
    ];
    for (endpoint, port, reason) in table {
        let rules = egress(&[&format!("tracing.endpoint={endpoint}")])?;
        let expected = [json!({"ports": [{"port": port, "protocol": "TCP"}]}), dns.clone()];
        ensure!(rules[1..] == expected, "{endpoint}, {reason}: {rules:?}");
    }
    ensure!(egress(&[])?.len() == 1, "without traces only the API server can be reached");
    Ok(())
}

#[test]
fn a_service_monitor_without_access_to_the_pods_is_rejected() -> Result<()> {
    let (policy, monitor) = ("networkPolicy.enabled=true", "monitoring.serviceMonitor.enabled=true");
    let error = rejection(&[policy, monitor], &[])?;
    ensure!(error.contains("networkPolicy.metrics.from"), "{error}");
    let from = "networkPolicy.metrics.from[0].namespaceSelector.matchLabels.a=b";
    for (twin, reason) in [
        (&[policy, monitor, from][..], "a peer is allowed"),
        (&[monitor], "nothing is blocked"),
        (&[policy], "nothing scrapes"),
    ] {
        objects(twin, &[]).context(reason)?;
    }
    Ok(())
}
