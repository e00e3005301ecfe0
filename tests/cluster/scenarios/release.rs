//! The chart with both versions of Helm.

use anyhow::{Result, ensure};

use crate::cluster::{Cluster, nothing_is_left};
use crate::json::text;
use crate::release::{NAMESPACE, Release};

scenarios![
    the_pod_runs_the_image_of_the_release,
    both_helms_render_the_same_manifest,
    helm_uninstall_leaves_nothing_behind,
    helm_3_installs_and_uninstalls_the_chart_too,
];

fn the_pod_runs_the_image_of_the_release(cluster: &mut Cluster) -> Result<()> {
    let deployment = Release::deployment(&cluster.plane)?;
    let version = text(&deployment, "/metadata/labels/app.kubernetes.io~1version")?;
    let image = cluster.pod()?.image()?;
    ensure!(
        image.ends_with(&format!("/mirrorguard:{version}")),
        "the pod runs {image}, not version {version}"
    );
    ensure!(version == env!("CARGO_PKG_VERSION"), "the chart is of version {version}");
    Ok(())
}

fn both_helms_render_the_same_manifest(cluster: &mut Cluster) -> Result<()> {
    let binaries = &cluster.plane.binaries;
    let [new, old] =
        [&binaries.helm, &binaries.helm3].map(|helm| cluster.release.manifest(&cluster.plane, helm));
    let (new, old) = (new?, old?);
    // They differ in blank lines between documents.
    let new: Vec<&str> = new.lines().filter(|line| !line.is_empty()).collect();
    let old: Vec<&str> = old.lines().filter(|line| !line.is_empty()).collect();
    ensure!(new.iter().any(|line| line.contains(NAMESPACE)), "nothing was rendered");
    let difference = new.iter().zip(&old).find(|(new, old)| new != old);
    ensure!(difference.is_none(), "Helm 4 and Helm 3 differ in {difference:?}");
    ensure!(new.len() == old.len(), "one Helm renders more than the other");
    Ok(())
}

fn helm_uninstall_leaves_nothing_behind(cluster: &mut Cluster) -> Result<()> {
    cluster.uninstall()?;
    let left = nothing_is_left(cluster);
    cluster.install()?;
    left
}

fn helm_3_installs_and_uninstalls_the_chart_too(cluster: &mut Cluster) -> Result<()> {
    cluster.uninstall()?;
    let helm = cluster.plane.binaries.helm3.clone();
    cluster.release.install(&cluster.plane, &helm)?;
    cluster.start_pod()?;
    Release::uninstall(&cluster.plane, &helm)?;
    let ended = cluster.stop_pod();
    crate::routing::remove_slices(&cluster.plane, NAMESPACE)?;
    let left = nothing_is_left(cluster);
    cluster.install()?;
    ended?;
    left
}
