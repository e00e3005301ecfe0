//! `mirrorguard diff`.

use std::{
    collections::HashMap,
    fmt::Write,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use mirrorguard_core::{
    node::{Change, Disruptions, Impact, NodeFile, Reason, change_of_files},
    objects::{Object, manifest::Located},
    state::State,
};
use serde::Serialize;

use super::{
    Answer,
    input::{self, Input, NotChecked, ReadOptions},
    output::Output,
    render::render,
};

const HELP: &str = "\
Output:
  stdout  the impact and its reasons, with file and line
  stderr  errors; if the nodes would reject OLD or NEW, why

Exit codes:
  0  the impact is below --fail-on, or --fail-on is not set
  1  the impact is at or above --fail-on, OLD has no objects to compare with while --fail-on is set, an object was skipped because of a placeholder, or the nodes would reject OLD or NEW
  2  usage, I/O or parse error

Examples:
  mirrorguard diff cluster mirrors/
  mirrorguard diff --fail-on drain old.yaml new.yaml
  git show main:mirrors.yaml | mirrorguard diff - mirrors.yaml";

/// Show whether a change reloads CRI-O, or drains or reboots nodes
///
/// Compares registries.conf, policy.json and the search registries of OLD and NEW as the nodes do. none: no file
/// changes. reload: CRI-O reloads, and no pod is evicted. drain: every node of every pool is drained, one after another.
/// reboot: every node is drained and rebooted. A nodeDisruptionPolicy of a MachineConfiguration in NEW, or else in OLD,
/// replaces these defaults.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct DiffArgs {
    /// Objects before the change: a file, a folder, `-`, or `cluster`
    pub(super) old: PathBuf,
    /// Objects after the change: a file, a folder, `-`, or `cluster`
    pub(super) new: PathBuf,
    /// Exit with 1 if the impact is this or higher
    #[arg(long, value_enum, value_name = "IMPACT")]
    pub(super) fail_on: Option<FailOnImpact>,
}

/// Which impacts fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOnImpact {
    /// A reload, a drain or a reboot
    Reload,
    /// A drain or a reboot
    Drain,
    /// A reboot
    Reboot,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DiffJson<'a> {
    changed: bool,
    impact: String,
    reasons: Vec<ReasonJson<'a>>,
    /// The objects without which OLD and NEW were compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_checked: Vec<NotChecked>,
}

#[derive(Serialize)]
struct ReasonJson<'a> {
    /// Empty for what is not about one registry.
    registry: &'a str,
    file: &'static str,
    what: String,
    impact: String,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    lines: &'a [String],
}

pub(super) fn run(args: &DiffArgs, output: &Output) -> Result<Answer> {
    if args.old == args.new && args.old.as_os_str() == "-" {
        bail!("standard input (-) can be OLD or NEW, not both");
    }
    // OLD or NEW may have no mirror sets at all.
    let options = ReadOptions { warn_if_empty: false, ..ReadOptions::default() };
    let old = input::read_path_or_cluster(&args.old, options, output)?.complete()?.of_one_cluster()?;
    let new = input::read_path_or_cluster(&args.new, options, output)?.complete()?.of_one_cluster()?;
    let is_old_empty = warn_if_empty("OLD", &args.old, &old, output);
    warn_if_empty("NEW", &args.new, &new, output);
    let incomplete = [&old, &new].into_iter().find(|side| side.first_open().is_some());
    if let Some(open) = incomplete.and_then(Input::first_open).filter(|_| args.fail_on.is_some()) {
        output.error(&format!("--fail-on cannot tell the impact, because {} is skipped", open.object.id()));
        return Ok(Answer::No);
    }
    let old_state: State = old.objects().cloned().collect();
    let new_state: State = new.objects().cloned().collect();
    // Both are rendered, so that the errors of both are printed.
    let before = render(&old, &old_state, output);
    let after = render(&new, &new_state, output);
    let (Some(before), Some(after)) = (before, after) else { return Ok(Answer::No) };
    let views = [&new_state, &old_state].map(|state| Disruptions::of(state.context().view()));
    let disruptions = views.into_iter().find(|disruptions| !disruptions.is_empty()).unwrap_or_default();
    let Change { impact, reasons } = change_of_files(&before, &after, disruptions);
    let changed = before != after;
    let lines = [&old, &new].map(Lines::of);
    if output.is_json() {
        let reasons = reasons.iter().map(|reason| reason_json(reason, &lines)).collect();
        let not_checked = old.not_checked().into_iter().chain(new.not_checked()).collect();
        output.json(&DiffJson { changed, impact: impact.to_string(), reasons, not_checked })?;
    } else {
        output.result(&human(impact, changed, &reasons, &lines))?;
    }
    let fails = match args.fail_on {
        Some(FailOnImpact::Reload) => impact >= Impact::Reload,
        Some(FailOnImpact::Drain) => impact >= Impact::Drain,
        Some(FailOnImpact::Reboot) => impact >= Impact::Reboot,
        None => false,
    };
    // Only OLD: compared with nothing, digest mirrors are added, which drains no node, while the real change may. With
    // an empty NEW, every registry is removed, which drains by default.
    if is_old_empty && args.fail_on.is_some() && !fails {
        output.error("--fail-on has nothing to compare with: OLD has no objects");
        return Ok(Answer::No);
    }
    if let Some(incomplete) = incomplete {
        return Ok(incomplete.answer_for("comparison", output));
    }
    Ok(if fails { Answer::No } else { Answer::Yes })
}

