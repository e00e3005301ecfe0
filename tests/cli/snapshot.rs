//! What people see, held against files.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use crate::command::{ROOT, Run};

/// Holds a text against a file below `tests/cli`; `make generate` writes the file instead.
pub(crate) fn matches_snapshot(seen: &str, name: &str) -> Result<()> {
    let path = Path::new(ROOT).join("tests/cli").join(name);
    if std::env::var_os("MIRRORGUARD_UPDATE").is_some() {
        return fs::write(&path, seen).with_context(|| format!("cannot write {}", path.display()));
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    ensure!(seen == expected, "{} differs: run make generate:\n{seen}", path.display());
    Ok(())
}

/// Several runs as a person would see them in a terminal: each under its command line.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    text: String,
    /// What differs between two runs of the tests, and what is written instead.
    replaced: Vec<(String, &'static str)>,
}

impl Transcript {
    /// Writes `name` where a later run shows `value`, such as the path of a temporary folder.
    pub(crate) fn replace(&mut self, value: &impl ToString, name: &'static str) {
        self.replaced.push((value.to_string(), name));
    }

    /// Adds the messages and the exit code of a run, without its result.
    pub(crate) fn add_messages(&mut self, line: &str, run: &Run) {
        self.add(line, &run.stderr, run);
    }

    /// Adds the result, the messages and the exit code of a run.
    pub(crate) fn add_all(&mut self, line: &str, run: &Run) {
        self.add(line, &format!("{}{}", run.stdout, run.stderr), run);
    }

    fn add(&mut self, line: &str, shown: &str, run: &Run) {
        let mut entry = format!("$ mirrorguard {line}\n{shown}");
        // Writing to a String cannot fail.
        let _ = writeln!(entry, "[exit code {}]\n", run.exit_code().unwrap_or(-1));
        for (value, name) in &self.replaced {
            entry = entry.replace(value, name);
        }
        self.text += &entry;
    }

    /// Holds the runs against a file below `tests/cli`.
    pub(crate) fn matches(&self, name: &str) -> Result<()> {
        matches_snapshot(&self.text, name)
    }
}
