//! The output of `mirrorguard migrate` and `mirrorguard merge`, applied to a cluster.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::cluster::{Cluster, MIRROR_SETS};
use crate::control_plane::{ControlPlane, send};
use crate::http::Response;
use crate::json::{items, text};
use crate::objects::{entry, icsp};

scenarios![
    icsps_of_a_cluster_are_migrated_without_a_change_on_the_nodes,
    the_output_of_oc_adm_migrate_is_rejected_and_ours_is_accepted,
    runs_of_oc_mirror_are_merged_and_migrated_without_losses,
    the_output_of_oc_mirror_v2_is_merged_into_the_same_objects,
];

fn icsps_of_a_cluster_are_migrated_without_a_change_on_the_nodes(cluster: &mut Cluster) -> Result<()> {
    let app = entry("quay.io/team/app", "mirror.example.com:5000/team/app");
    let mut first =
        icsp("first", &[app.clone(), entry("registry.redhat.io/ubi9", "mirror.example.com:5000/ubi9")]);
    first["metadata"]["labels"] = json!({"on": "true", "site": "lab"});
    first["metadata"]["annotations"] = json!({"mirror.example.com/why": "two lines:\n- this\n- and that"});
    let second =
        icsp("second", &[json!({"source": "quay.io/team/app", "mirrors": ["other.example.com/app"]})]);
    for set in [&first, &second] {
        cluster.apply(set)?.succeeded()?;
    }
    let before = cluster.registries_conf()?;
    ensure!(before.contains("other.example.com/app"), "the nodes do not get the mirrors:\n{before}");

    let migrated = cluster.mirrorguard(&["migrate"], "")?.succeeded()?;
    let list =
        cluster.plane.kubectl(&["get", "imagecontentsourcepolicies", "--output=yaml"], "")?.succeeded()?;
    let of_a_file = cluster.mirrorguard(&["migrate", "-"], &list.stdout)?.succeeded()?;
    ensure!(migrated.stdout == of_a_file.stdout, "{}\nbut of a file\n{}", migrated.stdout, of_a_file.stdout);
    let report = cluster.mirrorguard(&["migrate", "-o", "json"], "")?.succeeded()?.json()?;
    ensure!(steps(&report) == ["apply", "wait", "delete"], "{report}");
    let delete = text(&report, "/plan/2/command")?;
    ensure!(delete.ends_with(" imagecontentsourcepolicies first second"), "{delete}");

    cluster.plane.kubectl(&["apply", "-f", "-"], &migrated.stdout)?.succeeded()?;
    let stored = cluster.plane.get(&["imagedigestmirrorsets", "first"])?;
    for field in ["/metadata/labels", "/metadata/annotations/mirror.example.com~1why"] {
        ensure!(stored.pointer(field) == first.pointer(field), "{field} was lost: {stored}");
    }
    ensure!(stored["spec"]["imageDigestMirrors"] == first["spec"]["repositoryDigestMirrors"], "{stored}");
    ensure!(cluster.registries_conf()? == before, "the nodes get another file with both");
    let report = cluster.mirrorguard(&["migrate", "-o", "json"], "")?.succeeded()?.json()?;
    ensure!(report["objects"] == json!([]), "objects are left to apply: {report}");
    ensure!(steps(&report) == ["wait", "delete"], "{report}");

    for set in [&first, &second] {
        cluster.delete(set)?.succeeded()?;
        ensure!(
            cluster.registries_conf()? == before,
            "the nodes get another file on the way to the IDMSs alone"
        );
    }
    let report = cluster.mirrorguard(&["migrate", "-o", "json"], "")?.succeeded()?.json()?;
    ensure!(report["objects"] == json!([]) && report["plan"] == json!([]), "something is left: {report}");
    Ok(())
}

/// The kinds of steps of a plan.
fn steps(report: &Value) -> Vec<&str> {
    items(&report["plan"]).iter().filter_map(|step| step["step"].as_str()).collect()
}

