//! `audit`, and `explain --cluster`, against a test API server.

use std::net::TcpListener;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::apiserver::{Answers, Apiserver, kubeconfig, with_kubeconfig};
use crate::snapshot::{Transcript, matches_snapshot};

const IDMS: &str = "/apis/config.openshift.io/v1/imagedigestmirrorsets";
const HOSTED_CLUSTERS: &str = "/apis/hypershift.openshift.io/v1beta1/hostedclusters";
const DEPLOYMENTS: &str = "/apis/apps/v1/deployments";
const PULL_SECRET: &str = "/api/v1/namespaces/openshift-config/secrets/pull-secret";
const IMAGES: &str = "/apis/config.openshift.io/v1/images";
const IMAGE: &str = "/apis/config.openshift.io/v1/images/cluster";
const RELEASE: &str = "quay.io/openshift-release-dev/ocp-release";
const COMPONENTS: &str = "quay.io/openshift-release-dev/ocp-v4.0-art-dev";
/// What no output may hold.
const PASSWORD: &str = "dXNlcjpwYXNzd29yZA==";

/// What `OPENSHIFT_IMG_OVERRIDES` would be for the cluster of [`cluster`].
fn overrides(host: &str) -> String {
    format!("{RELEASE}={host}/ocp/release,{COMPONENTS}={host}/ocp/components")
}

fn deployment(namespace: &str, name: &str, container: &Value) -> Value {
    let containers = json!([container]);
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"selector": {}, "template": {"spec": {"containers": containers}}},
    })
}

fn operator() -> Value {
    let container = json!({"name": "operator", "command": ["/usr/bin/hypershift-operator"], "args": ["run"]});
    deployment("hypershift", "operator", &container)
}

fn control_plane_operator(overrides: &str) -> Value {
    let container = json!({
        "name": "control-plane-operator", "command": ["/usr/bin/control-plane-operator"],
        "args": ["run", "--registry-overrides=="],
        "env": [{"name": "OPENSHIFT_IMG_OVERRIDES", "value": overrides}],
    });
    deployment("clusters-lab", "control-plane-operator", &container)
}

fn pull_secret(host: &str) -> Value {
    let config = json!({"auths": {host: {"auth": PASSWORD}}}).to_string();
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "pull-secret", "namespace": "openshift-config"},
        "data": {".dockerconfigjson": BASE64_STANDARD.encode(config)},
    })
}

/// The mirrors of a release.
fn entries() -> Value {
    json!([
        {"source": RELEASE, "mirrors": ["new.lab:8443/ocp/release"]},
        {"source": COMPONENTS, "mirrors": ["new.lab:8443/ocp/components"]},
    ])
}

/// Mirror sets alone, as on a cluster without HyperShift.
fn mirror_sets() -> Answers {
    let idms = json!({"metadata": {"name": "release"}, "spec": {"imageDigestMirrors": entries()}});
    Answers::default()
        .list(IDMS, &[idms])
        .object(IMAGE, &json!({"metadata": {"name": "cluster"}, "spec": {}}))
        .object(PULL_SECRET, &pull_secret("new.lab:8443"))
}

/// The same with a hosted cluster whose control plane was started with these overrides.
fn cluster(overrides: &str) -> Answers {
    let hosted = json!({
        "metadata": {"name": "lab", "namespace": "clusters"},
        "spec": {
            "release": {"image": format!("{RELEASE}:4.18.9-x86_64")},
            "pullSecret": {"name": "pull-secret"},
            "imageContentSources": entries(),
        },
    });
    mirror_sets()
        .list(HOSTED_CLUSTERS, &[hosted])
        .list(DEPLOYMENTS, &[operator(), control_plane_operator(overrides)])
        .object("/api/v1/namespaces/clusters/secrets/pull-secret", &{
            let mut secret = pull_secret("new.lab:8443");
            secret["metadata"]["namespace"] = "clusters".into();
            secret
        })
}

