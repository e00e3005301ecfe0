//! The command line: arguments, one file for each command, and the output.
//!
//! Results go to standard output, messages to standard error. The exit code is 0 when all is well, 1 when the
//! answer is no, and 2 when there is no answer: usage, I/O or parse errors.

mod args;
mod audit;
mod check;
mod completions;
mod connect;
mod credentials;
mod definition;
mod demo;
mod diff;
mod documents;
mod explain;
mod fix;
mod help;
mod hosted_control_planes;
mod input;
mod kubeconfig;
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
mod review;
mod rules;
mod serve;
mod tree;
mod words;

use std::{
    env,
    ffi::{OsStr, OsString},
    io,
    process::ExitCode,
};

use anstream::ColorChoice;
use anyhow::Result;
use clap::{FromArgMatches, error::ErrorKind};

use args::{Cli, Command};
use output::Output;

/// The answer of a command that could be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    let words: Vec<OsString> = env::args_os().collect();
    let color = color_of(&words);
    if completions::is_called_by_kubectl(words.first()) {
        let answer = completions::complete_for_kubectl(&words[1..]);
        return exit_code(answer.and_then(|text| print(&text, ColorChoice::Never)), color);
    }
    let cli = match parse(&words, color) {
        Ok(cli) => cli,
        // Prints a usage error and exits with 2.
        Err(error) if error.use_stderr() => error.exit(),
        Err(help) => return exit_code(print(&help.render().ansi().to_string(), color), color),
    };
    let output = Output::new(&cli.global);
    exit_code(dispatch(cli.command, &output), color)
}

fn parse(words: &[OsString], color: ColorChoice) -> Result<Cli, clap::Error> {
    let color = match color {
        ColorChoice::Always | ColorChoice::AlwaysAnsi => clap::ColorChoice::Always,
        ColorChoice::Never => clap::ColorChoice::Never,
        ColorChoice::Auto => clap::ColorChoice::Auto,
    };
    let name = definition::name_of(words.first().map(OsString::as_os_str));
    let mut command = definition::command_as(name, color, Output::width());
    let matches = command
        .try_get_matches_from_mut(words)
        .map_err(|error| definition::with_suggestion(error, &command))?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    // Before the command, as in `mirrorguard -o sarif render`, the option accepts every format.
    if !cli.global.output.is_for_all() && !cli.command.reports_findings() {
        let message = "-o sarif and -o junit are only available for lint and audit";
        return Err(command.error(ErrorKind::ArgumentConflict, message));
    }
    Ok(cli)
}

/// The value of `--color`, before anything else is parsed: help and usage errors are colored too.
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

fn print(text: &str, color: ColorChoice) -> Result<Answer> {
    output::print(text, color).map(|()| Answer::Yes)
}

fn exit_code(answer: Result<Answer>, color: ColorChoice) -> ExitCode {
    match answer {
        Ok(Answer::Yes) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::print_error(&error, color);
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

/// Whether the reader of the output closed it, as `head` does.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
