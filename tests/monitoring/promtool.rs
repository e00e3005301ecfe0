//! promtool, which checks rules and evaluates them as Prometheus would.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::Value;

use crate::programs::{Program, in_path, says};

const PROMTOOL: Program = Program {
    name: "promtool",
    module: "promtool",
    package: "github.com/prometheus/prometheus/cmd/promtool",
};

fn promtool() -> Result<PathBuf> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let find = || {
        let found = in_path("promtool").filter(|path| says(path, &["--version"], "promtool, version 3."));
        PROMTOOL.find(found).map_err(|error| format!("{error:#}\nInstall promtool 3, or Go 1.26 to build it"))
    };
    FOUND.get_or_init(find).clone().map_err(|error| anyhow!(error))
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
        .context("cannot run promtool")?;
    let said = String::from_utf8([output.stdout, output.stderr].concat())?;
    ensure!(output.status.success(), "promtool {}: {said}", command.join(" "));
    Ok(said)
}
