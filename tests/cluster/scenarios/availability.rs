//! More than one pod, and the change from old ones to new ones.

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
use crate::rollout::{replaced, upgrade};
use crate::routing::{FIRST, lead_also_to, remove};
use crate::wait::eventually;

scenarios![
    an_upgrade_under_load_fails_not_one_admission,
    every_replica_answers,
    the_values_say_how_the_pods_stand_and_when_they_are_asked,
    conditions_of_ones_own_are_asked_beside_the_charts,
    values_that_would_hurt_are_refused,
];

/// For what is learned by a watch.
const PROPAGATION: Duration = Duration::from_secs(15);

const DERIVED: &str = "mirrorguard.io/catalog-overrides-derived";

fn an_upgrade_under_load_fails_not_one_admission(cluster: &mut Cluster) -> Result<()> {
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
    let second = Pod::start_beside(plane, &before, 1)?;
    lead_also_to(plane, NAMESPACE, &second, "second")?;

    eventually(PROPAGATION, "the first pod to see the mirror sets", || filled_in(plane))?;
    let failures = Failures::now(plane)?;
    let mut workers = writers(plane);
    workers.extend([Box::new(|| filled_in(plane)) as Worker<'_>, Box::new(|| deleted(plane))]);
    let new = under_load_of(workers, || {
        upgrade(plane, release)?;
        let deployment = Release::deployment(plane)?;
        ensure!(
            deployment["spec"]["template"] != before["spec"]["template"],
            "the upgrade rolls nothing: {deployment}"
        );
        let third = replaced(plane, &deployment, (first, FIRST), (2, "third"))?;
        let fourth = replaced(plane, &deployment, (second, "second"), (3, "fourth"))?;
        Ok([third, fourth])
    })?;
    let failures = failures.since(plane)?;
    ensure!(failures == Failures::default(), "the apiserver has missed the webhook: {failures:?}");
    let answered: u64 = new.iter().map(answers).sum::<Result<u64>>()?;
    ensure!(answered > 0, "the new pods were never asked");

    for pod in new {
        pod.stop(&cluster.plane)?;
    }
    remove(&cluster.plane, NAMESPACE)?;
    cluster.clear()?;
    cluster.release.more = usual();
    cluster.configure(json!({}))
}

fn every_replica_answers(cluster: &mut Cluster) -> Result<()> {
    let deployment = Release::deployment(&cluster.plane)?;
    ensure!(deployment["spec"]["replicas"] == 2, "not two by default: {}", deployment["spec"]["replicas"]);
    let second = Pod::start_beside(&cluster.plane, &deployment, 1)?;
    for pod in [cluster.pod()?, &second] {
        let before = answers(pod)?;
        let connection =
            cluster.release.authority.connect(pod.address(&"webhook".into())?, &Release::server_name())?;
        let denied = review(connection, &icsp("direct", &[entry("https://quay.io/a", "m.example.com/a")]))?;
        ensure!(denied["response"]["allowed"] == false, "admitted: {denied}");
        ensure!(answers(pod)? == before + 1, "answered by somebody else");
    }
    second.stop(&cluster.plane)?;
    Ok(())
}

/// Asks a pod itself about the creation of an object.
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

fn filled_in(plane: &ControlPlane) -> Result<()> {
    let path =
        format!("/apis/hypershift.openshift.io/v1beta1/namespaces/{CLUSTERS}/hostedclusters?dryRun=All");
    let answer = send(plane.connect()?, "POST", &path, &hosted_cluster("load", &json!({})))?;
    ensure!(answer.status == 201 && answer.body.contains(DERIVED), "not filled in: {answer:?}");
    Ok(())
}

fn deleted(plane: &ControlPlane) -> Result<()> {
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

fn the_values_say_how_the_pods_stand_and_when_they_are_asked(cluster: &mut Cluster) -> Result<()> {
    type Row<'a> = (&'a [&'a str], &'a str, &'a str, Value, &'a str);
    let grace = "/spec/template/spec/terminationGracePeriodSeconds";
    let priority = "/spec/template/spec/priorityClassName";
    let (validating, mutating) = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration");
    let (budget, deployment) = ("PodDisruptionBudget", "Deployment");
    let table: &[Row<'_>] = &[
        (&[], budget, "/spec/maxUnavailable", json!(1), "one at a time"),
        (
            &[],
            budget,
            "/spec/unhealthyPodEvictionPolicy",
            json!("AlwaysAllow"),
            "no drain waits for the sick",
        ),
        (&["podDisruptionBudget.maxUnavailable=50%"], budget, "/spec/maxUnavailable", json!("50%"), "half"),
        (&["podDisruptionBudget.enabled=false"], budget, "", Value::Null, "switched off"),
        (&["replicaCount=1"], budget, "", Value::Null, "it would block a drain, or keep nothing"),
        (&["shutdownDelaySeconds=40"], deployment, grace, json!(60), "the delay, the requests, and to spare"),
        (&[], deployment, "/spec/strategy/rollingUpdate/maxUnavailable", json!(0), "the new one first"),
        (&[], deployment, priority, json!("system-cluster-critical"), "writes wait for it"),
        (&["priorityClassName="], deployment, priority, Value::Null, "none"),
        (&["webhooks.enabled=false"], validating, "", Value::Null, "the way out"),
        (&["webhooks.enabled=false"], mutating, "", Value::Null, "the way out"),
        (&["webhooks.timeoutSeconds=2"], mutating, "/webhooks/0/timeoutSeconds", json!(2), "sooner"),
        (
            &["webhooks.hyperShiftAccounts={a,b\"c}"],
            mutating,
            "/webhooks/0/matchConditions/0/expression",
            json!(r#"!(request.userInfo.username in ["a","b\"c"])"#),
            "quoted for CEL",
        ),
        (
            &["webhooks.hyperShiftAccounts=null"],
            mutating,
            "/webhooks/0/matchConditions/1/name",
            Value::Null,
            "nobody is left out",
        ),
    ];
    for (sets, kind, pointer, expected, reason) in table {
        let options: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
        let objects = rendered(cluster, &options)?;
        let found = objects.get(*kind).and_then(|object| object.pointer(pointer)).cloned();
        ensure!(found.unwrap_or_default() == *expected, "{reason}: {sets:?} gives {objects:#?}");
    }
    Ok(())
}

/// The apiserver compiles them all.
fn conditions_of_ones_own_are_asked_beside_the_charts(cluster: &mut Cluster) -> Result<()> {
    let own = json!([{"name": "own", "expression": "!request.userInfo.groups.exists(group, group == 'break-glass')"}]);
    let webhooks = ["mirrorSets", "mirrorSetDeletions", "hostedClusterValidation", "hostedClusterMutation"];
    cluster.release.more["webhooks"] =
        webhooks.iter().map(|hook| ((*hook).to_owned(), json!({"matchConditions": own}))).collect();
    cluster.configure(json!({}))?;
    for (kind, hooks) in [("validatingwebhookconfigurations", 3), ("mutatingwebhookconfigurations", 1)] {
        let configuration = cluster.plane.get(&[kind])?;
        let found = items(&configuration["items"][0]["webhooks"]);
        let own =
            |hook: &&Value| items(&hook["matchConditions"]).last().is_some_and(|last| last["name"] == "own");
        ensure!(found.iter().filter(own).count() == hooks, "not in all of {kind}: {configuration}");
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

fn values_that_would_hurt_are_refused(cluster: &mut Cluster) -> Result<()> {
    let table = [
        ("webhooks.timeoutSeconds=6", "timeoutSeconds", "whoever writes would wait"),
        ("podDisruptionBudget.maxUnavailable=0", "maxUnavailable", "no node could be drained"),
        ("podDisruptionBudget.maxUnavailable=0%", "maxUnavailable", "no node could be drained"),
        ("podDisruptionBudget.minAvailable=2", "minAvailable", "no such value"),
        ("topologySpread.whenUnsatisfiable=Never", "whenUnsatisfiable", "no such word"),
        ("shutdownDelaySeconds=-1", "shutdownDelaySeconds", "no time"),
        ("webhooks.mirrorSets.matchConditions[0].name=a", "expression", "a condition without one"),
        ("webhooks.hyperShiftAccounts={}", "hyperShiftAccounts", "nobody's name"),
        ("webhooks.enable=false", "enable", "mistyped"),
    ];
    for (set, named, reason) in table {
        let binaries = &cluster.plane.binaries;
        for helm in [&binaries.helm, &binaries.helm3] {
            let refused = cluster.release.template(&cluster.plane, helm, &["--set", set])?.refused();
            let said = refused.with_context(|| format!("{reason}: {set}"))?.stderr;
            ensure!(said.contains(named), "{reason}: {set} is refused otherwise: {said}");
        }
    }
    Ok(())
}
