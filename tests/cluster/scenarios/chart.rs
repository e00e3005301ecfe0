//! The chart as Helm renders it, for every version of Kubernetes and every mode of certificates.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::cluster::Cluster;
use crate::release::{CHART, NAME, Release, existing_secret, file_of, helm};

scenarios![
    both_helms_lint_the_chart,
    a_typing_error_in_the_values_is_rejected_by_name,
    the_documented_configurations_are_valid_values,
    the_api_server_accepts_every_rendering,
    disabled_parts_are_not_rendered,
    the_network_policy_allows_the_peers_of_the_values,
    releases_may_have_any_name,
];

/// `OpenShift` 4.14 is Kubernetes 1.27.
const VERSIONS: [&str; 9] =
    ["1.27.0", "1.28.0", "1.29.0", "1.30.0", "1.31.0", "1.32.0", "1.33.0", "1.34.0", "1.35.0"];

/// With everything that is off by default, or empty.
const EVERYTHING: &str = r#"
networkPolicy:
  enabled: true
  webhook:
    from:
      - namespaceSelector: {matchLabels: {policy-group.network.openshift.io/host-network: ""}}
        podSelector: {}
  metrics:
    from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: openshift-monitoring}}}]
  apiServer: {ports: [6443], to: [{ipBlock: {cidr: 192.0.2.0/24}}]}
  egress: [{to: [{podSelector: {}}], ports: [{port: 4317}]}]
image: {digest: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}
imagePullSecrets: [{name: mirror}]
serviceAccount: {annotations: {a: b}}
service: {annotations: {a: b}}
podAnnotations: {a: b}
podLabels: {a: b}
nodeSelector: {node-role.kubernetes.io/infra: ""}
tolerations: [{key: node-role.kubernetes.io/infra, operator: Exists, effect: NoSchedule}]
affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: []}}
config: {profile: air-gap, rules: {deprecated-icsp: off}}
"#;

fn both_helms_lint_the_chart(cluster: &mut Cluster) -> Result<()> {
    let binaries = &cluster.plane.binaries;
    for program in [&binaries.helm, &binaries.helm3] {
        let linted = helm(&cluster.plane, program, &["lint", "--strict", CHART])?.succeeded()?;
        ensure!(!linted.stdout.contains("[WARNING]"), "{}", linted.stdout);
    }
    Ok(())
}

fn a_typing_error_in_the_values_is_rejected_by_name(cluster: &mut Cluster) -> Result<()> {
    let table: [(&str, &str, &str); 18] = [
        ("replicaCout: 3", "'replicaCout'", "a key"),
        ("image: {tagg: x}", "'tagg'", "a key further down"),
        ("image: {digest: 'sha256:abc'}", "digest", "a digest cut short"),
        ("certificates: {mode: selfmanaged}", "mode", "a value"),
        ("certificates: {selfManaged: {duration: 90 days}}", "duration", "a time"),
        ("webhooks: {mirrorSets: {failurePolicy: fail}}", "failurePolicy", "a value in lower case"),
        ("tls: {caBundle: x}", "'tls'", "a key of an earlier chart"),
        ("resources: {request: {cpu: 1}}", "'request'", "a key that Kubernetes would ignore"),
        ("securityContext: {readOnlyRootFileSystem: true}", "'readOnlyRootFileSystem'", "another one"),
        ("tolerations: [{efect: NoSchedule}]", "'efect'", "in a list"),
        ("networkPolicy: {webhook: {from: [{ipblock: {cidr: 192.0.2.0/24}}]}}", "'ipblock'", "a peer"),
        ("helmTest: {enabled: 'false'}", "helmTest", "a string, which is true in a template"),
        ("config: {profil: air-gap}", "'profil'", "a key of the configuration"),
        ("config: {profile: airgap}", "profile", "a profile"),
        ("config: {rules: {invalid-sorce: warn}}", "'invalid-sorce'", "a rule"),
        ("config: {rules: {invalid-source: error}}", "invalid-source", "a level"),
        (&exemption("rules: [invalid-sorce], annotated: true"), "exemptions", "a rule of an exemption"),
        (&exemption("rules: [invalid-source], anotated: true"), "'anotated'", "a key of an exemption"),
    ];
    let binaries = &cluster.plane.binaries;
    for program in [&binaries.helm, &binaries.helm3] {
        for (values, named, reason) in table {
            let rejected = render(cluster, program, NAME, "1.34.0", values)?.failed();
            let error = rejected.with_context(|| format!("{reason}: {values}"))?.stderr;
            // Helm's own message for values that the schema does not allow, and not a template's.
            ensure!(
                error.contains("schema") && error.contains(named),
                "{reason}, {values}: {named} is not named: {error}"
            );
        }
    }
    Ok(())
}

fn exemption(fields: &str) -> String {
    format!("config: {{exemptions: [{{reason: x, until: 2027-03-31, {fields}}}]}}")
}

