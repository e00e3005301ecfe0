//! Objects that were there before the webhook.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::answer::Answer;
use crate::cluster::Cluster;
use crate::objects::{entry, icsp};

scenarios![a_label_on_a_bad_old_object_is_admitted_and_a_new_fault_in_it_is_not];

fn a_label_on_a_bad_old_object_is_admitted_and_a_new_fault_in_it_is_not(cluster: &mut Cluster) -> Result<()> {
    let bad = |source| [entry(source, "mirror.example.com:5000/team/app")];
    let old = icsp("old", &bad("https://quay.io/team/app"));
    let unguarded = cluster.unguarded()?;
    cluster.create(&old)?.succeeded()?;
    unguarded.end()?;

    patch(cluster, &json!({"metadata": {"labels": {"team": "platform"}}}))?.succeeded()?;
    ensure!(cluster.stored(&old)?["metadata"]["labels"]["team"] == "platform", "the label is not there");

    let replaced = |source| json!({"spec": {"repositoryDigestMirrors": bad(source)}});
    patch(cluster, &replaced("https://quay.io/team/web"))?.denied_for("invalid-source")?;
    patch(cluster, &replaced("quay.io/team/web"))?.succeeded()?;
    Ok(())
}

fn patch(cluster: &Cluster, change: &serde_json::Value) -> Result<Answer> {
    let change = format!("--patch={change}");
    cluster.plane.kubectl(&["patch", "imagecontentsourcepolicies", "old", "--type=merge", &change], "")
}
