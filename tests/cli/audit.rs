//! `audit`, and `explain --cluster`, against a stand-in for the apiserver.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};

use crate::apiserver::{Answers, Apiserver, kubeconfig, with_kubeconfig};

const IDMS: &str = "/apis/config.openshift.io/v1/imagedigestmirrorsets";
const HOSTED_CLUSTERS: &str = "/apis/hypershift.openshift.io/v1beta1/hostedclusters";
const DEPLOYMENTS: &str = "/apis/apps/v1/deployments";
const PULL_SECRET: &str = "/api/v1/namespaces/openshift-config/secrets/pull-secret";
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
    let entry =
        |source: &str, path: &str| json!({"source": source, "mirrors": [format!("new.lab:8443/{path}")]});
    json!([entry(RELEASE, "ocp/release"), entry(COMPONENTS, "ocp/components")])
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
fn a_control_plane_that_is_up_to_date_is_told_from_one_that_is_not() -> Result<()> {
    let current = Apiserver::start(cluster(&overrides("new.lab:8443")))?;
    let report =
        current.mirrorguard("audit -o json --fail-on warn")?.code(0)?.says("nothing found")?.json()?;
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
        "warning[stale-registry-overrides]: OPENSHIFT_IMG_OVERRIDES lacks quay.io/openshift-release-dev/ocp-release=new.lab:8443/ocp/release, \
         … in Deployment/clusters-lab/control-plane-operator, spec.template.spec.containers[0].env[0].value … \
         help: oc -n hypershift rollout restart deployment/operator",
    )?;
    Ok(())
}

