//! The objects for Prometheus and for traces, and what the chart refuses.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::chart::{named, objects, one, refusal};

/// What every apiserver has and Helm alone does not know: it stands for a cluster.
const A_CLUSTER: &str = "apiregistration.k8s.io/v1";

const OPERATOR: [&str; 3] =
    [A_CLUSTER, "monitoring.coreos.com/v1/ServiceMonitor", "monitoring.coreos.com/v1/PrometheusRule"];

fn kinds(objects: &[Value], kind: &str) -> usize {
    objects.iter().filter(|object| object["kind"] == kind).count()
}

#[test]
fn nothing_is_there_unasked() -> Result<()> {
    let objects = objects(&[], &[])?;
    for kind in ["ServiceMonitor", "PrometheusRule", "AlertingRule"] {
        ensure!(kinds(&objects, kind) == 0, "a {kind}");
    }
    ensure!(
        kinds(&objects, "Service") == 1 && kinds(&objects, "ConfigMap") == 1,
        "a Service or ConfigMap too many"
    );
    let container = &one(&objects, "Deployment")?["spec"]["template"]["spec"]["containers"][0];
    ensure!(container["env"].is_null(), "variables: {}", container["env"]);
    Ok(())
}

#[test]
fn the_service_monitor_selects_the_metrics_of_the_pods_alone() -> Result<()> {
    let objects =
        objects(&["monitoring.serviceMonitor.enabled=true", "monitoring.serviceMonitor.interval=30s"], &[])?;
    let monitor = one(&objects, "ServiceMonitor")?;
    let selector = monitor["spec"]["selector"]["matchLabels"].as_object().context("no selector")?;
    let selected: Vec<_> = objects
        .iter()
        .filter(|object| object["kind"] == "Service")
        .filter(|service| selector.iter().all(|(name, value)| service["metadata"]["labels"][name] == *value))
        .collect();
    let [service] = *selected else { anyhow::bail!("it selects {selected:?}") };
    let port = &service["spec"]["ports"][0];
    ensure!(monitor["spec"]["endpoints"][0]["port"] == port["name"], "another port: {monitor}");
    ensure!(monitor["spec"]["endpoints"][0]["interval"] == "30s", "{monitor}");
    ensure!(service["spec"]["publishNotReadyAddresses"] == true, "pods that are not ready are not asked");
    let pod = &one(&objects, "Deployment")?["spec"]["template"];
    let ports = pod["spec"]["containers"][0]["ports"].as_array().context("no ports")?;
    ensure!(
        ports.iter().any(|found| found["name"] == port["targetPort"]),
        "the pod has no such port: {port}"
    );
    let labels = service["spec"]["selector"].as_object().context("no selector")?;
    ensure!(
        labels.iter().all(|(name, value)| pod["metadata"]["labels"][name] == *value),
        "other pods: {labels:?}"
    );
    // The webhook's Service must not bring each pod in a second time.
    let webhook = named(&objects, "Service", "mirrorguard")?;
    ensure!(webhook["spec"]["ports"].as_array().is_some_and(|ports| ports.len() == 1), "{webhook}");
    Ok(())
}

#[test]
fn a_cluster_that_lacks_a_kind_is_told_and_what_is_to_be_done() -> Result<()> {
    let job = "monitoring.prometheusRule.job=pods";
    let table = [
        ("monitoring.serviceMonitor.enabled=true", "a ServiceMonitor of monitoring.coreos.com/v1"),
        ("monitoring.prometheusRule.enabled=true", "a PrometheusRule of monitoring.coreos.com/v1"),
    ];
    for (value, expected) in table {
        let refusal = refusal(&[value, job], &[A_CLUSTER])?;
        let expected =
            format!("asks for {expected}, which this cluster does not know: install the Prometheus operator");
        ensure!(refusal.contains(&expected), "{refusal}");
        objects(&[value, job], &OPERATOR).context("the cluster knows it")?;
        objects(&[value, job], &[]).context("no cluster is asked")?;
    }
    let values = [
        "monitoring.prometheusRule.enabled=true",
        job,
        "monitoring.prometheusRule.apiserverAlerts=AlertingRule",
    ];
    let refusal = refusal(&values, &OPERATOR)?;
    ensure!(
        refusal.contains(
            "asks for an AlertingRule of monitoring.openshift.io/v1, which this cluster does not know"
        ),
        "{refusal}"
    );
    Ok(())
}

