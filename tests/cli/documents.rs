//! Every command and rule that a document names exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::command::{ROOT, mirrorguard, mirrorguard_of, text_of};
use crate::help::commands;

/// Words in code with dashes between them that are no ids of rules.
const OTHER_WORDS: [(&str, &str); 12] = [
    ("kube-apiserver", "a program"),
    ("machine-config-operator", "a program that asks upstream"),
    ("json-value", "a server of the benchmarks"),
    ("managed-cluster-validating-webhooks", "a program"),
    ("air-gap", "a profile"),
    ("hosted-control-planes", "a profile"),
    ("managed-openshift", "a profile"),
    ("mirrorguard-lint", "a hook"),
    ("mirrorguard-lint-system", "a hook"),
    ("sarif-file", "an input of the action"),
    ("kubectl-mirrorguard", "a link to this one"),
    ("system-cluster-critical", "a priority class"),
];

/// The documents for users, and the pages of the rules.
fn documents() -> Result<Vec<PathBuf>> {
    let mut found: Vec<_> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(PathBuf::from).into();
    for folder in ["docs", "examples", "charts", "certs", "core/src/rules"] {
        collect(Path::new(folder), &mut found)?;
    }
    Ok(found)
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in
        fs::read_dir(Path::new(ROOT).join(folder)).with_context(|| format!("no {}", folder.display()))?
    {
        let path = folder.join(entry?.file_name());
        if Path::new(ROOT).join(&path).is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "md" || extension == "txt") {
            found.push(path);
        }
    }
    Ok(())
}

/// What is between backticks on a line, and the line itself where it is indented or begins with a prompt.
fn code_of(line: &str) -> impl Iterator<Item = &str> {
    let whole = line.strip_prefix("    ").or_else(|| line.strip_prefix("$ "));
    line.split('`').skip(1).step_by(2).chain(whole.map(str::trim_start))
}

#[test]
fn every_command_that_a_document_names_exists() -> Result<()> {
    let commands = commands()?;
    ensure!(commands.contains("lint"), "the help was not understood: {commands:?}");
    let mut named = BTreeSet::new();
    for document in documents()? {
        for line in text_of(&document)?.lines() {
            let words = code_of(line).filter_map(|code| code.strip_prefix("mirrorguard "));
            for command in
                words.filter_map(|rest| rest.split_whitespace().next()).filter(|c| !c.starts_with('-'))
            {
                ensure!(commands.contains(command), "{}: no command {command}: {line}", document.display());
                named.insert(command.to_owned());
            }
        }
    }
    ensure!(named == commands, "no document names {:?}", commands.difference(&named));
    Ok(())
}

#[test]
fn every_example_can_be_typed_as_its_page_says() -> Result<()> {
    let mut typed = 0;
    for document in documents()?.iter().filter(|document| document.starts_with("examples")) {
        for line in text_of(document)?.lines().filter_map(|line| line.strip_prefix("    mirrorguard ")) {
            mirrorguard(line)?.answers().with_context(|| format!("{}: {line}", document.display()))?;
            typed += 1;
        }
    }
    ensure!(typed >= 10, "only {typed} commands were found");
    Ok(())
}

#[test]
fn the_readme_shows_what_is_printed() -> Result<()> {
    let readme = text_of("README.md")?;
    let mut shown = readme.split("\n$ mirrorguard ").skip(1).peekable();
    ensure!(shown.peek().is_some(), "no example to run");
    for example in shown {
        let example = example.split("\n```").next().unwrap_or_default();
        let (line, expected) = example.split_once('\n').context("a command that prints nothing")?;
        let printed = mirrorguard(line)?.answers()?.stdout;
        for expected in expected.lines() {
            ensure!(
                printed.contains(&format!("{expected}\n")),
                "{line}: not printed any more: {expected}\n{printed}"
            );
        }
    }
    Ok(())
}

#[test]
fn the_configuration_in_the_readme_is_accepted() -> Result<()> {
    let readme = text_of("README.md")?;
    let yaml = readme.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next());
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("config.yaml");
    fs::write(&file, yaml.context("no configuration in the README")?)?;
    let arguments = ["lint", "examples/oc-mirror-v2", "--config"].map(AsRef::as_ref);
    mirrorguard_of(arguments.into_iter().chain([file.as_os_str()]))?.code(0)?;
    Ok(())
}

#[test]
fn every_rule_that_a_document_names_exists() -> Result<()> {
    let rules = mirrorguard("rules -o json")?.code(0)?.json()?;
    let rules: BTreeSet<_> =
        rules.as_array().context("no list")?.iter().filter_map(|rule| rule["id"].as_str()).collect();
    for document in documents()? {
        for line in text_of(&document)?.lines() {
            for word in line.split('`').skip(1).step_by(2).filter(|code| is_like_an_id(code)) {
                let known = rules.contains(word) || OTHER_WORDS.iter().any(|(other, _)| *other == word);
                ensure!(known, "{}: no rule is called {word}: {line}", document.display());
            }
        }
    }
    Ok(())
}

fn is_like_an_id(code: &str) -> bool {
    code.contains('-') && !code.starts_with('-') && code.chars().all(|c| c.is_ascii_lowercase() || c == '-')
}
