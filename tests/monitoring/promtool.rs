//! promtool, which checks rules and evaluates them as Prometheus would.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::Value;

use crate::programs::{self, PROMTOOL};

fn promtool() -> Result<&'static Path> {
    static FOUND: OnceLock<Result<[PathBuf; 1], String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| programs::find([&PROMTOOL]).map_err(|error| format!("{error:#}")));
    found.as_ref().map(|[path]| path.as_path()).map_err(|error| anyhow!("{error}"))
}

/// Runs a command of promtool on files, by name and content, in a folder of their own; the last is named.
pub(crate) fn run(command: &[&str], files: &[(&str, &Value)]) -> Result<String> {
    let folder = tempfile::tempdir()?;
    for (name, content) in files {
        fs::write(folder.path().join(name), content.to_string())?;
    }
    let (last, _) = files.last().context("no file")?;
    let output = Command::new(promtool()?)
        .args(command)
        .arg(last)
        .current_dir(folder.path())
        .output()
        .context("failed to run promtool")?;
    let printed = String::from_utf8([output.stdout, output.stderr].concat())?;
    ensure!(output.status.success(), "promtool {}: {printed}", command.join(" "));
    Ok(printed)
}