#[test]
fn alerts_look_for_what_is_scraped() -> Result<()> {
    let enabled = "monitoring.prometheusRule.enabled=true";
    for others in [&[][..], &["monitoring.service.enabled=true"]] {
        let refusal = refusal(&[&[enabled], others].concat(), &[])?;
        for value in ["monitoring.serviceMonitor.enabled", "monitoring.prometheusRule.job"] {
            ensure!(refusal.contains(value), "{others:?}: {refusal}");
        }
    }
    let monitor = "monitoring.serviceMonitor.enabled=true";
    let job = "monitoring.prometheusRule.job=monitoring/pods";
    let table = [
        (vec![monitor], "mirrorguard-metrics", "the Service that the ServiceMonitor selects"),
        (vec![job], "monitoring/pods", "what else scrapes the pods"),
        (vec![monitor, job], "monitoring/pods", "the ServiceMonitor's relabelings name another"),
        (vec![monitor, "fullnameOverride=guard"], "guard-metrics", "another name of the release"),
    ];
    for (values, expected, reason) in table {
        let objects = objects(&[&[enabled], &values[..]].concat(), &[])?;
        let rules = one(&objects, "PrometheusRule")?["spec"]["groups"][0]["rules"].clone();
        let absent = rules.as_array().into_iter().flatten().find(|rule| rule["alert"] == "MirrorguardAbsent");
        let expr = absent.and_then(|rule| rule["expr"].as_str()).context("no MirrorguardAbsent")?;
        ensure!(expr.contains(&format!("job=\"{expected}\"")), "{reason}: {expr}");
    }
    Ok(())
}

#[test]
fn the_alerts_on_the_apiserver_go_where_its_metrics_are() -> Result<()> {
    let enabled = ["monitoring.serviceMonitor.enabled=true", "monitoring.prometheusRule.enabled=true"];
    let of = |kind: &str, objects: &[Value]| -> usize {
        let found = objects.iter().find(|object| object["kind"] == kind);
        found.map_or(0, |rule| rule["spec"]["groups"][0]["rules"].as_array().map_or(0, Vec::len))
    };
    for (place, prometheus_rule, alerting_rule) in
        [("PrometheusRule", 11, 0), ("AlertingRule", 9, 2), ("none", 9, 0)]
    {
        let place = format!("monitoring.prometheusRule.apiserverAlerts={place}");
        let objects = objects(&[&enabled[..], &[&place]].concat(), &[])?;
        let found = (of("PrometheusRule", &objects), of("AlertingRule", &objects));
        ensure!(found == (prometheus_rule, alerting_rule), "{place}: {found:?}");
        if alerting_rule > 0 {
            let namespace = &one(&objects, "AlertingRule")?["metadata"]["namespace"];
            ensure!(namespace == "openshift-monitoring", "in {namespace}");
        }
    }
    Ok(())
}

