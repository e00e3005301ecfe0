//! Children that log to files and do not outlive the test.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use thiserror::Error;

use crate::wait::eventually;

/// How much of a log is worth reading below a failure.
const TAIL_LINES: usize = 12;
const LINE_CHARACTERS: usize = 300;

/// A process that ended although it was expected to run.
#[derive(Debug, Error)]
#[error("{name} ended early ({status}):\n{log}")]
pub(crate) struct EndedEarly {
    name: String,
    pub(crate) status: ExitStatus,
    /// The end of its log.
    pub(crate) log: String,
}

/// A running child; dropping it kills it.
pub(crate) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts the command with both its streams going to `<logs>/<name>.log`, after what is there already.
    pub(crate) fn start(name: &str, command: &mut Command, logs: &Path) -> Result<Self> {
        let log = logs.join(format!("{name}.log"));
        let file = File::options().create(true).append(true).open(&log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("failed to start {name}"))?;
        Ok(Self { name: name.to_owned(), child, log })
    }

    /// Waits until it ends by itself.
    pub(crate) fn finish(&mut self, deadline: Duration) -> Result<ExitStatus> {
        self.wait_for_end(deadline, "its end")
    }

    /// Fails with [`EndedEarly`] once the process has ended, so that no test waits for its answers.
    pub(crate) fn expect_running(&mut self) -> Result<()> {
        let Some(status) = self.child.try_wait()? else { return Ok(()) };
        Err(EndedEarly { name: self.name.clone(), status, log: tail(&self.log)? }.into())
    }

    /// Sends SIGTERM, through `kill` since std has no safe call for it.
    pub(crate) fn terminate(&self) -> Result<()> {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().context("failed to run kill")?;
        ensure!(sent.success(), "kill -TERM {pid}: {sent}");
        Ok(())
    }

    /// Waits for the end after SIGTERM.
    pub(crate) fn wait_after_sigterm(&mut self, deadline: Duration) -> Result<ExitStatus> {
        self.wait_for_end(deadline, "the end after SIGTERM")
    }

    fn wait_for_end(&mut self, deadline: Duration, what: &str) -> Result<ExitStatus> {
        eventually(deadline, what, || {
            self.child.try_wait()?.with_context(|| format!("{} is still running", self.name))
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only where the process is gone already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The last lines of every log in the folder, for the output of a failed test.
pub(crate) fn tails(logs: &Path) -> Result<String> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(logs)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    files.iter().map(|log| tail(log)).collect()
}

fn tail(log: &Path) -> Result<String> {
    let bytes = fs::read(log)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<String> = text.lines().map(|line| line.chars().take(LINE_CHARACTERS).collect()).collect();
    let last = lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n");
    Ok(format!("--- end of {}\n{last}\n", log.file_name().unwrap_or_default().display()))
}
