//! A repository as people have it: mirror sets in several wrappers, between files of other programs.

use anyhow::{Result, ensure};

use crate::command::mirrorguard;

const FOLDER: &str = "tests/cli/fixtures/gitops";

#[test]
fn a_repository_is_checked_and_what_is_not_ours_is_counted() -> Result<()> {
    let report = mirrorguard(&format!("lint -o json {FOLDER}"))?.code(0)?.json()?;
    let summary = &report["summary"];
    let counts = ["objects", "skipped", "deny"].map(|name| summary[name].as_u64().unwrap_or(u64::MAX));
    // Chart.yaml, values.yaml, the template, package.json, the playbook, two kustomization.yaml and three patches.
    ensure!(counts == [4, 10, 0], "{report:#}");
    let mut messages = mirrorguard(&format!("lint -v {FOLDER}"))?.code(0)?;
    for patch in ["source", "removed", "unlisted"] {
        messages = messages.says(&format!("{FOLDER}/overlay/{patch}.yaml:1: a Kustomize patch"))?;
    }
    Ok(())
}

#[test]
fn a_template_that_is_named_is_an_error() -> Result<()> {
    let named = mirrorguard(&format!("lint {FOLDER}/chart/templates/idms.yaml"))?.code(2)?;
    named.prints("this looks like a template: render it first, for example helm template")?;
    Ok(())
}

#[test]
fn findings_in_wrappers_are_at_their_own_lines() -> Result<()> {
    let configuration = "tests/cli/fixtures/untrusted.yaml";
    let report = mirrorguard(&format!("lint -o json --config {configuration} {FOLDER}"))?.code(0)?.json()?;
    let lines: Vec<_> = report["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|finding| {
            let is_untrusted = finding["rule"] == "untrusted-mirror";
            is_untrusted.then(|| (finding["object"]["name"].clone(), finding["line"].clone()))
        })
        .collect();
    let expected =
        [("hosted", 16), ("image-digest-mirror", 8), ("image-digest-mirror", 11), ("team", 9), ("acm", 25)];
    let expected: Vec<_> = expected.iter().map(|(name, line)| ((*name).into(), (*line).into())).collect();
    ensure!(lines == expected, "{lines:?}");
    Ok(())
}
