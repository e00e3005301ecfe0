//! The alerts: each fires when it should, and not beside that.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::cases::{CASES, Case, Series, WELL};
use crate::chart::{ROOT, objects, one};
use crate::expressions::ask_for_what_exists;
use crate::promtool;

/// The alerts' groups of a release with some values.
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

#[test]
fn a_single_replica_has_none_that_could_be_missing() -> Result<()> {
    for (replicas, expected) in [(1, false), (2, true), (3, true)] {
        let groups = groups(&[&format!("replicaCount={replicas}")])?;
        let found = rules(&groups).into_iter().find(|rule| rule["alert"] == "MirrorguardReplicaMissing");
        ensure!(found.is_some() == expected, "{replicas}: {found:?}");
        let wants =
            |rule: &Value| rule["expr"].as_str().is_some_and(|expr| expr.ends_with(&format!("< {replicas}")));
        ensure!(found.is_none_or(wants), "{replicas}: {found:?}");
    }
    Ok(())
}