#[test]
fn a_stale_control_plane_is_found_and_a_current_one_is_not() -> Result<()> {
    let current = Apiserver::start(cluster(&overrides("new.lab:8443")))?;
    let report = current.mirrorguard("audit -o json --fail-on warn")?.code(0)?.json()?;
    let summary = json!({"deny": 0, "warn": 0, "objects": 6, "skipped": 0});
    ensure!(report == json!({"findings": [], "summary": summary}), "{report}");

    let stale = Apiserver::start(cluster(&overrides("old.lab:8443")))?;
    let report = stale.mirrorguard("audit -o json")?.code(0)?.json()?;
    let findings = report["findings"].as_array().context("no findings")?;
    let [finding] = findings.as_slice() else { anyhow::bail!("one finding: {report}") };
    ensure!(finding["rule"] == "stale-registry-overrides" && finding["severity"] == "warn", "{finding}");
    let object = json!({"kind": "Deployment", "name": "control-plane-operator", "namespace": "clusters-lab"});
    ensure!(finding["object"] == object, "{finding}");
    ensure!(finding["path"] == "spec.template.spec.containers[0].env[0].value", "{finding}");
    ensure!(
        finding["help"].as_str().is_some_and(|help| help.contains("-n hypershift rollout restart")),
        "{finding}"
    );

    stale.mirrorguard("audit --fail-on warn")?.code(1)?.prints(
        "warning[stale-registry-overrides] … quay.io/openshift-release-dev/ocp-release=new.lab:8443/ocp/release \
         … Deployment/clusters-lab/control-plane-operator, spec.template.spec.containers[0].env[0].value … \
         oc -n hypershift rollout restart deployment/operator",
    )?;
    Ok(())
}

#[test]
fn rules_are_evaluated_and_their_levels_decide() -> Result<()> {
    let bad = json!({"metadata": {"name": "bad"}, "spec": {"imageDigestMirrors": [
        {"source": "quay.io/x", "mirrors": ["quay.io/x"], "mirrorSourcePolicy": "NeverContactSource"}]}});
    let server = Apiserver::start(mirror_sets().list(IDMS, &[bad]))?;
    server.mirrorguard("audit")?.code(1)?.prints("error[never-contact-source-lists-source]")?;

    let lacking = Apiserver::start(mirror_sets().object(PULL_SECRET, &pull_secret("quay.io")))?;
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("config.yaml");
    for (level, code, text) in [
        ("warn", 0, "warning[missing-pull-secret-entry] … new.lab:8443"),
        ("deny", 1, "error[missing-pull-secret-entry] … new.lab:8443"),
    ] {
        std::fs::write(&config, format!("rules:\n  missing-pull-secret-entry: {level}\n"))?;
        let line = format!("audit --config {}", config.display());
        lacking.mirrorguard(&line)?.code(code)?.prints(text)?;
    }
    std::fs::write(&config, "rules:\n  missing-pull-secret-entry: \"off\"\n")?;
    lacking.mirrorguard(&format!("audit --config {}", config.display()))?.code(0)?.prints("")?;
    Ok(())
}

#[test]
fn what_a_secret_holds_is_never_printed() -> Result<()> {
    let server = Apiserver::start(cluster("=").object(PULL_SECRET, &pull_secret("quay.io")))?;
    for line in ["audit -vv", "audit -vv -o json"] {
        let run = server.mirrorguard(line)?.code(0)?;
        ensure!(run.stdout.contains("missing-pull-secret-entry"), "{}", run.stdout);
        for text in [&run.stdout, &run.stderr] {
            ensure!(!text.contains(PASSWORD) && !text.contains("password"), "{line}: {text}");
        }
    }
    Ok(())
}

#[test]
fn what_may_not_be_read_is_reported_and_the_rest_is_checked() -> Result<()> {
    let some = cluster(&overrides("old.lab:8443"))
        .refuse(PULL_SECRET, 403)
        .refuse("/api/v1/namespaces/clusters/secrets/pull-secret", 403)
        .refuse(IMAGE, 403);
    let denial = "secrets \"pull-secret\" is forbidden: User \"dev\" cannot get resource \"secrets\" in API group \"\"";
    let one_of_two = cluster(&overrides("old.lab:8443")).refuse_with(PULL_SECRET, 403, denial).refuse_with(
        "/api/v1/namespaces/clusters/secrets/pull-secret",
        500,
        "etcdserver: leader changed",
    );
    let table = [
        (some, 1, "warning[stale-registry-overrides]", "# no right to secrets and images"),
        (one_of_two, 1, "warning[stale-registry-overrides]", "# one Secret is refused, another one fails"),
        (cluster("=").refuse(DEPLOYMENTS, 403), 0, "", "# no right to deployments"),
        (cluster("=").refuse(HOSTED_CLUSTERS, 403), 0, "", "# no right to HostedClusters"),
    ];
    let mut transcript = Transcript::default();
    for (answers, code, found, reason) in table {
        let run =
            Apiserver::start(answers)?.mirrorguard("audit --fail-on warn")?.code(code).context(reason)?;
        let run = run.prints(found).context(reason)?;
        let messages = run.stderr.lines().filter(|line| line.contains("not checked")).count();
        ensure!(messages > 0, "{reason}: {}", run.stderr);
        transcript.add_messages(&format!("audit --fail-on warn  {reason}"), &run);
    }
    transcript.matches("messages/audit.txt")
}

