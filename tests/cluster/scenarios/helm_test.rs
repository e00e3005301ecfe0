//! `helm test`, and the command that it runs.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::answer::{Answer, MIRROR_SETS};
use crate::cluster::{Cluster, nothing_is_left};
use crate::json::items;
use crate::kubelet::run_to_end;
use crate::namespace::Ground;
use crate::release::{NAME, NAMESPACE};
use crate::routing;
use crate::wait::eventually;

scenarios![
    helm_test_passes_and_leaves_nothing_behind,
    helm_test_fails_with_a_remedy_while_no_pod_runs,
    an_administrator_can_run_the_same_check,
];

const POD: &str = "mirrorguard-check";

/// What is checked on every cluster.
const CHECKS: [&str; 5] = ["validating-webhooks", "mutating-webhook", "ca", "denial", "admission"];

/// For the hook's objects, which Helm makes one after another.
const STARTED: Duration = Duration::from_secs(30);

fn helm_test_passes_and_leaves_nothing_behind(cluster: &mut Cluster) -> Result<()> {
    for helm in [cluster.plane.binaries.helm.clone(), cluster.plane.binaries.helm3.clone()] {
        let before = objects(cluster)?;
        let (answer, log) = helm_test(cluster, &helm)?;
        answer.succeeded()?;
        for check in CHECKS {
            ensure!(log.contains(&format!("✓ {check}: ")), "{check} has not passed:\n{log}");
        }
        ensure!(!log.contains('✗'), "not every check has passed:\n{log}");
        let after = objects(cluster)?;
        ensure!(before == after, "before the test:\n{before}\nafter it:\n{after}");
    }
    Ok(())
}

fn helm_test_fails_with_a_remedy_while_no_pod_runs(cluster: &mut Cluster) -> Result<()> {
    cluster.stop_pod()?;
    routing::remove_slices(&cluster.plane, NAMESPACE)?;
    let helm = cluster.plane.binaries.helm.clone();
    let tested = helm_test(cluster, &helm);
    let left = objects(cluster)?;
    cluster.start_pod()?;
    let (answer, log) = tested?;
    answer.failed()?;
    expect_failed(&log, "denial", MIRROR_SETS)?;
    if cluster.plane.ground == Ground::Namespace {
        expect_failed(&log, "endpoints", &format!("{NAMESPACE}/{NAME}"))?;
    }
    ensure!(!left.contains(POD), "the failed test left something:\n{left}");
    cluster.uninstall()?;
    nothing_is_left(cluster)?;
    cluster.install()
}

fn an_administrator_can_run_the_same_check(cluster: &mut Cluster) -> Result<()> {
    let report = cluster.mirrorguard(&["check", "-o", "json"], "")?.succeeded()?.json()?;
    for check in CHECKS {
        ensure!(status(&report, check) == "ok", "{check}: {report}");
    }
    let unguarded = cluster.unguarded()?;
    let report = cluster.mirrorguard(&["check", "-o", "json"], "")?.failed()?.json()?;
    unguarded.end()?;
    for check in ["validating-webhooks", "mutating-webhook", "denial"] {
        ensure!(status(&report, check) == "failed", "{check} without webhooks: {report}");
    }
    ensure!(cluster.mirror_sets()? == 0, "a dry run was stored");
    Ok(())
}

/// The status of a check in a JSON report.
fn status<'a>(report: &'a Value, name: &str) -> &'a Value {
    let check = items(&report["checks"]).iter().find(|check| check["check"] == name);
    check.map_or(&Value::Null, |check| &check["status"])
}

/// Expects that a check has failed because of this object, with a remedy on the next line.
fn expect_failed(log: &str, check: &str, object: &str) -> Result<()> {
    let mut lines = log.lines().skip_while(|line| !line.starts_with(&format!("✗ {check}: ")));
    let failed = lines.next().is_some_and(|line| line.contains(object));
    let remedy = lines.next().is_some_and(|line| line.starts_with("  "));
    ensure!(failed && remedy, "{check} has not failed because of {object}, with a remedy:\n{log}");
    Ok(())
}

/// Runs `helm test` and, as the kubelet would, the pod that it creates; returns the log of the pod, too.
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

/// Everything that a test might leave behind.
fn objects(cluster: &Cluster) -> Result<String> {
    let kinds =
        "pods,serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings,imagedigestmirrorsets";
    let list = ["get", kinds, "--all-namespaces", "--output=name"];
    Ok(cluster.plane.kubectl(&list, "")?.succeeded()?.stdout)
}