#[test]
fn an_object_without_rules_is_left_out() -> Result<()> {
    const APISERVER: &str = "MirrorguardFailedClosed,MirrorguardFailedOpen";
    const OTHERS: &str = "MirrorguardAbsent,MirrorguardCertificateEnds,MirrorguardCertificateNotLoaded,\
                          MirrorguardDenialsRise,MirrorguardNotReady,MirrorguardReplicaMissing,\
                          MirrorguardUnverified,MirrorguardWatchFails,MirrorguardWatchStale";
    let all = format!("{OTHERS},{APISERVER}");
    let table = [
        ("AlertingRule", APISERVER, 1, 0, "both of the apiserver's are disabled"),
        ("AlertingRule", "MirrorguardFailedClosed", 1, 1, "one of them is left"),
        ("AlertingRule", OTHERS, 0, 1, "only the apiserver's are left"),
        ("PrometheusRule", OTHERS, 1, 0, "they are left beside nothing"),
        ("PrometheusRule", &all, 0, 0, "none is left"),
        ("none", OTHERS, 0, 0, "they are wanted nowhere"),
    ];
    for (place, disabled, prometheus_rules, alerting_rules, reason) in table {
        let disabled = format!("monitoring.prometheusRule.disabled={{{disabled}}}");
        let place = format!("monitoring.prometheusRule.apiserverAlerts={place}");
        let enabled = ["monitoring.serviceMonitor.enabled=true", "monitoring.prometheusRule.enabled=true"];
        let objects = objects(&[&enabled[..], &[&disabled, &place]].concat(), &[])?;
        let found = (kinds(&objects, "PrometheusRule"), kinds(&objects, "AlertingRule"));
        ensure!(found == (prometheus_rules, alerting_rules), "{reason}: {found:?}");
    }
    Ok(())
}

#[test]
fn traces_are_asked_for_by_the_variables_of_opentelemetry() -> Result<()> {
    let values = [
        "tracing.endpoint=https://collector.lab.example:4318",
        "tracing.ratio=0.25",
        "tracing.ca.configMap=collector-ca",
        "tracing.env[0].name=OTEL_EXPORTER_OTLP_HEADERS",
        "tracing.env[0].value=authorization=token",
    ];
    let objects = objects(&values, &[])?;
    let pod = &one(&objects, "Deployment")?["spec"]["template"]["spec"];
    let variables = pod["containers"][0]["env"].as_array().context("no variables")?;
    let value = |name: &str| variables.iter().find(|one| one["name"] == name).map(|one| one["value"].clone());
    let table = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.lab.example:4318"),
        ("OTEL_SERVICE_NAME", "mirrorguard"),
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/etc/mirrorguard/tracing-ca/ca.crt"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=token"),
    ];
    for (name, expected) in table {
        ensure!(value(name) == Some(json!(expected)), "{name} is {:?}", value(name));
    }
    let place = |name: &str| variables.iter().position(|one| one["name"] == name);
    // A variable is put into those that come after it only.
    ensure!(place("POD_NAME") < place("OTEL_RESOURCE_ATTRIBUTES"), "{variables:?}");
    let mounted =
        |list: &Value| list.as_array().is_some_and(|all| all.iter().any(|one| one["name"] == "tracing-ca"));
    ensure!(
        mounted(&pod["volumes"]) && mounted(&pod["containers"][0]["volumeMounts"]),
        "the CA is not mounted"
    );
    Ok(())
}

#[test]
fn values_that_mean_nothing_are_refused() -> Result<()> {
    let table = [
        ("monitoring.serviceMonitors.enabled=true", "serviceMonitors", "a misspelt key"),
        ("monitoring.prometheusRule.disabled={Mirrorguard}", "disabled", "no alert of ours"),
        ("monitoring.prometheusRule.apiserverAlerts=Elsewhere", "apiserverAlerts", "no such place"),
        ("monitoring.serviceMonitor.interval=often", "interval", "no duration"),
        ("tracing.endpoint=collector:4317", "endpoint", "no URL"),
        ("tracing.ratio=2", "ratio", "more than all"),
        ("tracing.env[0].name=RUST_LOG", "env", "no variable of OpenTelemetry"),
    ];
    for (value, key, reason) in table {
        let refusal = refusal(&[value], &[])?;
        ensure!(refusal.contains(key), "{value}, {reason}: {refusal}");
    }
    Ok(())
}
