//! The command line: arguments, one file a command, and what is printed where.
//!
//! Results go to standard output, everything said about them to standard error. The exit code is 0 when
//! all is well, 1 when the answer is no, 2 when the question could not be answered.

mod args;
mod demo;
mod diff;
mod explain;
mod input;
mod lint;
mod managed;
mod output;
mod overrides;
mod render;
mod report;
mod rules;
mod serve;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

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
    let cli = Cli::parse();
    let output = Output::new(&cli.global);
    match dispatch(cli.command, &output) {
        Ok(Answer::Yes) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output.error(&error);
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
        Command::Overrides(args) => overrides::run(&args, output),
        Command::Rules(args) => rules::run(&args, output),
        Command::Serve(args) => serve::run(&args, output),
        Command::Demo => demo::run(output),
    }
}

/// Whoever read our output has seen enough.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
    };
    error.chain().any(io)
}
