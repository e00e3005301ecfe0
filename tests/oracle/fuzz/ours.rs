//! What our own model answers, in the form of the upstream programs.

use std::{collections::BTreeSet, error::Error};

use mirrorguard_core::{
    context::View,
    explanation::{self, NodePull, Question},
    hypershift::{self, ReleaseLookupEra},
    node::{
        self, Impact, Lists, Loss, NodeFiles, NotRendered, PolicyFile, RegistriesConf, Rendering,
        SearchRegistriesConf,
    },
    objects::{
        reference::{DockerReference, Image},
        scope::is_nested,
    },
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{cluster::Cluster, question};

/// What the nodes get and try.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct NodeAnswer {
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Lookup>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registries_conf: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    search_registries_conf: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pulls: Vec<Pull>,
}

/// Whether a payload that is covered by a blocked registry has a mirror.
#[derive(Default, Serialize)]
struct Lookup {
    usable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rejected: Vec<String>,
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
    let mut answer = NodeAnswer { payload: payload(view), ..NodeAnswer::default() };
    match rendering.file() {
        Err(error) => answer.error = Some(error.to_string()),
        Ok(conf) => {
            let search = &view.image_config().container_runtime_search_registries;
            answer.registries_conf = Some(conf.to_string());
            answer.search_registries_conf = search_registries_conf(search);
            match node::file_refusal(view, &rendering) {
                Some(refusal) => answer.unreadable = Some(refusal.to_string()),
                None => answer.pulls = cluster.images.iter().map(|image| pull(view, &conf, image)).collect(),
            }
        }
    }
    Ok(serde_json::to_value(answer)?)
}

fn search_registries_conf(registries: &[String]) -> Option<String> {
    (!registries.is_empty()).then(|| SearchRegistriesConf(registries).to_string())
}

/// What the blocked registries above the payload become; `None` if there is none.
fn payload(view: View<'_>) -> Option<Lookup> {
    let failed = |error: String| Some(Lookup { error: Some(error), ..Lookup::default() });
    let lists = match Lists::of(view) {
        Ok(lists) => lists,
        Err(refusal) => return failed(refusal.to_string()),
    };
    match lists.loss {
        Some(Loss::Everything(error)) => failed(error.to_string()),
        Some(Loss::Covering(_)) => Some(Lookup::default()),
        None => {
            let repository = node::payload_repository(view)?;
            let mut covering = lists.blocked.iter().filter(|scope| is_nested(repository, scope));
            covering.next().map(|_| Lookup { usable: true, error: None })
        }
    }
}

fn pull(view: View<'_>, conf: &RegistriesConf<'_>, text: &str) -> Pull {
    explain_pull(view, conf, text).unwrap_or_else(|error| Pull {
        image: text.to_owned(),
        error: Some(error),
        ..Pull::default()
    })
}

/// What is tried for an image, and which of the images that it can be are rejected.
fn explain_pull(view: View<'_>, conf: &RegistriesConf<'_>, text: &str) -> Result<Pull, String> {
    // The error of a question is a text for people.
    Image::parse(text).map_err(|error| error.to_string())?;
    let question = Question::parse(text).map_err(|error| error.to_string())?;
    let question = question
        .searched_in(&view.image_config().container_runtime_search_registries)
        .map_err(|error| error.to_string())?;
    let explained = explanation::explain(view, conf, &question).map_err(|error| error.to_string())?;
    let has_policy = node::files(view).is_ok();
    let mut made = Pull { image: text.to_owned(), short: question.is_short, ..Pull::default() };
    for pull in &explained.pulls {
        made.attempts.extend(attempts_of(conf, pull)?);
        if has_policy && pull.refusal.is_some() {
            made.rejected.push(pull.image.as_str().to_owned());
        }
    }
    Ok(made)
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

/// What the machine-config operator rejects and writes, and what each change costs.
pub(crate) fn machine_config_operator(cluster: &Cluster) -> Result<Value, Box<dyn Error>> {
    operator_files(&question::variants(cluster))
}

/// The same about these clusters; the others are what the first may become or may have been.
pub(crate) fn operator_files(clusters: &[Cluster]) -> Result<Value, Box<dyn Error>> {
    let contexts = clusters.iter().map(Cluster::context).collect::<Result<Vec<_>, _>>()?;
    let files: Vec<_> = contexts.iter().map(|context| node::files(context.view())).collect();
    let (first, others) = files.split_first().ok_or("there is no cluster")?;
    let changes: Vec<_> = others.iter().map(|other| change(first, other)).collect();
    let written = first.as_ref().map_or(Value::Null, written);
    let files: Vec<_> =
        contexts.iter().zip(&files).map(|(context, files)| file(context.view(), files)).collect();
    Ok(json!({"files": files, "written": written, "changes": changes}))
}

/// Why a cluster has no files, and which registries of its lists do not reach them.
fn file(view: View<'_>, files: &Result<NodeFiles<'_>, NotRendered>) -> Value {
    let lost = Lists::of(view).ok().and_then(|lists| lists.loss).map(|loss| loss.to_string());
    let fields = [("error", files.as_ref().err().map(ToString::to_string)), ("lost", lost)];
    fields.into_iter().filter_map(|(field, text)| Some((field.to_owned(), json!(text?)))).collect()
}

/// The files of a cluster; those that are left as they are in the template are not there.
fn written(files: &NodeFiles<'_>) -> Value {
    let mut written = serde_json::Map::new();
    if files.is_written {
        written.insert("registriesConf".to_owned(), without_new_setting(&files.registries_conf).into());
    }
    if files.policy != PolicyFile::default() {
        written.insert("policy".to_owned(), question::policy(&files.policy));
    }
    if let Some(search) = files.search_registries {
        written.insert("searchRegistriesConf".to_owned(), without_new_setting(&search).into());
    }
    written.into()
}

/// The text without the setting that the containers/image of release 4.14 does not know.
fn without_new_setting(file: &impl ToString) -> String {
    file.to_string().replace("additional-layer-store-auth-helper = \"\"\n", "")
}

fn change(first: &Result<NodeFiles<'_>, NotRendered>, other: &Result<NodeFiles<'_>, NotRendered>) -> Value {
    let (Ok(first), Ok(other)) = (first, other) else { return Value::Null };
    let (first, other) = (&first.registries_conf, &other.registries_conf);
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
            let candidates = hypershift::release_lookup(ReleaseLookupEra::Separate, &overrides, image);
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
