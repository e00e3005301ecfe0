//! The command line: arguments, one file a command, and what is printed where.
//!
//! Results go to standard output, everything said about them to standard error. The exit code is 0 when
//! all is well, 1 when the answer is no, 2 when the question could not be answered.

mod args;
mod audit;
mod check;
mod completions;
mod definition;
mod demo;
mod diff;
mod documents;
mod explain;
mod help;
mod hosted_control_planes;
mod input;
mod lint;
mod man;
mod managed;
mod merge;
mod migrate;
mod options;
mod output;
mod overrides;
mod page;
mod paint;
mod progress;
mod render;
mod report;
mod rules;
mod serve;
mod tree;

use std::{
    env,
    ffi::{OsStr, OsString},
    process::ExitCode,
};

use anstream::ColorChoice;
use anyhow::Result;
use clap::{FromArgMatches, error::ErrorKind};

use args::{Cli, Command};
use output::Output;

/// What a command found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    let words: Vec<OsString> = env::args_os().collect();
    let color = color_of(&words);
    if completions::is_asked_by_kubectl(words.first()) {
        let answer = completions::answer_kubectl(&words[1..]);
        return ended(answer.and_then(|text| printed(&text, ColorChoice::Never)), color);
    }
    let cli = match parsed(&words, color) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => error.exit(),
        Err(help) => return ended(printed(&help.render().ansi().to_string(), color), color),
    };
    let output = Output::new(&cli.global);
    ended(dispatch(cli.command, &output), color)
}

fn parsed(words: &[OsString], color: ColorChoice) -> Result<Cli, clap::Error> {
    let color = match color {
        ColorChoice::Always | ColorChoice::AlwaysAnsi => clap::ColorChoice::Always,
        ColorChoice::Never => clap::ColorChoice::Never,
        ColorChoice::Auto => clap::ColorChoice::Auto,
    };
    let name = definition::called(words.first().map(OsString::as_os_str));
    let mut command = definition::command_as(name, color, Output::width());
    let matches = command
        .try_get_matches_from_mut(words)
        .map_err(|error| definition::with_suggestion(error, &command))?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    if !cli.global.output.is_for_all() && !cli.command.tells_findings() {
        let message = "only lint and audit write sarif and junit; write -o human or -o json here";
        return Err(command.error(ErrorKind::ArgumentConflict, message));
    }
    Ok(cli)
}

/// What `--color` says, before anything else is understood: help and usage errors are coloured too.
fn color_of(words: &[OsString]) -> ColorChoice {
    let words = words.iter().map(OsString::as_os_str).filter_map(OsStr::to_str);
    let words: Vec<_> = words.take_while(|word| *word != "--").collect();
    let pair = words.windows(2).find(|pair| pair[0] == "--color").map(|pair| pair[1]);
    match pair.or_else(|| words.iter().find_map(|word| word.strip_prefix("--color="))) {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}

fn printed(text: &str, color: ColorChoice) -> Result<Answer> {
    output::print(text, color).map(|()| Answer::Yes)
}

fn ended(answer: Result<Answer>, color: ColorChoice) -> ExitCode {
    match answer {
        Ok(Answer::Yes) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error, color);
            ExitCode::from(2)
        }
    }
}

fn dispatch(command: Command, output: &Output) -> Result<Answer> {
    match command {
        Command::Lint(args) => lint::run(&args, output),
        Command::Render(args) => render::run(&args, output),
        Command::Explain(args) => explain::run(&args, output),
        Command::Diff(args) => diff::run(&args, output),
        Command::Migrate(args) => migrate::run(&args, output),
        Command::Merge(args) => merge::run(&args, output),
        Command::Overrides(args) => overrides::run(&args, output),
        Command::Audit(args) => audit::run(&args, output),
        Command::Rules(args) => rules::run(&args, output),
        Command::Serve(args) => serve::run(&args, output),
        Command::Check(args) => check::run(&args, output),
        Command::Demo(args) => demo::run(&args, output),
        Command::Completions(args) => completions::run(&args, output),
        Command::Man(args) => man::run(&args, output),
    }
}

/// Whoever read our output has seen enough.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
    };
    error.chain().any(io)
}
