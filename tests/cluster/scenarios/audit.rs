//! `mirrorguard audit`, with no more permissions than an auditor needs.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::cluster::Cluster;
use crate::control_plane::{ControlPlane, kubeconfig};
use crate::json::{items, text};
use crate::objects::{CLUSTERS, entry, hosted_cluster, idms};

scenarios![an_audit_compares_the_mirror_sets_with_the_overrides_of_running_control_planes];

const ROLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/auditor.yaml");
const RELEASE: &str = "quay.io/openshift-release-dev/ocp-release";
const COMPONENTS: &str = "quay.io/openshift-release-dev/ocp-v4.0-art-dev";
const HOST: &str = "mirror.example.com:5000";
/// The namespaces that a real cluster has besides that of the hosted clusters.
const NAMESPACES: [&str; 3] = ["openshift-config", "hypershift", "clusters-lab"];
const ACCOUNT: [&str; 2] = ["auditor", "hypershift"];

fn an_audit_compares_the_mirror_sets_with_the_overrides_of_running_control_planes(
    cluster: &mut Cluster,
) -> Result<()> {
    let objects = prepare(cluster)?;
    let auditor = Auditor::new(&cluster.plane)?;
    let audited = audit(cluster, &auditor);
    for object in objects.iter().rev() {
        cluster.delete(object)?.succeeded()?;
    }
    cluster.plane.kubectl(&["delete", "-f", ROLES], "")?.succeeded()?;
    cluster.plane.kubectl(&["delete", "clusterrolebinding", "auditor"], "")?.succeeded()?;
    NAMESPACES.iter().try_for_each(|namespace| remove_namespace(&cluster.plane, namespace))?;
    audited
}

fn audit(cluster: &Cluster, auditor: &Auditor) -> Result<()> {
    let stale = auditor.audit(&["--fail-on", "warn"], 1)?;
    let [finding] = stale.of("stale-registry-overrides") else {
        anyhow::bail!("one control plane is stale: {}", stale.report)
    };
    let object = json!({"kind": "Deployment", "name": "control-plane-operator", "namespace": "clusters-lab"});
    ensure!(finding["object"] == object, "{finding}");
    let stale_override = format!("{RELEASE}=old.example.com/ocp/release");
    ensure!(text(finding, "/message")?.contains(&stale_override), "{finding}");
    ensure!(
        stale.of("missing-pull-secret-entry").len() == 1,
        "of two Secrets one has an entry: {}",
        stale.report
    );
    // Only the summary: each line before it names something that could not be checked.
    ensure!(stale.stderr.lines().count() == 1, "the roles are not enough: {}", stale.stderr);

    let restarted = control_plane_operator(HOST);
    cluster.plane.apply(&restarted)?;
    let current = auditor.audit(&[], 0)?;
    ensure!(current.of("stale-registry-overrides").is_empty(), "{}", current.report);
    ensure!(current.of("missing-pull-secret-entry").len() == 1, "{}", current.report);

    for namespace in ["openshift-config", CLUSTERS] {
        cluster
            .plane
            .kubectl(&["delete", "rolebinding", "auditor", "--namespace", namespace], "")?
            .succeeded()?;
    }
    let blind = auditor.audit(&[], 0)?;
    ensure!(blind.of("missing-pull-secret-entry").is_empty(), "{}", blind.report);
    // One line names what was not checked, and the resource that the account may not read.
    let [line, _summary] = blind.stderr.lines().collect::<Vec<_>>()[..] else {
        anyhow::bail!("not one line for both Secrets: {}", blind.stderr)
    };
    let names = ["clusters/pull-secret", "openshift-config/pull-secret", " secrets"];
    ensure!(names.iter().all(|name| line.contains(name)), "{line}");
    Ok(())
}

/// The report of `audit -o json`, and its findings by rule.
struct Findings {
    report: Value,
    by_rule: BTreeMap<String, Vec<Value>>,
    stderr: String,
}

impl Findings {
    fn of(&self, rule: &str) -> &[Value] {
        self.by_rule.get(rule).map(Vec::as_slice).unwrap_or_default()
    }
}

/// An account with its own kubeconfig.
struct Auditor {
    kubeconfig: std::path::PathBuf,
}

