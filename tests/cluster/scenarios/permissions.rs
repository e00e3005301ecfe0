//! The permissions of the pod's account, as the API server's authorizer reports them.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use mirrorguard_core::objects::Kind;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::json::{items, text};
use crate::release::{NAMESPACE, Release};

scenarios![
    the_service_account_may_only_read_what_the_rules_read,
    with_self_managed_certificates_it_may_also_change_three_objects_by_name,
];

/// What is read once, at the start.
const AT_START: &str = "get infrastructures.config.openshift.io cluster";

/// What the chart names after its release.
const OWN: [&str; 3] = [
    "secrets. mirrorguard-self-managed-tls",
    "validatingwebhookconfigurations.admissionregistration.k8s.io mirrorguard.mirrorguard-system",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io mirrorguard.mirrorguard-system",
];

fn the_service_account_may_only_read_what_the_rules_read(cluster: &mut Cluster) -> Result<()> {
    may(
        cluster,
        &[
            ("watch", "imagedigestmirrorsets.config.openshift.io", "yes"),
            ("delete", "imagedigestmirrorsets.config.openshift.io", "no"),
            ("patch", "imagecontentsourcepolicies.operator.openshift.io", "no"),
            ("get", "secrets", "no"),
            ("update", "validatingwebhookconfigurations.admissionregistration.k8s.io", "no"),
        ],
    )?;
    let (granted, wanted) = (granted(cluster)?, reads().collect::<BTreeSet<_>>());
    ensure!(granted == wanted, "granted {granted:#?} instead of {wanted:#?}");
    Ok(())
}

fn with_self_managed_certificates_it_may_also_change_three_objects_by_name(
    cluster: &mut Cluster,
) -> Result<()> {
    cluster.install_with(json!({"mode": "selfManaged"}))?;
    let checked = may(
        cluster,
        &[
            ("patch", "secrets/mirrorguard-self-managed-tls", "yes"),
            ("patch", "secrets/another", "no"),
            ("delete", "secrets/mirrorguard-self-managed-tls", "no"),
            ("create", "secrets", "no"),
            ("list", "secrets", "no"),
            ("patch", "mutatingwebhookconfigurations.admissionregistration.k8s.io/another", "no"),
            ("list", "mutatingwebhookconfigurations.admissionregistration.k8s.io", "no"),
        ],
    );
    let granted = granted(cluster);
    cluster.uninstall()?;
    cluster.install_as_before()?;
    checked?;
    let own = OWN.iter().flat_map(|object| ["get", "watch", "patch"].map(|verb| format!("{verb} {object}")));
    let (granted, wanted) = (granted?, reads().chain(own).collect::<BTreeSet<_>>());
    ensure!(granted == wanted, "granted {granted:#?} instead of {wanted:#?}");
    Ok(())
}

/// What the code watches: every kind and no other.
fn reads() -> impl Iterator<Item = String> {
    let watched = Kind::ALL.into_iter().flat_map(|kind| {
        ["get", "list", "watch"].map(|verb| format!("{verb} {}.{}", kind.plural(), kind.group()))
    });
    watched.chain([AT_START.to_owned()])
}

/// The pod's account, as kubectl impersonates it.
fn account(cluster: &Cluster) -> Result<[String; 3]> {
    let deployment = Release::deployment(&cluster.plane)?;
    let account = text(&deployment, "/spec/template/spec/serviceAccountName")?;
    let [all, authenticated] = groups();
    Ok([format!("--as=system:serviceaccount:{NAMESPACE}:{account}"), all, authenticated])
}

fn groups() -> [String; 2] {
    ["system:serviceaccounts", "system:authenticated"].map(|group| format!("--as-group={group}"))
}

/// Checks for each verb and resource whether the account may.
fn may(cluster: &Cluster, questions: &[(&str, &str, &str)]) -> Result<()> {
    let [account, all, authenticated] = account(cluster)?;
    for (verb, resource, expected) in questions {
        let question =
            ["auth", "can-i", verb, resource, "--namespace", NAMESPACE, &account, &all, &authenticated];
        let answer = cluster.plane.kubectl(&question, "")?;
        ensure!(answer.printed.stdout.trim() == *expected, "may it {verb} {resource}? {:?}", answer.printed);
    }
    Ok(())
}

/// What the account may do and other accounts may not.
fn granted(cluster: &Cluster) -> Result<BTreeSet<String>> {
    let account = account(cluster)?;
    let [all, authenticated] = groups();
    let may = rules(cluster, &account.each_ref().map(String::as_str))?;
    // Without what every account may do.
    let others = rules(cluster, &["--as=another", &all, &authenticated])?;
    Ok(may.difference(&others).cloned().collect())
}

/// What an account may do with resources, as `verb resource.group`, and the name of the object if there is one.
fn rules(cluster: &Cluster, identity: &[&str]) -> Result<BTreeSet<String>> {
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": NAMESPACE},
    });
    // Without validation: the account may not read the schemas that kubectl would validate with.
    let mut arguments = vec!["create", "--validate=false", "--output=json", "-f", "-"];
    arguments.extend(identity);
    let answer = cluster.plane.kubectl(&arguments, &review.to_string())?.succeeded()?;
    let status: Value = serde_json::from_str(&answer.stdout)?;
    let mut rules = BTreeSet::new();
    for rule in items(&status["status"]["resourceRules"]) {
        for (verb, group, resource) in combinations(rule)? {
            let what = format!("{verb} {resource}.{group}");
            match items(&rule["resourceNames"]) {
                [] => drop(rules.insert(what)),
                names => {
                    for name in names {
                        rules.insert(format!("{what} {}", text(name, "")?));
                    }
                }
            }
        }
    }
    Ok(rules)
}

fn combinations(rule: &Value) -> Result<Vec<(&str, &str, &str)>> {
    let mut combinations = Vec::new();
    for verb in items(&rule["verbs"]) {
        for group in items(&rule["apiGroups"]) {
            for resource in items(&rule["resources"]) {
                combinations.push((text(verb, "")?, text(group, "")?, text(resource, "")?));
            }
        }
    }
    Ok(combinations)
}
