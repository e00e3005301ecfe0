//! What our own model answers, in the form of the upstream programs.

use std::{collections::BTreeSet, error::Error};

use mirrorguard_core::{
    context::View,
    explanation::{self, NodePull, Question},
    hypershift,
    node::{self, Impact, RegistriesConf, Rendering},
    objects::reference::{DockerReference, Image},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{cluster::Cluster, question};

/// What the nodes get and try.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct NodeAnswer {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registries_conf: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pulls: Vec<Pull>,
}

#[derive(Default, Serialize)]
struct Pull {
    image: String,
    #[serde(skip_serializing_if = "is_false")]
    short: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<Attempt>,
}

#[derive(Serialize)]
struct Attempt {
    reference: String,
    #[serde(skip_serializing_if = "is_false")]
    insecure: bool,
    #[serde(skip_serializing_if = "is_false")]
    blocked: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(value: &bool) -> bool {
    !value
}

/// What the nodes get from a cluster, and try for each of its images.
pub(crate) fn node(cluster: &Cluster) -> Result<Value, Box<dyn Error>> {
    let context = cluster.context()?;
    let view = context.view();
    let rendering = Rendering::new(view);
    let answer = match (rendering.file(), node::file_refusal(view, &rendering)) {
        (Err(error), _) => NodeAnswer { error: Some(error.to_string()), ..NodeAnswer::default() },
        (Ok(conf), Some(refusal)) => NodeAnswer {
            registries_conf: Some(conf.to_string()),
            unreadable: Some(refusal.to_string()),
            ..NodeAnswer::default()
        },
        (Ok(conf), None) => NodeAnswer {
            registries_conf: Some(conf.to_string()),
            pulls: cluster.images.iter().map(|image| pull(view, &conf, image)).collect(),
            ..NodeAnswer::default()
        },
    };
    Ok(serde_json::to_value(answer)?)
}

fn pull(view: View<'_>, conf: &RegistriesConf<'_>, text: &str) -> Pull {
    match short_and_attempts(view, conf, text) {
        Ok((short, attempts)) => Pull { image: text.to_owned(), short, error: None, attempts },
        Err(error) => Pull { image: text.to_owned(), error: Some(error), ..Pull::default() },
    }
}

/// Whether an image names no registry, and what is tried for it.
fn short_and_attempts(
    view: View<'_>,
    conf: &RegistriesConf<'_>,
    text: &str,
) -> Result<(bool, Vec<Attempt>), String> {
    // The error of a question is a text for people.
    Image::parse(text).map_err(|error| error.to_string())?;
    let question = Question::parse(text).map_err(|error| error.to_string())?;
    let explained = explanation::explain(view, conf, &question).map_err(|error| error.to_string())?;
    let mut attempts = Vec::new();
    for pull in &explained.pulls {
        attempts.extend(attempts_of(conf, pull)?);
    }
    Ok((question.is_short, attempts))
}

/// Every attempt, and the source where it is blocked: upstream tries it, and that fails at once.
fn attempts_of(conf: &RegistriesConf<'_>, pull: &NodePull<'_>) -> Result<Vec<Attempt>, String> {
    let made = pull.attempts.as_ref().map_err(ToString::to_string)?;
    let mut attempts: Vec<_> = made
        .iter()
        .map(|attempt| Attempt {
            reference: attempt.reference.clone(),
            insecure: attempt.insecure,
            blocked: attempt.blocked_by.is_some(),
        })
        .collect();
    if !pull.blockers.is_empty() {
        let decided = node::registry_of(conf, &pull.image);
        attempts.push(Attempt {
            reference: pull.image.as_str().to_owned(),
            insecure: decided.is_some_and(|(registry, _)| registry.insecure),
            blocked: true,
        });
    }
    Ok(attempts)
}

/// What the machine-config operator rejects, and what each change costs.
pub(crate) fn machine_config_operator(cluster: &Cluster) -> Result<Value, Box<dyn Error>> {
    let clusters = question::variants(cluster);
    let contexts = clusters.iter().map(Cluster::context).collect::<Result<Vec<_>, _>>()?;
    let files: Vec<_> = contexts.iter().map(|context| file(context.view())).collect();
    let (first, others) = files.split_first().ok_or("there is no cluster")?;
    let changes: Vec<_> = others.iter().map(|other| change(first, other)).collect();
    let files: Vec<_> = files.iter().map(|file| file.as_ref().err().map_or(json!({}), error)).collect();
    Ok(json!({"files": files, "changes": changes}))
}

fn file(view: View<'_>) -> Result<RegistriesConf<'_>, String> {
    node::validate(view).map_err(|refusal| refusal.to_string())?;
    node::render(view).map_err(|error| error.to_string())
}

fn error(text: &String) -> Value {
    json!({"error": text})
}

fn change<'a>(
    first: &Result<RegistriesConf<'a>, String>,
    other: &Result<RegistriesConf<'a>, String>,
) -> Value {
    let (Ok(first), Ok(other)) = (first, other) else { return Value::Null };
    let drains = |from, to| node::change_between(from, to).impact == Impact::Drain;
    json!({"drains": drains(first, other), "drainsBack": drains(other, first)})
}

/// How HyperShift reads the names of a cluster, and which images its lookup of a release tries.
pub(crate) fn hypershift(cluster: &Cluster) -> Result<Value, Box<dyn Error>> {
    let context = cluster.context()?;
    let overrides = hypershift::overrides(context.view());
    let references: Vec<_> = question::references(cluster).iter().map(|text| reference(text)).collect();
    let lookups: Vec<_> = cluster
        .images
        .iter()
        .map(|image| {
            let candidates = hypershift::release_lookup(&overrides, image);
            candidates.into_iter().chain([image.clone()]).collect::<BTreeSet<_>>()
        })
        .collect();
    Ok(json!({"references": references, "lookups": lookups}))
}

fn reference(text: &str) -> Value {
    match DockerReference::parse(text) {
        Err(error) => json!({"error": error.to_string()}),
        Ok(parsed) => {
            let written = parsed.to_string();
            let DockerReference { registry, namespace, name, tag, id } = parsed;
            let fields = [
                ("registry", registry),
                ("namespace", namespace),
                ("name", name),
                ("tag", tag),
                ("id", id),
                ("text", written),
            ];
            fields
                .into_iter()
                .filter(|(_, text)| !text.is_empty())
                .map(|(field, text)| (field.to_owned(), json!(text)))
                .collect()
        }
    }
}
