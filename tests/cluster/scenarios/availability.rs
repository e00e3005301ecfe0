//! More than one pod, and the change from old pods to new ones.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::certificates::Connection;
use crate::cluster::Cluster;
use crate::control_plane::{ControlPlane, send};
use crate::failures::Failures;
use crate::http;
use crate::json::{items, text};
use crate::kubelet::Pod;
use crate::load::{Worker, under_load_of, writers};
use crate::objects::{CLUSTERS, entry, hosted_cluster, icsp, idms, itms};
use crate::release::{NAMESPACE, Objects, Release, objects_of, usual};
use crate::rollout::{replace, upgrade};
use crate::routing::{FIRST, lead_also_to, remove_slices};
use crate::wait::eventually;

scenarios![
    no_admission_fails_during_an_upgrade_under_load,
    every_replica_answers,
    values_set_up_pods_and_webhooks,
    match_conditions_in_the_values_are_added_to_those_of_the_chart,
    harmful_values_are_rejected,
];

/// Until a change has been seen by a watch.
const PROPAGATION: Duration = Duration::from_secs(15);

const DERIVED: &str = "mirrorguard.io/catalog-overrides-derived";

fn no_admission_fails_during_an_upgrade_under_load(cluster: &mut Cluster) -> Result<()> {
    // With the chart's own shutdown delay.
    cluster.uninstall()?;
    cluster.release.more = json!({});
    cluster.install()?;
    let catalogs = [entry("registry.redhat.io/redhat", "mirror.example.com:5000/redhat")];
    cluster.create(&itms("catalogs", &catalogs))?.succeeded()?;
    cluster
        .create(&idms("stays", &[entry("quay.io/stays/app", "mirror.example.com/stays/app")]))?
        .succeeded()?;
    cluster.release.config = json!({"rules": {"split-source": "off"}});
    let first = cluster.take_pod()?;
    let (plane, release) = (&cluster.plane, &cluster.release);
    let before = Release::deployment(plane)?;
    let second = Pod::start_another(plane, &before, 1)?;
    lead_also_to(plane, NAMESPACE, &second, "second")?;

    eventually(PROPAGATION, "the first pod to see the mirror sets", || create_hosted_cluster(plane))?;
    let failures = Failures::now(plane)?;
    let mut workers = writers(plane);
    workers.extend([
        Box::new(|| create_hosted_cluster(plane)) as Worker<'_>,
        Box::new(|| delete_mirror_set(plane)),
    ]);
    let new = under_load_of(workers, || {
        upgrade(plane, release)?;
        let deployment = Release::deployment(plane)?;
        ensure!(
            deployment["spec"]["template"] != before["spec"]["template"],
            "the upgrade rolls nothing: {deployment}"
        );
        let third = replace(plane, &deployment, (first, FIRST), (2, "third"))?;
        let fourth = replace(plane, &deployment, (second, "second"), (3, "fourth"))?;
        Ok([third, fourth])
    })?;
    let failures = failures.since(plane)?;
    ensure!(failures == Failures::default(), "the API server could not call the webhook: {failures:?}");
    let answered: u64 = new.iter().map(answers).sum::<Result<u64>>()?;
    ensure!(answered > 0, "the new pods were never called");

    for pod in new {
        pod.stop(&cluster.plane)?;
    }
    remove_slices(&cluster.plane, NAMESPACE)?;
    cluster.clear()?;
    cluster.release.more = usual();
    cluster.configure(json!({}))
}

fn every_replica_answers(cluster: &mut Cluster) -> Result<()> {
    let deployment = Release::deployment(&cluster.plane)?;
    ensure!(deployment["spec"]["replicas"] == 2, "not two by default: {}", deployment["spec"]["replicas"]);
    let second = Pod::start_another(&cluster.plane, &deployment, 1)?;
    for pod in [cluster.pod()?, &second] {
        let before = answers(pod)?;
        let connection =
            cluster.release.authority.connect(pod.address(&"webhook".into())?, &Release::server_name())?;
        let denied = review(connection, &icsp("direct", &[entry("https://quay.io/a", "m.example.com/a")]))?;
        ensure!(denied["response"]["allowed"] == false, "admitted: {denied}");
        ensure!(answers(pod)? == before + 1, "answered by another pod");
    }
    second.stop(&cluster.plane)?;
    Ok(())
}

