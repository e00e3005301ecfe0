//! What `lint --fix`, `--unsafe-fixes` and `--diff` do to files.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::command::mirrorguard_of;

/// A set that lacks the explicit entries of the release.
const TEXT: &str = "\
apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet
metadata:
  name: quay
spec:
  imageDigestMirrors:
  # The whole registry
  - source: quay.io
    mirrors: [mirror.lab.example/quay]
    mirrorSourcePolicy: NeverContactSource
";

fn lint(words: &[&str], file: &str) -> Result<crate::command::Run> {
    mirrorguard_of(["lint"].iter().chain(words).copied().chain([file]))
}

#[test]
fn a_diff_writes_nothing_and_a_second_fix_finds_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("quay.yaml");
    fs::write(&path, TEXT)?;
    let file = path.to_str().context("UTF-8")?;
    lint(&["--diff"], file)?.code(1)?.prints("+  - source: quay.io/openshift-release-dev/ocp-release")?;
    ensure!(fs::read_to_string(&path)? == TEXT, "--diff writes");
    lint(&["--fix"], file)?.code(0)?;
    let fixed = fs::read_to_string(&path)?;
    ensure!(fixed.contains("# The whole registry") && fixed.len() > TEXT.len(), "{fixed}");
    lint(&["--diff"], file)?.code(0)?.prints("")?;
    lint(&["--fix"], file)?.code(0)?;
    ensure!(fs::read_to_string(&path)? == fixed, "a second --fix changes something");
    Ok(())
}

#[test]
fn a_fix_that_changes_pulls_is_applied_only_when_asked_for() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("quay.yaml");
    let text = TEXT.replace("mirror.lab.example/quay", "https://mirror.lab.example/quay");
    fs::write(&path, &text)?;
    let file = path.to_str().context("UTF-8")?;
    lint(&["--fix"], file)?.code(1)?;
    ensure!(fs::read_to_string(&path)? == text, "--fix applies an unsafe fix");
    lint(&["--unsafe-fixes"], file)?.code(0)?;
    ensure!(fs::read_to_string(&path)?.contains("[mirror.lab.example/quay]"), "--unsafe-fixes does not");
    Ok(())
}

#[test]
fn edits_in_json_and_sarif_are_those_of_the_diff() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("quay.yaml");
    let text = TEXT.replace("mirror.lab.example/quay", "https://mirror.lab.example/quay");
    fs::write(&path, &text)?;
    let file = path.to_str().context("UTF-8")?;
    let report = lint(&["-o", "json"], file)?.code(1)?.json()?;
    let finding = report["findings"].as_array().and_then(|findings| findings.first()).context("a finding")?;
    ensure!(finding["fix"]["applicability"] == "unsafe", "{finding}");
    let edit = &finding["fix"]["edits"][0];
    let range = byte(&edit["start"])?..byte(&edit["end"])?;
    ensure!(&text[range.clone()] == "https://mirror.lab.example/quay", "{edit}");
    let sarif = lint(&["-o", "sarif"], file)?.code(1)?.json()?;
    let replacement = &sarif["runs"][0]["results"][0]["fixes"][0]["artifactChanges"][0]["replacements"][0];
    ensure!(replacement["deletedRegion"]["byteOffset"] == range.start, "{replacement}");
    ensure!(replacement["insertedContent"]["text"] == edit["text"], "{replacement}");
    Ok(())
}

fn byte(value: &Value) -> Result<usize> {
    Ok(usize::try_from(value.as_u64().context("a number")?)?)
}
