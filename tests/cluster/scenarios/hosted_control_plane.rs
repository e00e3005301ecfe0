//! The cluster of a hosted control plane, whose nodes do not read mirror sets.

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};

use crate::cluster::{Cluster, nothing_is_left};
use crate::kubelet::expect_no_start;
use crate::process::EndedEarly;
use crate::release::{NAMESPACE, Release};

scenarios![chart_and_pod_reject_the_cluster_of_a_hosted_control_plane];

/// The field that the error message names.
const FIELD: &str = "controlPlaneTopology";

fn chart_and_pod_reject_the_cluster_of_a_hosted_control_plane(cluster: &mut Cluster) -> Result<()> {
    let deployment = Release::deployment(&cluster.plane)?;
    cluster.uninstall()?;
    let infrastructure = json!({"apiVersion": "config.openshift.io/v1", "kind": "Infrastructure", "metadata": {"name": "cluster"}, "spec": {}});
    cluster.plane.apply(&infrastructure)?;
    let checked = install_on_each_topology(cluster, &deployment);
    cluster.delete(&infrastructure)?.succeeded()?;
    checked?;
    cluster.uninstall()?;
    nothing_is_left(cluster)?;
    cluster.install()
}

fn install_on_each_topology(cluster: &mut Cluster, deployment: &Value) -> Result<()> {
    set_topology(cluster, "External")?;
    for helm in [&cluster.plane.binaries.helm, &cluster.plane.binaries.helm3] {
        let Err(rejected) = cluster.release.install(&cluster.plane, helm) else { bail!("it was installed") };
        ensure!(rejected.to_string().contains(FIELD), "rejected for another reason: {rejected}");
    }
    // The pod rejects it too, because a chart can be rendered without a cluster.
    let ended = start_pod(cluster, deployment)?;
    ensure!(ended.status.code() == Some(2) && ended.log.contains(FIELD), "ended for another reason: {ended}");

    // The twin: any other topology.
    set_topology(cluster, "HighlyAvailable")?;
    cluster.install()
}

/// Starts a pod with the objects that it names; it ends before it reads them.
fn start_pod(cluster: &Cluster, deployment: &Value) -> Result<EndedEarly> {
    let account = ["create", "serviceaccount", "mirrorguard", "--namespace", NAMESPACE];
    cluster.plane.kubectl(&account, "")?.succeeded()?;
    let config =
        ["create", "configmap", "mirrorguard", "--namespace", NAMESPACE, "--from-literal=config.yaml={}"];
    cluster.plane.kubectl(&config, "")?.succeeded()?;
    let reader =
        ["create", "clusterrole", "reader", "--verb=get", "--resource=infrastructures.config.openshift.io"];
    cluster.plane.kubectl(&reader, "")?.succeeded()?;
    let subject = format!("--serviceaccount={NAMESPACE}:mirrorguard");
    let bound = ["create", "clusterrolebinding", "reader", "--clusterrole=reader", &subject];
    cluster.plane.kubectl(&bound, "")?.succeeded()?;
    let ended = expect_no_start(&cluster.plane, deployment);
    for objects in [
        ["delete", "serviceaccount,configmap", "mirrorguard"],
        ["delete", "clusterrole,clusterrolebinding", "reader"],
    ] {
        let delete = [&objects[..], &["--namespace", NAMESPACE]].concat();
        cluster.plane.kubectl(&delete, "")?.succeeded()?;
    }
    ended
}

fn set_topology(cluster: &Cluster, topology: &str) -> Result<()> {
    let status = json!({"status": {"controlPlaneTopology": topology}}).to_string();
    let patch =
        ["patch", "infrastructure", "cluster", "--subresource=status", "--type=merge", "--patch", &status];
    cluster.plane.kubectl(&patch, "")?.succeeded()?;
    Ok(())
}
