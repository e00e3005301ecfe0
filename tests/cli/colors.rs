//! Colours where they are wanted.

use anyhow::{Result, ensure};

use crate::command::{Run, command};

/// Begins every colour.
const ESCAPE: char = '\u{1b}';

/// Of the environment.
type Variable = (&'static str, &'static str);

#[test]
fn colours_are_used_where_wanted_and_never_in_json() -> Result<()> {
    let table: [(&str, &[Variable], bool, &str); 9] = [
        ("", &[], false, "no terminal"),
        ("--color auto", &[], false, "no terminal"),
        ("--color never", &[], false, "refused"),
        ("--color always", &[], true, "wanted"),
        ("--color always", &[("NO_COLOR", "1")], true, "an option overrides the environment"),
        ("--color never", &[("CLICOLOR_FORCE", "1")], false, "likewise"),
        ("", &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], false, "refused by the environment"),
        ("", &[("CLICOLOR_FORCE", "1")], true, "forced by the environment"),
        ("--color always -o json", &[], false, "programs read no colours"),
    ];
    for (flags, environment, expected, reason) in table {
        let mut command = command(env!("CARGO_BIN_EXE_mirrorguard"));
        command.args(flags.split_whitespace()).args(["lint", "examples/policy-conflict"]);
        let run = Run::of(command.envs(environment.iter().copied()))?.code(1)?;
        ensure!(
            run.stdout.contains(ESCAPE) == expected,
            "{flags} {environment:?} ({reason}):\n{}",
            run.stdout
        );
    }
    Ok(())
}

#[test]
fn errors_are_coloured_like_results() -> Result<()> {
    for (flag, expected) in [("always", true), ("never", false)] {
        let mut command = command(env!("CARGO_BIN_EXE_mirrorguard"));
        let run = Run::of(command.args(["--color", flag, "lint", "missing.yaml"]))?.code(2)?;
        ensure!(run.stderr.contains(ESCAPE) == expected, "--color {flag}:\n{}", run.stderr);
    }
    Ok(())
}

#[test]
fn help_and_usage_are_coloured_like_results() -> Result<()> {
    for (flags, expected) in [("--color always", true), ("--color=always", true), ("--color never", false)] {
        for (line, code) in [("lint --help", 0), ("lnit", 2)] {
            let mut command = command(env!("CARGO_BIN_EXE_mirrorguard"));
            command.args(flags.split(' ')).args(line.split(' '));
            let run = Run::of(command.env("CLICOLOR_FORCE", "1"))?.code(code)?;
            let text = format!("{}{}", run.stdout, run.stderr);
            ensure!(text.contains(ESCAPE) == expected, "{flags} {line}:\n{text}");
        }
    }
    Ok(())
}
