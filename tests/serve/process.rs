//! The binary under test as a child process that logs to a file and is killed after the test.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::wait::eventually;

/// `mirrorguard serve`, running or not.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

/// The two signals that stop it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Signal {
    /// SIGTERM, which the kubelet sends.
    Terminate,
    /// SIGINT, which Ctrl-C sends.
    Interrupt,
}

impl Process {
    /// Starts `mirrorguard serve` with its output in the log.
    pub(crate) fn start(
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
        environment: &[(&str, String)],
        log: PathBuf,
    ) -> Result<Self> {
        let file = File::create(&log)?;
        let child = Command::new(env!("CARGO_BIN_EXE_mirrorguard"))
            .arg("serve")
            .args(arguments)
            .env_remove("KUBERNETES_SERVICE_HOST")
            .env_remove("RUST_LOG")
            .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
            .env_remove("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .context("failed to start mirrorguard")?;
        Ok(Self { child, log })
    }

    /// The output so far.
    pub(crate) fn log(&self) -> Result<String> {
        fs::read_to_string(&self.log).with_context(|| format!("cannot read {}", self.log.display()))
    }

    /// The exit status; `None` while it runs.
    pub(crate) fn status(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self, deadline: Duration) -> Result<ExitStatus> {
        eventually(deadline, "the end of mirrorguard", || self.status()?.context("it is still running"))
    }

    /// Sends a signal with `kill`, because std has no safe function for it.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let name = match signal {
            Signal::Terminate => "-TERM",
            Signal::Interrupt => "-INT",
        };
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().context("failed to run kill")?;
        ensure!(sent.success(), "kill {name} {pid}: {sent}");
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if the process has ended already.
        self.child.kill().ok();
        self.child.wait().ok();
        eprintln!("--- {}\n{}", self.log.display(), self.log().unwrap_or_default());
    }
}
