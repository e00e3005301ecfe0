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
    clock::today,
    objects::Object,
    review::{Reviewer, State, Verdict},
    rules::{Operation, Settings},
};

/// Check mirror sets and HostedClusters by every rule, as one cluster
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mirrorguard lint mirrors/\n  mirrorguard lint --against cluster new-idms.yaml\n  oc get idms,itms,icsp -o yaml | mirrorguard lint -o json -"
)]
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
    let judgements = judge(&input, &state, &settings);
    let answer = tell(&judgements, judgements.len(), input.skipped, args.fail_on, output)?;
    if input.incomplete {
        bail!("not everything could be read; what could was checked");
    }
    Ok(answer)
}

/// Prints what was found, and how much there was. The answer is no from `fail_on` on.
pub(super) fn tell(
    judgements: &[Judgement<'_>],
    objects: usize,
    skipped: usize,
    fail_on: FailOn,
    output: &Output,
) -> Result<Answer> {
    let (deny, warn) = report::counts(judgements);
    if output.is_json() {
        let summary = Summary { deny, warn, objects, skipped };
        output.json(&Report { findings: report::json(judgements), summary })?;
    } else {
        output.result(&report::human(judgements, Output::width()))?;
        let skipped =
            if skipped == 0 { String::new() } else { format!(", {skipped} of other kinds skipped") };
        output.say(&format!("{deny} denied, {warn} warned, in {objects} objects{skipped}\n"));
    }
    let fails = deny > 0 || (fail_on == FailOn::Warn && warn > 0);
    Ok(if fails { Answer::No } else { Answer::Yes })
}

/// Judges every object of the input as it stands.
pub(super) fn judge<'a>(input: &'a Input, state: &State, settings: &Settings) -> Vec<Judgement<'a>> {
    let reviewer = Reviewer { state, settings, today: today() };
    let verdict = |object: &Object| match object {
        Object::MirrorSet(set) => reviewer.review_set(Operation::Existing, None, Some(set)),
        Object::HostedCluster(hosted) => reviewer.review_hosted(None, hosted),
        Object::ImageConfig(_) | Object::ClusterVersion(_) => Verdict::default(),
    };
    let judgement = |(object, place): (&'a Object, _)| Judgement {
        object: object.into(),
        place,
        verdict: verdict(object),
    };
    input.with_places().map(judgement).collect()
}