fn the_documented_configurations_are_valid_values(cluster: &mut Cluster) -> Result<()> {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md"))?;
    let blocks = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let configurations: Vec<&str> = blocks.filter(|block| !block.contains("apiVersion:")).collect();
    ensure!(configurations.len() >= 2, "too few blocks on the page: {configurations:?}");
    let binaries = &cluster.plane.binaries;
    for configuration in configurations {
        let values = format!("config:\n  {}", configuration.replace('\n', "\n  "));
        for program in [&binaries.helm, &binaries.helm3] {
            render(cluster, program, NAME, "1.34.0", &values)?.succeeded().with_context(|| values.clone())?;
        }
    }
    Ok(())
}

fn the_api_server_accepts_every_rendering(cluster: &mut Cluster) -> Result<()> {
    let given = existing_secret(&cluster.release.authority);
    let modes = ["selfManaged", "serviceCA", "certManager"].map(|mode| json!({ "mode": mode }));
    let client = json!({"mode": "selfManaged", "clientCA": {"configMap": "clients"}});
    let mut renderings = BTreeSet::new();
    for version in VERSIONS {
        let manifest = rendered(cluster, version, "")?;
        check_rendering(&manifest, version, "selfManaged")?;
        renderings.insert(manifest);
    }
    for certificates in modes.into_iter().chain([given, client]) {
        // JSON is YAML.
        let mode = format!("certificates: {certificates}");
        for version in ["1.27.0", "1.34.0"] {
            let manifest = rendered(cluster, version, &mode)?;
            check_rendering(&manifest, version, &mode)?;
            renderings.insert(manifest);
        }
        let manifest = rendered(cluster, "1.34.0", &format!("{mode}\n{EVERYTHING}"))?;
        check_rendering(&manifest, "1.34.0", &mode)?;
        ensure!(manifest.contains("\nkind: NetworkPolicy\n"), "no NetworkPolicy: {manifest}");
        renderings.insert(manifest);
    }
    // Five modes, including the default: before and after matchConditions, and with everything enabled. The default also
    // between matchConditions and the affinity's matchLabelKeys.
    ensure!(renderings.len() == 16, "{} different renderings", renderings.len());
    renderings.iter().try_for_each(|manifest| expect_accepted(cluster, manifest))
}

fn disabled_parts_are_not_rendered(cluster: &mut Cluster) -> Result<()> {
    let everything = rendered(cluster, "1.34.0", "")?;
    for (values, gone, reason) in [
        ("helmTest: {enabled: false}", "helm.sh/hook: test", "no account that may create mirror sets"),
        ("rbac: {create: false}", "rbac.authorization.k8s.io", "all roles are created elsewhere"),
        (
            "serviceAccount: {create: false, name: own}",
            "templates/serviceaccount.yaml",
            "the account is created elsewhere",
        ),
    ] {
        ensure!(everything.contains(gone), "{reason}: there is no {gone}");
        let manifest = rendered(cluster, "1.34.0", values)?;
        ensure!(!manifest.contains(gone), "{reason}: {values} leaves {gone}");
        expect_accepted(cluster, &manifest)?;
    }
    ensure!(!everything.contains("kind: NetworkPolicy"), "a NetworkPolicy by default");
    Ok(())
}

fn the_network_policy_allows_the_peers_of_the_values(cluster: &mut Cluster) -> Result<()> {
    let from = json!([{"ipBlock": {"cidr": "192.0.2.0/24"}}]);
    let webhook = json!([{"port": "webhook", "protocol": "TCP"}]);
    let admin = json!([{"port": "admin", "protocol": "TCP"}]);
    let api_server = json!([{"port": 443, "protocol": "TCP"}, {"port": 6443, "protocol": "TCP"}]);
    let extra = json!({"ports": [{"port": 4317}]});
    let table = [
        (
            json!({}),
            json!([{"ports": webhook}]),
            json!([{"ports": api_server}]),
            "every peer may call the webhook, none may read metrics",
        ),
        (
            json!({"webhook": {"from": from}}),
            json!([{"ports": webhook, "from": from}]),
            json!([{"ports": api_server}]),
            "only these peers may call the webhook",
        ),
        (
            json!({"metrics": {"from": from}}),
            json!([{"ports": webhook}, {"ports": admin, "from": from}]),
            json!([{"ports": api_server}]),
            "these peers may read metrics",
        ),
        (
            json!({"apiServer": {"ports": [6443], "to": from}, "egress": [extra]}),
            json!([{"ports": webhook}]),
            json!([{"ports": [{"port": 6443, "protocol": "TCP"}], "to": from}, extra]),
            "the pods may only reach these",
        ),
    ];
    let deployment = Release::deployment(&cluster.plane)?;
    for (mut policy, ingress, egress, reason) in table {
        policy["enabled"] = true.into();
        let manifest = rendered(cluster, "1.34.0", &json!({ "networkPolicy": policy }).to_string())?;
        let object = manifest.split("\n---\n").find(|object| object.contains("\nkind: NetworkPolicy\n"));
        let parse = ["create", "--dry-run=client", "--output=json", "--filename", "-"];
        let parsed = cluster.plane.kubectl(&parse, object.context(reason)?)?.succeeded()?.stdout;
        let spec = &serde_json::from_str::<Value>(&parsed)?["spec"];
        ensure!(spec["ingress"] == ingress && spec["egress"] == egress, "{reason}: {spec}");
        ensure!(spec["podSelector"] == deployment["spec"]["selector"], "{reason}: other pods: {spec}");
        ensure!(spec["policyTypes"] == json!(["Ingress", "Egress"]), "{reason}: {spec}");
    }
    Ok(())
}

