//! The definition of the command line, for whoever needs more of it than the values that were typed.

use std::{ffi::OsStr, path::Path};

use clap::{
    ColorChoice, Command, CommandFactory,
    builder::{PossibleValue, PossibleValuesParser},
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::{args::Cli, help::folded};
use mirrorguard_core::{
    rules::{self, Rule},
    suggest::closest,
};

/// Wider help is hard to read.
const WIDEST: usize = 100;

/// The program's own name.
pub(super) const NAME: &str = "mirrorguard";

/// What the program is called by somebody who started this file: as a plugin `kubectl mirrorguard` or
/// `oc mirrorguard`.
pub(super) fn called(program: Option<&OsStr>) -> &'static str {
    let file = program.and_then(|program| Path::new(program).file_name()).and_then(OsStr::to_str);
    match file {
        Some("kubectl-mirrorguard") => "kubectl mirrorguard",
        Some("oc-mirrorguard") => "oc mirrorguard",
        _ => NAME,
    }
}

/// The command line of somebody who calls the program by this name, which usage and examples then say, on
/// a terminal of this width.
pub(super) fn command_as(name: &'static str, color: ColorChoice, width: usize) -> Command {
    let width = width.min(WIDEST);
    let finished = |command: Command| {
        let Some(help) = command.get_after_long_help().map(ToString::to_string) else { return command };
        let named = |help: String, before: &str| {
            help.replace(&format!("{before}{NAME} "), &format!("{before}{name} "))
        };
        let help = named(named(help, "\n  "), "| ");
        command.after_long_help(folded(&help, width))
    };
    let command = Cli::command().bin_name(name).color(color).term_width(width);
    finished(command.mut_subcommands(finished))
}

/// Names the command that was meant, where `help` was asked for one that there is not; everywhere else clap
/// does it.
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

/// The command whose name is most like what was typed, where one is.
pub(super) fn nearest<'c>(typed: &str, command: &'c Command) -> Option<&'c str> {
    closest(typed, command.get_subcommands().map(Command::get_name))
}

/// The command line with all that can be completed: also what is checked only when it is used.
pub(super) fn for_completion() -> Command {
    let rule = |rule: &'static Rule| PossibleValue::new(rule.id).help(rule.summary);
    let ids = PossibleValuesParser::new(rules::RULES.iter().map(rule));
    Cli::command().mut_subcommand("rules", |rules| rules.mut_arg("id", |id| id.value_parser(ids)))
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
            (Some("mg"), NAME, "a name of somebody's own says nothing"),
            (None, NAME, "no name at all"),
        ];
        for (program, expected, reason) in table {
            assert_eq!(called(program.map(OsStr::new)), expected, "{reason}");
        }
    }
}
