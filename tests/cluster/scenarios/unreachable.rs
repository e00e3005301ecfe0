//! A cluster whose webhook does not answer, and the documented ways to bypass it.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use crate::answer::{HOSTED_CLUSTERS, MIRROR_SETS};
use crate::cluster::Cluster;
use crate::failures::Failures;
use crate::namespace::Ground;
use crate::objects::{CLUSTERS, entry, hosted_cluster, idms};
use crate::release::{NAME, NAMESPACE, usual};
use crate::routing::{CONFIGURATIONS, remove_slices, remove_urls};
use crate::wait::eventually;

scenarios![
    without_a_running_pod_only_new_mirror_sets_are_rejected,
    with_hanging_pods_only_new_mirror_sets_are_rejected_within_the_timeout,
    writes_without_a_relevant_change_do_not_call_the_webhook,
];

const OPERATIONS: &str = include_str!("../../../docs/operations.md");
const DELETIONS: &str = "mirror-set-deletions.validate.mirrorguard.io";
const MUTATION: &str = "hosted-clusters.mutate.mirrorguard.io";
const OPERATOR: &str = "system:serviceaccount:hypershift:operator";

/// How long the API server waits for an answer, by the chart.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Until the API server has seen a change by a watch.
const PROPAGATION: Duration = Duration::from_secs(15);

fn without_a_running_pod_only_new_mirror_sets_are_rejected(cluster: &mut Cluster) -> Result<()> {
    let kept = prepare(cluster)?;
    cluster.stop_pod()?;
    let ends = documented_ends(0)?;
    let [refused, no_endpoints] = ends[..] else { bail!("other ends are documented: {ends:?}") };
    // The API server still has the endpoint.
    let error = only_new_mirror_sets_are_rejected(cluster, &kept)?;
    ensure!(error.contains(refused), "not {refused}: {error}");
    remove_slices(&cluster.plane, NAMESPACE)?;
    // On the host there is no Service whose endpoints could be missing.
    let expected = if cluster.plane.ground == Ground::Host { refused } else { no_endpoints };
    eventually(PROPAGATION, "the API server to see that there is no endpoint", || {
        let error = cluster.create(&new_set())?.unanswered_by(MIRROR_SETS)?.stderr;
        ensure!(error.contains(expected), "not {expected}: {error}");
        Ok(())
    })?;
    bypass_as_documented(cluster)?;
    cluster.clear()?;
    cluster.start_pod()
}

fn with_hanging_pods_only_new_mirror_sets_are_rejected_within_the_timeout(
    cluster: &mut Cluster,
) -> Result<()> {
    let kept = prepare(cluster)?;
    let address = cluster.pod()?.address(&"webhook".into())?;
    cluster.stop_pod()?;
    // The kernel accepts the connections; no process ever answers.
    let silent = TcpListener::bind(address).context("the pod's address is still taken")?;
    let start = Instant::now();
    let error = cluster.create(&new_set())?.unanswered_by(MIRROR_SETS)?.stderr;
    let took = start.elapsed();
    ensure!(took > TIMEOUT.mul_f64(0.9) && took < TIMEOUT * 2, "failed after {took:?}: {error}");
    let ends = documented_ends(1)?;
    ensure!(ends.iter().any(|end| error.contains(end)), "none of {ends:?}: {error}");
    only_new_mirror_sets_are_rejected(cluster, &kept)?;
    drop(silent);
    cluster.clear()?;
    cluster.start_pod()
}

/// The ends of the API server's error messages in a row of the table of docs/operations.md.
fn documented_ends(row: usize) -> Result<Vec<&'static str>> {
    // Only the rows of this table begin with a quoted text.
    let row = OPERATIONS.lines().filter(|line| line.starts_with("| `")).nth(row).context("no such row")?;
    let ends = row.split('|').nth(1).context("a row without cells")?;
    Ok(ends.split('`').skip(1).step_by(2).collect())
}

/// Checks every kind of write while no pod answers; returns the error for a new mirror set.
fn only_new_mirror_sets_are_rejected(cluster: &Cluster, kept: &Value) -> Result<String> {
    let before = Failures::now(&cluster.plane)?;
    cluster.plane.kubectl(&["label", "imagedigestmirrorset", "kept", "team=a"], "")?.succeeded()?;
    patch_as(cluster, OPERATOR, &json!({"spec": {"pausedUntil": "true"}}))?;
    let failures = before.since(&cluster.plane)?;
    ensure!(failures == Failures::default(), "called for an irrelevant change: {failures:?}");

    let guest = hosted_cluster("unchecked", &json!({}));
    cluster.create(&guest)?.succeeded()?;
    let annotations = &cluster.stored(&guest)?["metadata"]["annotations"];
    ensure!(annotations.is_null(), "annotated: {annotations}");
    cluster.delete(kept)?.succeeded()?;
    let failures = before.since(&cluster.plane)?;
    let ignored: Vec<&str> = failures.ignored.keys().map(String::as_str).collect();
    ensure!(
        ignored == [MUTATION, HOSTED_CLUSTERS, DELETIONS] && failures.rejected.is_empty(),
        "not admitted unchecked: {failures:?}"
    );

    let error = cluster.create(&new_set())?.unanswered_by(MIRROR_SETS)?.stderr;
    let heading = OPERATIONS.lines().find_map(|line| line.strip_prefix("## ")).context("no heading")?;
    ensure!(heading.contains(MIRROR_SETS), "docs/operations.md begins with {heading}");
    ensure!(error.contains(heading), "people would not find the heading {heading} by:\n{error}");
    let bypass = documented_bypass()?;
    let (command, name) = bypass.rsplit_once(' ').context("no name")?;
    let path = format!("/{}/{name}?", command.replace(' ', "-"));
    ensure!(error.contains(&path), "{bypass} is not in the path:\n{error}");
    let failures = before.since(&cluster.plane)?;
    ensure!(failures.rejected.keys().eq([MIRROR_SETS]), "rejected because of other webhooks: {failures:?}");
    cluster.delete(&guest)?.succeeded()?;
    cluster.create(kept)?.unanswered_by(MIRROR_SETS)?;
    Ok(error)
}

