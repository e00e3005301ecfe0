//! What the metrics tell of the watches on a cluster.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::apiserver::Apiserver;
use crate::ground::Ground;
use crate::reviews::{ICSP_ALONGSIDE_IDMS, new_icsp};
use crate::wait::eventually;
use crate::webhook::Webhook;

/// A busy machine lists six kinds within a second.
const SYNCED: Duration = Duration::from_secs(30);

/// More than the pause before a watch that failed is tried again.
const TRIED_AGAIN: Duration = Duration::from_secs(30);

fn is(webhook: &Webhook, sample: &str, expected: f64) -> Result<()> {
    let value = webhook.metric(sample)?;
    ensure!((value - expected).abs() < f64::EPSILON, "{sample} is {value}, not {expected}");
    Ok(())
}

#[test]
fn sets_and_contacts_are_told_and_a_kind_that_is_not_served_is_no_fault() -> Result<()> {
    let (ground, cluster) = (Ground::new()?, Apiserver::start()?);
    let webhook = ground.start_on(&cluster, &[])?;
    eventually(SYNCED, "readiness", || is(&webhook, "mirrorguard_ready", 1.0))?;
    is(&webhook, "mirrorguard_mirror_sets{kind=\"ImageDigestMirrorSet\"}", 1.0)?;
    is(&webhook, "mirrorguard_mirror_sets{kind=\"ImageTagMirrorSet\"}", 0.0)?;
    let now = std::time::UNIX_EPOCH.elapsed()?.as_secs_f64();
    for kind in
        ["ImageDigestMirrorSet", "ImageContentSourcePolicy", "HostedCluster", "Image", "ClusterVersion"]
    {
        let sample = format!("mirrorguard_watch_contact_timestamp_seconds{{kind=\"{kind}\"}}");
        let age = now - webhook.metric(&sample)?;
        ensure!(age < SYNCED.as_secs_f64(), "{kind} was heard of {age} s ago");
        is(&webhook, &format!("mirrorguard_watch_errors_total{{kind=\"{kind}\"}}"), 0.0)?;
    }
    ground.client(&webhook)?.validate(&new_icsp())?.denied_for(ICSP_ALONGSIDE_IDMS)?;
    is(&webhook, "mirrorguard_watch_behind_decisions_total{kind=\"ImageDigestMirrorSet\"}", 0.0)?;
    is(&webhook, "mirrorguard_comparison_duration_seconds_count", 1.0)
}

#[test]
fn an_apiserver_that_fails_is_counted_and_makes_decisions_unverified() -> Result<()> {
    let (ground, cluster) = (Ground::new()?, Apiserver::start()?);
    cluster.break_down();
    let webhook = ground.start_on(&cluster, &[])?;
    eventually(TRIED_AGAIN, "a failure in the metrics", || {
        let failures = webhook.metric("mirrorguard_watch_errors_total{kind=\"ImageDigestMirrorSet\"}")?;
        ensure!(failures >= 1.0, "none yet");
        Ok(())
    })?;
    let foreign =
        |line: &serde_json::Value| line["target"].as_str().is_some_and(|of| of.starts_with("kube_client"));
    ensure!(!webhook.lines()?.iter().any(foreign), "kube tells the failures once more");
    is(&webhook, "mirrorguard_ready", 0.0)?;
    is(&webhook, "mirrorguard_watch_contact_timestamp_seconds{kind=\"ImageDigestMirrorSet\"}", 0.0)?;
    let denial = ground.client(&webhook)?.validate(&new_icsp())?;
    denial.denied_for("unverified").context("nothing is known")?;
    is(&webhook, "mirrorguard_unverified_decisions_total", 1.0)
}