#[test]
fn rules_are_asked_too_and_their_levels_count() -> Result<()> {
    let bad = json!({"metadata": {"name": "bad"}, "spec": {"imageDigestMirrors": [
        {"source": "quay.io/x", "mirrors": ["quay.io/x"], "mirrorSourcePolicy": "NeverContactSource"}]}});
    let server = Apiserver::start(mirror_sets().list(IDMS, &[bad]))?;
    server.mirrorguard("audit")?.code(1)?.prints("denied[never-contact-source-lists-source]")?;

    let lacking = Apiserver::start(mirror_sets().object(PULL_SECRET, &pull_secret("quay.io")))?;
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("config.yaml");
    for (level, code, text) in [
        ("warn", 0, "warning[missing-pull-secret-entry]: mirror host new.lab:8443"),
        ("deny", 1, "denied[missing-pull-secret-entry]: mirror host new.lab:8443"),
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
fn what_may_not_be_read_is_said_once_and_the_rest_is_checked() -> Result<()> {
    let answers = cluster(&overrides("old.lab:8443"))
        .refuse(PULL_SECRET, 403)
        .refuse("/api/v1/namespaces/clusters/secrets/pull-secret", 403)
        .refuse(IMAGE, 403);
    let run = Apiserver::start(answers)?.mirrorguard("audit --fail-on warn")?.code(1)?;
    let run = run.prints("warning[stale-registry-overrides]")?;
    let secrets = "not checked: pull secrets (clusters/pull-secret, openshift-config/pull-secret): not allowed, needs get on secrets\n";
    ensure!(run.stderr.matches(secrets).count() == 1, "{}", run.stderr);
    run.says("not checked: the nodes' additional CAs (cluster): not allowed, needs get on images.config.openshift.io\n")?;

    let answers = cluster("=").refuse(DEPLOYMENTS, 403);
    let run = Apiserver::start(answers)?.mirrorguard("audit --fail-on warn")?.code(0)?;
    run.prints("")?.says("what hosted control planes were started with (every namespace): not allowed, needs list on deployments.apps\n")?;

    let answers = cluster("=").refuse(HOSTED_CLUSTERS, 403);
    let run = Apiserver::start(answers)?.mirrorguard("audit --fail-on warn")?.code(0)?;
    run.prints("")?.says(
        "not checked: HostedClusters: not allowed, needs list on hostedclusters.hypershift.openshift.io\n",
    )?;
    Ok(())
}

#[test]
fn without_hypershift_only_the_nodes_are_checked() -> Result<()> {
    let server = Apiserver::start(mirror_sets())?;
    server
        .mirrorguard("audit --fail-on warn")?
        .code(0)?
        .prints("")?
        .says("0 denied, 0 warned, in 2 objects\n")?;
    let asked = server.asked();
    ensure!(asked.iter().any(|path| path.starts_with(HOSTED_CLUSTERS)), "{asked:?}");
    ensure!(!asked.iter().any(|path| path.starts_with(DEPLOYMENTS)), "listed for nothing: {asked:?}");
    Ok(())
}

#[test]
fn deployments_are_read_page_by_page() -> Result<()> {
    let page = |items: &[Value], token: &str| json!({"apiVersion": "apps/v1", "kind": "DeploymentList", "metadata": {"continue": token}, "items": items});
    let answers = cluster("=")
        .object(DEPLOYMENTS, &page(&[operator()], "next"))
        .object(&format!("{DEPLOYMENTS}#next"), &page(&[control_plane_operator("=")], ""));
    let run = Apiserver::start(answers)?.mirrorguard("audit --fail-on warn")?.code(1)?;
    run.prints("warning[stale-registry-overrides] … rollout restart deployment/operator")?;
    Ok(())
}

#[test]
fn a_cluster_that_cannot_be_asked_is_named_with_the_remedy() -> Result<()> {
    for (code, remedy) in [(401, "log in again, with oc login"), (403, "needs list on imagedigestmirrorsets")]
    {
        let server = Apiserver::start(cluster("=").refuse(IDMS, code))?;
        for line in ["audit", "lint"] {
            let said = format!("error: cannot list the mirror sets of {} ({remedy}", server.url());
            server.mirrorguard(line)?.code(2)?.prints("")?.says(&said).context(line)?;
        }
    }
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("kubeconfig");
    let nobody = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    std::fs::write(&config, kubeconfig(&json!({"server": format!("https://{nobody}")})))?;
    let said = format!(
        "error: cannot list the mirror sets of https://{nobody} (check server and certificates of the current context: \
         kubectl config view --minify): … refused"
    );
    with_kubeconfig("audit", config)?.code(2)?.prints("")?.says(&said)?;
    Ok(())
}

#[test]
fn an_expired_certificate_is_named_as_such() -> Result<()> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(["127.0.0.1".to_owned()])?;
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    let certificate = params.self_signed(&key)?;
    let private = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let tls = Arc::new(tls);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let Ok(mut connection) = rustls::ServerConnection::new(Arc::clone(&tls)) else { return };
            // The client ends the handshake; what it says is not looked at.
            connection.complete_io(&mut stream).ok();
        }
    });
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("kubeconfig");
    let server = format!("https://{address}");
    let ca = BASE64_STANDARD.encode(certificate.pem());
    std::fs::write(&config, kubeconfig(&json!({"server": server, "certificate-authority-data": ca})))?;
    let said = format!("cannot list the mirror sets of {server} (check server and certificates … expired");
    with_kubeconfig("audit", config)?.code(2)?.prints("")?.says(&said)?;
    Ok(())
}

#[test]
fn explain_follows_an_image_through_what_control_planes_were_started_with() -> Result<()> {
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

    server.mirrorguard(&format!("explain --cluster {image}"))?.code(0)?.prints(
        "in hosted control planes (with what each was started with)\n  clusters-lab: control-plane-operator\n \
         … old.lab:8443/ocp/release:4.18.9-x86_64 … <- not where the mirror sets lead now",
    )?;
    // The mirror sets of files, what runs of the cluster.
    let run = server.mirrorguard(&format!("explain --cluster {image} examples/hosted-cluster"))?.code(0)?;
    run.prints("clusters-lab: control-plane-operator")?;
    let without = server.mirrorguard(&format!("explain -o json {image}"))?.code(0)?.json()?;
    ensure!(without.get("hostedControlPlanes").is_none(), "not asked for: {without}");
    Ok(())
}
