//! Objects that were there before the webhook.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::answer::Answer;
use crate::cluster::Cluster;
use crate::objects::{entry, icsp};

scenarios![a_label_on_a_bad_old_object_is_admitted_and_a_change_of_its_bad_entry_is_not];

fn a_label_on_a_bad_old_object_is_admitted_and_a_change_of_its_bad_entry_is_not(
    cluster: &mut Cluster,
) -> Result<()> {
    let old = icsp("old", &[entry("https://quay.io/team/app", "mirror.example.com:5000/team/app")]);
    let unguarded = cluster.unguarded()?;
    cluster.create(&old)?.succeeded()?;
    unguarded.end()?;

    patch(cluster, &json!({"metadata": {"labels": {"team": "platform"}}}))?.succeeded()?;
    ensure!(cluster.stored(&old)?["metadata"]["labels"]["team"] == "platform", "the label is not there");

    let changed = [entry("https://quay.io/team/app", "mirror.example.com:5000/elsewhere")];
    patch(cluster, &json!({"spec": {"repositoryDigestMirrors": changed}}))?.denied_for("invalid-source")?;
    let repaired = [entry("quay.io/team/app", "mirror.example.com:5000/team/app")];
    patch(cluster, &json!({"spec": {"repositoryDigestMirrors": repaired}}))?.succeeded()?;
    Ok(())
}

fn patch(cluster: &Cluster, change: &serde_json::Value) -> Result<Answer> {
    let change = format!("--patch={change}");
    cluster.plane.kubectl(&["patch", "imagecontentsourcepolicies", "old", "--type=merge", &change], "")
}