/// Sends a pod the review of an object's creation.
fn review(connection: Connection, object: &Value) -> Result<Value> {
    let (group, version) = text(object, "/apiVersion")?.split_once('/').context("no group")?;
    let review = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "direct", "operation": "CREATE", "name": object["metadata"]["name"],
            "kind": {"group": group, "version": version, "kind": object["kind"]}, "object": object,
        },
    });
    let answer = send(connection, "POST", "/validate", &review)?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(serde_json::from_str(&answer.body)?)
}

/// How many reviews a pod has answered.
fn answers(pod: &Pod) -> Result<u64> {
    let metrics = http::get(pod.address(&"admin".into())?, "/metrics")?.body;
    let counts = metrics.lines().filter(|line| line.starts_with("mirrorguard_admission_requests_total{"));
    counts.map(|line| Ok(line.rsplit(' ').next().unwrap_or_default().parse::<u64>()?)).sum()
}

/// Creates a hosted cluster by a dry run; it must get the annotation for its catalogs.
fn create_hosted_cluster(plane: &ControlPlane) -> Result<()> {
    let path =
        format!("/apis/hypershift.openshift.io/v1beta1/namespaces/{CLUSTERS}/hostedclusters?dryRun=All");
    let answer = send(plane.connect()?, "POST", &path, &hosted_cluster("load", &json!({})))?;
    ensure!(answer.status == 201 && answer.body.contains(DERIVED), "no annotation: {answer:?}");
    Ok(())
}

/// Deletes a mirror set by a dry run.
fn delete_mirror_set(plane: &ControlPlane) -> Result<()> {
    let path = "/apis/config.openshift.io/v1/imagedigestmirrorsets/stays";
    let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "dryRun": ["All"]});
    let answer = send(plane.connect()?, "DELETE", path, &options)?;
    ensure!(answer.status == 200, "not deleted: {answer:?}");
    Ok(())
}

fn rendered(cluster: &Cluster, options: &[&str]) -> Result<Objects> {
    let manifest =
        cluster.release.template(&cluster.plane, &cluster.plane.binaries.helm, options)?.succeeded()?;
    objects_of(&manifest.stdout)
}

