//! `mirrorguard explain`.

use std::{fmt::Write, path::PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Serialize;

use super::{
    Answer,
    args::PATHS_HELP,
    hosted_control_planes::{self, HostedControlPlane},
    input,
    output::Output,
    render::rendered,
};
use crate::{
    hypershift::{self, Era, Lookup},
    node::{self, Pull},
    objects::reference::Image,
    review::State,
};

/// Tell where a pull of an image goes, on the nodes and in HyperShift's own look-ups
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mirrorguard explain quay.io/openshift-release-dev/ocp-release:4.20.4-x86_64 mirrors/\n  mirrorguard explain registry.redhat.io/redhat/redhat-operator-index:v4.20"
)]
pub(super) struct ExplainArgs {
    /// The image, with a tag or digest
    pub(super) image: String,
    #[arg(value_name = "PATH", help = PATHS_HELP)]
    pub(super) paths: Vec<PathBuf>,
    /// Also where the hosted control planes of the current kubeconfig's cluster look, with what they were
    /// started with
    #[arg(long)]
    pub(super) cluster: bool,
}

#[derive(Serialize)]
struct ExplainJson {
    image: String,
    node: NodeJson,
    hypershift: HypershiftJson,
    #[serde(rename = "hostedControlPlanes", skip_serializing_if = "Option::is_none")]
    hosted_control_planes: Option<Vec<HostedControlPlane>>,
}

#[derive(Serialize)]
struct NodeJson {
    source: Option<String>,
    objects: Vec<String>,
    tries: Vec<String>,
    blocked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
struct HypershiftJson {
    release: LookupJson,
    exact: LookupJson,
    prefix: LookupJson,
}

#[derive(Serialize)]
struct LookupJson {
    candidates: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<String>,
}

impl From<Lookup> for LookupJson {
    fn from(Lookup { candidates, errors }: Lookup) -> Self {
        Self { candidates, errors }
    }
}

pub(super) fn run(args: &ExplainArgs, output: &Output) -> Result<Answer> {
    let image =
        Image::parse(&args.image).with_context(|| format!("cannot read the image \"{}\"", args.image))?;
    let input = input::read(&args.paths, output)?.complete()?;
    let state: State = input.objects().cloned().collect();
    let Some(conf) = rendered(&input, &state, output) else { return Ok(Answer::No) };
    let explained = ExplainJson {
        image: image.as_str().to_owned(),
        node: on_nodes(&state, &node::pull(&conf, &image)),
        hypershift: in_hypershift(&state, image.as_str())?,
        hosted_control_planes: (args.cluster)
            .then(|| hosted_control_planes::look_up(image.as_str(), &state, output))
            .transpose()?,
    };
    if output.is_json() {
        output.json(&explained)?;
    } else {
        output.result(&human(&explained))?;
        if let Some(found) = &explained.hosted_control_planes {
            output.result(&hosted_control_planes::human(found))?;
        }
    }
    Ok(Answer::Yes)
}

fn on_nodes(state: &State, pull: &Pull<'_, '_>) -> NodeJson {
    let source = pull.registry.map(|registry| registry.scope.to_owned());
    let entries = source.as_deref().into_iter().flat_map(|source| state.context().view().entries(source));
    let mut objects: Vec<_> = entries.map(|found| found.set.id()).collect();
    objects.sort();
    objects.dedup();
    let error = pull.tries.as_ref().err().map(|error| format!("rewriting reference: {error}"));
    NodeJson { source, objects, tries: pull.tries.clone().unwrap_or_default(), blocked: pull.blocked, error }
}

fn in_hypershift(state: &State, image: &str) -> Result<HypershiftJson> {
    let overrides = hypershift::overrides(state.context().view());
    let metadata = |era| {
        let lookup = hypershift::metadata_lookup(era, &overrides, image);
        lookup.map(LookupJson::from).with_context(|| format!("HyperShift cannot read the image \"{image}\""))
    };
    let candidates = hypershift::release_lookup(&overrides, image);
    Ok(HypershiftJson {
        release: LookupJson { candidates, errors: Vec::new() },
        exact: metadata(Era::Exact)?,
        prefix: metadata(Era::Prefix)?,
    })
}

fn human(explained: &ExplainJson) -> String {
    let ExplainJson { image, node, hypershift, .. } = explained;
    let mut text = format!("{image}\n\non the nodes\n");
    // Writing to a String cannot fail.
    let _ = match &node.source {
        Some(source) if node.objects.is_empty() => {
            writeln!(text, "  decided by {source} (image.config.openshift.io/cluster)")
        }
        Some(source) => writeln!(text, "  decided by {source} ({})", node.objects.join(", ")),
        None => writeln!(text, "  no source covers it"),
    };
    for (at, attempt) in node.tries.iter().enumerate() {
        let _ = writeln!(text, "  {}. {attempt}", at + 1);
    }
    let _ = match (&node.error, node.blocked) {
        (Some(error), _) => writeln!(text, "  nothing is tried: {error}"),
        (None, true) => writeln!(text, "  the source is blocked: the pull ends here"),
        (None, false) => Ok(()),
    };
    text += "\nin HyperShift (management cluster's IDMS and ICSP, sources in random order)\n";
    let lookups = [
        ("release look-up", &hypershift.release),
        ("metadata look-up, 4.14 to 4.16 (the digest is added to it, a tag is lost)", &hypershift.exact),
        ("metadata look-up, 4.17 and later", &hypershift.prefix),
    ];
    for (name, lookup) in lookups {
        let _ = writeln!(text, "  {name}");
        if lookup.candidates.is_empty() {
            let _ = writeln!(text, "    not redirected");
        }
        for candidate in &lookup.candidates {
            let is_same = |tried: &String| {
                tried.strip_prefix(&**candidate).is_some_and(|rest| rest.is_empty() || rest.starts_with('@'))
            };
            let note = "   <- not where the nodes pull from";
            let differs = if node.tries.iter().any(is_same) { "" } else { note };
            let _ = writeln!(text, "    {candidate}{differs}");
        }
        for error in &lookup.errors {
            let _ = writeln!(text, "    skipped: {error}");
        }
    }
    text
}
