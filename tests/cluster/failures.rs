//! How often the API server could not call a webhook, by its metrics.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::control_plane::{ControlPlane, send};

/// Calls that failed, by the name of the webhook.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Failures {
    /// And were ignored.
    pub(crate) ignored: BTreeMap<String, u64>,
    /// And rejected the write.
    pub(crate) rejected: BTreeMap<String, u64>,
}

impl Failures {
    /// The counts so far.
    pub(crate) fn now(plane: &ControlPlane) -> Result<Self> {
        let answer = send(plane.connect()?, "GET", "/metrics", &Value::Null)?;
        ensure!(answer.status == 200, "no metrics: {}", answer.status);
        let mut failures = Self::default();
        for line in answer.body.lines() {
            if line.starts_with("apiserver_admission_webhook_fail_open_count{") {
                add(&mut failures.ignored, line)?;
            }
            let is_rejection = line.starts_with("apiserver_admission_webhook_rejection_count{");
            if is_rejection && line.contains("error_type=\"calling_webhook_error\"") {
                add(&mut failures.rejected, line)?;
            }
        }
        Ok(failures)
    }

    /// The difference since then.
    pub(crate) fn since(&self, plane: &ControlPlane) -> Result<Self> {
        let now = Self::now(plane)?;
        Ok(Self { ignored: more(&self.ignored, now.ignored), rejected: more(&self.rejected, now.rejected) })
    }
}

fn more(before: &BTreeMap<String, u64>, now: BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let added = now.into_iter().map(|(name, count)| {
        let before = before.get(&name).copied().unwrap_or_default();
        (name, count.saturating_sub(before))
    });
    added.filter(|(_, count)| *count > 0).collect()
}

fn add(counts: &mut BTreeMap<String, u64>, line: &str) -> Result<()> {
    let (_, rest) = line.split_once("name=\"").with_context(|| format!("no webhook in {line}"))?;
    let (name, _) = rest.split_once('"').with_context(|| format!("no webhook in {line}"))?;
    let value = line.rsplit(' ').next().unwrap_or_default();
    let value: u64 = value.parse().with_context(|| format!("no number in {line}"))?;
    *counts.entry(name.to_owned()).or_default() += value;
    Ok(())
}
