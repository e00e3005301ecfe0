//! The dashboard.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::chart::{named, objects};
use crate::expressions::expect_known_metrics;
use crate::promtool;

/// The dashboard as Grafana gets it from the chart.
fn dashboard() -> Result<Value> {
    let objects = objects(&["monitoring.dashboard.enabled=true"], &[])?;
    let map = named(&objects, "ConfigMap", "mirrorguard-dashboard")?;
    ensure!(map["metadata"]["labels"]["grafana_dashboard"] == "1", "the sidecar does not find it: {map}");
    let text = map["data"]["mirrorguard.mirrorguard.json"].as_str().context("no file in the ConfigMap")?;
    Ok(serde_json::from_str(text)?)
}

/// Replaces the variables of Grafana.
fn replace_variables(expression: &str) -> String {
    let variables =
        [("$__rate_interval", "5m"), ("$job", "mirrorguard-metrics"), ("$namespace", "mirrorguard")];
    variables.into_iter().fold(expression.to_owned(), |text, (name, value)| text.replace(name, value))
}

#[test]
fn every_expression_is_valid_and_uses_existing_metrics() -> Result<()> {
    let dashboard = dashboard()?;
    let panels = dashboard["panels"].as_array().context("no panels")?;
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let expressions: Vec<_> =
        targets.filter_map(|target| target["expr"].as_str()).map(replace_variables).collect();
    ensure!(expressions.len() > 20, "only {} expressions", expressions.len());
    for expression in &expressions {
        ensure!(!expression.contains('$'), "an unknown variable: {expression}");
        expect_known_metrics(expression)?;
    }
    let mut rules = Vec::new();
    for (at, expression) in expressions.iter().enumerate() {
        rules.push(json!({"record": format!("panel:{at}"), "expr": expression}));
    }
    promtool::run(
        &["check", "rules"],
        &[("rules.json", &json!({"groups": [{"name": "dashboard", "rules": rules}]}))],
    )?;
    Ok(())
}

#[test]
fn panels_have_unique_titles_and_do_not_overlap() -> Result<()> {
    let dashboard = dashboard()?;
    let panels = dashboard["panels"].as_array().context("no panels")?;
    let (mut titles, mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for panel in panels {
        ensure!(titles.insert(panel["title"].as_str()), "twice: {}", panel["title"]);
        ensure!(ids.insert(panel["id"].as_u64()), "twice: id {}", panel["id"]);
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|name| panel["gridPos"][name].as_u64());
        let place = x.zip(y).zip(w.zip(h)).with_context(|| format!("no place: {panel}"))?;
        let ((x, y), (w, h)) = place;
        ensure!(x + w <= 24, "too wide: {}", panel["title"]);
        for cell in (x..x + w).flat_map(|column| (y..y + h).map(move |line| (column, line))) {
            ensure!(taken.insert(cell), "{} overlaps another panel", panel["title"]);
        }
    }
    Ok(())
}
