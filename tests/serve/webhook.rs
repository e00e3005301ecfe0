//! A webhook that listens.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::http::{self, Response};
use crate::process::{Process, Signal};
use crate::wait::eventually;

/// An unoptimized build on a busy machine starts within a second.
const START: Duration = Duration::from_secs(30);

/// A running webhook.
pub(crate) struct Webhook {
    process: Process,
    /// The address for reviews.
    pub(crate) address: SocketAddr,
    admin: SocketAddr,
}

/// Loopback, with a free port.
pub(crate) fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no free port")?;
    Ok(listener.local_addr()?)
}

impl Webhook {
    /// Starts it and waits until it listens; its log goes into the folder.
    pub(crate) fn start(arguments: &[String], environment: &[(&str, String)], folder: &Path) -> Result<Self> {
        let admin = free_address()?;
        let listeners = ["--listen".to_owned(), "127.0.0.1:0".to_owned(), format!("--admin-listen={admin}")];
        let mut process = Process::start(listeners.iter().chain(arguments), environment, folder.join("log"))?;
        let address = eventually(START, "the log line with the address", || {
            if let Some(address) = listening(&process.log()?)? {
                return Ok(Ok(address));
            }
            // The outer result ends the wait: a process that has ended logs nothing more.
            let ended =
                process.status()?.map(|status| Err(anyhow::anyhow!("mirrorguard ended early ({status})")));
            ended.context("not there yet")
        })??;
        Ok(Self { process, address, admin })
    }

    /// The status that a probe gets.
    pub(crate) fn probe(&self, path: &str) -> Result<u16> {
        Ok(self.get(path)?.status)
    }

    /// The response of the admin port.
    pub(crate) fn get(&self, path: &str) -> Result<Response> {
        http::get(self.admin, path)
    }

    /// The text of the metrics.
    pub(crate) fn metrics(&self) -> Result<String> {
        let response = self.get("/metrics")?;
        ensure!(response.status == 200, "the metrics answer {}", response.status);
        Ok(response.body)
    }

    /// The value of a sample, given as in the text of the metrics with its labels.
    pub(crate) fn metric(&self, sample: &str) -> Result<f64> {
        let text = self.metrics()?;
        let value = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        let value = value.with_context(|| format!("no {sample} in:\n{text}"))?;
        value.parse().with_context(|| format!("{sample} is {value}"))
    }

    /// The lines of the log, each an object.
    pub(crate) fn lines(&self) -> Result<Vec<Value>> {
        let log = self.process.log()?;
        let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
    }

    /// Waits until the log contains a text.
    pub(crate) fn logged(&self, deadline: Duration, text: &str) -> Result<()> {
        eventually(deadline, &format!("\"{text}\" in the log"), || {
            ensure!(self.process.log()?.contains(text), "not logged");
            Ok(())
        })
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        self.process.signal(signal)
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self, deadline: Duration) -> Result<ExitStatus> {
        self.process.ended(deadline)
    }
}

/// The address in the log line about the listeners.
fn listening(log: &str) -> Result<Option<SocketAddr>> {
    // The last line may be half written.
    let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
    for line in whole.lines() {
        let Ok(event) = serde_json::from_str::<Value>(line) else { bail!("not a line of JSON: {line}") };
        if let Some(address) = event["address"].as_str() {
            return Ok(Some(address.parse()?));
        }
    }
    Ok(None)
}
