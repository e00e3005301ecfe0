//! The chart, rendered by Helm.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use anyhow::{Context as _, Result, anyhow, ensure};
use mirrorguard_core::objects::manifest;
use serde_json::Value;

use crate::programs::{self, HELM};

pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The namespace of the release.
pub(crate) const NAMESPACE: &str = "mirrorguard";

fn helm() -> Result<&'static Path> {
    static FOUND: OnceLock<Result<[PathBuf; 1], String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| programs::find([&HELM]).map_err(|error| format!("{error:#}")));
    found.as_ref().map(|[path]| path.as_path()).map_err(|error| anyhow!("{error}"))
}

/// Runs `helm template` with values such as `a.b=c`, for a cluster that serves these APIs besides those of Kubernetes.
fn template(values: &[&str], apis: &[&str]) -> Result<Output> {
    let mut command = Command::new(helm()?);
    command
        .args(["template", "mirrorguard", "charts/mirrorguard", "--namespace", NAMESPACE])
        .current_dir(ROOT);
    for value in values {
        command.args(["--set", value]);
    }
    for api in apis {
        command.args(["--api-versions", api]);
    }
    command.output().context("failed to run Helm")
}

/// The objects of the chart.
pub(crate) fn objects(values: &[&str], apis: &[&str]) -> Result<Vec<Value>> {
    let output = template(values, apis)?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    let documents = text.split("\n---\n").filter(|document| !document.trim().is_empty());
    documents
        .map(|document| manifest::read_document("chart", document).map_err(|error| anyhow!("{error}")))
        .collect()
}

/// Helm's error message for values that the chart rejects.
pub(crate) fn rejection(values: &[&str], apis: &[&str]) -> Result<String> {
    let output = template(values, apis)?;
    ensure!(!output.status.success(), "the chart was rendered with {values:?}");
    Ok(String::from_utf8(output.stderr)?)
}

/// The one object of a kind.
pub(crate) fn one<'a>(objects: &'a [Value], kind: &str) -> Result<&'a Value> {
    let mut found = objects.iter().filter(|object| object["kind"] == kind);
    let first = found.next().with_context(|| format!("no {kind}"))?;
    ensure!(found.next().is_none(), "several of kind {kind}");
    Ok(first)
}

/// The object of a kind with a name.
pub(crate) fn named<'a>(objects: &'a [Value], kind: &str, name: &str) -> Result<&'a Value> {
    let mut found =
        objects.iter().filter(|object| object["kind"] == kind && object["metadata"]["name"] == name);
    found.next().with_context(|| format!("no {kind} {name}"))
}
