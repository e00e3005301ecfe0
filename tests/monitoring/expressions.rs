//! The metrics in expressions exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use regex::Regex;

use crate::chart::ROOT;

/// Metrics of others, and their origin.
const OTHERS: [&str; 4] = [
    "up",                                          // Prometheus itself
    "apiserver_admission_webhook_rejection_count", // k8s.io/apiserver, pkg/admission/metrics/metrics.go, as the next
    "apiserver_admission_webhook_fail_open_count",
    "apiserver_admission_webhook_admission_duration_seconds",
];

/// The names of metrics in `docs/metrics.md`, which another test compares with those of a running webhook.
fn documented_metrics() -> Result<BTreeSet<String>> {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/metrics.md"))?;
    let row = Regex::new(r"(?m)^\| `((?:mirrorguard|process)_\w+)` \|")?;
    Ok(row.captures_iter(&page).map(|found| found[1].to_owned()).collect())
}

/// The metrics in an expression, without its labels and the words in its strings.
fn metrics_in(expression: &str) -> Result<BTreeSet<String>> {
    let bare = Regex::new(r#""[^"]*"|\{[^}]*\}|\b(?:by|on)\s*\([^)]*\)"#)?.replace_all(expression, " ");
    let name = Regex::new(r"\b(?:(?:mirrorguard|process|apiserver)_\w+|up)\b")?;
    Ok(name.find_iter(&bare).map(|found| found.as_str().to_owned()).collect())
}

/// The metrics in an expression that do not exist.
fn unknown_metrics(expression: &str) -> Result<Vec<String>> {
    let mut known = documented_metrics()?;
    known.extend(OTHERS.map(str::to_owned));
    let mut unknown = Vec::new();
    for name in metrics_in(expression)? {
        let histogram = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        if !known.contains(&name) && !histogram.is_some_and(|name| known.contains(name)) {
            unknown.push(name);
        }
    }
    Ok(unknown)
}

/// Checks that an expression has metrics, and that all of them exist.
pub(crate) fn expect_known_metrics(expression: &str) -> Result<()> {
    ensure!(!metrics_in(expression)?.is_empty(), "no metric in {expression}");
    let unknown = unknown_metrics(expression)?;
    ensure!(unknown.is_empty(), "unknown metrics {unknown:?} in {expression}");
    Ok(())
}

#[test]
fn an_unknown_metric_is_found() -> Result<()> {
    expect_known_metrics("sum(rate(mirrorguard_findings_total{level=\"deny\"}[5m]))")?;
    let unknown = unknown_metrics("rate(mirrorguard_findings[5m])")?;
    ensure!(unknown == ["mirrorguard_findings"], "{unknown:?}");
    Ok(())
}
