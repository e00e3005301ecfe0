//! The alerts: each fires when it should, and only then.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::cases::{CASES, Case, READY, Series};
use crate::chart::{ROOT, objects, one};
use crate::expressions::expect_known_metrics;
use crate::promtool;

/// The groups of the alerts with these values.
fn groups(values: &[&str]) -> Result<Value> {
    let enabled = ["monitoring.serviceMonitor.enabled=true", "monitoring.prometheusRule.enabled=true"];
    let values = [&enabled, values].concat();
    Ok(one(&objects(&values, &[])?, "PrometheusRule")?["spec"].clone())
}

fn rules(groups: &Value) -> Vec<&Value> {
    let groups = groups["groups"].as_array().into_iter().flatten();
    groups.flat_map(|group| group["rules"].as_array().into_iter().flatten()).collect()
}

fn names(groups: &Value) -> BTreeSet<&str> {
    rules(groups).into_iter().filter_map(|rule| rule["alert"].as_str()).collect()
}

/// A series as promtool reads it: `name;label=value` gets the labels of our pod a.
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

/// A test that only this alert fires.
fn unit(name: &str, at: u32, input: Series, fires: Option<&str>) -> Value {
    let expected = fires.map(|alert| json!({"labels": format!("{{alertname=\"{alert}\"}}"), "value": 1}));
    let ready = READY.into_iter().filter(|(name, _)| input.iter().all(|(given, _)| given != name));
    json!({
        "name": name, "interval": "1m",
        "input_series": input.iter().copied().chain(ready).map(series).collect::<Vec<_>>(),
        "promql_expr_test": [{
            "expr": "count by (alertname) (ALERTS{alertstate=\"firing\"})", "eval_time": format!("{at}m"),
            "exp_samples": expected.into_iter().collect::<Vec<_>>(),
        }],
    })
}

#[test]
fn each_alert_fires_when_it_should_and_only_then() -> Result<()> {
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
fn expressions_are_valid_and_use_existing_metrics() -> Result<()> {
    let groups = groups(&[])?;
    promtool::run(&["check", "rules", "--lint=all", "--lint-fatal"], &[("rules.json", &groups)])?;
    for rule in rules(&groups) {
        expect_known_metrics(rule["expr"].as_str().context("no expression")?)?;
    }
    Ok(())
}

#[test]
fn each_alert_has_a_severity_two_texts_and_a_section_of_the_page() -> Result<()> {
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
fn values_change_the_alerts() -> Result<()> {
    let all = groups(&[])?;
    let without =
        groups(&["monitoring.prometheusRule.disabled={MirrorguardDenialsRise,MirrorguardFailedOpen}"])?;
    ensure!(names(&without).len() == names(&all).len() - 2, "{:?}", names(&without));
    let labelled = groups(&["monitoring.prometheusRule.alertLabels.team=platform"])?;
    for rule in rules(&labelled) {
        ensure!(rule["labels"]["team"] == "platform" && rule["labels"]["severity"].is_string(), "{rule}");
    }
    let earlier = groups(&["monitoring.prometheusRule.certificateDays=14"])?;
    let expressions: Vec<String> = rules(&earlier).iter().map(|rule| rule["expr"].to_string()).collect();
    let expressions = expressions.join("\n");
    ensure!(
        expressions.contains("< 14 * 86400") && !expressions.contains("< 7 * 86400"),
        "the days are not used: {expressions}"
    );
    Ok(())
}

#[test]
fn a_single_replica_has_no_alert_for_missing_replicas() -> Result<()> {
    for (replicas, expected) in [(1, false), (2, true), (3, true)] {
        let groups = groups(&[&format!("replicaCount={replicas}")])?;
        let found = rules(&groups).into_iter().find(|rule| rule["alert"] == "MirrorguardReplicaMissing");
        ensure!(found.is_some() == expected, "{replicas}: {found:?}");
        let end = format!("< {replicas}");
        let expression = found.and_then(|rule| rule["expr"].as_str());
        ensure!(expression.is_none_or(|expression| expression.ends_with(&end)), "{replicas}: {expression:?}");
    }
    Ok(())
}
