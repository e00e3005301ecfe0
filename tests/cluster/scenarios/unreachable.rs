//! A cluster whose webhook nobody answers for, and the ways out of it that the documentation promises.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::failures::Failures;
use crate::namespace::Ground;
use crate::objects::{CLUSTERS, entry, hosted_cluster, idms};
use crate::release::{NAME, NAMESPACE, usual};
use crate::routing::{CONFIGURATIONS, leave_to_upgrade, remove};
use crate::wait::eventually;

scenarios![
    with_every_replica_dead_only_new_mirror_sets_are_refused,
    with_every_replica_hanging_only_new_mirror_sets_are_refused_and_soon,
    writes_without_a_change_that_counts_are_not_asked_about,
];

const OPERATIONS: &str = include_str!("../../../docs/operations.md");
const MIRROR_SETS: &str = "mirror-sets.validate.mirrorguard.io";
const DELETIONS: &str = "mirror-set-deletions.validate.mirrorguard.io";
const HOSTED: [&str; 2] =
    ["hosted-clusters.mutate.mirrorguard.io", "hosted-clusters.validate.mirrorguard.io"];
const OPERATOR: &str = "system:serviceaccount:hypershift:operator";

/// What the chart has the apiserver wait for.
const TIMEOUT: Duration = Duration::from_secs(5);

/// For what the apiserver learns by a watch.
const PROPAGATION: Duration = Duration::from_secs(15);

fn with_every_replica_dead_only_new_mirror_sets_are_refused(cluster: &mut Cluster) -> Result<()> {
    let kept = prepared(cluster)?;
    cluster.stop_pod()?;
    // Nobody has told the apiserver that the endpoint is gone.
    let refusal = only_new_mirror_sets_are_refused(cluster, &kept)?;
    ensure!(refusal.contains("connection refused"), "refused otherwise: {refusal}");
    remove(&cluster.plane, NAMESPACE)?;
    // On the host there is no Service whose endpoints could be missing.
    let told = match cluster.plane.ground {
        Ground::Namespace => "no endpoints available",
        Ground::Host => "connection refused",
    };
    eventually(PROPAGATION, "the apiserver to know of no endpoint", || {
        let refusal = cluster.create(&new_set())?.refused()?.stderr;
        ensure!(refusal.contains(told), "refused otherwise: {refusal}");
        Ok(())
    })?;
    the_documented_ways_out_work(cluster)?;
    cluster.clear()?;
    cluster.start_pod()
}

fn with_every_replica_hanging_only_new_mirror_sets_are_refused_and_soon(cluster: &mut Cluster) -> Result<()> {
    let kept = prepared(cluster)?;
    let address = cluster.pod()?.address(&"webhook".into())?;
    cluster.stop_pod()?;
    // The kernel takes the connections; nobody ever says a word.
    let silent = TcpListener::bind(address).context("the pod's address is still taken")?;
    let start = Instant::now();
    let refusal = cluster.create(&new_set())?.refused()?.stderr;
    let took = start.elapsed();
    ensure!(took > TIMEOUT.mul_f64(0.9) && took < TIMEOUT * 2, "refused after {took:?}: {refusal}");
    let told = ["context deadline exceeded", "Client.Timeout exceeded", "TLS handshake timeout"];
    ensure!(told.iter().any(|end| refusal.contains(end)), "ends otherwise: {refusal}");
    ensure!(told.iter().all(|end| OPERATIONS.contains(end)), "docs/operations.md does not tell {told:?}");
    only_new_mirror_sets_are_refused(cluster, &kept)?;
    drop(silent);
    cluster.clear()?;
    cluster.start_pod()
}

/// All that people may see while nobody answers. Tells how a new mirror set is refused.
fn only_new_mirror_sets_are_refused(cluster: &Cluster, kept: &Value) -> Result<String> {
    let before = Failures::now(&cluster.plane)?;
    cluster.plane.kubectl(&["label", "imagedigestmirrorset", "kept", "team=a"], "")?.succeeded()?;
    patch_as(cluster, OPERATOR, &json!({"spec": {"pausedUntil": "true"}}))?;
    let failures = before.since(&cluster.plane)?;
    ensure!(failures == Failures::default(), "asked about what is not to be asked about: {failures:?}");

    let guest = hosted_cluster("unjudged", &json!({}));
    cluster.create(&guest)?.succeeded()?;
    let annotations = &cluster.stored(&guest)?["metadata"]["annotations"];
    ensure!(annotations.is_null(), "somebody has filled in {annotations}");
    cluster.delete(kept)?.succeeded()?;
    let failures = before.since(&cluster.plane)?;
    let passed_over: Vec<&str> = failures.ignored.keys().map(String::as_str).collect();
    ensure!(
        passed_over == [HOSTED[0], HOSTED[1], DELETIONS] && failures.refused.is_empty(),
        "not passed over one by one: {failures:?}"
    );

    let refusal = cluster.create(&new_set())?.refused()?.stderr;
    let heading = OPERATIONS.lines().find_map(|line| line.strip_prefix("## ")).context("no heading")?;
    ensure!(heading.contains(MIRROR_SETS), "docs/operations.md begins with {heading}");
    ensure!(refusal.contains(heading), "docs/operations.md quotes other words than:\n{refusal}");
    let remedy = the_way_out()?;
    let (command, name) = remedy.rsplit_once(' ').context("no name")?;
    let path = format!("/{}/{name}?", command.replace(' ', "-"));
    ensure!(refusal.contains(&path), "does not say {remedy}:\n{refusal}");
    let failures = before.since(&cluster.plane)?;
    ensure!(failures.refused.keys().eq([MIRROR_SETS]), "refused by others: {failures:?}");
    cluster.delete(&guest)?.succeeded()?;
    cluster.create(kept)?.refused()?;
    Ok(refusal)
}

