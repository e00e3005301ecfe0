//! `mirrorguard demo`: the webhook on loopback, with the files of `examples/demo`.

mod client;

use std::{fmt::Write, net::SocketAddr, time::Duration};

use anyhow::{Context as _, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use clap::Args;
use mirrorguard_core::objects::manifest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use textwrap::{Options, WordSeparator, WordSplitter};

use self::client::{Client, review};
use super::{
    Answer,
    connect::runtime,
    output::Output,
    paint::{BOLD, DIM, GREEN, PLAIN, RED, YELLOW, painted},
};
use crate::{
    cluster::{FileState, Source},
    server::{App, Listeners, Signals, tls::self_signed},
};

/// The folder of the files, in the repository.
const FOLDER: &str = "examples/demo";

const CLUSTER: &str = include_str!("../../examples/demo/cluster.yaml");

/// A file that is applied.
struct Manifest {
    file: &'static str,
    text: &'static str,
    /// The webhooks that an API server calls, in their order.
    webhooks: &'static [&'static str],
    /// The name of the kind in URLs.
    resource: &'static str,
    /// The part that is shown: from the line that begins with the first text up to the one that begins with the second,
    /// which is not shown; without a second text, up to the end.
    part: (&'static str, Option<&'static str>),
}

const MANIFESTS: [Manifest; 4] = [
    Manifest {
        file: "icsp.yaml",
        text: include_str!("../../examples/demo/icsp.yaml"),
        webhooks: &["mirror-sets.validate"],
        resource: "imagecontentsourcepolicies",
        part: ("kind:", None),
    },
    Manifest {
        file: "never-contact.yaml",
        text: include_str!("../../examples/demo/never-contact.yaml"),
        webhooks: &["mirror-sets.validate"],
        resource: "imagedigestmirrorsets",
        part: ("spec:", None),
    },
    Manifest {
        file: "release.yaml",
        text: include_str!("../../examples/demo/release.yaml"),
        webhooks: &["mirror-sets.validate"],
        resource: "imagedigestmirrorsets",
        part: ("spec:", None),
    },
    Manifest {
        file: "hostedcluster.yaml",
        text: include_str!("../../examples/demo/hostedcluster.yaml"),
        webhooks: &["hosted-clusters.mutate", "hosted-clusters.validate"],
        resource: "hostedclusters",
        part: ("metadata:", Some("  pullSecret:")),
    },
];

const HELP: &str = "\
Output:
  stdout  for each file, the lines that matter and the output of kubectl apply; with -o json a line for each file, with file, object, allowed, deniedBy, message, warnings and patch
  stderr  the address of the webhook

Exit codes:
  0  the webhook answered every request
  2  the webhook could not be started or called

Examples:
  mirrorguard demo
  mirrorguard demo -o json | jq -r .message";

/// Try the webhook on this computer with an example cluster
///
/// Requires no cluster: starts the webhook on a free port of 127.0.0.1 with a self-signed certificate and the mirror
/// sets of examples/demo/cluster.yaml, sends it the other files of examples/demo as an API server does, and shows
/// each response. Two writes are denied, one is admitted with warnings, and one gets an annotation.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct DemoArgs {}

pub(super) fn run(_: &DemoArgs, output: &Output) -> Result<Answer> {
    let settings = output.settings()?;
    let source = Source::Files(FileState::of_objects(manifest::read("cluster.yaml", CLUSTER.to_owned()))?);
    runtime()?.block_on(async {
        let made = self_signed(&[])?;
        let bound = Listeners { webhook: SocketAddr::from(([127, 0, 0, 1], 0)), admin: None }.bind()?;
        let address = bound.address;
        let app = App::new(settings, source);
        let webhook = tokio::spawn(bound.serve(app, made.config, Signals::uncaught(), Duration::ZERO));
        output.message(&format!(
            "The webhook listens on https://{address}.\nIts mirror sets are those of {FOLDER}/cluster.yaml.\n\n"
        ));
        let client = Client::new(address, &made.ca)?;
        for manifest in &MANIFESTS {
            let outcome = apply(&client, manifest).await?;
            if output.is_json() {
                output.json_line(&outcome)?;
            } else {
                output.result(&human(manifest, &outcome, Output::width()))?;
            }
        }
        webhook.abort();
        output.message(&format!(
            "The files are in {FOLDER}.\nTo check your own files, run mirrorguard lint FILE.\n"
        ));
        Ok(Answer::Yes)
    })
}

/// The outcome of applying a file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    file: &'static str,
    object: ObjectName,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    denied_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    warnings: Vec<String>,
    patch: Vec<Operation>,
}

#[derive(Serialize)]
struct ObjectName {
    /// What is before the slash of `apiVersion`. No file of the demo has a kind of the core group, which has none.
    #[serde(skip)]
    group: String,
    kind: String,
    name: String,
}

