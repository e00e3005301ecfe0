//! `mirrorguard merge`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::{
    Answer,
    documents::{self, OutArgs},
    output::Output,
};
use mirrorguard_core::convert::{self, Merging, Problem};

const PATHS: &str = "Files, folders (*.yaml, *.yml, *.json, read recursively) or - for standard input";

const HELP: &str = "\
Output:
  stdout  one object of each kind and name, YAML or JSON
  stderr  what is not taken along, and both places of whatever contradicts itself

Exit codes:
  0  the united objects were written
  1  two places contradict each other; nothing is written
  2  usage, a file that cannot be read, or a file in --out that is there with other content

Examples:
  mirrorguard merge oc-mirror-workspace/results-*/ > mirrors.yaml
  oc get icsp -o yaml | mirrorguard merge - new-run/
  mirrorguard merge old-run/ new-run/ | mirrorguard migrate -";

/// Unite the mirror sets of several runs of oc-mirror into one canonical set
///
/// Objects of one kind and name become one with the entries of all, ordered by source; the same inputs give the
/// same bytes in whatever order. Kinds stay what they are: mirrorguard migrate turns ICSPs into IDMSs.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct MergeArgs {
    #[arg(value_name = "PATH", required = true, help = PATHS)]
    pub(super) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) to: OutArgs,
}

#[derive(Serialize)]
struct MergeJson<'a> {
    objects: Vec<Value>,
    files: Vec<String>,
    problems: &'a [Problem],
    notes: &'a [String],
}

pub(super) fn run(args: &MergeArgs, output: &Output) -> Result<Answer> {
    let given = documents::read(&args.paths, output)?;
    let Merging { documents, notes, problems } = convert::merge(&given.documents);
    let files = documents::displayed(&args.to.write(&documents)?);
    if output.is_json() {
        let objects = documents::json(&documents);
        output.json(&MergeJson { objects, files, problems: &problems, notes: &notes })?;
    } else if args.to.out.is_some() {
        output.result(&documents::lines("", &files))?;
    } else {
        output.result(&documents::yaml(&documents))?;
    }
    documents::say_notes(&notes, output);
    documents::say_problems(&problems, output);
    if !problems.is_empty() {
        output.say("nothing is written: united, they would not say what each of them says\n");
        return Ok(Answer::No);
    }
    let skipped = match given.skipped {
        0 => String::new(),
        skipped => format!(", {skipped} objects of other kinds skipped"),
    };
    output.say(&format!("{} mirror sets united into {}{skipped}\n", given.documents.len(), documents.len()));
    Ok(Answer::Yes)
}
