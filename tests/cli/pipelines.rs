//! The hooks and the action that others run `lint` by.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use mirrorguard_core::objects::manifest::read_document;
use serde_json::Value;
use tempfile::TempDir;

use crate::command::{Findings, ROOT, Run, command, text_of};

const PROGRAM: &str = env!("CARGO_BIN_EXE_mirrorguard");

fn yaml(name: &str) -> Result<Value> {
    Ok(read_document(name, &text_of(name)?)?)
}

fn words(value: &Value) -> Vec<String> {
    let list = value.as_array().into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A folder to be linted, with one of the examples in it.
fn repository(example: &str) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    fs::create_dir(folder.path().join("mirror sets"))?;
    for entry in fs::read_dir(Path::new(ROOT).join("examples").join(example))? {
        let from = entry?.path();
        fs::copy(&from, folder.path().join("mirror sets").join(from.file_name().context("no name")?))?;
    }
    Ok(folder)
}

/// The search path of a run, with one folder before it.
fn path_with(folder: &Path) -> Result<String> {
    Ok(format!("{}:{}", folder.display(), std::env::var("PATH")?))
}

#[test]
fn hooks_run_lint_as_pre_commit_runs_them() -> Result<()> {
    let programs = tempfile::tempdir()?;
    symlink(PROGRAM, programs.path().join("mirrorguard"))?;
    let hooks = yaml(".pre-commit-hooks.yaml")?;
    let hooks = hooks.as_array().context("no list of hooks")?;
    ensure!(hooks.len() == 2, "{hooks:#?}");
    for hook in hooks {
        for (example, code) in [("policy-conflict", 1), ("oc-mirror-v2", 0)] {
            let folder = repository(example)?;
            // The entry's words, the arguments, and no names of files.
            ensure!(
                hook["pass_filenames"] == false && hook["types_or"] == serde_json::json!(["yaml", "json"])
            );
            let entry = hook["entry"].as_str().context("no entry")?.split(' ').map(str::to_owned);
            let entry: Vec<_> = entry.chain(words(&hook["args"])).collect();
            let mut command = command("env");
            command.args(entry).current_dir(folder.path()).env("PATH", path_with(programs.path())?);
            Run::of(&mut command)?.code(code).with_context(|| format!("{} on {example}", hook["id"]))?;
        }
    }
    Ok(())
}

/// The action with its inputs set, run step by step in a folder.
struct Action {
    steps: Vec<Value>,
    values: BTreeMap<String, String>,
    temporary: TempDir,
}

impl Action {
    fn with(inputs: &[(&str, &str)]) -> Result<Self> {
        let action = yaml("action.yml")?;
        let temporary = tempfile::tempdir()?;
        let mut values = BTreeMap::new();
        for (name, input) in action["inputs"].as_object().context("no inputs")? {
            let default = input["default"].as_str().with_context(|| format!("no default of {name}"))?;
            values.insert(format!("inputs.{name}"), default.to_owned());
        }
        for (name, value) in inputs {
            let known = values.insert(format!("inputs.{name}"), (*value).to_owned());
            ensure!(known.is_some(), "the action has no input {name}");
        }
        values.insert("github.action_path".to_owned(), ROOT.to_owned());
        values.insert("runner.temp".to_owned(), temporary.path().display().to_string());
        let steps = action["runs"]["steps"].as_array().context("no steps")?.clone();
        Ok(Self { steps, values, temporary })
    }

    /// A text with its expressions replaced by their values.
    fn text(&self, text: &str) -> Result<String> {
        let mut parts = text.split("${{");
        let mut whole = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once("}}").context("an expression without an end")?;
            whole += self.values.get(name.trim()).with_context(|| format!("no value of {name}"))?;
            whole += rest;
        }
        Ok(whole)
    }

    /// Runs the steps that have a script as a runner does, and returns the last.
    fn run(&self, folder: &Path) -> Result<Run> {
        let programs = self.temporary.path().join("programs");
        fs::create_dir_all(&programs)?;
        // A cargo that links the built program instead of building it.
        let cargo = "#!/bin/sh\n[ \"$1 $2 $3 $4\" = \"build --release --locked --target-dir\" ] || exit 9\n\
                     [ -f Cargo.lock ] || exit 8\nmkdir -p \"$5/release\" && ln -sf \"$PROGRAM\" \"$5/release/mirrorguard\"\n";
        fs::write(programs.join("cargo"), cargo)?;
        fs::set_permissions(programs.join("cargo"), fs::Permissions::from_mode(0o755))?;
        let mut last = None;
        for step in self.steps.iter().filter(|step| step["uses"].is_null()) {
            let script = step["run"].as_str().context("neither a script nor an action")?;
            ensure!(!script.contains("${{"), "an input would be read as code: {script}");
            ensure!(step["shell"] == "bash", "{step}");
            let file = self.temporary.path().join("script.sh");
            fs::write(&file, script)?;
            let mut command = command("bash");
            command.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(&file).current_dir(folder);
            command.env("PATH", path_with(&programs)?).env("PROGRAM", PROGRAM);
            command.env("GITHUB_OUTPUT", self.temporary.path().join("output"));
            for (name, value) in step["env"].as_object().into_iter().flatten() {
                command.env(name, self.text(value.as_str().context("a value that is no text")?)?);
            }
            if let Some(before) = last.replace(Run::of(&mut command)?) {
                before.code(0)?;
            }
        }
        last.context("no step has a script")
    }
}

