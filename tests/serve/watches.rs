//! The metrics of the watches on a cluster.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::apiserver::Apiserver;
use crate::ground::Ground;
use crate::reviews::{ICSP_ALONGSIDE_IDMS, new_icsp};
use crate::wait::eventually;
use crate::webhook::Webhook;

/// A busy machine lists every kind within a second.
const SYNCED: Duration = Duration::from_secs(30);

/// More than the pause before a failed watch is retried.
const TRIED_AGAIN: Duration = Duration::from_secs(30);

fn is(webhook: &Webhook, sample: &str, expected: f64) -> Result<()> {
    let value = webhook.metric(sample)?;
    ensure!((value - expected).abs() < f64::EPSILON, "{sample} is {value}, not {expected}");
    Ok(())
}

#[test]
fn sets_and_contacts_are_reported_and_a_kind_that_is_not_served_is_no_error() -> Result<()> {
    let (ground, cluster) = (Ground::new()?, Apiserver::start()?);
    let webhook = ground.start_on(&cluster, &[])?;
    eventually(SYNCED, "readiness", || is(&webhook, "mirrorguard_ready", 1.0))?;
    is(&webhook, "mirrorguard_mirror_sets{kind=\"ImageDigestMirrorSet\"}", 1.0)?;
    is(&webhook, "mirrorguard_mirror_sets{kind=\"ImageTagMirrorSet\"}", 0.0)?;
    let now = std::time::UNIX_EPOCH.elapsed()?.as_secs_f64();
    let served = ["ImageDigestMirrorSet", "ImageContentSourcePolicy", "Image", "ClusterVersion"];
    for kind in served.into_iter().chain(["HostedCluster", "CatalogSource"]) {
        let sample = format!("mirrorguard_watch_contact_timestamp_seconds{{kind=\"{kind}\"}}");
        let age = now - webhook.metric(&sample)?;
        ensure!(age < SYNCED.as_secs_f64(), "the last contact of {kind} was {age} s ago");
        is(&webhook, &format!("mirrorguard_watch_errors_total{{kind=\"{kind}\"}}"), 0.0)?;
    }
    let refused = webhook.metric("mirrorguard_watch_errors_total{kind=\"ClusterCatalog\"}")?;
    ensure!(
        refused >= 1.0,
        "an account that may not read ClusterCatalogs is ready, but the refusal is counted"
    );
    ground.client(&webhook)?.validate(&new_icsp())?.denied_for(ICSP_ALONGSIDE_IDMS)?;
    is(&webhook, "mirrorguard_watch_behind_decisions_total{kind=\"ImageDigestMirrorSet\"}", 0.0)?;
    is(&webhook, "mirrorguard_comparison_duration_seconds_count", 1.0)
}

#[test]
fn failures_of_the_api_server_are_counted_and_make_decisions_unverified() -> Result<()> {
    let (ground, cluster) = (Ground::new()?, Apiserver::start()?);
    cluster.break_down();
    let webhook = ground.start_on(&cluster, &[])?;
    eventually(TRIED_AGAIN, "a failure in the metrics", || {
        let failures = webhook.metric("mirrorguard_watch_errors_total{kind=\"ImageDigestMirrorSet\"}")?;
        ensure!(failures >= 1.0, "none yet");
        Ok(())
    })?;
    for line in webhook.lines()? {
        let is_of_kube = line["target"].as_str().is_some_and(|target| target.starts_with("kube_client"));
        ensure!(!is_of_kube, "kube logs the failures too: {line}");
    }
    is(&webhook, "mirrorguard_ready", 0.0)?;
    is(&webhook, "mirrorguard_watch_contact_timestamp_seconds{kind=\"ImageDigestMirrorSet\"}", 0.0)?;
    let denial = ground.client(&webhook)?.validate(&new_icsp())?;
    denial.denied_for("unverified").context("the state is empty")?;
    is(&webhook, "mirrorguard_unverified_decisions_total", 1.0)
}