fn releases_may_have_any_name(cluster: &mut Cluster) -> Result<()> {
    let long = "a".repeat(53);
    let mut cluster_wide = BTreeSet::new();
    for (name, reason) in [
        ("x", "short"),
        ("with.dots", "dots, which the name of a Service may not have"),
        ("4-19", "a digit, with which the name of a Service may not begin"),
        ("mirrorguard-check", "like the test of another release"),
        (&long, "the longest that Helm allows"),
    ] {
        let program = &cluster.plane.binaries.helm;
        let manifest = render(cluster, program, name, "1.34.0", "")?.succeeded().context(reason)?.stdout;
        expect_accepted(cluster, &manifest).context(reason)?;
        let configuration =
            manifest.split("\nkind: ValidatingWebhookConfiguration\n").nth(1).context(reason)?;
        let name = configuration.lines().find(|line| line.starts_with("  name: ")).context(reason)?;
        ensure!(cluster_wide.insert(name.to_owned()), "{reason}: {name} is taken");
    }
    Ok(())
}

fn rendered(cluster: &Cluster, version: &str, values: &str) -> Result<String> {
    let answer = render(cluster, &cluster.plane.binaries.helm, NAME, version, values)?;
    Ok(answer.succeeded().with_context(|| format!("{version}, {values}"))?.stdout)
}

/// Helm without a cluster, as tools of `GitOps` use it.
fn render(cluster: &Cluster, program: &Path, name: &str, version: &str, values: &str) -> Result<Answer> {
    let values = file_of(&cluster.plane, values)?;
    let openshift = "config.openshift.io/v1/Infrastructure";
    let arguments = [
        "template",
        name,
        CHART,
        "--kube-version",
        version,
        "--api-versions",
        openshift,
        "--values",
        &values,
    ];
    helm(&cluster.plane, program, &arguments)
}

/// Checks what is true of every rendering.
fn check_rendering(manifest: &str, version: &str, mode: &str) -> Result<()> {
    // Fields that the API drops would always differ from what is stored.
    for (text, expected) in [
        ("matchConditions:", version != "1.27.0"),
        // In the affinity.
        ("matchLabelKeys:\n", version >= "1.31"),
        ("caBundle: ", mode.contains("caBundle")),
        ("resources: [secrets]", mode.contains("selfManaged")),
    ] {
        ensure!(manifest.contains(text) == expected, "{text:?} on {version} with {mode}: {manifest}");
    }
    let blank = manifest.lines().find(|line| line.starts_with(' ') && line.trim().is_empty());
    ensure!(blank.is_none(), "{mode}: a line of blanks: {manifest}");
    for key in ["automountServiceAccountToken: true", "runAsUser:", "fsGroup:", "hostNetwork:", "subPath:"] {
        let mut lines = manifest.lines().map(|line| line.trim_start().trim_start_matches("- "));
        ensure!(!lines.any(|line| line.starts_with(key)), "{mode}: {key}");
    }
    for text in ["readOnlyRootFilesystem: true", "runAsNonRoot: true", "expirationSeconds: 3600\n"] {
        // The Deployment's pods, and that of the test.
        ensure!(manifest.matches(text).count() == 2, "{mode}: {text}");
    }
    Ok(())
}

/// Expects that the API server would store all of it, without unknown fields and without warnings about pod security.
fn expect_accepted(cluster: &Cluster, manifest: &str) -> Result<()> {
    let apply =
        ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-"];
    // A dry run creates no account for the pod of the test: it gets that of the release.
    let lines = manifest.lines().map(|line| match line.split_once("serviceAccountName: ") {
        Some((indent, _)) => format!("{indent}serviceAccountName: {NAME}\n"),
        None => format!("{line}\n"),
    });
    let manifest = lines.collect::<String>();
    let answer = cluster.plane.kubectl(&apply, &manifest)?.succeeded().with_context(|| manifest.clone())?;
    let warned: Vec<&str> = answer.warnings().collect();
    ensure!(warned.is_empty(), "{warned:?}\n{manifest}");
    Ok(())
}
