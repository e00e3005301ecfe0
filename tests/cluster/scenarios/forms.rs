//! Rendered objects, given to the real apiserver.

use std::process::Command;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::cluster::Cluster;
use crate::objects::{CLUSTERS, entry, hosted_cluster, idms};

scenarios![
    rendered_mirror_sets_are_accepted_and_render_the_same_file,
    a_hosted_cluster_takes_the_rendered_parts_up_to_the_limits,
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

fn a_hosted_cluster_takes_the_rendered_parts_up_to_the_limits(cluster: &mut Cluster) -> Result<()> {
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

    let sources = |count: usize| {
        let entries: Vec<_> = (0..count)
            .map(|at| entry(&format!("quay.io/team/app{at}"), "mirror.example.com/team/app"))
            .collect();
        json!({"spec": {"imageContentSources": entries}})
    };
    // The most that `render` writes, and one more than that.
    patch(cluster, &sources(255))?.succeeded()?;
    let refused = patch(cluster, &sources(256))?.refused()?;
    ensure!(
        refused.stderr.contains("must have at most 255 items"),
        "refused for something else:\n{}",
        refused.stderr
    );
    let many: Vec<_> = (0..256).map(|at| format!("m{at}.example.com/x")).collect();
    let source = json!([{"source": "quay.io/team/app", "mirrors": many}]);
    let refused = patch(cluster, &json!({"spec": {"imageContentSources": source}}))?.refused()?;
    ensure!(
        refused.stderr.contains("must have at most 255 items"),
        "refused for something else:\n{}",
        refused.stderr
    );
    let long = json!([entry("quay.io/team/app", &"m".repeat(256))]);
    let refused = patch(cluster, &json!({"spec": {"imageContentSources": long}}))?.refused()?;
    ensure!(
        refused.stderr.contains("may not be more than 255"),
        "refused for something else:\n{}",
        refused.stderr
    );
    // The guard is not in the way of what the schema takes.
    cluster
        .create(&idms("after", &[entry("quay.io/team/app", "mirror.example.com/team/app")]))?
        .succeeded()?;
    Ok(())
}

fn patch(cluster: &Cluster, part: &Value) -> Result<Answer> {
    let part = format!("--patch={part}");
    let arguments = ["patch", "hostedclusters", "guest", "--namespace", CLUSTERS, "--type=merge", &part];
    cluster.plane.kubectl(&arguments, "")
}