impl Auditor {
    /// Gives the account the roles of the documentation.
    fn new(plane: &ControlPlane) -> Result<Self> {
        let [name, namespace] = ACCOUNT;
        let account = format!("--serviceaccount={namespace}:{name}");
        plane.kubectl(&["apply", "-f", ROLES], "")?.succeeded()?;
        let bind = ["create", "clusterrolebinding", "auditor", "--clusterrole=mirrorguard-auditor", &account];
        plane.kubectl(&bind, "")?.succeeded()?;
        for namespace in ["openshift-config", CLUSTERS] {
            let role = "--clusterrole=mirrorguard-auditor-of-namespace";
            let bind = ["create", "rolebinding", "auditor", "--namespace", namespace, role, &account];
            plane.kubectl(&bind, "")?.succeeded()?;
        }
        let token =
            plane.kubectl(&["create", "token", name, "--namespace", namespace], "")?.succeeded()?.stdout;
        let file = plane.path("auditor.kubeconfig");
        fs::write(&file, kubeconfig(plane.address, &plane.authority, token.trim()))?;
        Ok(Self { kubeconfig: file })
    }

    /// Runs `mirrorguard audit`, and expects this exit code.
    fn audit(&self, options: &[&str], expected: i32) -> Result<Findings> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mirrorguard"));
        command.args(["audit", "-o", "json"]).args(options).env("KUBECONFIG", &self.kubeconfig);
        let output = command.output()?;
        let code = output.status.code();
        let printed = Answer::from(output).printed;
        ensure!(code == Some(expected), "exit code {code:?}:\n{}{}", printed.stdout, printed.stderr);
        let report = printed.json()?;
        let mut by_rule: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for finding in items(&report["findings"]) {
            by_rule.entry(text(finding, "/rule")?.to_owned()).or_default().push(finding.clone());
        }
        Ok(Findings { report, by_rule, stderr: printed.stderr })
    }
}

/// Creates a cluster whose mirror has moved since the hosted control plane was started; returns those of its objects
/// that no other function removes.
fn prepare(cluster: &Cluster) -> Result<Vec<Value>> {
    for name in NAMESPACES {
        cluster.plane.apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}))?;
    }
    let entries = [
        entry(RELEASE, &format!("{HOST}/ocp/release")),
        entry(COMPONENTS, &format!("{HOST}/ocp/components")),
    ];
    cluster.create(&idms("release", &entries))?.succeeded()?;
    let mut hosted = hosted_cluster("lab", &json!({}));
    hosted["spec"]["imageContentSources"] = json!(entries);
    cluster.create(&hosted)?.succeeded()?;

    let [name, namespace] = ACCOUNT;
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}});
    let operator = json!({"name": "operator", "image": "operator", "command": ["/usr/bin/hypershift-operator"], "args": ["run"]});
    let objects = vec![
        account,
        pull_secret("openshift-config", HOST),
        pull_secret(CLUSTERS, "quay.io"),
        deployment("hypershift", "operator", &operator),
        control_plane_operator("old.example.com"),
    ];
    objects.iter().try_for_each(|object| cluster.plane.apply(object))?;
    Ok(objects)
}

fn control_plane_operator(host: &str) -> Value {
    let overrides = format!("{RELEASE}={host}/ocp/release,{COMPONENTS}={host}/ocp/components");
    let container = json!({
        "name": "control-plane-operator", "image": "operator",
        "command": ["/usr/bin/control-plane-operator"], "args": ["run", "--registry-overrides=="],
        "env": [{"name": "OPENSHIFT_IMG_OVERRIDES", "value": overrides}],
    });
    deployment("clusters-lab", "control-plane-operator", &container)
}

fn deployment(namespace: &str, name: &str, container: &Value) -> Value {
    let labels = json!({"name": name});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    })
}

fn pull_secret(namespace: &str, host: &str) -> Value {
    let config = json!({"auths": {host: {"auth": BASE64_STANDARD.encode("user:password")}}}).to_string();
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
        "metadata": {"name": "pull-secret", "namespace": namespace},
        "stringData": {".dockerconfigjson": config},
    })
}

/// Removes an empty namespace with its finalizer, as the controller manager would.
fn remove_namespace(plane: &ControlPlane, name: &str) -> Result<()> {
    let bindings = ["delete", "rolebindings", "--all", "--namespace", name];
    plane.kubectl(&bindings, "")?.succeeded()?;
    plane.kubectl(&["delete", "namespace", name, "--wait=false"], "")?.succeeded()?;
    let mut namespace = plane.get(&["namespace", name])?;
    namespace["spec"]["finalizers"] = json!([]);
    let path = format!("/api/v1/namespaces/{name}/finalize");
    plane.kubectl(&["replace", "--raw", &path, "-f", "-"], &namespace.to_string())?.succeeded()?;
    Ok(())
}