/// The documented command to bypass the webhook, for the release of the tests.
fn documented_bypass() -> Result<String> {
    let command = OPERATIONS.lines().find(|line| line.starts_with("kubectl ")).context("no command")?;
    Ok(command.replace("mirrorguard.mirrorguard", &format!("{NAME}.{NAMESPACE}")))
}

fn bypass_as_documented(cluster: &mut Cluster) -> Result<()> {
    let command = documented_bypass()?;
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    cluster.plane.kubectl(&words, "")?.succeeded()?;
    expect_unguarded(cluster)?;
    remove_urls(&cluster.plane)?;
    cluster.release.upgrade(&cluster.plane, &[])?;
    expect_unanswered(cluster)?;

    ensure!(
        OPERATIONS.contains("--reset-then-reuse-values --set webhooks.enabled=false\n"),
        "no command for Helm"
    );
    cluster.release.more = json!({"shutdownDelaySeconds": 2, "webhooks": {"enabled": false}});
    cluster.release.upgrade(&cluster.plane, &[])?;
    for kind in CONFIGURATIONS {
        let left = cluster.plane.get(&[kind])?;
        ensure!(left["items"] == json!([]), "still there: {left}");
    }
    expect_unguarded(cluster)?;
    cluster.release.more = usual();
    cluster.release.upgrade(&cluster.plane, &[])?;
    expect_unanswered(cluster)
}

/// Writes that do not call the webhook while no pod runs do not call a running one either.
fn writes_without_a_relevant_change_do_not_call_the_webhook(cluster: &mut Cluster) -> Result<()> {
    prepare(cluster)?;
    mirror_catalogs(cluster, "mirror.example.com:5000/redhat")?;
    eventually(PROPAGATION, "a value from the mirror sets", || {
        annotate(cluster, "first")?;
        ensure!(
            derived_value(cluster)? == "registry.redhat.io/redhat=mirror.example.com:5000/redhat",
            "none yet"
        );
        Ok(())
    })?;
    // From now on the webhook would write another value.
    mirror_catalogs(cluster, "new.example.com:5000/redhat")?;
    let old = derived_value(cluster)?;
    let label = ["label", "hostedcluster", "guest", "--namespace", CLUSTERS, "team=a"];
    cluster.plane.kubectl(&label, "")?.succeeded()?;
    patch_as(cluster, OPERATOR, &json!({"metadata": {"finalizers": ["example.com/kept"]}}))?;
    patch_as(cluster, OPERATOR, &json!({"spec": {"pausedUntil": "true"}}))?;
    ensure!(
        derived_value(cluster)? == old,
        "another value after a label, a finalizer or a write of HyperShift"
    );
    // The twin: an annotation, by an administrator.
    eventually(PROPAGATION, "the new value", || {
        annotate(cluster, "second")?;
        ensure!(
            derived_value(cluster)? == "registry.redhat.io/redhat=new.example.com:5000/redhat",
            "the old one"
        );
        Ok(())
    })?;
    patch_as(cluster, OPERATOR, &json!({"metadata": {"finalizers": null}}))
}

fn mirror_catalogs(cluster: &Cluster, mirror: &str) -> Result<()> {
    cluster.apply(&idms("catalogs", &[entry("registry.redhat.io/redhat", mirror)]))?.succeeded()?;
    Ok(())
}

/// The value that the webhook has written.
fn derived_value(cluster: &Cluster) -> Result<Value> {
    let stored = cluster.stored(&hosted_cluster("guest", &json!({})))?;
    Ok(stored["metadata"]["annotations"]["mirrorguard.io/catalog-overrides-derived"].clone())
}

/// Writes an annotation with a different value each time.
fn annotate(cluster: &Cluster, value: &str) -> Result<()> {
    let now = Instant::now();
    let annotation = format!("example.com/written={value}-{now:?}").replace([' ', '{', '}', ':', ','], "");
    let annotate =
        ["annotate", "--overwrite", "hostedcluster", "guest", "--namespace", CLUSTERS, &annotation];
    cluster.plane.kubectl(&annotate, "")?.succeeded()?;
    Ok(())
}

/// Creates a mirror set and a hosted cluster; returns the mirror set.
fn prepare(cluster: &Cluster) -> Result<Value> {
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

fn expect_unguarded(cluster: &Cluster) -> Result<()> {
    eventually(PROPAGATION, "a mirror set without a webhook", || {
        cluster.create_dry(&new_set())?.succeeded().map(drop)
    })
}

fn expect_unanswered(cluster: &Cluster) -> Result<()> {
    eventually(PROPAGATION, "the webhook, which no pod answers", || {
        cluster.create_dry(&new_set())?.unanswered_by(MIRROR_SETS).map(drop)
    })
}