/// The command that the documentation has for who cannot wait, in the namespace of the tests.
fn the_way_out() -> Result<String> {
    let command = OPERATIONS.lines().find(|line| line.starts_with("kubectl ")).context("no command")?;
    Ok(command.replace("mirrorguard.mirrorguard", &format!("{NAME}.{NAMESPACE}")))
}

fn the_documented_ways_out_work(cluster: &mut Cluster) -> Result<()> {
    let command = the_way_out()?;
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    cluster.plane.kubectl(&words, "")?.succeeded()?;
    admitted(cluster)?;
    leave_to_upgrade(&cluster.plane)?;
    cluster.release.upgrade(&cluster.plane, &[])?;
    refused(cluster)?;

    ensure!(
        OPERATIONS.contains("--reset-then-reuse-values --set webhooks.enabled=false\n"),
        "no way out by Helm"
    );
    cluster.release.more = json!({"shutdownDelaySeconds": 2, "webhooks": {"enabled": false}});
    cluster.release.upgrade(&cluster.plane, &[])?;
    for kind in CONFIGURATIONS {
        let left = cluster.plane.get(&[kind])?;
        ensure!(left["items"] == json!([]), "still there: {left}");
    }
    admitted(cluster)?;
    cluster.release.more = usual();
    cluster.release.upgrade(&cluster.plane, &[])?;
    refused(cluster)
}

/// What is not asked about without a pod is not asked about with one either.
fn writes_without_a_change_that_counts_are_not_asked_about(cluster: &mut Cluster) -> Result<()> {
    prepared(cluster)?;
    // The sets have moved on: whoever is asked fills in another value.
    let value = |cluster: &Cluster| -> Result<Value> {
        let stored = cluster.stored(&hosted_cluster("guest", &json!({})))?;
        Ok(stored["metadata"]["annotations"]["mirrorguard.io/catalog-overrides-derived"].clone())
    };
    let catalogs = |mirror: &str| idms("catalogs", &[entry("registry.redhat.io/redhat", mirror)]);
    cluster.apply(&catalogs("mirror.example.com:5000/redhat"))?.succeeded()?;
    eventually(PROPAGATION, "a value from the mirror sets", || {
        annotate(cluster, "first")?;
        ensure!(value(cluster)? == "registry.redhat.io/redhat=mirror.example.com:5000/redhat", "none yet");
        Ok(())
    })?;
    cluster.apply(&catalogs("new.example.com:5000/redhat"))?.succeeded()?;
    let old = value(cluster)?;
    let label = ["label", "hostedcluster", "guest", "--namespace", CLUSTERS, "team=a"];
    cluster.plane.kubectl(&label, "")?.succeeded()?;
    patch_as(cluster, OPERATOR, &json!({"metadata": {"finalizers": ["example.com/kept"]}}))?;
    patch_as(cluster, OPERATOR, &json!({"spec": {"pausedUntil": "true"}}))?;
    ensure!(value(cluster)? == old, "filled in for a label, a finalizer or HyperShift");
    // And the twin: an annotation, by people.
    eventually(PROPAGATION, "the value of the sets as they are", || {
        annotate(cluster, "second")?;
        ensure!(value(cluster)? == "registry.redhat.io/redhat=new.example.com:5000/redhat", "the old one");
        Ok(())
    })?;
    patch_as(cluster, OPERATOR, &json!({"metadata": {"finalizers": null}}))
}

/// Writes an annotation that is another one each time.
fn annotate(cluster: &Cluster, value: &str) -> Result<()> {
    let now = Instant::now();
    let annotation = format!("example.com/written={value}-{now:?}").replace([' ', '{', '}', ':', ','], "");
    let annotate =
        ["annotate", "--overwrite", "hostedcluster", "guest", "--namespace", CLUSTERS, &annotation];
    cluster.plane.kubectl(&annotate, "")?.succeeded()?;
    Ok(())
}

/// A mirror set and a hosted cluster to be changed; tells the mirror set.
fn prepared(cluster: &Cluster) -> Result<Value> {
    let kept = idms("kept", &[entry("quay.io/kept/app", "mirror.example.com/kept/app")]);
    cluster.create(&kept)?.succeeded()?;
    cluster.create(&hosted_cluster("guest", &json!({})))?.succeeded()?;
    Ok(kept)
}

fn patch_as(cluster: &Cluster, user: &str, patch: &Value) -> Result<()> {
    let (user, patch) = (format!("--as={user}"), patch.to_string());
    let patch = [
        ["patch", "hostedcluster", "guest", "--namespace", CLUSTERS].as_slice(),
        &["--type=merge", "--patch", &patch, &user, "--as-group=system:masters"],
    ];
    cluster.plane.kubectl(&patch.concat(), "")?.succeeded()?;
    Ok(())
}

fn new_set() -> Value {
    idms("new", &[entry("quay.io/new/app", "mirror.example.com/new/app")])
}

fn admitted(cluster: &Cluster) -> Result<()> {
    eventually(PROPAGATION, "a mirror set without a webhook", || {
        cluster.create_dry(&new_set())?.succeeded().map(drop)
    })
}

fn refused(cluster: &Cluster) -> Result<()> {
    eventually(PROPAGATION, "the webhook that nobody answers for", || {
        let refusal = cluster.create_dry(&new_set())?.refused()?.stderr;
        ensure!(refusal.contains("failed calling webhook"), "refused otherwise: {refusal}");
        Ok(())
    })
}
