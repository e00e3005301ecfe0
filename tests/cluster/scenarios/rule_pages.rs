//! The examples on the rules' pages, applied by kubectl through a real API server.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use mirrorguard_core::objects::manifest;
use serde_json::{Value, json};

use crate::answer::{Answer, HOSTED_CLUSTERS};
use crate::cluster::Cluster;
use crate::objects::{CLUSTERS, hosted_cluster};
use crate::pages::{Example, Expected, examples_of_writes};
use crate::wait::eventually;

scenarios![the_examples_of_every_page_get_the_expected_answer];

/// Until the webhook has seen a change by a watch: the image configuration, the hosted clusters.
const LEARNING: Duration = Duration::from_secs(10);

fn the_examples_of_every_page_get_the_expected_answer(cluster: &mut Cluster) -> Result<()> {
    let mut by_settings: BTreeMap<String, Vec<Example>> = BTreeMap::new();
    for example in examples_of_writes() {
        by_settings.entry(example.settings.clone()).or_default().push(example);
    }
    for (settings, examples) in by_settings {
        if !settings.is_empty() {
            cluster.configure(manifest::read_document("settings", &settings)?)?;
        }
        for example in examples {
            apply(cluster, &example).with_context(|| example.place())?;
            // The next example waits until the webhook has seen that.
            cluster.clear().with_context(|| format!("after {}", example.place()))?;
        }
    }
    cluster.configure(json!({}))
}

/// Applies an example, first by a dry run, and checks both answers.
fn apply(cluster: &Cluster, example: &Example) -> Result<()> {
    let (there, written) = example.write();
    for object in &there {
        create(cluster, &complete(object))?;
    }
    let written = complete(&written).to_string();
    eventually(LEARNING, "the answer that the page promises", || {
        let dry = ["apply", "--dry-run=server", "-f", "-"];
        check_answer(cluster.plane.kubectl(&dry, &written)?, example)
    })?;
    check_answer(cluster.plane.kubectl(&["apply", "-f", "-"], &written)?, example)
}

fn check_answer(answer: Answer, example: &Example) -> Result<()> {
    let rule = example.rule;
    if example.expected == Expected::Denied {
        let (_, written) = example.write();
        let hosted = written["kind"] == "HostedCluster";
        let denied = if hosted { answer.denied_by(HOSTED_CLUSTERS, rule) } else { answer.denied_for(rule) };
        return denied.map(drop);
    }
    let printed = answer.succeeded()?;
    let warnings = printed.warnings_of(rule);
    ensure!(
        warnings.is_empty() == (example.expected == Expected::Allowed),
        "warnings of [{rule}]: {warnings:?} in:\n{}",
        printed.stderr
    );
    Ok(())
}

/// Creates an object that the example requires, with its status.
fn create(cluster: &Cluster, object: &Value) -> Result<()> {
    cluster.apply(object)?.succeeded()?;
    if object.get("status").is_some() {
        let status = object.to_string();
        let arguments = ["replace", "--subresource=status", "-f", "-"];
        cluster.plane.kubectl(&arguments, &status)?.succeeded()?;
    }
    Ok(())
}

/// The object with the fields that its schema requires and the pages leave out.
fn complete(object: &Value) -> Value {
    match object["kind"].as_str() {
        Some("HostedCluster") => {
            let name = object["metadata"]["name"].as_str().unwrap_or("guest");
            let mut whole = hosted_cluster(name, &json!({}));
            merge(&mut whole, object);
            whole["metadata"]["namespace"] = CLUSTERS.into();
            whole
        }
        Some("ClusterVersion") => {
            let mut whole = json!({
                "spec": {"clusterID": "0b3ee8d6-92a4-4d2f-a4ab-4f8d4a5b6c7d"},
                "status": {
                    "availableUpdates": null, "observedGeneration": 1, "versionHash": "",
                    "desired": {"version": "4.20.4"},
                },
            });
            merge(&mut whole, object);
            whole
        }
        _ => object.clone(),
    }
}

fn merge(whole: &mut Value, part: &Value) {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            for (name, value) in part {
                merge(whole.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (whole, part) => *whole = part.clone(),
    }
}
