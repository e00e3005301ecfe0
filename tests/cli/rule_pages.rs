//! The examples on the rules' pages, as `lint` judges them.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::command::mirrorguard_of;
use crate::pages::{Example, Expected, examples};

#[test]
fn lint_judges_the_examples_of_every_page_as_they_say() -> Result<()> {
    examples().iter().try_for_each(|example| judge(example).with_context(|| example.place()))
}

fn judge(example: &Example) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    fs::write(path("example.yaml"), &example.text)?;
    let mut arguments = vec!["lint".to_owned(), "--output=json".to_owned(), path("example.yaml")];
    for (name, option, text) in
        [("before.yaml", "--against", &example.before), ("settings.yaml", "--config", &example.settings)]
    {
        if !text.is_empty() {
            fs::write(path(name), text)?;
            arguments.extend([option.to_owned(), path(name)]);
        }
    }
    let report = mirrorguard_of(&arguments)?.answers()?.json()?;
    let (_, written) = example.write();
    let about = |finding: &&Value| {
        let object = &finding["object"];
        finding["rule"] == example.rule
            && object["kind"] == written["kind"]
            && object["name"] == written["metadata"]["name"]
    };
    let found = report["findings"].as_array().context("no findings")?.iter().filter(about);
    let levels: Vec<_> = found.map(|finding| finding["severity"].clone()).collect();
    let verdict = if levels.iter().any(|level| level == "deny") {
        Expected::Denied
    } else if levels.is_empty() {
        Expected::Allowed
    } else {
        Expected::Warned
    };
    ensure!(verdict == example.expected, "lint says {verdict:?}: {report:#}");
    Ok(())
}
