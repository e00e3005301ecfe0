//! The definition of the command line, for parsing, help, completions and manual pages.

use std::{ffi::OsStr, path::Path};

use clap::{
    Arg, ColorChoice, Command, CommandFactory, ValueEnum,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
    error::{ContextKind, ContextValue, ErrorKind},
};
use mirrorguard_core::{
    rules::{self, Rule},
    suggest::closest,
};

use super::{args::Cli, help::folded, options::Format};

/// Wider help is hard to read.
const WIDEST: usize = 100;

/// The name of the program.
pub(super) const NAME: &str = "mirrorguard";

/// Commands with findings as their result, which have every format.
const WITH_FINDINGS: [&str; 2] = ["lint", "audit"];

/// Commands whose output has one format only.
const WITHOUT_FORMATS: [&str; 3] = ["serve", "completions", "man"];

/// Commands that never connect to a cluster.
const WITHOUT_CLUSTER: [&str; 5] = ["merge", "rules", "demo", "completions", "man"];

/// How a user calls the program that was started as this file: `kubectl mirrorguard` or `oc mirrorguard` for a
/// plugin.
pub(super) fn name_of(program: Option<&OsStr>) -> &'static str {
    let file = program.and_then(|program| Path::new(program).file_name()).and_then(OsStr::to_str);
    match file {
        Some("kubectl-mirrorguard") => "kubectl mirrorguard",
        Some("oc-mirrorguard") => "oc mirrorguard",
        _ => NAME,
    }
}

/// The command line, with the options and the formats of `-o` that each command has.
pub(super) fn command() -> Command {
    let command = Cli::command();
    let find = |id| command.get_arguments().find(|arg| arg.get_id() == id).cloned();
    // Both are global options, so they are always found.
    let (Some(output), Some(timeout)) = (find("output"), find("request_timeout")) else { return command };
    command.mut_subcommands(|command| {
        // An argument of the command itself takes the place of the global one: so an option can be hidden, and `-o`
        // accept fewer formats.
        let has_cluster = !WITHOUT_CLUSTER.contains(&command.get_name());
        let command = if has_cluster { command } else { command.arg(timeout.clone().hide(true)) };
        if WITH_FINDINGS.contains(&command.get_name()) {
            return command;
        }
        let output = with_common_formats(output.clone()).hide(WITHOUT_FORMATS.contains(&command.get_name()));
        command.arg(output)
    })
}

/// The option `-o` with the formats that every command has.
fn with_common_formats(output: Arg) -> Arg {
    let formats = Format::value_variants().iter().filter(|format| format.is_for_all());
    let values: Vec<_> = formats.filter_map(ValueEnum::to_possible_value).collect();
    // The parser accepts names of formats only.
    let parser =
        PossibleValuesParser::new(values).map(|name| Format::from_str(&name, false).unwrap_or(Format::Human));
    output.value_parser(parser)
}

/// The command line under the name that the user calls it by, which usage and examples show, for a terminal of
/// this width.
pub(super) fn command_as(name: &'static str, color: ColorChoice, width: usize) -> Command {
    let width = width.min(WIDEST);
    let command = command().bin_name(name).color(color).term_width(width);
    let command = command.mut_subcommands(|command| with_help_for(command, name, width));
    with_help_for(command, name, width)
}

/// The command with its help folded, and with the program's name in its examples.
fn with_help_for(command: Command, name: &str, width: usize) -> Command {
    let Some(help) = command.get_after_long_help().map(ToString::to_string) else { return command };
    let help = help.replace(&format!("\n  {NAME} "), &format!("\n  {name} "));
    let help = help.replace(&format!("| {NAME} "), &format!("| {name} "));
    command.after_long_help(folded(&help, width))
}

/// Adds the most similar command to the error about `help` of an unknown one; clap does it for all other errors.
pub(super) fn with_suggestion(mut error: clap::Error, command: &Command) -> clap::Error {
    if error.kind() != ErrorKind::InvalidSubcommand || error.get(ContextKind::SuggestedSubcommand).is_some() {
        return error;
    }
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidSubcommand) else { return error };
    if let Some(nearest) = nearest(typed, command) {
        let nearest = ContextValue::Strings(vec![nearest.to_owned()]);
        error.insert(ContextKind::SuggestedSubcommand, nearest);
    }
    error
}

/// The command with the most similar name, if one is similar.
pub(super) fn nearest<'c>(typed: &str, command: &'c Command) -> Option<&'c str> {
    closest(typed, command.get_subcommands().map(Command::get_name))
}

/// The command line with the ids of rules as values that can be completed.
pub(super) fn for_completion() -> Command {
    let ids = PossibleValuesParser::new(rules::RULES.iter().map(id_value));
    command().mut_subcommand("rules", |rules| rules.mut_arg("id", |id| id.value_parser(ids)))
}

fn id_value(rule: &'static Rule) -> PossibleValue {
    PossibleValue::new(rule.id).help(rule.summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_holds_together() {
        for name in [NAME, "kubectl mirrorguard"] {
            command_as(name, ColorChoice::Never, 80).debug_assert();
        }
        for_completion().debug_assert();
    }

    #[test]
    fn a_plugin_is_called_by_the_program_it_extends() {
        let table = [
            (Some("/usr/bin/kubectl-mirrorguard"), "kubectl mirrorguard", "a link"),
            (Some("oc-mirrorguard"), "oc mirrorguard", "another"),
            (Some("./mirrorguard"), NAME, "itself"),
            (Some("mg"), NAME, "another name"),
            (None, NAME, "no name at all"),
        ];
        for (program, expected, reason) in table {
            assert_eq!(name_of(program.map(OsStr::new)), expected, "{reason}");
        }
    }
}
