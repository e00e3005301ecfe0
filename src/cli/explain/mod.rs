//! `mirrorguard explain`.

mod hypershift;
mod json;
mod nodes;
mod place;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;

use super::{
    Answer, hosted_control_planes, input,
    options::PATHS_HELP,
    output::Output,
    paint::{BOLD, DIM},
    render::rendered,
    tree::Branch,
};
use mirrorguard_core::{
    explanation::{Explanation, Question, explain},
    objects::reference::Image,
    state::State,
};
use place::Places;

const HELP: &str = "\
The drawing:
  decides  the most specific source that covers the image, with the entries that say it: object, path, file and line
  hidden  less specific sources, which count for nothing here
  1. 2. 3.  what is tried, in order; digests are shortened, -o json has them whole
  BLOCKED  a place that may not be asked, or where the pull ends
  DIFFERS  HyperShift looks in another place than the nodes pull from

Output:
  stdout  the drawing, or one JSON object
  stderr  what could not be read, or why the nodes would get nothing

Exit codes:
  0  the pull is explained, wherever it ends
  1  the nodes would get no configuration from these objects; the findings say why
  2  usage, a file or cluster that cannot be read, or an image that is none

Examples:
  mirrorguard explain quay.io/openshift-release-dev/ocp-release:4.20.4-x86_64 mirrors/
  mirrorguard explain registry.redhat.io/redhat/redhat-operator-index:v4.20
  oc get icsp,idms,itms,image.config -o yaml | mirrorguard explain -o json quay.io/app/web:v1 -";

/// Tell where a pull of an image goes, on the nodes and in HyperShift's own look-ups
///
/// On the nodes: which entry decides, what it hides, each place that is tried in order, and where that ends.
/// In HyperShift: the release look-up, and the metadata look-up of 4.14 to 4.16 and of 4.17 and later, which
/// read the same IDMS and ICSP by rules of their own. Nothing is pulled and no registry is asked.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct ExplainArgs {
    /// The image, with a tag or digest
    ///
    /// Without either the tag "latest" is assumed, as the kubelet does. With both, the digest counts. A name
    /// without a registry is looked for in the search registries of the nodes, one after the other.
    pub(super) image: String,
    #[arg(value_name = "PATH", help = PATHS_HELP)]
    pub(super) paths: Vec<PathBuf>,
    /// Also where the hosted control planes of the current kubeconfig's cluster look, with what they were
    /// started with
    #[arg(long)]
    pub(super) cluster: bool,
}

pub(super) fn run(args: &ExplainArgs, output: &Output) -> Result<Answer> {
    let question = Question::parse(&args.image)?;
    let input = input::read(&args.paths, output)?.complete()?;
    let state: State = input.objects().cloned().collect();
    let Some(conf) = rendered(&input, &state, output) else { return Ok(Answer::No) };
    let explanation = explain(state.context().view(), &conf, &question)
        .with_context(|| format!("HyperShift cannot read the image \"{}\"", question.text))?;
    let started_with = args.cluster.then(|| hosted_control_planes::look_up(&question.text, &state, output));
    let started_with = started_with.transpose()?;
    let places = Places::of(&input);
    if output.is_json() {
        output.json(&json::explanation(&question, &explanation, &places, started_with.as_deref()))?;
    } else {
        let drawing = Drawing { places: &places, unicode: Output::unicode() };
        output.result(&drawing.draw(&question, &explanation, Output::width()))?;
        if let Some(found) = &started_with {
            output.result(&hosted_control_planes::human(found))?;
        }
    }
    Ok(Answer::Yes)
}

/// An explanation as people see it.
struct Drawing<'a> {
    places: &'a Places<'a>,
    unicode: bool,
}

impl Drawing<'_> {
    fn draw(&self, question: &Question, explanation: &Explanation<'_>, width: usize) -> String {
        let by_digest = question.images.iter().any(Image::is_digested);
        let kind = if by_digest { "a pull by digest" } else { "a pull by tag" };
        let mut root = Branch::new(&*question.text).styled(BOLD).styled_note(kind, DIM);
        if let Some(tag) = question.assumed_tag {
            root = root.note(format!("neither tag nor digest given: {tag} is assumed, as the kubelet does"));
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