/// Says that the files of a side have no objects, which a failed command before a pipe causes too. A cluster without
/// objects is no mistake. Returns whether it said so.
fn warn_if_empty(side: &str, path: &Path, input: &Input, output: &Output) -> bool {
    let is_empty = input.is_empty() && input.cluster.is_none();
    if is_empty {
        let name = if path.as_os_str() == "-" { "standard input".into() } else { path.display().to_string() };
        output.important_message(&format!("warning: {side} ({name}) has no objects\n"));
    }
    is_empty
}

fn reason_json<'a>(reason: &Reason<'a>, lines: &'a [Lines<'_>; 2]) -> ReasonJson<'a> {
    ReasonJson {
        registry: reason.registry,
        file: reason.file.path(),
        what: reason.what.to_string(),
        impact: reason.impact.to_string(),
        lines: lines_of(reason, lines),
    }
}

fn human(impact: Impact, changed: bool, reasons: &[Reason<'_>], lines: &[Lines<'_>; 2]) -> String {
    let mut text = match impact {
        Impact::None if changed => "none: a custom nodeDisruptionPolicy takes no action\n".to_owned(),
        Impact::None => "none: registries.conf does not change\n".to_owned(),
        Impact::Reload => "reload: CRI-O reloads on every node, and no pod is evicted\n".to_owned(),
        Impact::Drain => "drain: every node of every pool is drained, one after another\n".to_owned(),
        Impact::Reboot => "reboot: every node of every pool is rebooted, one after another\n".to_owned(),
    };
    for reason in reasons {
        let found = lines_of(reason, lines).join(", ");
        let found = if found.is_empty() { found } else { format!("  ({found})") };
        // Writing to a String cannot fail.
        let _ =
            writeln!(text, "  {:<7} {}: {}{found}", reason.impact.to_string(), reason.subject(), reason.what);
    }
    text
}

/// The lines of each source in files, `FILE:LINE`.
struct Lines<'a>(HashMap<&'a str, Vec<String>>);

impl<'a> Lines<'a> {
    fn of(input: &'a Input) -> Self {
        let places = input.places(&[]);
        // Of objects with one name, the last is used.
        let is_used = |located: &&Located| {
            places.find(&located.object.id()).is_some_and(|used| std::ptr::eq(used, *located))
        };
        let mut lines: HashMap<_, Vec<_>> = HashMap::new();
        for located in input.located.iter().filter(is_used) {
            let Object::MirrorSet(set) = &located.object else { continue };
            for (index, entry) in set.entries.iter().enumerate() {
                let line = located.place(&set.field_path(index, "source"));
                lines.entry(&*entry.source).or_default().push(line);
            }
        }
        Self(lines)
    }
}

/// The lines that a difference comes from, in the new files, or in the old ones where the source was removed. None if no
/// file has it, or if it is not a difference of the mirror sets.
fn lines_of<'p>(reason: &Reason<'_>, [old, new]: &'p [Lines<'_>; 2]) -> &'p [String] {
    if reason.file != NodeFile::RegistriesConf {
        return &[];
    }
    let found = new.0.get(reason.registry).or_else(|| old.0.get(reason.registry));
    found.map_or(&[], Vec::as_slice)
}
