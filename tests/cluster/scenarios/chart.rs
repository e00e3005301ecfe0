//! What Helm makes of the chart, for every Kubernetes and every way to certificates.

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
    a_typing_error_in_the_values_is_refused_by_name,
    the_documented_configurations_are_taken,
    every_rendering_is_taken_by_the_apiserver,
    what_is_switched_off_is_left_out,
    a_network_policy_lets_through_what_is_named,
    names_of_releases_are_free,
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

fn a_typing_error_in_the_values_is_refused_by_name(cluster: &mut Cluster) -> Result<()> {
    let exempt = |what: &str| format!("config: {{exemptions: [{{reason: x, until: 2027-03-31, {what}}}]}}");
    let table: [(&str, &str, &str); 18] = [
        ("replicaCout: 3", "'replicaCout'", "a key"),
        ("image: {tagg: x}", "'tagg'", "a key further down"),
        ("image: {digest: 'sha256:abc'}", "digest", "a digest cut short"),
        ("certificates: {mode: selfmanaged}", "mode", "a value"),
        ("certificates: {selfManaged: {duration: 90 days}}", "duration", "a time"),
        ("webhooks: {mirrorSets: {failurePolicy: fail}}", "failurePolicy", "a value in lower case"),
        ("tls: {caBundle: x}", "'tls'", "a key of the chart before"),
        ("resources: {request: {cpu: 1}}", "'request'", "a key that Kubernetes would pass over"),
        ("securityContext: {readOnlyRootFileSystem: true}", "'readOnlyRootFileSystem'", "and one more"),
        ("tolerations: [{efect: NoSchedule}]", "'efect'", "in a list"),
        ("networkPolicy: {webhook: {from: [{ipblock: {cidr: 192.0.2.0/24}}]}}", "'ipblock'", "a peer"),
        ("helmTest: {enabled: 'false'}", "helmTest", "a text that would count as true"),
        ("config: {profil: air-gap}", "'profil'", "a key of the configuration"),
        ("config: {profile: airgap}", "profile", "a profile"),
        ("config: {rules: {invalid-sorce: warn}}", "'invalid-sorce'", "a rule"),
        ("config: {rules: {invalid-source: error}}", "invalid-source", "a level"),
        (&exempt("rules: [invalid-sorce], annotated: true"), "exemptions", "a rule of an exemption"),
        (&exempt("rules: [invalid-source], anotated: true"), "'anotated'", "a key of an exemption"),
    ];
    let binaries = &cluster.plane.binaries;
    for program in [&binaries.helm, &binaries.helm3] {
        for (values, named, reason) in table {
            let refused = render(cluster, program, NAME, "1.34.0", values)?.refused();
            let said = refused.with_context(|| format!("{reason}: {values}"))?.stderr;
            ensure!(
                said.contains("schema") && said.contains(named),
                "{reason}, {values}: {named} is not named: {said}"
            );
        }
    }
    Ok(())
}

fn the_documented_configurations_are_taken(cluster: &mut Cluster) -> Result<()> {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md"))?;
    let blocks = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let configurations: Vec<&str> = blocks.filter(|block| !block.contains("apiVersion:")).collect();
    ensure!(configurations.len() >= 2, "the page was not understood: {configurations:?}");
    let binaries = &cluster.plane.binaries;
    for configuration in configurations {
        let values = format!("config:\n  {}", configuration.replace('\n', "\n  "));
        for program in [&binaries.helm, &binaries.helm3] {
            render(cluster, program, NAME, "1.34.0", &values)?.succeeded().with_context(|| values.clone())?;
        }
    }
    Ok(())
}

fn every_rendering_is_taken_by_the_apiserver(cluster: &mut Cluster) -> Result<()> {
    let given = existing_secret(&cluster.release.authority);
    let modes = ["selfManaged", "serviceCA", "certManager"].map(|mode| json!({ "mode": mode }));
    let client = json!({"mode": "selfManaged", "clientCA": {"configMap": "clients"}});
    let mut renderings = BTreeSet::new();
    for version in VERSIONS {
        let manifest = rendered(cluster, version, "")?;
        judge(&manifest, version, "selfManaged")?;
        renderings.insert(manifest);
    }
    for certificates in modes.into_iter().chain([given, client]) {
        // JSON is YAML.
        let mode = format!("certificates: {certificates}");
        for version in ["1.27.0", "1.34.0"] {
            let manifest = rendered(cluster, version, &mode)?;
            judge(&manifest, version, &mode)?;
            renderings.insert(manifest);
        }
        let manifest = rendered(cluster, "1.34.0", &format!("{mode}\n{EVERYTHING}"))?;
        judge(&manifest, "1.34.0", &mode)?;
        ensure!(manifest.contains("\nkind: NetworkPolicy\n"), "no NetworkPolicy: {manifest}");
        renderings.insert(manifest);
    }
    // Five ways, the default among them; before and after matchConditions, and with everything. The default also between
    // matchConditions and the affinity's matchLabelKeys.
    ensure!(renderings.len() == 16, "{} different renderings", renderings.len());
    renderings.iter().try_for_each(|manifest| taken(cluster, manifest))
}

