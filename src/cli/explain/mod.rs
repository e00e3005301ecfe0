//! `mirrorguard explain`.

mod hypershift;
mod json;
mod nodes;
mod place;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use mirrorguard_core::{
    explanation::{Explanation, Question, explain},
    objects::reference::Image,
    report::Places,
    state::State,
};

use super::{
    Answer, hosted_control_planes,
    input::{self, ReadOptions},
    options::PATHS_HELP,
    output::Output,
    paint::{BOLD, DIM},
    render::render,
    tree::Branch,
};

const HELP: &str = "\
Tree:
  applies  the most specific source that matches the image, with its entries: object, path, file and line
  ignored  less specific sources, which do not apply to this image
  1. 2. 3.  locations that are tried, in this order; digests are shortened (-o json prints them in full)
  BLOCKED  a location that may not be contacted, or the end of the pull
  DIFFERS  HyperShift uses another location than the nodes

Output:
  stdout  the tree, or a JSON object
  stderr  errors; if the nodes would reject the mirror sets, why

Exit codes:
  0  the pull was explained, even if it would fail
  1  the nodes would reject the mirror sets, or an object was skipped because of a placeholder
  2  usage, I/O or parse error, or an invalid image name

Examples:
  mirrorguard explain quay.io/openshift-release-dev/ocp-release:4.20.4-x86_64 mirrors/
  mirrorguard explain registry.redhat.io/redhat/redhat-operator-index:v4.20
  oc get icsp,idms,itms,image.config -o yaml | mirrorguard explain -o json quay.io/app/web:v1 -";

/// Show where nodes and HyperShift pull an image from
///
/// On the nodes: the entry that applies, the entries that it overrides, and the locations that are tried in order. In
/// HyperShift: the release lookup and the metadata lookup, each as earlier and as later releases interpret IDMS and
/// ICSP. No image is pulled, and no registry is contacted.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct ExplainArgs {
    /// Image with a tag or digest
    ///
    /// If both are missing, the tag defaults to latest, as in the kubelet. If both are given, the tag is ignored. A name
    /// without a registry is resolved with the search registries of the nodes, in their order.
    pub(super) image: String,
    #[arg(value_name = "PATH", help = PATHS_HELP)]
    pub(super) paths: Vec<PathBuf>,
    /// Also show how running hosted control planes in the cluster of the current kubeconfig resolve the image
    #[arg(long)]
    pub(super) cluster: bool,
}

pub(super) fn run(args: &ExplainArgs, output: &Output) -> Result<Answer> {
    refuse_path(&args.image, &args.paths)?;
    let question = Question::parse(&args.image)?;
    let input = input::read(&args.paths, ReadOptions::default(), output)?.complete()?.of_one_cluster()?;
    let state: State = input.objects().cloned().collect();
    let Some(files) = render(&input, &state, output) else { return Ok(Answer::No) };
    let question = match files.search_registries {
        // Nodes that cannot read their files know no search registries.
        Some(search) if files.refusal.is_none() => question.searched_in(search.0)?,
        _ => question,
    };
    let explanation = explain(state.context().view(), &files.registries_conf, &question)
        .with_context(|| format!("HyperShift cannot parse the image \"{}\"", question.text))?;
    let mut running = None;
    if args.cluster {
        running = Some(hosted_control_planes::resolve(&question.text, &state, output)?);
    }
    let places: Places<'_> = input.with_places().collect();
    if output.is_json() {
        let explanation = json::explanation(&question, &explanation, &places, running.as_deref());
        output.json(&explanation.without(input.not_checked()))?;
    } else {
        let drawing = Drawing { places: &places, unicode: Output::unicode() };
        output.result(&drawing.draw(&question, &explanation, Output::width()))?;
        if let Some(found) = &running {
            output.result(&hosted_control_planes::human(found))?;
        }
    }
    Ok(input.answer_for("explanation", output))
}

/// Fails where the image is a file or folder: IMAGE was left out, or comes after PATH.
fn refuse_path(image: &str, paths: &[PathBuf]) -> Result<()> {
    let path = Path::new(image);
    let is_manifest = path.extension().is_some_and(|ext| ["yaml", "yml", "json"].iter().any(|e| ext == *e));
    if is_manifest && path.is_file() {
        bail!("{image} is a file; which image? write mirrorguard explain IMAGE {image}");
    }
    if !path.is_dir() {
        return Ok(());
    }
    if Question::parse(image).is_err() {
        bail!("{image} is a folder; which image? write mirrorguard explain IMAGE {image}");
    }
    // An image without a tag may have the name of a folder.
    let is_input = |path: &PathBuf| path.as_os_str() == "-" || path.exists();
    if !paths.iter().any(is_input) {
        bail!(
            "{image} is a folder; which image? write mirrorguard explain IMAGE {image}, or {image}:latest for the \
             image of that name"
        );
    }
    Ok(())
}

/// An explanation as people see it.
struct Drawing<'a> {
    places: &'a Places<'a>,
    unicode: bool,
}

impl Drawing<'_> {
    fn draw(&self, question: &Question, explanation: &Explanation<'_>, width: usize) -> String {
        let by_digest = question.images.iter().any(Image::is_digested);
        let kind = if by_digest { "digest pull" } else { "tag pull" };
        let mut root = Branch::new(&*question.text).styled(BOLD).styled_note(kind, DIM);
        if let Some(tag) = question.assumed_tag {
            root = root.note(format!("the tag defaults to {tag}, as in the kubelet"));
        }
        root.with([self.nodes(question, explanation), self.hypershift(explanation)]).draw(width, self.unicode)
    }

    /// A reference with its digest cut short.
    fn short(&self, reference: &str) -> String {
        let ellipsis = if self.unicode { "…" } else { "..." };
        match reference.split_once("@sha256:") {
            Some((name, hex)) if hex.len() > 12 => format!("{name}@sha256:{}{ellipsis}", &hex[..12]),
            _ => reference.to_owned(),
        }
    }
}
