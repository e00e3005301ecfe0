//! Running the binary, and what is expected of a run.

use std::ffi::OsStr;
use std::fs;
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// The folder of the project, in which all runs take place.
pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A file in the fixtures of these tests.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(ROOT).join("tests/cli/fixtures").join(name)
}

/// The text of a file of the project.
pub(crate) fn text_of(path: impl AsRef<Path>) -> Result<String> {
    let path = Path::new(ROOT).join(path);
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// A run that is still to be started, in the project's folder, with nothing in its environment.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(ROOT).env_clear().stdin(Stdio::null());
    command
}

/// Runs `mirrorguard` with the words of a line.
pub(crate) fn mirrorguard(line: &str) -> Result<Run> {
    mirrorguard_of(line.split_whitespace())
}

/// Runs `mirrorguard`.
pub(crate) fn mirrorguard_of(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<Run> {
    Run::of(command(env!("CARGO_BIN_EXE_mirrorguard")).args(arguments))
}

/// Runs `mirrorguard` with the words of a line and something to read.
pub(crate) fn mirrorguard_reads(line: &str, input: &str) -> Result<Run> {
    let mut file = tempfile::tempfile()?;
    file.write_all(input.as_bytes())?;
    file.rewind()?;
    Run::of(command(env!("CARGO_BIN_EXE_mirrorguard")).args(line.split_whitespace()).stdin(file))
}

/// Findings by level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Findings {
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
}

/// A finished run.
#[derive(Debug)]
pub(crate) struct Run {
    code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Runs it to its end.
    pub(crate) fn of(command: &mut Command) -> Result<Self> {
        let Output { status, stdout, stderr } = command.output().context("failed to start mirrorguard")?;
        let (stdout, stderr) = (String::from_utf8(stdout)?, String::from_utf8(stderr)?);
        Ok(Self { code: status.code(), stdout, stderr })
    }

    /// The exit code; none where a signal ended the run.
    pub(crate) fn exit_code(&self) -> Option<i32> {
        self.code
    }

    /// How many errors and how many warnings were printed as findings.
    pub(crate) fn findings(&self) -> Findings {
        let text = without_colours(&self.stdout);
        let errors = text.lines().filter(|line| line.starts_with("error[")).count();
        let warnings = text.lines().filter(|line| line.starts_with("warning[")).count();
        Findings { errors, warnings }
    }

    /// Expects this exit code.
    pub(crate) fn code(self, expected: i32) -> Result<Self> {
        let Self { code, stdout, stderr } = &self;
        ensure!(*code == Some(expected), "exit code {code:?}, not {expected}:\n{stdout}\n{stderr}");
        Ok(self)
    }

    /// Expects an answer, be it yes or no.
    pub(crate) fn answers(self) -> Result<Self> {
        if self.code == Some(1) { Ok(self) } else { self.code(0) }
    }

    /// Expects a text on standard output; see [`holds`].
    pub(crate) fn prints(self, pattern: &str) -> Result<Self> {
        holds("standard output", &self.stdout, pattern)?;
        Ok(self)
    }

    /// Expects a text on standard error; see [`holds`].
    pub(crate) fn says(self, pattern: &str) -> Result<Self> {
        holds("standard error", &self.stderr, pattern)?;
        Ok(self)
    }

    /// The JSON on standard output.
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.stdout)
            .with_context(|| format!("not JSON: {}\n{}", self.stdout, self.stderr))
    }
}

/// The text without escape sequences of colours, `ESC [ … m`.
pub(crate) fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain += part.split_once('m').map_or("", |(_, rest)| rest);
    }
    plain
}

/// Expects the pattern somewhere in the text, where ` … ` is any text; an empty pattern expects no text.
fn holds(name: &str, text: &str, pattern: &str) -> Result<()> {
    ensure!(!pattern.is_empty() || text.is_empty(), "there is something on {name}:\n{text}");
    let mut rest = text;
    for part in pattern.split(" … ") {
        let found = rest.split_once(part);
        rest = found.with_context(|| format!("\"{part}\" is not on {name}, or not there:\n{text}"))?.1;
    }
    Ok(())
}
