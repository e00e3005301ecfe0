//! Upgrades of the chart, and several releases.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::cluster::{Cluster, nothing_is_left};
use crate::control_plane::ControlPlane;
use crate::kubelet::Pod;
use crate::load::under_load;
use crate::namespace::Ground;
use crate::release::{CHART, NAME, NAMESPACE, Release, SECRET, file_of, helm};
use crate::rollout::replace;
use crate::routing::{FIRST, lead_to, remove_slices};

scenarios![the_previous_chart_is_upgraded_under_load, a_second_release_does_not_affect_the_first];

/// The chart of the last release, only what Helm reads; to be replaced by a copy of `charts/mirrorguard` at each release.
const PREVIOUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cluster/fixtures/previous-chart");

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
    cluster.wait_until_guarded()?;

    // The previous values are not valid any more, and nothing is changed.
    let reuse = ["upgrade", NAME, CHART, "--reuse-values"];
    let rejected = helm(plane, &plane.binaries.helm, &reuse)?.failed()?.stderr;
    ensure!(rejected.contains("'tls'"), "the key is not named: {rejected}");
    cluster.wait_until_guarded()?;

    // On the host there is a moment in which the configurations name a Service that leads nowhere.
    let new = if plane.ground == Ground::Host {
        name_the_service(plane)?;
        upgrade_and_replace(cluster, old)?
    } else {
        under_load(plane, &[], || upgrade_and_replace(cluster, old))?
    };
    cluster.wait_until_guarded()?;
    new.stop(plane)?;
    cluster.uninstall()?;
    nothing_is_left(cluster)?;
    cluster.install_as_before()
}

/// Upgrades the release, also from Helm 3 to Helm 4.
fn upgrade_and_replace(cluster: &Cluster, old: Pod) -> Result<Pod> {
    let plane = &cluster.plane;
    cluster.release.upgrade(plane, &["--reset-values"])?;
    replace(plane, &Release::deployment(plane)?, (old, FIRST), (1, "second"))
}

fn a_second_release_does_not_affect_the_first(cluster: &mut Cluster) -> Result<()> {
    let plane = &cluster.plane;
    // No pod of it runs, so its webhooks must not reject writes.
    let values = json!({"webhooks": {"mirrorSets": {"failurePolicy": "Ignore"}}}).to_string();
    let values = file_of(plane, &values)?;
    let of_first = ["get", "manifest", NAME];
    let before = helm(plane, &plane.binaries.helm, &of_first)?.succeeded()?.stdout;
    let install = ["install", "second", CHART, "--values", &values];
    helm(plane, &plane.binaries.helm, &install)?.succeeded()?;
    let both = cluster.wait_until_guarded();
    helm(plane, &plane.binaries.helm, &["uninstall", "second"])?.succeeded()?;
    both?;
    plane.kubectl(&["get", "--filename", "-"], &before)?.succeeded()?;
    cluster.wait_until_guarded()?;
    cluster.uninstall()?;
    remove_slices(&cluster.plane, NAMESPACE)?;
    nothing_is_left(cluster)?;
    cluster.install_as_before()
}

/// Makes the webhooks name their Service again, as in the chart: on the host they name a URL, and may not name both.
fn name_the_service(plane: &ControlPlane) -> Result<()> {
    let manifest = helm(plane, &plane.binaries.helm, &["get", "manifest", NAME])?.succeeded()?.stdout;
    let configurations: Vec<&str> =
        manifest.split("\n---\n").filter(|object| object.contains("WebhookConfiguration\n")).collect();
    plane.kubectl(&["replace", "--filename", "-"], &configurations.join("\n---\n"))?.succeeded()?;
    Ok(())
}
