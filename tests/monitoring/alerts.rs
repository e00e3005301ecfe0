//! The alerts: each fires when it should, and not beside that.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::chart::{ROOT, objects, one};
use crate::expressions::ask_for_what_exists;
use crate::promtool;

/// The alerts' groups of a release with some values.
fn groups(values: &[&str]) -> Result<Value> {
    let values = [&["monitoring.prometheusRule.enabled=true"], values].concat();
    Ok(one(&objects(&values, &[])?, "PrometheusRule")?["spec"].clone())
}

fn rules(groups: &Value) -> Vec<&Value> {
    let groups = groups["groups"].as_array().into_iter().flatten();
    groups.flat_map(|group| group["rules"].as_array().into_iter().flatten()).collect()
}

fn names(groups: &Value) -> BTreeSet<&str> {
    rules(groups).into_iter().filter_map(|rule| rule["alert"].as_str()).collect()
}

/// Two pods that are well, in every test that does not say otherwise of one of them.
const WELL: [(&str, &str); 2] = [("mirrorguard_ready", "1x1600"), ("mirrorguard_ready;pod=b", "1x1600")];

/// Series by name and labels, and their samples, one a minute from the start on (`_` is a missed scrape).
type Series = &'static [(&'static str, &'static str)];

/// When an alert fires, and beside that when it does not, and why.
struct Case {
    alert: &'static str,
    /// The minute that is looked at.
    at: u32,
    firing: Series,
    quiet: &'static [(Series, &'static str)],
}