impl ObjectName {
    fn of(object: &Value) -> Self {
        Self {
            group: text_at(object, "/apiVersion").split('/').next().unwrap_or_default().to_owned(),
            kind: text_at(object, "/kind").to_owned(),
            name: text_at(object, "/metadata/name").to_owned(),
        }
    }
}

/// A text in an object; empty where there is none.
fn text_at<'o>(object: &'o Value, pointer: &str) -> &'o str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Calls each webhook in the order of an API server, until one denies. Unlike there, a patch is not applied to the
/// object before the next webhook is called.
async fn apply(client: &Client, manifest: &Manifest) -> Result<Outcome> {
    let object: Value = manifest::read_document(manifest.file, manifest.text)?;
    let mut outcome = Outcome {
        file: manifest.file,
        object: ObjectName::of(&object),
        allowed: true,
        denied_by: None,
        message: None,
        warnings: Vec::new(),
        patch: Vec::new(),
    };
    for webhook in manifest.webhooks {
        let path = if webhook.ends_with("mutate") { "/mutate" } else { "/validate" };
        let response = client.send(path, &review(&object, manifest.resource)).await?;
        outcome.warnings.extend(response.warnings);
        if !response.allowed {
            outcome.allowed = false;
            outcome.denied_by = Some(format!("{webhook}.mirrorguard.io"));
            outcome.message = response.status.map(|status| status.message);
            break;
        }
        if let Some(patch) = response.patch {
            let operations: Vec<Operation> =
                serde_json::from_slice(&STANDARD.decode(patch)?).context("cannot parse the patch")?;
            outcome.patch.extend(operations);
        }
    }
    Ok(outcome)
}

/// The command, the lines that matter, and what `kubectl apply` prints.
fn human(manifest: &Manifest, outcome: &Outcome, width: usize) -> String {
    let path = format!("{FOLDER}/{}", manifest.file);
    let Outcome { object, denied_by, message, warnings, patch, .. } = outcome;
    let mut shown = format!("{BOLD}$ kubectl apply -f {path}{PLAIN}\n{}", excerpt(manifest));
    for warning in warnings {
        shown += &folded("Warning:", YELLOW, warning, width);
    }
    if let Some(webhook) = denied_by {
        let message = message.as_deref().unwrap_or_default();
        let text = format!(
            "error when creating \"{path}\": admission webhook \"{webhook}\" denied the request: {message}"
        );
        return shown + &folded("Error from server (Forbidden):", RED, &text, width) + "\n";
    }
    let ObjectName { group, kind, name } = object;
    // Writing to a String cannot fail.
    let _ = writeln!(shown, "{}.{group}/{name} created", kind.to_lowercase());
    for (name, value) in patch.iter().flat_map(Operation::annotations) {
        let _ = writeln!(shown, "{GREEN}  + {name}:{PLAIN}\n{GREEN}      {value}{PLAIN}");
    }
    shown + "\n"
}

/// The lines of a file that matter, with their numbers.
fn excerpt(manifest: &Manifest) -> String {
    let (first, after) = manifest.part;
    let lines = manifest.text.lines().zip(1..).skip_while(|(line, _)| !line.starts_with(first));
    let lines = lines.take_while(|(line, _)| after.is_none_or(|after| !line.starts_with(after)));
    lines.map(|(line, number): (_, usize)| painted(&format!("{number:>4} | {line}"), DIM) + "\n").collect()
}

/// A line of kubectl, folded where it is longer than the terminal is wide.
fn folded(label: &str, style: &str, text: &str, width: usize) -> String {
    let options = Options::new(width)
        .subsequent_indent("  ")
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(false);
    let text = textwrap::fill(&format!("{label} {text}"), options);
    format!("{}{}\n", painted(label, style), text.strip_prefix(label).unwrap_or(&text))
}

/// An operation of a JSON patch on annotations.
#[derive(Deserialize, Serialize)]
struct Operation {
    op: String,
    path: String,
    value: Value,
}

impl Operation {
    /// Names and values of the annotations that it sets.
    fn annotations(&self) -> Vec<(String, String)> {
        // An object without annotations gets all of them as one value.
        if let Value::Object(map) = &self.value {
            return map.iter().map(|(name, value)| (name.clone(), text_at(value, "").to_owned())).collect();
        }
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let name = name.replace("~1", "/").replace("~0", "~");
        vec![(name, text_at(&self.value, "").to_owned())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_that_is_shown_is_in_the_file() {
        for manifest in &MANIFESTS {
            let lines = excerpt(manifest);
            let (first, after) = manifest.part;
            // Fewer than four lines would hardly show what the file is about.
            assert!(lines.contains(first) && lines.lines().count() >= 4, "{}: {lines}", manifest.file);
            assert!(after.is_none_or(|after| manifest.text.contains(after)), "{}", manifest.file);
        }
    }
}
