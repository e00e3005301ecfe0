//! From one version of the chart to the next, and beside another release.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::cluster::{Cluster, nothing_is_left};
use crate::control_plane::ControlPlane;
use crate::kubelet::Pod;
use crate::load::under_load;
use crate::namespace::Ground;
use crate::objects::{entry, icsp};
use crate::release::{CHART, NAME, NAMESPACE, Release, SECRET, file_of, helm};
use crate::rollout::replaced;
use crate::routing::{FIRST, lead_to, remove};
use crate::wait::eventually;

scenarios![the_previous_chart_is_upgraded_under_load, a_second_release_takes_nothing_from_the_first];

/// The chart of the last release, to be replaced by a copy of `charts/mirrorguard` whenever one is made:
/// only what Helm reads.
const PREVIOUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cluster/fixtures/previous-chart");

/// For what the apiserver learns by a watch.
const SOON: Duration = Duration::from_secs(15);

fn the_previous_chart_is_upgraded_under_load(cluster: &mut Cluster) -> Result<()> {
    cluster.uninstall()?;
    let plane = &cluster.plane;
    let ca = &cluster.release.certificates["caBundle"];
    let values = json!({"tls": {"existingSecret": SECRET, "caBundle": ca}}).to_string();
    let values = file_of(plane, &values)?;
    let install = ["install", NAME, PREVIOUS, "--values", &values];
    helm(plane, &plane.binaries.helm3, &install)?.succeeded()?;
    let old = Pod::start(plane, &Release::deployment(plane)?)?;
    lead_to(plane, NAMESPACE, &old)?;
    guarded(cluster)?;

    // The values of before are not those of now, and nothing is changed by them.
    let reuse = ["upgrade", NAME, CHART, "--reuse-values"];
    let refused = helm(plane, &plane.binaries.helm, &reuse)?.refused()?.stderr;
    ensure!(refused.contains("'tls'"), "not refused by name: {refused}");
    guarded(cluster)?;

    let replace = || {
        if plane.ground == Ground::Host {
            name_the_service(plane)?;
        }
        // The administrator goes from Helm 3 to Helm 4 with it.
        cluster.release.upgrade(plane, &["--reset-values"])?;
        replaced(plane, &Release::deployment(plane)?, (old, FIRST), (1, "second"))
    };
    // On the host there is a moment in which the configurations name a Service that leads nowhere.
    let new = if plane.ground == Ground::Host { replace()? } else { under_load(plane, &[], replace)? };
    guarded(cluster)?;
    new.stop(plane)?;
    cluster.uninstall()?;
    nothing_is_left(cluster)?;
    cluster.install_as_before()
}

fn a_second_release_takes_nothing_from_the_first(cluster: &mut Cluster) -> Result<()> {
    let plane = &cluster.plane;
    // No pod of it runs: its webhooks are not to count.
    let values = json!({"webhooks": {"mirrorSets": {"failurePolicy": "Ignore"}}}).to_string();
    let values = file_of(plane, &values)?;
    let of_first = ["get", "manifest", NAME];
    let before = helm(plane, &plane.binaries.helm, &of_first)?.succeeded()?.stdout;
    let install = ["install", "second", CHART, "--values", &values];
    helm(plane, &plane.binaries.helm, &install)?.succeeded()?;
    let beside = guarded(cluster);
    helm(plane, &plane.binaries.helm, &["uninstall", "second"])?.succeeded()?;
    beside?;
    plane.kubectl(&["get", "--filename", "-"], &before)?.succeeded()?;
    guarded(cluster)?;
    cluster.uninstall()?;
    remove(&cluster.plane, NAMESPACE)?;
    nothing_is_left(cluster)?;
    cluster.install_as_before()
}

/// Has the webhooks name their Service again, as the chart has it: on the host they name a URL, and may not name both.
fn name_the_service(plane: &ControlPlane) -> Result<()> {
    let manifest = helm(plane, &plane.binaries.helm, &["get", "manifest", NAME])?.succeeded()?.stdout;
    let configurations: Vec<&str> =
        manifest.split("\n---\n").filter(|object| object.contains("WebhookConfiguration\n")).collect();
    plane.kubectl(&["replace", "--filename", "-"], &configurations.join("\n---\n"))?.succeeded()?;
    Ok(())
}

fn guarded(cluster: &Cluster) -> Result<()> {
    let wrong = icsp("refused", &[entry("https://quay.io/refused/app", "mirror.example.com/refused/app")]);
    eventually(SOON, "a denial", || cluster.create_dry(&wrong)?.denied_for("invalid-source").map(drop))
}