/// Series of another job are written with braces of their own, ours get the labels that a scrape gives.
const CASES: [Case; 11] = [
    Case {
        alert: "MirrorguardAbsent",
        at: 16,
        firing: &[("mirrorguard_ready", "1x9 stale"), ("mirrorguard_ready;pod=b", "1x9 stale")],
        quiet: &[
            (
                &[("mirrorguard_ready", "1x9 stale 1x20"), ("mirrorguard_ready;pod=b", "1x9 stale 1x20")],
                "one scrape was missed",
            ),
            (
                &[("mirrorguard_ready", "1x9 0x3 1x20"), ("mirrorguard_ready;pod=b", "1x9 stale _x3 1x20")],
                "a restart of both",
            ),
            (&[("mirrorguard_ready", "1x9 stale")], "the other pod is ready"),
        ],
    },
    Case {
        // They answer Prometheus, and the apiserver has nobody to call.
        alert: "MirrorguardAbsent",
        at: 9,
        firing: &[("mirrorguard_ready", "0x30"), ("mirrorguard_ready;pod=b", "0x30")],
        quiet: &[(&[("mirrorguard_ready", "0x30")], "the other pod is ready")],
    },
    Case {
        alert: "MirrorguardNotReady",
        at: 21,
        firing: &[("mirrorguard_ready", "1x5 0x30")],
        quiet: &[
            (&[("mirrorguard_ready", "1x5 0x5 1x30")], "it was so for five minutes"),
            (&[("mirrorguard_ready", "1x5 0 0 _ 1x30")], "and a scrape was missed"),
            (&[("mirrorguard_ready", "1x30")], "it is ready"),
        ],
    },
    Case {
        alert: "MirrorguardCertificateEnds",
        at: 20,
        firing: &[("mirrorguard_certificate_expiry_timestamp_seconds", "604000x30")],
        quiet: &[
            (
                &[("mirrorguard_certificate_expiry_timestamp_seconds", "700000x30")],
                "more than seven days are left",
            ),
            (
                &[("mirrorguard_certificate_expiry_timestamp_seconds", "604000x5 8000000x30")],
                "it was renewed",
            ),
            (
                &[("mirrorguard_certificate_expiry_timestamp_seconds", "0x30")],
                "it lives as long as the process",
            ),
        ],
    },
    Case {
        alert: "MirrorguardCertificateNotLoaded",
        at: 20,
        firing: &[("mirrorguard_certificate_reload_failures_total", "0x10 1x30")],
        quiet: &[
            (&[("mirrorguard_certificate_reload_failures_total", "3x30")], "it was long ago"),
            (&[("mirrorguard_certificate_reload_failures_total", "3x10 _ 3x30")], "a scrape was missed"),
            (&[("mirrorguard_certificate_reload_failures_total", "3x10 0x30")], "the pod has started anew"),
        ],
    },
    Case {
        alert: "MirrorguardDenialsRise",
        at: 1470,
        firing: &[("mirrorguard_admission_requests_total;verdict=denied", "0x1440 0+2x60")],
        quiet: &[
            (&[("mirrorguard_admission_requests_total;verdict=denied", "0+2x1500")], "it is so all day"),
            (&[("mirrorguard_admission_requests_total;verdict=denied", "0x1460 0+1x5 5x30")], "they are few"),
            (
                &[("mirrorguard_admission_requests_total;verdict=allowed", "0x1440 0+2x60")],
                "they are admissions",
            ),
        ],
    },
    Case {
        alert: "MirrorguardWatchStale",
        at: 30,
        firing: &[("mirrorguard_watch_contact_timestamp_seconds;kind=HostedCluster", "1x40")],
        quiet: &[
            (
                &[("mirrorguard_watch_contact_timestamp_seconds;kind=HostedCluster", "0+60x40")],
                "it is heard of",
            ),
            (
                &[(
                    "mirrorguard_watch_contact_timestamp_seconds;kind=HostedCluster",
                    "0x4 300x4 600x4 900x4 1200x4 1500x9",
                )],
                "every five minutes",
            ),
            (
                &[("mirrorguard_watch_contact_timestamp_seconds;kind=HostedCluster", "1x18 1080+60x20")],
                "it is heard of again",
            ),
        ],
    },
    Case {
        alert: "MirrorguardWatchFails",
        at: 30,
        firing: &[("mirrorguard_watch_errors_total;kind=HostedCluster", "0+2x40")],
        quiet: &[
            (
                &[("mirrorguard_watch_errors_total;kind=HostedCluster", "0x10 0+2x4 8x40")],
                "it was so for four minutes",
            ),
            (
                &[("mirrorguard_watch_errors_total;kind=HostedCluster", "0x9 1x9 2x9 3x9")],
                "now and then one does",
            ),
        ],
    },
    Case {
        alert: "MirrorguardUnverified",
        at: 15,
        firing: &[("mirrorguard_unverified_decisions_total", "0x10 1x30")],
        quiet: &[
            (&[("mirrorguard_unverified_decisions_total", "0x30")], "there was none"),
            (&[("mirrorguard_unverified_decisions_total", "4x5 _ _ 4x30")], "scrapes were missed"),
        ],
    },
    Case {
        alert: "MirrorguardFailedClosed",
        at: 22,
        firing: &[("up{job=\"apiserver\", instance=\"a\"}", "1x40"), (REJECTED, "_x20 1x20")],
        quiet: &[
            (
                &[("up{job=\"apiserver\", instance=\"a\"}", "_x20 1x20"), (REJECTED, "_x20 1x20")],
                "it was before Prometheus began",
            ),
            (&[("up{job=\"apiserver\", instance=\"a\"}", "1x40"), (REJECTED, "7x40")], "it was long ago"),
            (
                &[("up{job=\"apiserver\", instance=\"a\"}", "1x40"), (REJECTED, "7x15 _ 7x20")],
                "a scrape was missed",
            ),
            (
                &[("up{job=\"apiserver\", instance=\"a\"}", "1x40"), (DENIED, "0+1x40")],
                "mirrorguard itself denied",
            ),
            (
                &[("up{job=\"apiserver\", instance=\"a\"}", "1x40"), (OTHER, "0+1x40")],
                "it is another webhook",
            ),
        ],
    },
    Case {
        alert: "MirrorguardFailedOpen",
        at: 22,
        firing: &[("up{job=\"apiserver\", instance=\"a\"}", "1x40"), (OPEN, "3x15 4x20")],
        quiet: &[
            (&[("up{job=\"apiserver\", instance=\"a\"}", "1x40"), (OPEN, "4x40")], "it was long ago"),
            (
                &[("up{job=\"apiserver\", instance=\"a\"}", "1x40"), (OPEN, "4x15 0x20")],
                "the apiserver has started anew",
            ),
        ],
    },
];

const REJECTED: &str = "apiserver_admission_webhook_rejection_count{name=\"mirror-sets.validate.mirrorguard.io\", \
                        error_type=\"calling_webhook_error\", job=\"apiserver\", instance=\"a\"}";
const DENIED: &str = "apiserver_admission_webhook_rejection_count{name=\"mirror-sets.validate.mirrorguard.io\", \
                      error_type=\"no_error\", rejection_code=\"403\", job=\"apiserver\", instance=\"a\"}";
const OTHER: &str = "apiserver_admission_webhook_rejection_count{name=\"validate.other.example\", \
                     error_type=\"calling_webhook_error\", job=\"apiserver\", instance=\"a\"}";
const OPEN: &str = "apiserver_admission_webhook_fail_open_count{name=\"hosted-clusters.mutate.mirrorguard.io\", \
                    job=\"apiserver\", instance=\"a\"}";

