//! `helm test`, and the command that it runs.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::answer::Answer;
use crate::cluster::{Cluster, nothing_is_left};
use crate::kubelet::run_to_end;
use crate::namespace::Ground;
use crate::release::{NAME, NAMESPACE};
use crate::routing;
use crate::wait::eventually;

scenarios![
    helm_test_says_that_all_is_well_and_leaves_nothing,
    helm_test_fails_with_the_remedy_while_no_pod_runs,
    check_says_the_same_to_an_administrator,
];

const POD: &str = "mirrorguard-check";

/// For the hook's objects, which Helm makes one after another.
const STARTED: Duration = Duration::from_secs(30);

fn helm_test_says_that_all_is_well_and_leaves_nothing(cluster: &mut Cluster) -> Result<()> {
    for helm in [cluster.plane.binaries.helm.clone(), cluster.plane.binaries.helm3.clone()] {
        let before = objects(cluster)?;
        let (answer, said) = helm_test(cluster, &helm)?;
        answer.succeeded()?;
        for check in ["validating-webhooks", "mutating-webhook", "ca", "denial", "admission"] {
            ensure!(said.contains(&format!("✓ {check}: ")), "{check} is not well:\n{said}");
        }
        ensure!(!said.contains('✗'), "not all is well:\n{said}");
        let after = objects(cluster)?;
        ensure!(before == after, "before the test:\n{before}\nafter it:\n{after}");
    }
    Ok(())
}

fn helm_test_fails_with_the_remedy_while_no_pod_runs(cluster: &mut Cluster) -> Result<()> {
    cluster.stop_pod()?;
    routing::remove(&cluster.plane, NAMESPACE)?;
    let helm = cluster.plane.binaries.helm.clone();
    let tested = helm_test(cluster, &helm);
    let left = objects(cluster)?;
    cluster.start_pod()?;
    let (answer, said) = tested?;
    answer.refused()?;
    let dead = "✗ denial: the apiserver cannot ask mirror-sets.validate.mirrorguard.io: ";
    ensure!(said.contains(dead) && said.contains("fix: bring the pods back"), "told otherwise:\n{said}");
    if cluster.plane.ground == Ground::Namespace {
        let nobody = format!("✗ endpoints: Service {NAMESPACE}/{NAME} has no ready endpoint");
        ensure!(said.contains(&nobody), "told otherwise:\n{said}");
    }
    ensure!(!left.contains(POD), "the failed test left something:\n{left}");
    cluster.uninstall()?;
    nothing_is_left(cluster)?;
    cluster.install()
}

fn check_says_the_same_to_an_administrator(cluster: &mut Cluster) -> Result<()> {
    let well = cluster.mirrorguard(&["check"], "")?.succeeded()?.stdout;
    ensure!(well.contains("denial: a mirror set that no node could render is refused"), "{well}");
    let unguarded = cluster.unguarded()?;
    let bare = cluster.mirrorguard(&["check"], "")?.refused()?.stdout;
    unguarded.end()?;
    for told in
        ["there is no ValidatingWebhookConfiguration", "a mirror set that no node could render is admitted"]
    {
        ensure!(bare.contains(told), "not told that {told}:\n{bare}");
    }
    ensure!(cluster.mirror_sets()? == 0, "a dry run was stored");
    Ok(())
}

/// Runs `helm test` and, as the kubelet does, the pod that it makes; tells what that has written, too.
fn helm_test(cluster: &Cluster, helm: &Path) -> Result<(Answer, String)> {
    let plane = &cluster.plane;
    let mut command = plane.client(helm);
    command.args(["--namespace", NAMESPACE, "test", NAME, "--timeout", "60s"]);
    let mut testing = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let ran = eventually(STARTED, "helm test to make its pod", || {
        plane.get(&["pod", POD, "--namespace", NAMESPACE])
    })
    .and_then(|pod| run_to_end(plane, &pod));
    if ran.is_err() {
        testing.kill()?;
    }
    let output = testing.wait_with_output()?;
    Ok((output.into(), ran?))
}

/// What a test might leave.
fn objects(cluster: &Cluster) -> Result<String> {
    let kinds =
        "pods,serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings,imagedigestmirrorsets";
    let list = ["get", kinds, "--all-namespaces", "--output=name"];
    Ok(cluster.plane.kubectl(&list, "")?.succeeded()?.stdout)
}
