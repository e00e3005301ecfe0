//! Hosted clusters, whose catalogs are pulled from a mirror only with an annotation.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::objects::{CLUSTERS, entry, hosted_cluster, idms, itms};
use crate::wait::eventually;

scenarios![
    a_hosted_cluster_gets_the_annotation_for_its_catalogs,
    a_hosted_cluster_that_opts_out_stays_as_it_is,
    applying_a_hosted_cluster_again_changes_nothing,
    deleting_the_mirror_of_a_hosted_cluster_warns,
    changing_the_mirrors_of_the_data_plane_warns,
];

const OVERRIDES: &str = "hypershift.openshift.io/olm-catalogs-is-registry-overrides";
const DERIVED: &str = "mirrorguard.io/catalog-overrides-derived";
const OPT_OUT: &str = "mirrorguard.io/catalog-overrides";

fn a_hosted_cluster_gets_the_annotation_for_its_catalogs(cluster: &mut Cluster) -> Result<()> {
    mirror_the_catalogs(cluster)?;
    let guest = hosted_cluster("guest", &json!({}));
    cluster.create(&guest)?.succeeded()?;
    let annotations = annotations(cluster, &guest)?;
    for name in [OVERRIDES, DERIVED] {
        let value = &annotations[name];
        ensure!(*value == "registry.redhat.io/redhat=mirror.example.com:5000/redhat", "{name} is {value}");
    }
    Ok(())
}

fn a_hosted_cluster_that_opts_out_stays_as_it_is(cluster: &mut Cluster) -> Result<()> {
    mirror_the_catalogs(cluster)?;
    let guest = hosted_cluster("guest", &json!({OPT_OUT: "disabled"}));
    cluster.create(&guest)?.succeeded()?;
    let annotations = annotations(cluster, &guest)?;
    ensure!(annotations == json!({OPT_OUT: "disabled"}), "annotated although it opts out: {annotations}");
    Ok(())
}

fn applying_a_hosted_cluster_again_changes_nothing(cluster: &mut Cluster) -> Result<()> {
    mirror_the_catalogs(cluster)?;
    let guest = hosted_cluster("guest", &json!({}));
    cluster.apply(&guest)?.succeeded()?;
    let first = cluster.stored(&guest)?;
    cluster.apply(&guest)?.succeeded()?;
    ensure!(cluster.stored(&guest)? == first, "applied again, and not the same");
    // An update that reaches the webhook, unlike an apply that finds nothing to send.
    let path = format!("/apis/hypershift.openshift.io/v1beta1/namespaces/{CLUSTERS}/hostedclusters/guest");
    cluster.plane.kubectl(&["replace", "--raw", &path, "-f", "-"], &first.to_string())?.succeeded()?;
    let second = cluster.stored(&guest)?;
    ensure!(
        second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"],
        "stored again: {second}"
    );
    Ok(())
}

fn deleting_the_mirror_of_a_hosted_cluster_warns(cluster: &mut Cluster) -> Result<()> {
    let repository = "quay.io/openshift-release-dev/ocp-release";
    let release = idms("release", &[entry(repository, "mirror.example.com:5000/openshift/release-images")]);
    cluster.create(&release)?.succeeded()?;
    cluster.create(&hosted_cluster("guest", &json!({OPT_OUT: "disabled"})))?.succeeded()?;
    // The watch on HostedClusters may be a moment behind; a dry run changes nothing.
    eventually(Duration::from_secs(15), "the webhook to see the HostedCluster", || {
        let dry = ["delete", "--dry-run=server", "-f", "-"];
        let tried = cluster.plane.kubectl(&dry, &release.to_string())?.succeeded()?;
        ensure!(!tried.warnings_of("mirror-in-use").is_empty(), "no warning: {}", tried.stderr);
        Ok(())
    })?;
    let deleted = cluster.delete(&release)?.succeeded()?;
    let [warning] = deleted.findings_of("mirror-in-use")[..] else { bail!("not one: {}", deleted.stderr) };
    ensure!(warning.contains("clusters/guest"), "the HostedCluster is not named: {warning}");
    Ok(())
}

fn changing_the_mirrors_of_the_data_plane_warns(cluster: &mut Cluster) -> Result<()> {
    let created = cluster.apply(&mirrored("mirror.example.com:5000"))?.succeeded()?;
    ensure!(created.warnings_of("node-pool-rollout").is_empty(), "nothing to roll out: {}", created.stderr);
    let changed = cluster.apply(&mirrored("new.example.com:5000"))?.succeeded()?;
    ensure!(changed.findings_of("node-pool-rollout").len() == 1, "no warning: {}", changed.stderr);
    Ok(())
}

/// A hosted cluster whose nodes use this mirror.
fn mirrored(mirror: &str) -> Value {
    let mut guest = hosted_cluster("guest", &json!({OPT_OUT: "disabled"}));
    guest["spec"]["imageContentSources"] = json!([entry("quay.io", mirror)]);
    guest
}

fn mirror_the_catalogs(cluster: &Cluster) -> Result<()> {
    let entries = [entry("registry.redhat.io/redhat", "mirror.example.com:5000/redhat")];
    cluster.create(&idms("operators", &entries))?.succeeded()?;
    cluster.create(&itms("operators", &entries))?.succeeded()?;
    Ok(())
}

fn annotations(cluster: &Cluster, object: &Value) -> Result<Value> {
    Ok(cluster.stored(object)?["metadata"]["annotations"].take())
}