#[test]
fn without_hypershift_only_the_nodes_are_checked() -> Result<()> {
    let server = Apiserver::start(mirror_sets())?;
    server.mirrorguard("audit --fail-on warn")?.code(0)?.prints("")?;
    let report = server.mirrorguard("audit -o json")?.code(0)?.json()?;
    ensure!(report["summary"]["objects"] == 2, "{report}");
    let requests = server.requests();
    ensure!(requests.iter().any(|path| path.starts_with(HOSTED_CLUSTERS)), "{requests:?}");
    ensure!(!requests.iter().any(|path| path.starts_with(DEPLOYMENTS)), "listed for nothing: {requests:?}");
    Ok(())
}

/// A page of a list, and the token of the next one.
fn page_of_deployments(items: &[Value], token: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "DeploymentList", "metadata": {"continue": token}, "items": items})
}

#[test]
fn deployments_are_read_page_by_page() -> Result<()> {
    let answers = cluster("=")
        .object(DEPLOYMENTS, &page_of_deployments(&[operator()], "next"))
        .object(&format!("{DEPLOYMENTS}#next"), &page_of_deployments(&[control_plane_operator("=")], ""));
    let run = Apiserver::start(answers)?.mirrorguard("audit --fail-on warn")?.code(1)?;
    run.prints("warning[stale-registry-overrides] … rollout restart deployment/operator")?;
    Ok(())
}

#[test]
fn a_cluster_that_cannot_be_read_is_named() -> Result<()> {
    let mut transcript = Transcript::default();
    for code in [401, 403] {
        let server = Apiserver::start(cluster("=").refuse(IDMS, code))?;
        transcript.replace(&server.url(), "https://api.lab.example:6443");
        for line in ["audit", "lint", "migrate"] {
            let run = server.mirrorguard(line)?.code(2)?.prints("").context(line)?;
            transcript.add_messages(line, &run);
        }
    }
    // One of several lists: it is the one to name.
    let denial = "images.config.openshift.io is forbidden: User \"dev\" cannot list resource \"images\"";
    let server = Apiserver::start(cluster("=").refuse_with(IMAGES, 403, denial))?;
    transcript.replace(&server.url(), "https://api.lab.example:6443");
    transcript.add_messages("lint  # no right to images", &server.mirrorguard("lint")?.code(2)?.prints("")?);
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("kubeconfig");
    let unused = format!("https://{}", TcpListener::bind("127.0.0.1:0")?.local_addr()?);
    std::fs::write(&config, kubeconfig(&json!({"server": unused})))?;
    let run = with_kubeconfig("audit", config)?.code(2)?.prints("")?.says(&unused)?;
    transcript.replace(&unused, "https://api.lab.example:6443");
    transcript.add_messages("audit  # nothing listens there", &run);
    transcript.matches("messages/cluster.txt")
}

#[test]
fn a_cluster_without_mirror_sets_is_named() -> Result<()> {
    let server = Apiserver::start(Answers::default().list(IDMS, &[]))?;
    let mut transcript = Transcript::default();
    transcript.replace(&server.url(), "https://api.lab.example:6443");
    transcript.add_messages("lint", &server.mirrorguard("lint")?.code(0)?.prints("")?);
    transcript.matches("messages/empty-cluster.txt")
}

#[test]
fn explain_resolves_an_image_with_the_overrides_of_running_control_planes() -> Result<()> {
    let server = Apiserver::start(cluster(&overrides("old.lab:8443")))?;
    let image = format!("{RELEASE}:4.18.9-x86_64");
    let explained = server.mirrorguard(&format!("explain -o json --cluster {image}"))?.code(0)?.json()?;
    let old = json!({"candidates": ["old.lab:8443/ocp/release:4.18.9-x86_64"]});
    let expected = json!([{
        "namespace": "clusters-lab", "hostedCluster": "clusters/lab", "deployment": "control-plane-operator",
        "release": old, "exact": {"candidates": ["old.lab:8443/ocp/release"]}, "prefix": old, "differs": true,
    }]);
    ensure!(explained["hostedControlPlanes"] == expected, "{explained}");
    ensure!(
        explained["hypershift"]["release"]["candidates"][0] == "new.lab:8443/ocp/release:4.18.9-x86_64",
        "{explained}"
    );

    let run = server.mirrorguard(&format!("explain --cluster {image}"))?.code(0)?.says("")?;
    matches_snapshot(&run.stdout, "explain/hosted-control-planes.txt")?;
    // Mirror sets from files, control planes from the cluster.
    let run = server.mirrorguard(&format!("explain --cluster {image} examples/hosted-cluster"))?.code(0)?;
    run.prints("clusters-lab: control-plane-operator")?;
    let without = server.mirrorguard(&format!("explain -o json {image}"))?.code(0)?.json()?;
    ensure!(without.get("hostedControlPlanes").is_none(), "without --cluster: {without}");
    Ok(())
}