/// A series as promtool takes it: `name;label=value` gets the labels of our pod a.
fn series((name, values): (&str, &str)) -> Value {
    if name.contains('{') {
        return json!({"series": name, "values": values});
    }
    let (name, more) = name.split_once(';').unwrap_or((name, ""));
    let (label, value) = more.split_once('=').unwrap_or_default();
    let pod = if label == "pod" { value } else { "a" };
    let more = if matches!(label, "" | "pod") { String::new() } else { format!(", {label}=\"{value}\"") };
    let labels = format!("job=\"mirrorguard-metrics\", namespace=\"mirrorguard\", pod=\"{pod}\"{more}");
    json!({"series": format!("{name}{{{labels}}}"), "values": values})
}

/// A test that no other alert than this fires.
fn unit(name: &str, at: u32, input: Series, fires: Option<&str>) -> Value {
    let expected = fires.map(|alert| json!({"labels": format!("{{alertname=\"{alert}\"}}"), "value": 1}));
    let well = WELL.into_iter().filter(|(name, _)| input.iter().all(|(given, _)| given != name));
    json!({
        "name": name, "interval": "1m",
        "input_series": input.iter().copied().chain(well).map(series).collect::<Vec<_>>(),
        "promql_expr_test": [{
            "expr": "count by (alertname) (ALERTS{alertstate=\"firing\"})", "eval_time": format!("{at}m"),
            "exp_samples": expected.into_iter().collect::<Vec<_>>(),
        }],
    })
}

#[test]
fn each_fires_when_it_should_and_not_beside_that() -> Result<()> {
    let groups = groups(&[])?;
    let tested: BTreeSet<_> = CASES.iter().map(|case| case.alert).collect();
    ensure!(tested == names(&groups), "not every alert is tested: {:?}", names(&groups));
    let tests = CASES.iter().flat_map(|Case { alert, at, firing, quiet }| {
        let quiet =
            quiet.iter().map(move |(series, why)| unit(&format!("{alert}, but {why}"), *at, series, None));
        std::iter::once(unit(alert, *at, firing, Some(alert))).chain(quiet)
    });
    let tests = json!({"rule_files": ["rules.json"], "tests": tests.collect::<Vec<_>>()});
    promtool::run(&["test", "rules"], &[("rules.json", &groups), ("tests.json", &tests)])?;
    Ok(())
}

#[test]
fn they_are_understood_and_ask_for_what_exists() -> Result<()> {
    let groups = groups(&[])?;
    promtool::run(&["check", "rules", "--lint=all", "--lint-fatal"], &[("rules.json", &groups)])?;
    for rule in rules(&groups) {
        ask_for_what_exists(rule["expr"].as_str().context("no expression")?)?;
    }
    Ok(())
}

#[test]
fn each_has_a_severity_a_summary_what_to_do_and_a_section_of_the_page() -> Result<()> {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/alerts.md"))?;
    let sections: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let groups = groups(&["monitoring.prometheusRule.runbookUrl=https://docs.lab.example/alerts.md"])?;
    ensure!(sections.iter().copied().collect::<BTreeSet<_>>() == names(&groups), "the page has {sections:?}");
    ensure!(sections.is_sorted(), "the page is not in order: {sections:?}");
    for rule in rules(&groups) {
        let name = rule["alert"].as_str().context("no name")?;
        let severity = rule["labels"]["severity"].as_str();
        ensure!(matches!(severity, Some("critical" | "warning" | "info")), "{name}: {severity:?}");
        ensure!(rule["for"].is_string(), "{name} fires at the first sample");
        for text in ["summary", "description"] {
            let text = rule["annotations"][text].as_str().unwrap_or_default();
            ensure!(text.len() > 20 && !text.contains("  "), "{name}: {text:?}");
        }
        let runbook = format!("https://docs.lab.example/alerts.md#{}", name.to_lowercase());
        ensure!(rule["annotations"]["runbook_url"] == runbook, "{name}: {}", rule["annotations"]);
    }
    Ok(())
}

#[test]
fn values_change_them() -> Result<()> {
    let all = groups(&[])?;
    let without =
        groups(&["monitoring.prometheusRule.disabled={MirrorguardDenialsRise,MirrorguardFailedOpen}"])?;
    ensure!(names(&without).len() == names(&all).len() - 2, "{:?}", names(&without));
    let labelled = groups(&["monitoring.prometheusRule.alertLabels.team=platform"])?;
    for rule in rules(&labelled) {
        ensure!(rule["labels"]["team"] == "platform" && rule["labels"]["severity"].is_string(), "{rule}");
    }
    let earlier = groups(&["monitoring.prometheusRule.certificateDays=14"])?;
    let asks = |days: &str| rules(&earlier).iter().any(|rule| rule["expr"].to_string().contains(days));
    ensure!(asks("< 14 * 86400") && !asks("< 7 * 86400"), "{earlier}");
    Ok(())
}