fn values_set_up_pods_and_webhooks(cluster: &mut Cluster) -> Result<()> {
    let budget = [
        ("", "/spec/maxUnavailable", json!(1), "one at a time"),
        ("", "/spec/unhealthyPodEvictionPolicy", json!("AlwaysAllow"), "no drain waits for unhealthy pods"),
        ("podDisruptionBudget.maxUnavailable=50%", "/spec/maxUnavailable", json!("50%"), "half"),
        ("podDisruptionBudget.enabled=false", "", Value::Null, "disabled"),
        ("replicaCount=1", "", Value::Null, "it would block every drain or have no effect"),
    ];
    let grace = "/spec/template/spec/terminationGracePeriodSeconds";
    let priority = "/spec/template/spec/priorityClassName";
    let deployment = [
        ("shutdownDelaySeconds=40", grace, json!(60), "the delay, the requests, and a reserve"),
        ("", "/spec/strategy/rollingUpdate/maxUnavailable", json!(0), "the new one first"),
        ("", priority, json!("system-cluster-critical"), "writes wait for it"),
        ("priorityClassName=", priority, Value::Null, "none"),
    ];
    let conditions = "/webhooks/0/matchConditions";
    let validating = [("webhooks.enabled=false", "", Value::Null, "to bypass the webhooks")];
    let mutating = [
        ("webhooks.enabled=false", "", Value::Null, "to bypass the webhooks"),
        ("webhooks.timeoutSeconds=2", "/webhooks/0/timeoutSeconds", json!(2), "shorter"),
        (
            "webhooks.hyperShiftAccounts={a,b\"c}",
            &format!("{conditions}/0/expression"),
            json!(r#"!(request.userInfo.username in ["a","b\"c"])"#),
            "quoted for CEL",
        ),
        (
            "webhooks.hyperShiftAccounts=null",
            &format!("{conditions}/1/name"),
            Value::Null,
            "no account is excluded",
        ),
    ];
    for (kind, rows) in [
        ("PodDisruptionBudget", &budget[..]),
        ("Deployment", &deployment),
        ("ValidatingWebhookConfiguration", &validating),
        ("MutatingWebhookConfiguration", &mutating),
    ] {
        for (value, pointer, expected, reason) in rows {
            let objects = rendered(cluster, &["--set", value])?;
            let found = objects.get(kind).and_then(|object| object.pointer(pointer)).cloned();
            ensure!(found.unwrap_or_default() == *expected, "{reason}: {value:?} gives {objects:#?}");
        }
    }
    Ok(())
}

/// The API server compiles all of them.
fn match_conditions_in_the_values_are_added_to_those_of_the_chart(cluster: &mut Cluster) -> Result<()> {
    let own = json!([{"name": "own", "expression": "!request.userInfo.groups.exists(group, group == 'break-glass')"}]);
    let webhooks = ["mirrorSets", "mirrorSetDeletions", "hostedClusterValidation", "hostedClusterMutation"];
    cluster.release.more["webhooks"] =
        webhooks.iter().map(|hook| ((*hook).to_owned(), json!({"matchConditions": own}))).collect();
    cluster.configure(json!({}))?;
    for (kind, hooks) in [("validatingwebhookconfigurations", 3), ("mutatingwebhookconfigurations", 1)] {
        let configuration = cluster.plane.get(&[kind])?;
        let found = items(&configuration["items"][0]["webhooks"]);
        let last = found.iter().filter_map(|hook| items(&hook["matchConditions"]).last());
        let own = last.filter(|condition| condition["name"] == "own").count();
        ensure!(own == hooks, "not in all of {kind}: {configuration}");
    }
    let scheme = icsp("broken-glass", &[entry("https://quay.io/a", "m.example.com/a")]);
    let dry = ["create", "--dry-run=server", "-f", "-", "--as=admin", "--as-group=system:masters"];
    cluster.plane.kubectl(&dry, &scheme.to_string())?.denied_for("invalid-source")?;
    let broken = [&dry[..], &["--as-group=break-glass"]].concat();
    eventually(PROPAGATION, "the conditions", || {
        cluster.plane.kubectl(&broken, &scheme.to_string())?.succeeded().map(drop)
    })?;
    cluster.release.more = usual();
    cluster.configure(json!({}))
}

fn harmful_values_are_rejected(cluster: &mut Cluster) -> Result<()> {
    let table = [
        ("webhooks.timeoutSeconds=6", "timeoutSeconds", "every write would wait for it"),
        ("podDisruptionBudget.maxUnavailable=0", "maxUnavailable", "no node could be drained"),
        ("podDisruptionBudget.maxUnavailable=0%", "maxUnavailable", "no node could be drained"),
        ("podDisruptionBudget.minAvailable=2", "minAvailable", "no such value"),
        ("topologySpread.whenUnsatisfiable=Never", "whenUnsatisfiable", "no such policy"),
        ("shutdownDelaySeconds=-1", "shutdownDelaySeconds", "a negative time"),
        ("webhooks.mirrorSets.matchConditions[0].name=a", "expression", "a condition without one"),
        ("webhooks.hyperShiftAccounts={}", "hyperShiftAccounts", "an empty name"),
        ("webhooks.enable=false", "'enable'", "misspelt"),
    ];
    for (set, named, reason) in table {
        let binaries = &cluster.plane.binaries;
        for helm in [&binaries.helm, &binaries.helm3] {
            let rejected = cluster.release.template(&cluster.plane, helm, &["--set", set])?.failed();
            let error = rejected.with_context(|| format!("{reason}: {set}"))?.stderr;
            ensure!(error.contains(named), "{reason}: {set}: {named} is not named: {error}");
        }
    }
    Ok(())
}
