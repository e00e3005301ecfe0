//! What the pod's account may do, asked of the apiserver's own authorizer.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::json::{items, text};
use crate::release::{NAMESPACE, Release};

scenarios![the_service_account_reads_what_the_rules_read_and_may_do_nothing_more];

const READ: [(&str, &str); 6] = [
    ("config.openshift.io", "clusterversions"),
    ("config.openshift.io", "imagedigestmirrorsets"),
    ("config.openshift.io", "images"),
    ("config.openshift.io", "imagetagmirrorsets"),
    ("hypershift.openshift.io", "hostedclusters"),
    ("operator.openshift.io", "imagecontentsourcepolicies"),
];

fn the_service_account_reads_what_the_rules_read_and_may_do_nothing_more(
    cluster: &mut Cluster,
) -> Result<()> {
    let deployment = Release::deployment(&cluster.plane)?;
    let account = text(&deployment, "/spec/template/spec/serviceAccountName")?;
    let user = format!("--as=system:serviceaccount:{NAMESPACE}:{account}");
    let groups =
        ["system:serviceaccounts", "system:authenticated"].map(|group| format!("--as-group={group}"));

    for (verb, resource, expected) in [
        ("watch", "imagedigestmirrorsets.config.openshift.io", "yes"),
        ("delete", "imagedigestmirrorsets.config.openshift.io", "no"),
        ("patch", "imagecontentsourcepolicies.operator.openshift.io", "no"),
        ("get", "secrets", "no"),
        ("update", "validatingwebhookconfigurations.admissionregistration.k8s.io", "no"),
    ] {
        let question =
            ["auth", "can-i", verb, resource, "--namespace", NAMESPACE, &user, &groups[0], &groups[1]];
        let answer = cluster.plane.kubectl(&question, "")?;
        ensure!(answer.printed.stdout.trim() == expected, "may it {verb} {resource}? {:?}", answer.printed);
    }

    let may = rules(cluster, &[&user, &groups[0], &groups[1]])?;
    // What every account may do is not ours to judge.
    let anybody = rules(cluster, &["--as=anybody", &groups[0], &groups[1]])?;
    let granted: BTreeSet<_> = may.difference(&anybody).cloned().collect();
    let wanted: BTreeSet<_> = READ
        .iter()
        .flat_map(|(group, resource)| {
            ["get", "list", "watch"].map(|verb| format!("{verb} {resource}.{group}"))
        })
        .collect();
    ensure!(granted == wanted, "granted {granted:#?} instead of {wanted:#?}");
    Ok(())
}

/// All that somebody may do with resources, as `verb resource.group`.
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
            rules.insert(format!("{verb} {resource}.{group}"));
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
