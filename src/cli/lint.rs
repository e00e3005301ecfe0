//! `mirrorguard lint`.

mod summary;

use std::{num::NonZeroUsize, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use mirrorguard_core::{
    objects::Object,
    report::{self as findings, ExemptedJson, FindingJson},
    rules::Level,
};
use serde::Serialize;

use self::summary::{Summary, not_read, nothing_to_check};
use super::{
    Answer,
    fix::{FixOptions, fix},
    input::{self, Input, ReadOptions},
    options::{Format, PATHS_HELP},
    output::Output,
    report::{self, Run},
    review::review_input,
};
use crate::cluster::Exclude;

const HELP: &str = "\
Output:
  stdout  findings, each with its lines; or a JSON, SARIF or JUnit report
  stderr  a summary, read errors, exemptions, and objects that are defined twice
  JSON lists up to 10 related fields of a finding; moreRelated is the number of the others.

Exit codes:
  0  no findings at or above --fail-on
  1  findings at or above --fail-on
  2  usage, I/O or parse error; everything that can be read is still checked

Examples:
  mirrorguard lint mirrors/
  mirrorguard lint --against cluster new-idms.yaml
  mirrorguard lint --fail-on warn --config mirrorguard.yaml mirrors/
  mirrorguard lint --diff mirrors/
  mirrorguard lint --fix mirrors/
  mirrorguard lint -o sarif --exclude charts/ . > mirrorguard.sarif
  oc get idms,itms,icsp -o yaml | mirrorguard lint -o json -";

/// Check mirror sets and HostedClusters in files or a cluster
///
/// Checks all objects together, as one cluster, with the rules and levels of the webhook: the webhook would deny what
/// is an error here. Each finding shows what is wrong, what happens because of it, and a fix; `mirrorguard rules ID`
/// explains the rule. Objects of other kinds, charts, playbooks, templates and Kustomize patches are skipped and counted; -v names those that
/// are no objects. A value that is a placeholder of a template is left out; the rest of its object is checked. A file may have at most 64 MiB, and all files together 256 MiB.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct LintArgs {
    #[arg(value_name = "PATH", help = PATHS_HELP)]
    pub(super) paths: Vec<PathBuf>,
    /// Existing objects: a file, a folder, or `cluster`; can be repeated
    ///
    /// Findings are reported for PATH only. The objects of PATH are checked as changes to the existing objects, applied
    /// one after another, as the webhook checks them. An error is what the webhook would deny at that point; a warning
    /// is left out if a later object of PATH resolves it. Existing objects that are for several clusters are rejected,
    /// unless the objects of PATH name one of these clusters.
    #[arg(long, value_name = "PATH|cluster")]
    pub(super) against: Vec<PathBuf>,
    /// Skip files and folders that match GLOB; can be repeated
    ///
    /// The syntax is that of .gitignore, relative to each folder in PATH. Files in PATH are always read.
    #[arg(long, value_name = "GLOB")]
    pub(super) exclude: Vec<String>,
    /// Exit with 1 if there are findings at or above this level
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = FailOn::Deny)]
    pub(super) fail_on: FailOn,
    /// Apply the safe fixes to the files
    ///
    /// After a safe fix, every pull goes where it went, on nodes and in HyperShift, or gains only what the finding is
    /// about. The findings that are left are reported. A fix that would break its file is skipped with a warning. Objects
    /// are added at the end of the file, except to JSON and install-config.yaml.
    #[arg(long)]
    pub(super) fix: bool,
    /// Apply all fixes, including those after which nodes or HyperShift pull differently
    #[arg(long)]
    pub(super) unsafe_fixes: bool,
    /// Print how the fixes would change the files, and write nothing; exit with 1 if there are changes
    #[arg(long)]
    pub(super) diff: bool,
}

/// Which findings fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// Errors
    Deny,
    /// Errors and warnings
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
    /// Findings that the configuration exempts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exempted: Vec<ExemptedJson<'a>>,
    /// Exemptions of findings that are reported again, because the last day has passed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lapsed: Vec<ExemptedJson<'a>>,
    /// Errors in files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<&'a str>,
    summary: Summary,
}

