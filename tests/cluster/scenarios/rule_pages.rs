//! The examples on the rules' pages, as people meet them: by kubectl, through a real apiserver.

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

scenarios![the_examples_of_every_page_are_judged_as_they_say];

/// For what the webhook learns by a watch: the image configuration, the hosted clusters.
const LEARNING: Duration = Duration::from_secs(10);

fn the_examples_of_every_page_are_judged_as_they_say(cluster: &mut Cluster) -> Result<()> {
    let mut by_settings: BTreeMap<String, Vec<Example>> = BTreeMap::new();
    for example in examples_of_writes() {
        by_settings.entry(example.settings.clone()).or_default().push(example);
    }
    for (settings, examples) in by_settings {
        if !settings.is_empty() {
            cluster.configure(manifest::read_document("settings", &settings)?)?;
        }
        for example in examples {
            judge(cluster, &example).with_context(|| example.place())?;
            // What the webhook still remembers of it, the next verdict waits for.
            cluster.clear().with_context(|| format!("after {}", example.place()))?;
        }
    }
    cluster.configure(json!({}))
}

fn judge(cluster: &Cluster, example: &Example) -> Result<()> {
    let (there, written) = example.write();
    for object in &there {
        put(cluster, &complete(object))?;
    }
    let written = complete(&written).to_string();
    let write = |how: &[&str]| {
        let arguments = [&["apply", "-f", "-"], how].concat();
        cluster.plane.kubectl(&arguments, &written)
    };
    eventually(LEARNING, "the verdict that the page promises", || {
        is_as_promised(write(&["--dry-run=server"])?, example)
    })?;
    is_as_promised(write(&[])?, example)
}

fn is_as_promised(answer: Answer, example: &Example) -> Result<()> {
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
        "these warnings of [{rule}]: {warnings:?} in:\n{}",
        printed.stderr
    );
    Ok(())
}

/// Creates what an example finds there, its status too.
fn put(cluster: &Cluster, object: &Value) -> Result<()> {
    cluster.apply(object)?.succeeded()?;
    if object.get("status").is_some() {
        let status = object.to_string();
        let arguments = ["replace", "--subresource=status", "-f", "-"];
        cluster.plane.kubectl(&arguments, &status)?.succeeded()?;
    }
    Ok(())
}

/// The object with all that its schema asks for and no page would show.
fn complete(object: &Value) -> Value {
    match object["kind"].as_str() {
        Some("HostedCluster") => {
            let name = object["metadata"]["name"].as_str().unwrap_or("guest");
            let mut whole = hosted_cluster(name, &json!({}));
            lay_over(&mut whole, object);
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
            lay_over(&mut whole, object);
            whole
        }
        _ => object.clone(),
    }
}

fn lay_over(whole: &mut Value, part: &Value) {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            for (name, value) in part {
                lay_over(whole.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (whole, part) => *whole = part.clone(),
    }
}
