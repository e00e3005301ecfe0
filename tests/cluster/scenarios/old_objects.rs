//! Objects that were there before the webhook.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::cluster::Cluster;
use crate::objects::{entry, icsp};

scenarios![a_label_on_a_bad_old_object_is_admitted_and_a_new_fault_is_denied];

fn a_label_on_a_bad_old_object_is_admitted_and_a_new_fault_is_denied(cluster: &mut Cluster) -> Result<()> {
    let old = icsp("old", &entries_of("https://quay.io/team/app"));
    let unguarded = cluster.unguarded()?;
    cluster.create(&old)?.succeeded()?;
    unguarded.end()?;

    patch(cluster, &json!({"metadata": {"labels": {"team": "platform"}}}))?.succeeded()?;
    ensure!(cluster.stored(&old)?["metadata"]["labels"]["team"] == "platform", "the label is not there");

    let (bad, good) = (entries_of("https://quay.io/team/web"), entries_of("quay.io/team/web"));
    patch(cluster, &json!({"spec": {"repositoryDigestMirrors": bad}}))?.denied_for("invalid-source")?;
    patch(cluster, &json!({"spec": {"repositoryDigestMirrors": good}}))?.succeeded()?;
    Ok(())
}

/// The entries of a set that mirrors this source.
fn entries_of(source: &str) -> [Value; 1] {
    [entry(source, "mirror.example.com:5000/team/app")]
}

fn patch(cluster: &Cluster, change: &Value) -> Result<Answer> {
    let change = format!("--patch={change}");
    cluster.plane.kubectl(&["patch", "imagecontentsourcepolicies", "old", "--type=merge", &change], "")
}