/// A run of the action on an example, and what it finds.
struct Case<'a> {
    example: &'a str,
    inputs: &'a [(&'a str, &'a str)],
    code: i32,
    errors: usize,
    warnings: usize,
    reason: &'a str,
}

#[test]
fn the_action_lints_what_its_inputs_name() -> Result<()> {
    let config = "rules: {root-level-source: deny}\n";
    let (conflict, warned) = ("policy-conflict", "root-level-only");
    let one_file: &[_] = &[("paths", "mirror sets/idms.yaml\n\n")];
    let itself: &[_] =
        &[("paths", "mirror sets/idms.yaml"), ("against", "mirror sets/itms.yaml\nmirror sets/idms.yaml")];
    let excluded: &[_] = &[("exclude", "idms.yaml\nREADME.md")];
    let configured: &[_] = &[("config", "config.yml.txt")];
    let table = [
        Case {
            example: conflict,
            inputs: &[],
            code: 1,
            errors: 2,
            warnings: 0,
            reason: "everything there is",
        },
        Case {
            example: conflict,
            inputs: &[("paths", "mirror sets")],
            code: 1,
            errors: 2,
            warnings: 0,
            reason: "a path with a space",
        },
        Case { example: conflict, inputs: one_file, code: 0, errors: 0, warnings: 1, reason: "one of them" },
        Case { example: conflict, inputs: itself, code: 0, errors: 0, warnings: 0, reason: "against itself" },
        Case { example: conflict, inputs: excluded, code: 0, errors: 0, warnings: 0, reason: "without one" },
        Case { example: warned, inputs: &[], code: 0, errors: 0, warnings: 2, reason: "warnings" },
        Case {
            example: warned,
            inputs: &[("fail-on", "warn")],
            code: 1,
            errors: 0,
            warnings: 2,
            reason: "that fail",
        },
        Case { example: warned, inputs: configured, code: 1, errors: 2, warnings: 0, reason: "configured" },
    ];
    for Case { example, inputs, code, errors, warnings, reason } in table {
        let folder = repository(example)?;
        fs::write(folder.path().join("config.yml.txt"), config)?;
        let run = Action::with(inputs)?.run(folder.path())?.code(code).context(reason)?;
        ensure!(run.findings() == Findings { errors, warnings }, "{reason}: {}", run.stdout);
        ensure!(!run.stderr.contains("warning: "), "nothing was checked, {reason}: {}", run.stderr);
    }
    Ok(())
}

#[test]
fn the_action_writes_sarif_and_fails_all_the_same() -> Result<()> {
    let folder = repository("policy-conflict")?;
    let action = Action::with(&[("sarif-file", "a b.sarif")])?;
    action.run(folder.path())?.code(1)?.prints("conflicting-source-policy")?;
    let report: Value = serde_json::from_str(&fs::read_to_string(folder.path().join("a b.sarif"))?)?;
    ensure!(report["runs"][0]["results"].as_array().map(Vec::len) == Some(2), "{report}");
    let output = fs::read_to_string(action.temporary.path().join("output"))?;
    let key = output.strip_prefix("key=").context("no key")?.trim_end();
    ensure!(key.len() == 64, "a key that changes with the source: {output}");
    Ok(())
}

#[test]
fn the_action_runs_no_input_as_code() -> Result<()> {
    let evil = "$(touch pwned); `touch pwned`; \"; touch pwned; \" --config=x";
    for input in ["paths", "against", "exclude", "fail-on", "config"] {
        let folder = repository("oc-mirror-v2")?;
        let run = Action::with(&[(input, evil)])?.run(folder.path())?;
        ensure!(!folder.path().join("pwned").exists(), "{input} was run");
        if input != "exclude" {
            run.code(2).with_context(|| format!("{input} is no such thing"))?;
        }
    }
    Ok(())
}

#[test]
fn the_action_caches_what_it_builds() -> Result<()> {
    let action = Action::with(&[])?;
    let cache = action.steps.iter().find(|step| !step["uses"].is_null()).context("no cache")?;
    let cached = action.text(cache["with"]["path"].as_str().context("no path")?)?;
    let lints = action.steps.last().context("no steps")?;
    let program = action.text(lints["env"]["MIRRORGUARD"].as_str().context("no program")?)?;
    ensure!(Path::new(&program).starts_with(&cached), "{program} is not in {cached}");
    Ok(())
}
