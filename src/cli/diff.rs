//! `mirrorguard diff`.

use std::{fmt::Write, path::PathBuf};

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{
    Answer,
    input::{self, Input},
    output::Output,
    render::rendered,
};
use mirrorguard_core::{
    node::{Change, Impact, Reason, change_between},
    objects::{Object, manifest::Located},
    state::State,
};

const HELP: &str = "\
Output:
  stdout  the impact and its reasons, with the lines that cause them, or one JSON object
  stderr  what could not be read, or why the nodes would get nothing from one of the two

Exit codes:
  0  the impact was told, or is below --fail-on
  1  the impact is at or above --fail-on, or one of the two gives the nodes no configuration
  2  usage, or a file or cluster that cannot be read

Examples:
  mirrorguard diff cluster mirrors/
  mirrorguard diff --fail-on drain old.yaml new.yaml
  git show main:mirrors.yaml | mirrorguard diff - mirrors.yaml";

/// Tell what changing one set of objects into another costs the nodes
///
/// None: registries.conf stays the same. Reload: CRI-O reloads it, and no pod is evicted. Drain: every node of
/// every pool is cordoned, emptied and brought back, one after another. The nodes decide this by comparing the
/// two files, and so does this.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct DiffArgs {
    /// The objects before: a file, a folder, `-`, or `cluster`
    pub(super) old: PathBuf,
    /// The objects after: a file, a folder, `-`, or `cluster`
    pub(super) new: PathBuf,
    /// The least impact that makes the exit code 1
    #[arg(long, value_enum)]
    pub(super) fail_on: Option<FailOnImpact>,
}

/// Which impacts fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOnImpact {
    /// CRI-O reloads, or worse
    Reload,
    /// Nodes are drained
    Drain,
}

#[derive(Serialize)]
struct DiffJson<'a> {
    changed: bool,
    impact: String,
    reasons: Vec<ReasonJson<'a>>,
}

#[derive(Serialize)]
struct ReasonJson<'a> {
    registry: &'a str,
    what: String,
    impact: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<String>,
}

pub(super) fn run(args: &DiffArgs, output: &Output) -> Result<Answer> {
    if args.old == args.new && args.old.as_os_str() == "-" {
        bail!("standard input can only be one of the two");
    }
    let old = input::read_or_cluster(&args.old, output)?.complete()?;
    let new = input::read_or_cluster(&args.new, output)?.complete()?;
    let states = [&old, &new].map(|input| input.objects().cloned().collect::<State>());
    let [Some(before), Some(after)] =
        [(&old, &states[0]), (&new, &states[1])].map(|(i, s)| rendered(i, s, output))
    else {
        return Ok(Answer::No);
    };
    let Change { impact, reasons } = change_between(&before, &after);
    if output.is_json() {
        let reason = |r| reason_json(r, &old, &new);
        let reasons = reasons.iter().map(reason).collect();
        output.json(&DiffJson { changed: impact != Impact::None, impact: impact.to_string(), reasons })?;
    } else {
        output.result(&human(impact, &reasons, &old, &new))?;
    }
    let fails = match args.fail_on {
        Some(FailOnImpact::Reload) => impact >= Impact::Reload,
        Some(FailOnImpact::Drain) => impact == Impact::Drain,
        None => false,
    };
    Ok(if fails { Answer::No } else { Answer::Yes })
}

fn reason_json<'a>(reason: &Reason<'a>, old: &Input, new: &Input) -> ReasonJson<'a> {
    ReasonJson {
        registry: reason.registry,
        what: reason.what.to_string(),
        impact: reason.impact.to_string(),
        lines: lines_of(reason.registry, old, new),
    }
}

fn human(impact: Impact, reasons: &[Reason<'_>], old: &Input, new: &Input) -> String {
    let mut text = match impact {
        Impact::None => "none: registries.conf stays the same\n".to_owned(),
        Impact::Reload => "reload: CRI-O reloads on every node, no pod is evicted\n".to_owned(),
        Impact::Drain => "drain: every node of every pool is drained, one after another\n".to_owned(),
    };
    if impact != Impact::None {
        text += "(releases before the CRI-O reload reboot every node for any change)\n";
    }
    for reason in reasons {
        let lines = lines_of(reason.registry, old, new).join(", ");
        let lines = if lines.is_empty() { lines } else { format!("  ({lines})") };
        // Writing to a String cannot fail.
        let _ =
            writeln!(text, "  {:<7} {}: {}{lines}", reason.impact.to_string(), reason.registry, reason.what);
    }
    text
}

/// Where a source stands, in the new files, or where it is gone, in the old ones.
fn lines_of(source: &str, old: &Input, new: &Input) -> Vec<String> {
    let lines = |input: &Input| input.located.iter().flat_map(|l| places(l, source)).collect::<Vec<_>>();
    let found = lines(new);
    if found.is_empty() { lines(old) } else { found }
}

fn places(located: &Located, source: &str) -> Vec<String> {
    let Object::MirrorSet(set) = &located.object else { return Vec::new() };
    let matching = set.entries.iter().enumerate().filter(|(_, entry)| *entry.source == *source);
    let place = |(index, _)| {
        let at = located.position(&set.field_path(index, "source"));
        format!("{}:{}", located.source.name, at.line)
    };
    matching.map(place).collect()
}
