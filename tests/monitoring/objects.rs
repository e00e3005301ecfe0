//! The objects for Prometheus and for traces, and the values that the chart rejects.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::chart::{named, objects, one, rejection};

/// Served by every API server and unknown to Helm alone: with it, the chart is rendered for a cluster.
const A_CLUSTER: &str = "apiregistration.k8s.io/v1";

const OPERATOR: [&str; 3] =
    [A_CLUSTER, "monitoring.coreos.com/v1/ServiceMonitor", "monitoring.coreos.com/v1/PrometheusRule"];

/// How many objects are of a kind.
fn count(objects: &[Value], kind: &str) -> usize {
    objects.iter().filter(|object| object["kind"] == kind).count()
}

#[test]
fn monitoring_is_disabled_by_default() -> Result<()> {
    let objects = objects(&[], &[])?;
    for kind in ["ServiceMonitor", "PrometheusRule", "AlertingRule"] {
        ensure!(count(&objects, kind) == 0, "a {kind}");
    }
    ensure!(
        count(&objects, "Service") == 1 && count(&objects, "ConfigMap") == 1,
        "an additional Service or ConfigMap"
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
    ensure!(service["spec"]["publishNotReadyAddresses"] == true, "pods that are not ready are not scraped");
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
    // The webhook's Service must not make Prometheus scrape each pod twice.
    let webhook = named(&objects, "Service", "mirrorguard")?;
    ensure!(webhook["spec"]["ports"].as_array().is_some_and(|ports| ports.len() == 1), "{webhook}");
    Ok(())
}

#[test]
fn a_kind_that_the_cluster_does_not_serve_is_rejected_by_name() -> Result<()> {
    let job = "monitoring.prometheusRule.job=pods";
    for (key, kind) in [
        ("monitoring.serviceMonitor.enabled", "ServiceMonitor"),
        ("monitoring.prometheusRule.enabled", "PrometheusRule"),
    ] {
        let value = format!("{key}=true");
        let error = rejection(&[&value, job], &[A_CLUSTER])?;
        for name in [key, kind, "monitoring.coreos.com/v1"] {
            ensure!(error.contains(name), "{name} is not named: {error}");
        }
        objects(&[&value, job], &OPERATOR).context("the cluster serves it")?;
        objects(&[&value, job], &[]).context("rendered without a cluster")?;
    }
    let alerts = "monitoring.prometheusRule.apiserverAlerts";
    let values = ["monitoring.prometheusRule.enabled=true", job, &format!("{alerts}=AlertingRule")];
    let error = rejection(&values, &OPERATOR)?;
    for name in [alerts, "AlertingRule", "monitoring.openshift.io/v1"] {
        ensure!(error.contains(name), "{name} is not named: {error}");
    }
    Ok(())
}

#[test]
fn alerts_use_the_job_that_scrapes_the_pods() -> Result<()> {
    let enabled = "monitoring.prometheusRule.enabled=true";
    for others in [&[][..], &["monitoring.service.enabled=true"]] {
        let error = rejection(&[&[enabled], others].concat(), &[])?;
        for value in ["monitoring.serviceMonitor.enabled", "monitoring.prometheusRule.job"] {
            ensure!(error.contains(value), "{others:?}: {error}");
        }
    }
    let monitor = "monitoring.serviceMonitor.enabled=true";
    let job = "monitoring.prometheusRule.job=monitoring/pods";
    let table = [
        (vec![monitor], "mirrorguard-metrics", "the Service that the ServiceMonitor selects"),
        (vec![job], "monitoring/pods", "another job that scrapes the pods"),
        (vec![monitor, job], "monitoring/pods", "the ServiceMonitor's relabelings set another job"),
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

/// Where the alerts about the API server go, and how many rules the two objects have then.
struct Place {
    kind: &'static str,
    prometheus_rule: usize,
    alerting_rule: usize,
}

#[test]
fn alerts_about_the_api_server_are_where_its_metrics_are() -> Result<()> {
    let enabled = ["monitoring.serviceMonitor.enabled=true", "monitoring.prometheusRule.enabled=true"];
    for Place { kind, prometheus_rule, alerting_rule } in [
        Place { kind: "PrometheusRule", prometheus_rule: 11, alerting_rule: 0 },
        Place { kind: "AlertingRule", prometheus_rule: 9, alerting_rule: 2 },
        Place { kind: "none", prometheus_rule: 9, alerting_rule: 0 },
    ] {
        let place = format!("monitoring.prometheusRule.apiserverAlerts={kind}");
        let objects = objects(&[&enabled[..], &[&place]].concat(), &[])?;
        let found = (count_rules(&objects, "PrometheusRule"), count_rules(&objects, "AlertingRule"));
        ensure!(found == (prometheus_rule, alerting_rule), "{kind}: {found:?}");
        if alerting_rule > 0 {
            let namespace = &one(&objects, "AlertingRule")?["metadata"]["namespace"];
            ensure!(namespace == "openshift-monitoring", "in {namespace}");
        }
    }
    Ok(())
}

/// How many rules the object of a kind has; 0 without one.
fn count_rules(objects: &[Value], kind: &str) -> usize {
    let found = objects.iter().find(|object| object["kind"] == kind);
    found.map_or(0, |rule| rule["spec"]["groups"][0]["rules"].as_array().map_or(0, Vec::len))
}

const OF_API_SERVER: &str = "MirrorguardFailedClosed,MirrorguardFailedOpen";
const OTHERS: &str = "MirrorguardAbsent,MirrorguardCertificateEnds,MirrorguardCertificateNotLoaded,\
                      MirrorguardDenialsRise,MirrorguardNotReady,MirrorguardReplicaMissing,\
                      MirrorguardUnverified,MirrorguardWatchFails,MirrorguardWatchStale";

/// Alerts that are disabled, and which objects are rendered for the others.
struct Disabled {
    /// Where the alerts about the API server go.
    kind: &'static str,
    alerts: &'static [&'static str],
    rendered: &'static [&'static str],
    reason: &'static str,
}

const DISABLED: [Disabled; 6] = [
    Disabled {
        kind: "AlertingRule",
        alerts: &[OF_API_SERVER],
        rendered: &["PrometheusRule"],
        reason: "both alerts about the API server are disabled",
    },
    Disabled {
        kind: "AlertingRule",
        alerts: &["MirrorguardFailedClosed"],
        rendered: &["PrometheusRule", "AlertingRule"],
        reason: "one of them is enabled",
    },
    Disabled {
        kind: "AlertingRule",
        alerts: &[OTHERS],
        rendered: &["AlertingRule"],
        reason: "only those about the API server are enabled",
    },
    Disabled {
        kind: "PrometheusRule",
        alerts: &[OTHERS],
        rendered: &["PrometheusRule"],
        reason: "the same, in this object",
    },
    Disabled {
        kind: "PrometheusRule",
        alerts: &[OTHERS, OF_API_SERVER],
        rendered: &[],
        reason: "none is enabled",
    },
    Disabled {
        kind: "none",
        alerts: &[OTHERS],
        rendered: &[],
        reason: "those about the API server are nowhere",
    },
];

#[test]
fn an_object_without_rules_is_not_rendered() -> Result<()> {
    let enabled = ["monitoring.serviceMonitor.enabled=true", "monitoring.prometheusRule.enabled=true"];
    for Disabled { kind, alerts, rendered, reason } in DISABLED {
        let disabled = format!("monitoring.prometheusRule.disabled={{{}}}", alerts.join(","));
        let place = format!("monitoring.prometheusRule.apiserverAlerts={kind}");
        let objects = objects(&[&enabled[..], &[&disabled, &place]].concat(), &[])?;
        for kind in ["PrometheusRule", "AlertingRule"] {
            let expected = usize::from(rendered.contains(&kind));
            ensure!(count(&objects, kind) == expected, "{reason}: {} of {kind}", count(&objects, kind));
        }
    }
    Ok(())
}

#[test]
fn traces_are_enabled_by_the_variables_of_opentelemetry() -> Result<()> {
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
    let table = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.lab.example:4318"),
        ("OTEL_SERVICE_NAME", "mirrorguard"),
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/etc/mirrorguard/tracing-ca/ca.crt"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=token"),
    ];
    for (name, expected) in table {
        let place = place_of(variables, name).with_context(|| format!("no {name}"))?;
        ensure!(variables[place]["value"] == expected, "{name}: {}", variables[place]);
    }
    // A variable can only be used in those after it.
    let (pod_name, attributes) =
        (place_of(variables, "POD_NAME"), place_of(variables, "OTEL_RESOURCE_ATTRIBUTES"));
    ensure!(pod_name.is_some() && pod_name < attributes, "{variables:?}");
    for list in [&pod["volumes"], &pod["containers"][0]["volumeMounts"]] {
        ensure!(place_of(list.as_array().context("no list")?, "tracing-ca").is_some(), "no CA in {list}");
    }
    Ok(())
}

fn place_of(list: &[Value], name: &str) -> Option<usize> {
    list.iter().position(|one| one["name"] == name)
}

#[test]
fn invalid_values_are_rejected_by_name() -> Result<()> {
    let table = [
        ("monitoring.serviceMonitors.enabled=true", "serviceMonitors", "a misspelt key"),
        ("monitoring.prometheusRule.disabled={Mirrorguard}", "disabled", "an unknown alert"),
        ("monitoring.prometheusRule.apiserverAlerts=Elsewhere", "apiserverAlerts", "an unknown kind"),
        ("monitoring.serviceMonitor.interval=often", "interval", "not a duration"),
        ("tracing.endpoint=collector:4317", "endpoint", "not a URL"),
        ("tracing.ratio=2", "ratio", "more than 1"),
        ("tracing.env[0].name=RUST_LOG", "env", "not a variable of OpenTelemetry"),
    ];
    for (value, key, reason) in table {
        let error = rejection(&[value], &[])?;
        ensure!(error.contains(key), "{value}, {reason}: {error}");
    }
    Ok(())
}
