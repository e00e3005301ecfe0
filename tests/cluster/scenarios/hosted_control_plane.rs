//! The cluster of a hosted control plane, where mirrorguard has nothing to guard.

use anyhow::{Result, bail, ensure};
use serde_json::json;

use crate::cluster::{Cluster, nothing_is_left};
use crate::kubelet::Pod;
use crate::release::{NAMESPACE, Release};

scenarios![a_hosted_control_planes_cluster_is_refused_by_chart_and_pod];

const REASON: &str = "this is the cluster of a hosted control plane";

fn a_hosted_control_planes_cluster_is_refused_by_chart_and_pod(cluster: &mut Cluster) -> Result<()> {
    let deployment = Release::deployment(&cluster.plane)?;
    cluster.uninstall()?;
    let infrastructure = json!({"apiVersion": "config.openshift.io/v1", "kind": "Infrastructure", "metadata": {"name": "cluster"}, "spec": {}});
    cluster.plane.apply(&infrastructure)?;
    let judged = judge(cluster, &deployment);
    cluster.delete(&infrastructure)?.succeeded()?;
    judged?;
    cluster.uninstall()?;
    nothing_is_left(cluster)?;
    cluster.install()
}

fn judge(cluster: &mut Cluster, deployment: &serde_json::Value) -> Result<()> {
    topology(cluster, "External")?;
    for helm in [&cluster.plane.binaries.helm, &cluster.plane.binaries.helm3] {
        let Err(refused) = cluster.release.install(&cluster.plane, helm) else { bail!("it was installed") };
        let said = format!("{refused:#}");
        ensure!(
            said.contains(REASON) && said.contains("on the management cluster"),
            "not refused for that: {said}"
        );
    }
    // What was rendered without a cluster gets further. A pod needs the objects it names; it ends before it reads them.
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
    let started = Pod::start(&cluster.plane, deployment);
    for objects in [
        ["delete", "serviceaccount,configmap", "mirrorguard"],
        ["delete", "clusterrole,clusterrolebinding", "reader"],
        ["delete", "pods", "--all"],
    ] {
        let delete = [&objects[..], &["--namespace", NAMESPACE]].concat();
        cluster.plane.kubectl(&delete, "")?.succeeded()?;
    }
    let Err(ended) = started else { bail!("it has started") };
    let said = format!("{ended:#}");
    ensure!(said.contains(REASON) && said.contains("uninstall it here"), "not ended for that: {said}");

    // The twin: any other topology.
    topology(cluster, "HighlyAvailable")?;
    cluster.install()
}

fn topology(cluster: &Cluster, topology: &str) -> Result<()> {
    let status = json!({"status": {"controlPlaneTopology": topology}}).to_string();
    let patch =
        ["patch", "infrastructure", "cluster", "--subresource=status", "--type=merge", "--patch", &status];
    cluster.plane.kubectl(&patch, "")?.succeeded()?;
    Ok(())
}
