//! The dashboard.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::chart::{named, objects};
use crate::expressions::ask_for_what_exists;
use crate::promtool;

/// As the chart hands it to Grafana.
fn dashboard() -> Result<Value> {
    let objects = objects(&["monitoring.dashboard.enabled=true"], &[])?;
    let map = named(&objects, "ConfigMap", "mirrorguard-dashboard")?;
    ensure!(map["metadata"]["labels"]["grafana_dashboard"] == "1", "the sidecar does not find it: {map}");
    let text = map["data"]["mirrorguard.mirrorguard.json"].as_str().context("no file in the ConfigMap")?;
    Ok(serde_json::from_str(text)?)
}

/// What Grafana puts in for its variables.
fn put_in(expression: &str) -> String {
    let variables =
        [("$__rate_interval", "5m"), ("$job", "mirrorguard-metrics"), ("$namespace", "mirrorguard")];
    variables.into_iter().fold(expression.to_owned(), |text, (name, value)| text.replace(name, value))
}

#[test]
fn every_expression_is_understood_and_asks_for_what_exists() -> Result<()> {
    let dashboard = dashboard()?;
    let panels = dashboard["panels"].as_array().context("no panels")?;
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let expressions: Vec<_> = targets.filter_map(|target| target["expr"].as_str()).map(put_in).collect();
    ensure!(expressions.len() > 20, "only {} expressions", expressions.len());
    for expression in &expressions {
        ensure!(!expression.contains('$'), "a variable is left: {expression}");
        ask_for_what_exists(expression)?;
    }
    let rule =
        |(at, expression): (usize, &String)| json!({"record": format!("panel:{at}"), "expr": expression});
    let rules: Vec<_> = expressions.iter().enumerate().map(rule).collect();
    promtool::run(
        &["check", "rules"],
        &[("rules.json", &json!({"groups": [{"name": "dashboard", "rules": rules}]}))],
    )?;
    Ok(())
}

#[test]
fn panels_have_names_of_their_own_and_do_not_overlap() -> Result<()> {
    let dashboard = dashboard()?;
    let panels = dashboard["panels"].as_array().context("no panels")?;
    let (mut titles, mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for panel in panels {
        ensure!(titles.insert(panel["title"].as_str()), "twice: {}", panel["title"]);
        ensure!(ids.insert(panel["id"].as_u64()), "twice: id {}", panel["id"]);
        let number =
            |name: &str| panel["gridPos"][name].as_u64().with_context(|| format!("no {name} in {panel}"));
        let (x, y, w, h) = (number("x")?, number("y")?, number("w")?, number("h")?);
        ensure!(x + w <= 24, "too wide: {}", panel["title"]);
        for cell in (x..x + w).flat_map(|column| (y..y + h).map(move |line| (column, line))) {
            ensure!(taken.insert(cell), "{} lies over another panel", panel["title"]);
        }
    }
    Ok(())
}
