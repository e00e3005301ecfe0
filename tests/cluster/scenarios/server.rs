//! The process itself, as the kubelet sees it.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;

use crate::certificates::shown;
use crate::cluster::Cluster;
use crate::http;
use crate::release::Release;
use crate::wait::eventually;

scenarios![
    probes_and_metrics_get_an_answer,
    a_renewed_certificate_is_served_without_a_restart,
    sigterm_ends_the_process_in_order_and_soon,
];

/// How soon a renewed certificate is served after the kubelet has replaced the files.
const RENEWAL: Duration = Duration::from_secs(15);

/// Far below the 30 seconds after which a kubelet kills.
const SOON: Duration = Duration::from_secs(10);

fn probes_and_metrics_get_an_answer(cluster: &mut Cluster) -> Result<()> {
    for probe in ["livenessProbe", "readinessProbe"] {
        let status = cluster.pod()?.probe(probe)?;
        ensure!(status == 200, "{probe} answers {status}");
    }
    let metrics = http::get(cluster.pod()?.address(&json!("admin"))?, "/metrics")?;
    ensure!(metrics.status == 200 && metrics.body.contains("# TYPE "), "no metrics: {}", metrics.body);
    Ok(())
}

fn a_renewed_certificate_is_served_without_a_restart(cluster: &mut Cluster) -> Result<()> {
    let Cluster { release, plane, .. } = &*cluster;
    let pod = cluster.pod()?;
    let address = pod.address(&json!("webhook"))?;
    let old = shown(&release.authority.connect(address, &Release::server_name())?)?;
    release.renew_certificate(plane)?;
    pod.sync_volumes(plane)?;
    eventually(RENEWAL, "the renewed certificate", || {
        let new = shown(&release.authority.connect(address, &Release::server_name())?)?;
        ensure!(new != old, "the old one is still served");
        Ok(())
    })
}

fn sigterm_ends_the_process_in_order_and_soon(cluster: &mut Cluster) -> Result<()> {
    let start = Instant::now();
    let status = cluster.stop_pod()?;
    let took = start.elapsed();
    // The next test needs a pod, whatever the status of this one.
    cluster.start_pod()?;
    ensure!(status.success(), "ended with {status}");
    ensure!(took < SOON, "ended after {took:?}");
    Ok(())
}
