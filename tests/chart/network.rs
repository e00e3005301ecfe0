//! What the `NetworkPolicy` lets through.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::chart::{objects, one, refusal};

/// The egress rules with such values.
fn egress(values: &[&str]) -> Result<Vec<Value>> {
    let values = [&["networkPolicy.enabled=true"], values].concat();
    let policy = one(&objects(&values, &[])?, "NetworkPolicy")?.clone();
    policy["spec"]["egress"].as_array().cloned().context("no egress")
}

#[test]
fn a_collector_and_the_name_of_it_can_be_reached() -> Result<()> {
    let dns = json!({"ports": [
        {"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"},
        // OpenShift's DNS pods listen there, behind port 53 of their Service.
        {"port": 5353, "protocol": "UDP"}, {"port": 5353, "protocol": "TCP"},
    ]});
    let table = [
        ("http://collector.observability.svc:4318", 4318, "as it is written"),
        ("https://collector.lab.example:4318/otlp", 4318, "with a path behind it"),
        ("http://[fd00::1]:4318", 4318, "an address with colons of its own"),
        ("http://collector.lab.example", 80, "what http means"),
        ("https://collector.lab.example/otlp:1", 443, "what https means"),
        ("https://[fd00::4318]", 443, "the end of an address is no port"),
    ];
    for (endpoint, port, reason) in table {
        let rules = egress(&[&format!("tracing.endpoint={endpoint}")])?;
        let expected = [json!({"ports": [{"port": port, "protocol": "TCP"}]}), dns.clone()];
        ensure!(rules[1..] == expected, "{endpoint}, {reason}: {rules:?}");
    }
    ensure!(egress(&[])?.len() == 1, "without traces the apiserver alone is reached");
    Ok(())
}

#[test]
fn a_service_monitor_that_reaches_nothing_is_refused() -> Result<()> {
    let (policy, monitor) = ("networkPolicy.enabled=true", "monitoring.serviceMonitor.enabled=true");
    let refusal = refusal(&[policy, monitor], &[])?;
    ensure!(refusal.contains("networkPolicy.metrics.from"), "{refusal}");
    let from = "networkPolicy.metrics.from[0].namespaceSelector.matchLabels.a=b";
    for (twin, reason) in [
        (&[policy, monitor, from][..], "somebody is named"),
        (&[monitor], "nothing is held back"),
        (&[policy], "nobody asks"),
    ] {
        objects(twin, &[]).context(reason)?;
    }
    Ok(())
}
