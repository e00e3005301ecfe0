//! `mirrorguard merge`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use mirrorguard_core::convert::{self, Merging, Problem};
use serde::Serialize;
use serde_json::Value;

use super::{
    Answer,
    documents::{self, OutArgs},
    output::Output,
    words::{plural, skipped},
};

const PATHS: &str = "Files, folders (*.yaml, *.yml, *.json, recursively) or - for standard input";

const HELP: &str = "\
Output:
  stdout  one object of each kind and name as YAML or JSON; with --out the files
  stderr  a summary, fields that are not copied, and conflicts with both places

Exit codes:
  0  the merged objects were written
  1  nothing was written: two entries conflict
  2  usage, I/O or parse error, a mirror set with placeholders, or an existing file in --out with different content

Examples:
  mirrorguard merge oc-mirror-workspace/results-*/ > mirrors.yaml
  oc get icsp -o yaml | mirrorguard merge - new-run/
  mirrorguard merge old-run/ new-run/ | mirrorguard migrate -";

/// Merge the mirror sets of several oc-mirror runs
///
/// Merges objects of the same kind and name into one with all entries, sorted by source. The output does not depend on
/// the order of the inputs. Kinds do not change: mirrorguard migrate converts ICSPs to IDMSs.
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
    // If there are problems, there are no documents, so nothing is written or printed.
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
    documents::print_notes(&notes, output);
    documents::print_problems(&problems, output);
    if !problems.is_empty() {
        output.message("nothing was written\n");
        return Ok(Answer::No);
    }
    let (before, after) = (plural(given.documents.len(), "mirror set"), documents.len());
    output.message(&format!("merged {before} into {after}{}\n", skipped(given.skipped)));
    Ok(Answer::Yes)
}
