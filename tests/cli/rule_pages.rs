//! The examples on the rules' pages, checked by `lint`.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::command::mirrorguard_of;
use crate::pages::{Example, Expected, examples};

#[test]
fn lint_finds_what_each_example_of_a_page_shows() -> Result<()> {
    examples().iter().try_for_each(|example| check(example).with_context(|| example.place()))
}

fn check(example: &Example) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("example.yaml");
    fs::write(&file, &example.text)?;
    let mut arguments = vec!["lint".into(), "--output=json".into(), file.into_os_string()];
    for (name, option, text) in
        [("before.yaml", "--against", &example.before), ("settings.yaml", "--config", &example.settings)]
    {
        if !text.is_empty() {
            let file = folder.path().join(name);
            fs::write(&file, text)?;
            arguments.extend([option.into(), file.into_os_string()]);
        }
    }
    let report = mirrorguard_of(&arguments)?.answers()?.json()?;
    let (_, written) = example.write();
    let mut levels = Vec::new();
    for finding in report["findings"].as_array().context("no findings")? {
        if finding["rule"] == example.rule && is_about(finding, &written) {
            levels.push(finding["severity"].clone());
        }
    }
    let verdict = if levels.iter().any(|level| level == "deny") {
        Expected::Denied
    } else if levels.is_empty() {
        Expected::Allowed
    } else {
        Expected::Warned
    };
    ensure!(verdict == example.expected, "lint finds {verdict:?}: {report:#}");
    Ok(())
}

fn is_about(finding: &Value, object: &Value) -> bool {
    finding["object"]["kind"] == object["kind"] && finding["object"]["name"] == object["metadata"]["name"]
}
