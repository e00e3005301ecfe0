//! What expressions ask for exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use regex::Regex;

use crate::chart::ROOT;

/// What is not ours, and where it is from.
const OTHERS: [&str; 4] = [
    "up",                                          // Prometheus itself
    "apiserver_admission_webhook_rejection_count", // k8s.io/apiserver, pkg/admission/metrics/metrics.go, as the next
    "apiserver_admission_webhook_fail_open_count",
    "apiserver_admission_webhook_admission_duration_seconds",
];

/// The names of metrics in `docs/metrics.md`, which a running webhook is held against.
fn told() -> Result<BTreeSet<String>> {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/metrics.md"))?;
    let row = Regex::new(r"(?m)^\| `((?:mirrorguard|process)_\w+)` \|")?;
    Ok(row.captures_iter(&page).map(|found| found[1].to_owned()).collect())
}

/// The metrics that an expression asks for. Its labels and words in texts are no metrics.
pub(crate) fn metrics(expression: &str) -> Result<BTreeSet<String>> {
    let bare = Regex::new(r#""[^"]*"|\{[^}]*\}|\b(?:by|on)\s*\([^)]*\)"#)?.replace_all(expression, " ");
    let name = Regex::new(r"\b(?:(?:mirrorguard|process|apiserver)_\w+|up)\b")?;
    Ok(name.find_iter(&bare).map(|found| found.as_str().to_owned()).collect())
}

/// Checks that every metric of an expression is one that something tells, and that there is one.
pub(crate) fn ask_for_what_exists(expression: &str) -> Result<()> {
    let told = told()?;
    let asked = metrics(expression)?;
    ensure!(!asked.is_empty(), "no metric in {expression}");
    for name in asked {
        let of_histogram = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        let known = |name: &str| told.contains(name) || OTHERS.contains(&name);
        ensure!(known(&name) || of_histogram.is_some_and(known), "nothing tells {name}, in {expression}");
    }
    Ok(())
}

#[test]
fn a_metric_that_nobody_tells_is_found_out() -> Result<()> {
    ask_for_what_exists("sum(rate(mirrorguard_findings_total{level=\"deny\"}[5m]))")?;
    let error = ask_for_what_exists("rate(mirrorguard_findings[5m])").err().context("it passed")?;
    ensure!(error.to_string().starts_with("nothing tells mirrorguard_findings,"), "{error}");
    Ok(())
}
