//! Standard output that is closed early, or full.

use std::fs::File;
use std::io;

use anyhow::{Context as _, Result};

use crate::command::{Run, command};

const COMMANDS: [&str; 11] = [
    "lint examples/policy-conflict",
    "lint -o json examples/policy-conflict",
    "render examples/oc-mirror-v2",
    "explain example.com/a:1 examples/oc-mirror-v2",
    "overrides examples/hosted-cluster",
    "rules",
    "demo",
    "demo -o json",
    "completions bash",
    "man lint",
    "lint --help",
];

#[test]
fn a_closed_pipe_is_no_error() -> Result<()> {
    for line in COMMANDS {
        let (reader, writer) = io::pipe()?;
        drop(reader);
        let mut command = command(env!("CARGO_BIN_EXE_mirrorguard"));
        let run = Run::of(command.args(line.split(' ')).stdout(writer))?;
        let run = run.code(0).context(line)?;
        anyhow::ensure!(!run.stderr.contains("error"), "{line}:\n{}", run.stderr);
    }
    Ok(())
}

#[test]
fn a_full_disk_is_an_error() -> Result<()> {
    for line in COMMANDS {
        let mut command = command(env!("CARGO_BIN_EXE_mirrorguard"));
        let full = File::options().write(true).open("/dev/full")?;
        let run = Run::of(command.args(line.split(' ')).stdout(full))?;
        run.code(2)?.says("No space left on device").context(line)?;
    }
    Ok(())
}
