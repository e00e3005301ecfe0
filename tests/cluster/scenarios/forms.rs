//! Rendered objects, applied to the real API server.

use std::process::Command;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::cluster::Cluster;
use crate::control_plane::send;
use crate::json::{items, text};
use crate::objects::{CLUSTERS, entry, hosted_cluster, idms};

scenarios![
    rendered_mirror_sets_are_accepted_and_render_the_same_file,
    rendered_parts_of_a_hosted_cluster_are_accepted_up_to_the_limits,
];

/// What `mirrorguard render` prints for files of the project.
pub(super) fn rendered(arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mirrorguard"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).arg("render").args(arguments);
    Ok(Answer::from(command.output()?).succeeded()?.stdout)
}

fn rendered_mirror_sets_are_accepted_and_render_the_same_file(cluster: &mut Cluster) -> Result<()> {
    let example = "examples/oc-mirror-v2";
    for form in ["idms", "itms"] {
        let yaml = rendered(&["--to", form, example])?;
        cluster.plane.kubectl(&["create", "-f", "-"], &yaml)?.succeeded()?;
    }
    let (file, expected) = (cluster.registries_conf()?, rendered(&[example])?);
    ensure!(file == expected, "the nodes get another file:\n{file}instead of\n{expected}");
    Ok(())
}

fn rendered_parts_of_a_hosted_cluster_are_accepted_up_to_the_limits(cluster: &mut Cluster) -> Result<()> {
    let guest = hosted_cluster("guest", &json!({"mirrorguard.io/catalog-overrides": "disabled"}));
    cluster.create(&guest)?.succeeded()?;
    for form in ["hostedcluster", "annotation"] {
        let part: Value =
            serde_json::from_str(&rendered(&["--to", form, "-o", "json", "examples/hosted-cluster"])?)?;
        patch(cluster, &part)?.succeeded()?;
        let stored = cluster.stored(&guest)?;
        let (spec, annotations) = (&part["spec"], &part["metadata"]["annotations"]);
        let sources = &spec["imageContentSources"];
        ensure!(sources.is_null() || stored["spec"]["imageContentSources"] == *sources, "{stored}");
        for (name, value) in annotations.as_object().into_iter().flatten() {
            ensure!(stored["metadata"]["annotations"][name] == *value, "no {name}: {stored}");
        }
    }

    // The most that `render` writes, and one more than that.
    let sources = "spec.imageContentSources";
    for (written, rejected, field, reason) in [
        (many_sources(255), many_sources(256), sources.to_owned(), "FieldValueTooMany"),
        (many_mirrors(255), many_mirrors(256), format!("{sources}[0].mirrors"), "FieldValueTooMany"),
        (long_mirror(255), long_mirror(256), format!("{sources}[0].mirrors[0]"), "FieldValueTooLong"),
    ] {
        patch(cluster, &json!({"spec": {"imageContentSources": written}}))?.succeeded()?;
        let causes = causes(cluster, &guest, &rejected)?;
        ensure!(causes.contains(&(field, reason.to_owned())), "{causes:?}");
    }
    // The webhook admits what the schema allows.
    cluster
        .create(&idms("after", &[entry("quay.io/team/app", "mirror.example.com/team/app")]))?
        .succeeded()?;
    Ok(())
}

fn many_sources(count: usize) -> Value {
    let names = (0..count).map(|number| format!("quay.io/team/app{number}"));
    names.map(|name| entry(&name, "mirror.example.com/team/app")).collect()
}

fn many_mirrors(count: usize) -> Value {
    let mirrors: Vec<_> = (0..count).map(|number| format!("m{number}.example.com/x")).collect();
    json!([{"source": "quay.io/team/app", "mirrors": mirrors}])
}

/// One mirror of this many characters.
fn long_mirror(length: usize) -> Value {
    let host = "m.example.com/";
    json!([entry("quay.io/team/app", &format!("{host}{}", "m".repeat(length - host.len())))])
}

/// The fields for which a hosted cluster with these sources is invalid, and why.
fn causes(cluster: &Cluster, guest: &Value, sources: &Value) -> Result<Vec<(String, String)>> {
    let mut changed = cluster.stored(guest)?;
    changed["spec"]["imageContentSources"] = sources.clone();
    let path = format!("/apis/hypershift.openshift.io/v1beta1/namespaces/{CLUSTERS}/hostedclusters/guest");
    let answer = send(cluster.plane.connect()?, "PUT", &path, &changed)?;
    ensure!(answer.status == 422, "not invalid: {answer:?}");
    let status: Value = serde_json::from_str(&answer.body)?;
    let causes = items(&status["details"]["causes"]).iter();
    causes.map(|cause| Ok((text(cause, "/field")?.to_owned(), text(cause, "/reason")?.to_owned()))).collect()
}

fn patch(cluster: &Cluster, part: &Value) -> Result<Answer> {
    let part = format!("--patch={part}");
    let arguments = ["patch", "hostedclusters", "guest", "--namespace", CLUSTERS, "--type=merge", &part];
    cluster.plane.kubectl(&arguments, "")
}