fn the_output_of_oc_adm_migrate_is_rejected_and_ours_is_accepted(cluster: &mut Cluster) -> Result<()> {
    let input = fixture("icsp-from-a-cluster.yaml")?;
    let theirs = fixture("oc-adm-migrate-icsp.yaml")?;
    let ours = cluster.mirrorguard(&["migrate", "-"], &input)?.succeeded()?.stdout;
    let plane = &cluster.plane;
    let delete = ["delete", "imagedigestmirrorset", "from-a-cluster"];
    let (apply, server_side) = (["apply", "-f", "-"], ["apply", "--server-side", "-f", "-"]);

    // kubectl removes the resourceVersion when it creates. Other clients do not, and neither does a later apply.
    let mut sent = as_sent(plane, &theirs)?;
    ensure!(create(plane, &sent)?.status >= 400, "created with a resourceVersion");
    remove_metadata(&mut sent, "resourceVersion");
    let without = create(plane, &sent)?;
    ensure!(without.status == 201, "rejected for something else: {without:?}");
    plane.kubectl(&delete, "")?.succeeded()?;
    // Server-side apply rejects the uid of another object.
    plane.kubectl(&server_side, &theirs)?.failed()?;
    plane.kubectl(&server_side, &sent.to_string())?.failed()?;
    remove_metadata(&mut sent, "uid");
    plane.kubectl(&server_side, &sent.to_string())?.succeeded()?;
    plane.kubectl(&delete, "")?.succeeded()?;
    plane.kubectl(&apply, &theirs)?.succeeded()?;
    plane.kubectl(&apply, &theirs)?.failed_with("Conflict")?;
    plane.kubectl(&delete, "")?.succeeded()?;

    let created = create(plane, &as_sent(plane, &ours)?)?;
    ensure!(created.status == 201, "{created:?}");
    plane.kubectl(&delete, "")?.succeeded()?;
    for apply in [&server_side[..], &apply, &apply] {
        plane.kubectl(apply, &ours)?.succeeded().with_context(|| format!("{apply:?}"))?;
    }
    let stored = cluster.plane.get(&["imagedigestmirrorsets", "from-a-cluster"])?;
    ensure!(stored["metadata"]["labels"] == json!({"mirror.example.com/site": "lab"}), "{stored}");
    Ok(())
}

fn remove_metadata(object: &mut Value, field: &str) {
    object["metadata"].as_object_mut().map(|metadata| metadata.remove(field));
}

/// The object of a file as kubectl reads it.
fn as_sent(plane: &ControlPlane, yaml: &str) -> Result<Value> {
    plane.kubectl(&["create", "--dry-run=client", "--output=json", "-f", "-"], yaml)?.succeeded()?.json()
}

/// Creates an IDMS without a client that changes it.
fn create(plane: &ControlPlane, idms: &Value) -> Result<Response> {
    send(plane.connect()?, "POST", "/apis/config.openshift.io/v1/imagedigestmirrorsets", idms)
}

fn runs_of_oc_mirror_are_merged_and_migrated_without_losses(cluster: &mut Cluster) -> Result<()> {
    let runs = example("oc-mirror-v1-deltas");
    let only_in_the_first = "registry.redhat.io/oadp";
    for run in ["results-1", "results-2"] {
        let file = format!("{runs}/{run}/imageContentSourcePolicy.yaml");
        cluster.plane.kubectl(&["apply", "-f", &file], "")?.succeeded()?;
    }
    let replaced = cluster.registries_conf()?;
    ensure!(!replaced.contains(only_in_the_first), "the second run did not replace the first:\n{replaced}");

    let merged = cluster.mirrorguard(&["merge", &runs], "")?.succeeded()?.stdout;
    cluster.plane.kubectl(&["apply", "-f", "-"], &merged)?.succeeded()?;
    let before = cluster.registries_conf()?;
    ensure!(before.contains(only_in_the_first), "something was lost:\n{before}");

    let migrated = cluster.mirrorguard(&["migrate", "-"], &merged)?.succeeded()?.stdout;
    cluster.plane.kubectl(&["apply", "-f", "-"], &migrated)?.succeeded()?;
    ensure!(cluster.registries_conf()? == before, "the nodes get another file with both");
    let names = ["generic-0", "operator-0", "release-0"];
    let delete = [&["delete", "imagecontentsourcepolicies"], &names[..]].concat();
    cluster.plane.kubectl(&delete, "")?.succeeded()?;
    ensure!(cluster.registries_conf()? == before, "the nodes get another file with the IDMSs alone");
    let icsps: Value = cluster.plane.get(&["imagecontentsourcepolicies"])?;
    ensure!(icsps["items"] == json!([]), "{icsps}");
    Ok(())
}

fn the_output_of_oc_mirror_v2_is_merged_into_the_same_objects(cluster: &mut Cluster) -> Result<()> {
    let run = example("oc-mirror-v2");
    cluster.plane.kubectl(&["apply", "-f", &run], "")?.succeeded()?;
    let before = cluster.registries_conf()?;
    let merged = cluster.mirrorguard(&["merge", &run], "")?.succeeded()?.stdout;
    let objects = uids(cluster)?;
    cluster.plane.kubectl(&["apply", "-f", "-"], &merged)?.succeeded()?;
    ensure!(objects.len() == 4 && uids(cluster)? == objects, "not the same objects: {objects:?}");
    ensure!(cluster.registries_conf()? == before, "the nodes get another file");
    let stored = cluster.plane.get(&[MIRROR_SETS])?;
    cluster.plane.kubectl(&["apply", "-f", "-"], &merged)?.succeeded()?;
    ensure!(cluster.plane.get(&[MIRROR_SETS])? == stored, "not stable: {stored}");
    Ok(())
}

/// The uids of all mirror sets.
fn uids(cluster: &Cluster) -> Result<Vec<Value>> {
    let sets = cluster.plane.get(&[MIRROR_SETS])?;
    Ok(items(&sets["items"]).iter().map(|set| set["metadata"]["uid"].clone()).collect())
}

fn example(name: &str) -> String {
    format!("{}/examples/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn fixture(name: &str) -> Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/fixtures").join(name);
    fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))
}