pub(super) fn run(args: &LintArgs, output: &Output) -> Result<Answer> {
    let settings = output.settings()?;
    let exclude = Exclude::new(&args.exclude).context("--exclude")?;
    if args.paths.iter().chain(&args.against).filter(|path| path.as_os_str() == "-").count() > 1 {
        bail!("standard input (-) can be read only once");
    }
    // The summary says so if there is nothing to check.
    let options = ReadOptions {
        exclude: Some(&exclude),
        warn_if_empty: false,
        keeps_placeholders: true,
        ..ReadOptions::default()
    };
    // The report itself has duplicates, misnamed objects and unknown fields as findings, and for people the errors in
    // files.
    let prints_errors = output.format() != Format::Human || args.diff;
    let path_options = ReadOptions {
        warn_of_duplicates: false,
        warn_of_misnamed: false,
        warn_of_unknown_fields: false,
        prints_errors,
        ..options
    };
    let mut input = input::read(&args.paths, path_options, output)?;
    let mut against = Vec::new();
    for path in &args.against {
        against.push(input::read_path_or_cluster(path, options, output)?.complete()?);
    }
    let against = input.existing_of_its_cluster(against)?;
    if let Some(options) = args.fix_options() {
        let has_changes = fix(&mut input, &against, &settings, options, output)?;
        if options.diff {
            input.complete()?;
            return Ok(if has_changes { Answer::No } else { Answer::Yes });
        }
    }
    let progress = output.progress("checking objects");
    let reviewed = review_input(&input, &against, &settings);
    drop(progress);
    let places = input.places(&against);
    let run =
        Run { reviewed: &reviewed, places: &places, unread: &input.unread, fails_from: args.fail_on.into() };
    // With `--against`, a change of settings is something to check, too. This is for those of a cluster: in files they
    // are always checked, by the rules about files.
    let has_settings = !against.is_empty() && input.objects().any(is_cluster_setting);
    print(&run, Checked { objects: reviewed.len(), has_more_kinds: has_settings }, &input, output)
}

impl LintArgs {
    fn fix_options(&self) -> Option<FixOptions> {
        let Self { fix, unsafe_fixes, diff, .. } = *self;
        (fix || unsafe_fixes || diff).then_some(FixOptions { unsafe_fixes, diff })
    }
}

fn is_cluster_setting(object: &Object) -> bool {
    match object {
        Object::ImageConfig(_)
        | Object::ClusterVersion(_)
        | Object::SignaturePolicy(_)
        | Object::MachineConfiguration(_) => true,
        Object::MirrorSet(_) | Object::HostedCluster(_) | Object::Catalog(_) => false,
    }
}

/// Whether a rule is evaluated on an object, wherever it is.
fn has_rules(object: &Object) -> bool {
    matches!(object, Object::MirrorSet(_) | Object::HostedCluster(_))
}

/// Whether a rule is evaluated on an object of files. A catalog is only read.
fn has_file_rules(object: &Object) -> bool {
    !matches!(object, Object::Catalog(_))
}

/// What was checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Checked {
    /// Number of objects.
    pub(super) objects: usize,
    /// Whether other kinds than mirror sets and HostedClusters were checked.
    pub(super) has_more_kinds: bool,
}

/// Prints the result in its format, and a summary as a message.
pub(super) fn print(run: &Run<'_>, checked: Checked, input: &Input, output: &Output) -> Result<Answer> {
    let Run { reviewed, places, .. } = run;
    let (deny, warn) = findings::counts(reviewed);
    let summary = Summary {
        deny,
        warn,
        objects: checked.objects,
        skipped: input.skipped,
        placeholders: NonZeroUsize::new(input.placeholders()),
        has_errors: !run.unread.is_empty(),
    };
    let is_checked = checked.has_more_kinds
        || deny + warn > 0
        || input.objects().any(has_rules)
        || input.located.iter().any(|located| has_file_rules(&located.object));
    let text = if is_checked { summary.for_people() } else { nothing_to_check(input) };
    match output.format() {
        Format::Human => {
            let width = Output::width();
            let text = report::errors(run.unread, width) + &report::human(reviewed, places, width);
            output.result(&text)?;
        }
        Format::Json => {
            let errors = run.unread.iter().map(|unread| &*unread.text).collect();
            let exempted = findings::exempted_json(reviewed);
            let lapsed = findings::lapsed_json(reviewed);
            let findings = findings::findings_json(reviewed, places);
            output.json(&Report { findings, exempted, lapsed, errors, summary })?;
        }
        Format::Sarif => {
            let folder = std::env::current_dir().unwrap_or_default();
            output.json(&report::sarif(run, &folder))?;
        }
        Format::Junit => output.result(&report::junit(run).context("cannot write XML")?)?,
    }
    output.message(&report::exemptions(reviewed));
    // Where nothing could be checked, the error says so.
    if is_checked || run.unread.is_empty() {
        output.message(&text);
    }
    match run.exit_code() {
        0 => Ok(Answer::Yes),
        1 => Ok(Answer::No),
        _ => bail!(not_read(run.unread, is_checked)),
    }
}
