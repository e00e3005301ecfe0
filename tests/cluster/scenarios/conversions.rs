//! What `mirrorguard migrate` and `mirrorguard merge` write, applied for real.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::objects::{entry, icsp};

scenarios![
    icsps_of_a_cluster_are_migrated_without_a_change_on_the_nodes,
    what_oc_adm_migrate_keeps_of_a_clusters_icsp_is_refused_and_ours_goes_in,
    runs_of_oc_mirror_are_merged_and_migrated_and_nothing_is_lost,
    what_oc_mirror_v2_wrote_goes_in_merged,
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
    ensure!(
        migrated.stderr.contains("delete imagecontentsourcepolicies first second"),
        "{}",
        migrated.stderr
    );

    cluster.plane.kubectl(&["apply", "-f", "-"], &migrated.stdout)?.succeeded()?;
    let stored = cluster.plane.get(&["imagedigestmirrorsets", "first"])?;
    for field in ["/metadata/labels", "/metadata/annotations/mirror.example.com~1why"] {
        ensure!(stored.pointer(field) == first.pointer(field), "{field} was lost: {stored}");
    }
    ensure!(stored["spec"]["imageDigestMirrors"] == first["spec"]["repositoryDigestMirrors"], "{stored}");
    ensure!(cluster.registries_conf()? == before, "the nodes get another file with both");
    let half_way = cluster.mirrorguard(&["migrate"], "")?.succeeded()?;
    ensure!(half_way.stdout.is_empty() && half_way.stderr.contains("1. wait: "), "{half_way:?}");

    for set in [&first, &second] {
        cluster.delete(set)?.succeeded()?;
        ensure!(
            cluster.registries_conf()? == before,
            "the nodes get another file on the way to the IDMSs alone"
        );
    }
    let done = cluster.mirrorguard(&["migrate"], "")?.succeeded()?;
    ensure!(done.stderr.contains("nothing to migrate"), "{done:?}");
    Ok(())
}

fn what_oc_adm_migrate_keeps_of_a_clusters_icsp_is_refused_and_ours_goes_in(
    cluster: &mut Cluster,
) -> Result<()> {
    let input = fixture("icsp-from-a-cluster.yaml")?;
    let theirs = fixture("oc-adm-migrate-icsp.yaml")?;
    let ours = cluster.mirrorguard(&["migrate", "-"], &input)?.succeeded()?.stdout;
    let kubectl =
        |words: &str, stdin: &str| cluster.plane.kubectl(&words.split(' ').collect::<Vec<_>>(), stdin);
    let as_sent = |yaml: &str| {
        Ok::<_, anyhow::Error>(
            kubectl("create --dry-run=client --output=json -f -", yaml)?.succeeded()?.stdout,
        )
    };
    let raw = "create --raw /apis/config.openshift.io/v1/imagedigestmirrorsets -f -";
    let delete = "delete imagedigestmirrorset from-a-cluster";

    // kubectl takes the resourceVersion out when it creates. Other clients do not, nor does an apply later.
    let refused = kubectl(raw, &as_sent(&theirs)?)?.refused()?.stderr;
    ensure!(refused.contains("resourceVersion should not be set on objects to be created"), "{refused}");
    let refused = kubectl("apply --server-side -f -", &theirs)?.refused()?.stderr;
    ensure!(refused.contains("uid mismatch"), "{refused}");
    kubectl("apply -f -", &theirs)?.succeeded()?;
    let refused = kubectl("apply -f -", &theirs)?.refused()?.stderr;
    ensure!(refused.contains("Error from server (Conflict)"), "{refused}");
    kubectl(delete, "")?.succeeded()?;

    kubectl(raw, &as_sent(&ours)?)?.succeeded()?;
    kubectl(delete, "")?.succeeded()?;
    for apply in ["apply --server-side -f -", "apply -f -", "apply -f -"] {
        kubectl(apply, &ours)?.succeeded().context(apply)?;
    }
    let stored = cluster.plane.get(&["imagedigestmirrorsets", "from-a-cluster"])?;
    ensure!(stored["metadata"]["labels"] == json!({"mirror.example.com/site": "lab"}), "{stored}");
    Ok(())
}

fn runs_of_oc_mirror_are_merged_and_migrated_and_nothing_is_lost(cluster: &mut Cluster) -> Result<()> {
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

fn what_oc_mirror_v2_wrote_goes_in_merged(cluster: &mut Cluster) -> Result<()> {
    let run = example("oc-mirror-v2");
    cluster.plane.kubectl(&["apply", "-f", &run], "")?.succeeded()?;
    let before = cluster.registries_conf()?;
    let merged = cluster.mirrorguard(&["merge", &run], "")?.succeeded()?.stdout;
    let applied = cluster.plane.kubectl(&["apply", "-f", "-"], &merged)?.succeeded()?;
    ensure!(applied.stdout.matches("configured").count() == 4, "not the same objects: {}", applied.stdout);
    ensure!(cluster.registries_conf()? == before, "the nodes get another file");
    let again = cluster.plane.kubectl(&["apply", "-f", "-"], &merged)?.succeeded()?;
    ensure!(again.stdout.matches("unchanged").count() == 4, "not stable: {}", again.stdout);
    Ok(())
}

fn example(name: &str) -> String {
    format!("{}/examples/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn fixture(name: &str) -> Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/fixtures").join(name);
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}