fn what_is_switched_off_is_left_out(cluster: &mut Cluster) -> Result<()> {
    let everything = rendered(cluster, "1.34.0", "")?;
    for (values, gone, reason) in [
        ("helmTest: {enabled: false}", "helm.sh/hook: test", "no account that may create mirror sets"),
        ("rbac: {create: false}", "rbac.authorization.k8s.io", "somebody else makes all roles"),
        (
            "serviceAccount: {create: false, name: own}",
            "templates/serviceaccount.yaml",
            "somebody else makes the account",
        ),
    ] {
        ensure!(everything.contains(gone), "{reason}: there is no {gone}");
        let manifest = rendered(cluster, "1.34.0", values)?;
        ensure!(!manifest.contains(gone), "{reason}: {values} leaves {gone}");
        taken(cluster, &manifest)?;
    }
    ensure!(!everything.contains("kind: NetworkPolicy"), "a NetworkPolicy that nobody has asked for");
    Ok(())
}

fn a_network_policy_lets_through_what_is_named(cluster: &mut Cluster) -> Result<()> {
    let anybody = json!({"ports": [{"port": "webhook", "protocol": "TCP"}]});
    let apiserver = |ports: &[u16]| {
        let ports: Vec<_> = ports.iter().map(|port| json!({"port": port, "protocol": "TCP"})).collect();
        json!({ "ports": ports })
    };
    let from = json!([{"ipBlock": {"cidr": "192.0.2.0/24"}}]);
    let with = |mut rule: Value, side: &str| {
        rule[side] = from.clone();
        rule
    };
    let admin = json!({"ports": [{"port": "admin", "protocol": "TCP"}]});
    let extra = json!({"ports": [{"port": 4317}]});
    let table = [
        (json!({}), json!([anybody]), json!([apiserver(&[443, 6443])]), "anybody asks, nobody reads metrics"),
        (
            json!({"webhook": {"from": from}}),
            json!([with(anybody.clone(), "from")]),
            json!([apiserver(&[443, 6443])]),
            "only who is named asks",
        ),
        (
            json!({"metrics": {"from": from}}),
            json!([anybody, with(admin, "from")]),
            json!([apiserver(&[443, 6443])]),
            "who is named reads metrics",
        ),
        (
            json!({"apiServer": {"ports": [6443], "to": from}, "egress": [extra]}),
            json!([anybody]),
            json!([with(apiserver(&[6443]), "to"), extra]),
            "whom the pods reach",
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

fn names_of_releases_are_free(cluster: &mut Cluster) -> Result<()> {
    let long = "a".repeat(53);
    let mut cluster_wide = BTreeSet::new();
    for (name, reason) in [
        ("x", "short"),
        ("with.dots", "dots, which a Service's name has not"),
        ("4-19", "a digit, which no Service's name begins with"),
        ("mirrorguard-check", "like the test of another"),
        (&long, "as long as Helm lets it be"),
    ] {
        let program = &cluster.plane.binaries.helm;
        let manifest = render(cluster, program, name, "1.34.0", "")?.succeeded().context(reason)?.stdout;
        taken(cluster, &manifest).context(reason)?;
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

/// What holds of every rendering.
fn judge(manifest: &str, version: &str, mode: &str) -> Result<()> {
    let has = |text: &str| manifest.contains(text);
    // Where the API drops them they would be a difference forever.
    ensure!(has("matchConditions:") == (version != "1.27.0"), "matchConditions on {version}: {manifest}");
    let of_affinity = has("matchLabelKeys:\n");
    ensure!(of_affinity == (version >= "1.31"), "the affinity's matchLabelKeys on {version}: {manifest}");
    ensure!(has("caBundle: ") == mode.contains("caBundle"), "{mode}: {manifest}");
    ensure!(has("resources: [secrets]") == mode.contains("selfManaged"), "{mode} and Secrets: {manifest}");
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

/// Expects that the apiserver would store all of it, unknown fields and weak pods not excepted.
fn taken(cluster: &Cluster, manifest: &str) -> Result<()> {
    let apply =
        ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-"];
    // Nothing of a dry run is there for what comes after it: the pod of the test needs an account that is.
    let lines = manifest.lines().map(|line| match line.split_once("serviceAccountName: ") {
        Some((indent, _)) => format!("{indent}serviceAccountName: {NAME}\n"),
        None => format!("{line}\n"),
    });
    let manifest = lines.collect::<String>();
    let answer = cluster.plane.kubectl(&apply, &manifest)?.succeeded().with_context(|| manifest.clone())?;
    let warned: Vec<&str> = answer.stderr.lines().filter(|line| line.starts_with("Warning: ")).collect();
    ensure!(warned.is_empty(), "{warned:?}\n{manifest}");
    Ok(())
}
