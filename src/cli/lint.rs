//! `mirrorguard lint`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{
    Answer,
    args::PATHS_HELP,
    input::{self, Input},
    output::Output,
    report::{self, FindingJson, Judgement},
};
use crate::{
    objects::Object,
    review::{Reviewer, State, Verdict},
    rules::{Operation, Settings},
};

const HELP: &str = "\
Output:
  stdout  the findings, each pointing at its line, or the JSON report
  stderr  the count, what could not be read, and what is defined twice

Exit codes:
  0  nothing at or above --fail-on was found
  1  something was
  2  usage, or something could not be read; what could be read was checked all the same

Examples:
  mirrorguard lint mirrors/
  mirrorguard lint --against cluster new-idms.yaml
  mirrorguard lint --fail-on warn --config mirrorguard.yaml mirrors/
  oc get idms,itms,icsp -o yaml | mirrorguard lint -o json -";

/// Check mirror sets and HostedClusters by every rule, as one cluster
///
/// All objects are judged together, by the rules and levels that the webhook has too: what is denied here is
/// what it would reject. Each finding says what is wrong, what that does to the cluster, and how to mend it;
/// `mirrorguard rules ID` tells more. Objects of other kinds are skipped and counted.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct LintArgs {
    #[arg(value_name = "PATH", help = PATHS_HELP)]
    pub(super) paths: Vec<PathBuf>,
    /// Existing objects, read but not blamed: a file, a folder, or `cluster`
    #[arg(long, value_name = "PATH|cluster")]
    pub(super) against: Option<PathBuf>,
    /// The lowest level that makes the exit code 1
    #[arg(long, value_enum, default_value_t = FailOn::Deny)]
    pub(super) fail_on: FailOn,
}

/// Which findings fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// What the webhook would refuse
    Deny,
    /// Warnings too
    Warn,
}

#[derive(Serialize)]
struct Report<'a> {
    findings: Vec<FindingJson<'a>>,
    summary: Summary,
}

#[derive(Serialize)]
struct Summary {
    deny: usize,
    warn: usize,
    objects: usize,
    skipped: usize,
}

pub(super) fn run(args: &LintArgs, output: &Output) -> Result<Answer> {
    let settings = output.settings()?;
    let input = input::read(&args.paths, output)?;
    let against =
        args.against.as_deref().map(|path| input::read_or_cluster(path, output)?.complete()).transpose()?;
    let existing = against.iter().flat_map(Input::objects);
    let state: State = existing.chain(input.objects()).cloned().collect();
    let progress = output.progress("judging");
    let judgements = judge(&input, &state, &settings);
    drop(progress);
    let (deny, warn) = report::counts(&judgements);
    let summary = Summary { deny, warn, objects: judgements.len(), skipped: input.skipped };
    if output.is_json() {
        output.json(&Report { findings: report::json(&judgements), summary })?;
    } else {
        output.result(&report::human(&judgements, Output::width()))?;
        let Summary { deny, warn, objects, skipped } = summary;
        let skipped =
            if skipped == 0 { String::new() } else { format!(", {skipped} of other kinds skipped") };
        output.say(&format!("{deny} denied, {warn} warned, in {objects} objects{skipped}\n"));
    }
    if input.incomplete {
        bail!("not everything could be read; what could was checked");
    }
    let fails = deny > 0 || (args.fail_on == FailOn::Warn && warn > 0);
    Ok(if fails { Answer::No } else { Answer::Yes })
}

/// Judges every object of the input as it stands.
pub(super) fn judge<'a>(input: &'a Input, state: &State, settings: &Settings) -> Vec<Judgement<'a>> {
    let reviewer = Reviewer { state, settings };
    let verdict = |object: &Object| match object {
        Object::MirrorSet(set) => reviewer.review_set(Operation::Existing, None, Some(set)),
        Object::HostedCluster(hosted) => reviewer.review_hosted(None, hosted),
        Object::ImageConfig(_) | Object::ClusterVersion(_) => Verdict::default(),
    };
    input.with_places().map(|(object, place)| Judgement { object, place, verdict: verdict(object) }).collect()
}
