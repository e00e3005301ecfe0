//! `mirrorguard lint`.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{
    Answer,
    input::{self, Input},
    options::{Format, PATHS_HELP},
    output::Output,
    report::{self, Run},
};
use crate::{clock::today, cluster::Exclude};
use mirrorguard_core::{
    objects::Object,
    report::{self as findings, ExemptedJson, FindingJson, Reviewed, review_each},
    review::{Reviewer, Sequence, Verdict, existing::Found},
    rules::{Level, Settings},
    state::State,
    write::Write,
};

const HELP: &str = "\
Output:
  stdout  the findings, each pointing at its line; a JSON report; SARIF for code scanning; JUnit XML for test reports
  stderr  the count, what could not be read, and what is defined twice

Exit codes:
  0  nothing at or above --fail-on was found
  1  something was
  2  usage, or something could not be read; what could be read was checked all the same

Examples:
  mirrorguard lint mirrors/
  mirrorguard lint --against cluster new-idms.yaml
  mirrorguard lint --fail-on warn --config mirrorguard.yaml mirrors/
  mirrorguard lint -o sarif --exclude charts/ . > mirrorguard.sarif
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
    /// Existing objects, read but not blamed: a file, a folder, or `cluster`. What is checked is then judged
    /// as a change of them, as the webhook would judge it when all is applied one after another in the order
    /// of the files. May be given several times
    #[arg(long, value_name = "PATH|cluster")]
    pub(super) against: Vec<PathBuf>,
    /// Leaves files and folders out of the folders that are read, as a .gitignore in each of them would. A
    /// file that is named itself is read all the same. May be given several times
    #[arg(long, value_name = "GLOB")]
    pub(super) exclude: Vec<String>,
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

impl From<FailOn> for Level {
    fn from(fail_on: FailOn) -> Self {
        match fail_on {
            FailOn::Deny => Self::Deny,
            FailOn::Warn => Self::Warn,
        }
    }
}

#[derive(Serialize)]
struct Report<'a> {
    findings: Vec<FindingJson<'a>>,
    /// What the configuration exempts from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exempted: Vec<ExemptedJson<'a>>,
    /// What could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<&'a str>,
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
    let exclude = Exclude::new(&args.exclude).context("--exclude")?;
    if args.paths.iter().chain(&args.against).filter(|path| path.as_os_str() == "-").count() > 1 {
        bail!("standard input can only be read once");
    }
    let input = input::read_except(&args.paths, &exclude, output)?;
    let against =
        args.against.iter().map(|path| input::read_or_cluster_except(path, &exclude, output)?.complete());
    let against = against.collect::<Result<Vec<_>>>()?;
    let progress = output.progress("checking");
    let reviewed = if against.is_empty() {
        review(&input, &input.objects().cloned().collect(), &settings)
    } else {
        review_writes(&input, &against, &settings)
    };
    drop(progress);
    let places = against.iter().chain([&input]).flat_map(|input| &input.located).collect();
    let run =
        Run { reviewed: &reviewed, places: &places, unread: &input.unread, fails_from: args.fail_on.into() };
    let is_setting = |object: &Object| matches!(object, Object::ImageConfig(_) | Object::ClusterVersion(_));
    let more = !against.is_empty() && input.objects().any(is_setting);
    print(&run, Checked { objects: reviewed.len(), more }, &input, output)
}

/// Reviews every object of the input as it is.
pub(super) fn review<'a>(input: &'a Input, state: &State, settings: &Settings) -> Vec<Reviewed<'a>> {
    let reviewer = Reviewer::new(state, settings, today());
    review_each(input.with_places(), |object| {
        Write::existing(object).map_or_else(Verdict::default, |write| reviewer.review(&write))
    })
}

/// Reviews every object of the input as a write, as if they were applied one after another.
fn review_writes<'a>(input: &'a Input, against: &'a [Input], settings: &'a Settings) -> Vec<Reviewed<'a>> {
    let existing = against.iter().flat_map(Input::with_places);
    let existing: Vec<_> = existing.map(|(object, place)| Found { object, live: place.is_none() }).collect();
    let mut cluster = Sequence::onto(&existing, settings, today());
    review_each(input.with_places(), |object| cluster.apply(object))
}

/// What was looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Checked {
    /// How many objects.
    pub(super) objects: usize,
    /// Whether that was more than mirror sets and HostedClusters.
    pub(super) more: bool,
}

/// Prints the result in the form asked for, and for people what it comes to.
pub(super) fn print(run: &Run<'_>, checked: Checked, input: &Input, output: &Output) -> Result<Answer> {
    let Run { reviewed, places, .. } = run;
    let (deny, warn) = findings::counts(reviewed);
    let summary = Summary { deny, warn, objects: checked.objects, skipped: input.skipped };
    let is_read_by_a_rule =
        |object: &Object| matches!(object, Object::MirrorSet(_) | Object::HostedCluster(_));
    let is_checked = checked.more || deny + warn > 0 || input.objects().any(is_read_by_a_rule);
    let said = match (is_checked, run.unread.is_empty()) {
        (false, true) => nothing_to_check(input),
        (_, is_whole) => summed_up(&summary, is_whole),
    };
    match output.format() {
        Format::Human => output.result(&report::human(reviewed, places, Output::width()))?,
        Format::Json => {
            let errors = run.unread.iter().map(|unread| &*unread.text).collect();
            let exempted = findings::exempted_json(reviewed);
            let findings = findings::findings_json(reviewed, places);
            output.json(&Report { findings, exempted, errors, summary })?;
        }
        Format::Sarif => {
            let folder = std::env::current_dir().unwrap_or_default();
            output.json(&report::sarif(run, &folder))?;
        }
        Format::Junit => output.result(&report::junit(run).context("cannot write XML")?)?,
    }
    output.say(&report::exemptions(reviewed));
    output.say(&said);
    match run.exit_code() {
        0 => Ok(Answer::Yes),
        1 => Ok(Answer::No),
        _ => bail!("not everything could be read; what could was checked"),
    }
}

fn summed_up(summary: &Summary, is_whole: bool) -> String {
    let Summary { deny, warn, objects, skipped: others } = *summary;
    let nothing = if deny + warn == 0 && is_whole { "nothing found: " } else { "" };
    let objects = some(objects, "object");
    format!("{nothing}{deny} denied, {warn} warned, in {objects}{}\n", skipped(others))
}

fn nothing_to_check(input: &Input) -> String {
    let place = match input.files {
        0 => match &input.cluster {
            Some(server) => format!("no mirror set and no HostedCluster in {server}"),
            None => "no file named *.yaml, *.yml or *.json was found".to_owned(),
        },
        files => format!("no mirror set and no HostedCluster in {}", some(files, "file")),
    };
    format!("warning: nothing to check: {place}{}\n", skipped(input.skipped))
}

fn skipped(count: usize) -> String {
    if count == 0 { String::new() } else { format!(", {} of other kinds skipped", some(count, "object")) }
}

fn some(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
