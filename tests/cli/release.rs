//! The image, the workflows and the places that contain the version agree with each other.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use mirrorguard_core::objects::manifest::read_document;
use serde_json::{Map, Value};

use crate::command::{ROOT, Run, command, text_of};

const WORKFLOWS: [&str; 2] = [".github/workflows/ci.yml", ".github/workflows/release.yml"];

fn yaml(name: &str) -> Result<Value> {
    Ok(read_document(name, &text_of(name)?)?)
}

fn jobs(workflow: &str) -> Result<Map<String, Value>> {
    let workflow = yaml(workflow)?;
    Ok(workflow["jobs"].as_object().context("no jobs")?.clone())
}

/// The rest of the first line that begins with a text.
fn after<'a>(text: &'a str, start: &str) -> Result<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(start)).with_context(|| format!("no line {start}…"))
}

/// The words of each instruction in the last stage of the Containerfile.
fn final_stage() -> Result<Vec<Vec<String>>> {
    let file = text_of("Containerfile")?.replace("\\\n", " ");
    let lines = file.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let mut stage = Vec::new();
    for line in lines {
        if line.starts_with("FROM ") {
            stage.clear();
        }
        stage.push(line.split_whitespace().map(str::to_owned).collect());
    }
    Ok(stage)
}

#[test]
fn workflows_pin_actions_to_a_commit() -> Result<()> {
    let mut used = 0;
    for file in WORKFLOWS.into_iter().chain(["action.yml"]) {
        for line in text_of(file)?.lines() {
            let Some(action) = line.trim_start_matches([' ', '-']).strip_prefix("uses: ") else { continue };
            if action.starts_with("./") {
                continue;
            }
            let (action, version) =
                action.split_once(" # v").with_context(|| format!("no version: {line}"))?;
            let commit = action.split_once('@').map_or("", |(_, commit)| commit);
            ensure!(
                commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit()),
                "{file}: a branch or tag: {line}"
            );
            ensure!(version.split('.').all(|part| part.parse::<u16>().is_ok()), "{file}: {line}");
            used += 1;
        }
    }
    ensure!(used >= 10, "only {used} were found");
    Ok(())
}

#[test]
fn every_job_has_its_own_permissions_and_a_timeout() -> Result<()> {
    for file in WORKFLOWS {
        ensure!(
            yaml(file)?["permissions"] == serde_json::json!({}),
            "{file}: each job must set its own permissions"
        );
        for (name, job) in jobs(file)? {
            ensure!(
                job["permissions"].is_object(),
                "{file}: {name} has the default permissions of the repository"
            );
            ensure!(
                job["timeout-minutes"].is_u64() || job["uses"].is_string(),
                "{file}: {name} may run for six hours"
            );
            let writes = job["permissions"].as_object().into_iter().flatten();
            let writes: Vec<_> = writes.filter(|(_, level)| *level == "write").collect();
            ensure!(
                writes.is_empty() || job["if"] == "github.event_name == 'push'",
                "{file}: {name} could write in a trial"
            );
        }
    }
    Ok(())
}

#[test]
fn scripts_contain_no_expressions_of_other_people() -> Result<()> {
    for file in WORKFLOWS {
        for (name, job) in jobs(file)? {
            for step in job["steps"].as_array().into_iter().flatten() {
                let script = step["run"].as_str().unwrap_or_default();
                // The matrix is written in the workflow itself.
                let foreign =
                    script.split("${{").skip(1).find(|rest| !rest.trim_start().starts_with("matrix."));
                ensure!(foreign.is_none(), "{file}: {name}: {script}");
            }
        }
    }
    Ok(())
}

#[test]
fn tools_are_installed_in_a_fixed_version() -> Result<()> {
    let mut installed = 0;
    for file in WORKFLOWS.into_iter().chain(["image/tools"]) {
        for line in text_of(file)?.lines().map(str::trim) {
            let line = line.trim_start_matches("- run: ");
            let Some(words) =
                ["cargo install ", "go install "].iter().find_map(|start| line.strip_prefix(start))
            else {
                continue;
            };
            let version = words.rsplit_once('@').with_context(|| format!("{file}: any version: {line}"))?.1;
            let parts: Vec<_> = version.trim_start_matches('v').split('.').collect();
            ensure!(
                parts.len() == 3 && parts.iter().all(|part| part.parse::<u16>().is_ok()),
                "{file}: {line}"
            );
            ensure!(!line.starts_with("cargo") || line.contains(" --locked "), "{file}: {line}");
            installed += 1;
        }
    }
    ensure!(installed == 3, "{installed} were found");
    Ok(())
}

#[test]
fn the_image_is_built_with_the_repositorys_version_of_rust() -> Result<()> {
    let channel = text_of("rust-toolchain.toml")?;
    let channel = after(&channel, "channel = ")?.trim_matches('"').to_owned();
    let file = text_of("Containerfile")?;
    ensure!(after(&file, "ARG RUST=")?.starts_with(&format!("docker.io/library/rust:{channel}-")));
    ensure!(after(&file, "ENV RUSTUP_TOOLCHAIN=")? == channel);
    Ok(())
}

#[test]
fn the_image_contains_no_shell_and_does_not_run_as_root() -> Result<()> {
    let stage = final_stage()?;
    ensure!(stage.first().is_some_and(|from| from.join(" ") == "FROM scratch"), "{stage:#?}");
    let allowed = ["FROM", "ARG", "LABEL", "COPY", "USER", "ENTRYPOINT", "CMD"];
    for words in &stage {
        ensure!(allowed.contains(&words[0].as_str()), "{words:?} is not an instruction for files alone");
        // The other form of these two runs in a shell.
        ensure!(
            !["ENTRYPOINT", "CMD"].contains(&words[0].as_str()) || words[1].starts_with('['),
            "{words:?}"
        );
    }
    let user = stage.iter().find(|words| words[0] == "USER").context("root")?;
    let ids: Vec<_> = user[1].split(':').map(str::parse::<u32>).collect::<Result<_, _>>()?;
    ensure!(ids.len() == 2 && ids.iter().all(|id| *id > 0), "runAsNonRoot needs a number: {user:?}");
    let entrypoint = stage.iter().find(|words| words[0] == "ENTRYPOINT").context("no entrypoint")?;
    let program = entrypoint[1].trim_matches(['[', ']', '"']);
    ensure!(text_of("image/build")?.contains(&format!("\"$out{program}\"")), "{program} is not in the image");
    Ok(())
}

#[test]
fn every_architecture_is_released_and_checked() -> Result<()> {
    let platform = text_of("image/platform")?;
    let cases = platform.lines().filter_map(|line| line.trim().split_once(") cpu="));
    let cases: Vec<_> =
        cases.map(|(name, rest)| (name, rest.split(' ').next().unwrap_or_default())).collect();
    ensure!(cases.len() == 4, "{cases:?}");
    let built = &jobs(".github/workflows/release.yml")?["build"]["strategy"]["matrix"]["arch"];
    let built: BTreeSet<_> = built.as_array().context("no list")?.iter().filter_map(Value::as_str).collect();
    ensure!(built == cases.iter().map(|(name, _)| *name).collect(), "{built:?}");
    let checked = text_of("deny.toml")?;
    for (name, cpu) in cases {
        ensure!(checked.contains(&format!("\"{cpu}-unknown-linux-gnu\"")), "deny.toml does not know {name}");
    }
    Ok(())
}

/// Files that contain the version, once as they are, and once with another version in one of them.
#[test]
fn a_tag_is_released_only_if_all_files_have_its_version() -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let tag = format!("refs/tags/v{version}");
    version_with("Cargo.toml", "", "", &tag)?.code(0)?.prints(version)?;
    version_with("Cargo.toml", "", "", "refs/heads/main")?.code(0)?.prints(version)?;
    let table = [
        ("Cargo.toml", format!("\nversion = \"{version}\""), "\nversion = \"9.9.9\"", "the program"),
        ("charts/mirrorguard/Chart.yaml", format!("\nversion: {version}"), "\nversion: 9.9.9", "the chart"),
        (
            "charts/mirrorguard/Chart.yaml",
            format!("\nappVersion: {version}"),
            "\nappVersion: 9.9.9",
            "its image",
        ),
        ("CHANGELOG.md", format!("\n## {version}"), "\n## Unreleased", "its changes"),
    ];
    for (file, from, to, reason) in table {
        version_with(file, &from, to, &tag)?.code(1)?.says(file).context(reason)?;
    }
    Ok(())
}

/// Runs `.ci/version` for a tag, with a text replaced in one of the files.
fn version_with(file: &str, from: &str, to: &str, tag: &str) -> Result<Run> {
    let folder = tempfile::tempdir()?;
    for name in [".ci/version", "Cargo.toml", "charts/mirrorguard/Chart.yaml", "CHANGELOG.md"] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().context("no folder")?)?;
        fs::copy(Path::new(ROOT).join(name), &path)?;
    }
    let heading = format!("\n## {}", env!("CARGO_PKG_VERSION"));
    let changelog = text_of("CHANGELOG.md")?.replacen("\n## Unreleased", &heading, 1);
    fs::write(folder.path().join("CHANGELOG.md"), changelog)?;
    let path = folder.path().join(file);
    let text = fs::read_to_string(&path)?;
    ensure!(text.contains(from), "{file} has no {from}");
    fs::write(&path, text.replacen(from, to, 1))?;
    let mut script = command(folder.path().join(".ci/version"));
    Run::of(script.arg(tag).env("PATH", std::env::var("PATH")?))
}

/// Runs `.ci/chart-image`; returns the values and the README of the chart afterwards.
fn run_chart_image(repository: &str, digest: &str) -> Result<(Run, Value, String)> {
    let folder = tempfile::tempdir()?;
    for name in ["values.yaml", "README.md"] {
        fs::copy(Path::new(ROOT).join("charts/mirrorguard").join(name), folder.path().join(name))?;
    }
    let mut script = command(Path::new(ROOT).join(".ci/chart-image"));
    let run =
        Run::of(script.arg(folder.path()).args([repository, digest]).env("PATH", std::env::var("PATH")?))?;
    let values = fs::read_to_string(folder.path().join("values.yaml"))?;
    let readme = fs::read_to_string(folder.path().join("README.md"))?;
    Ok((run, read_document("values.yaml", &values)?, readme))
}

/// An `ImageDigestMirrorSet` does not apply to tag pulls.
#[test]
fn a_released_chart_names_its_image_by_digest() -> Result<()> {
    let (repository, digest) = ("ghcr.io/owner/mirrorguard", format!("sha256:{}", "7".repeat(64)));
    let (run, mut values, readme) = run_chart_image(repository, &digest)?;
    run.code(0)?;
    ensure!(readme.contains(&format!("| `image.repository` | `\"{repository}\"` |")), "{readme}");
    ensure!(readme.contains(&format!("| `image.digest` | `\"{digest}\"` |")), "{readme}");
    let mut expected = yaml("charts/mirrorguard/values.yaml")?;
    expected["image"]["repository"] = repository.into();
    expected["image"]["digest"] = digest.clone().into();
    ensure!(values.take() == expected, "another value has changed");
    for (repository, digest, reason) in [
        ("ghcr.io/Owner/mirrorguard", &*digest, "upper-case letters are not allowed"),
        ("", &*digest, "no repository"),
        (repository, "", "nothing was pushed"),
        (repository, "sha256:7", "cut short"),
    ] {
        let (run, values, _) = run_chart_image(repository, digest)?;
        run.code(1)?.says("chart-image: ").context(reason)?;
        ensure!(values == yaml("charts/mirrorguard/values.yaml")?, "{reason}: the values have changed");
    }
    Ok(())
}

#[test]
fn the_chart_is_packaged_with_the_digest_of_the_pushed_image() -> Result<()> {
    let publish = jobs(".github/workflows/release.yml")?["publish"]["steps"].take();
    let steps = publish.as_array().context("no steps")?;
    // In lower case, whatever the name of the owner.
    let image_name = step_that_runs(steps, "IMAGE=ghcr.io/${GITHUB_REPOSITORY,,}\" >> \"$GITHUB_ENV\"")?;
    let charts_name = "CHARTS=ghcr.io/${GITHUB_REPOSITORY_OWNER,,}/charts\" >> \"$GITHUB_ENV\"";
    let push = step_that_runs(steps, "podman manifest push ")?;
    ensure!(image_name < push, "the image is pushed before it has a name");
    ensure!(step_that_runs(steps, charts_name)? < push, "the chart has no name");
    let package = step_that_runs(steps, "helm package charts/mirrorguard")?;
    ensure!(push < package, "the digest of the image is not known yet");
    let step = &steps[package];
    ensure!(steps[push]["id"] == "image", "another step has the digest: {}", steps[push]);
    ensure!(step["env"]["IMAGE_DIGEST"] == "${{ steps.image.outputs.digest }}", "{step}");
    let script = step["run"].as_str().context("no script")?;
    let set = script.find(".ci/chart-image charts/mirrorguard \"$IMAGE\" \"$IMAGE_DIGEST\"");
    ensure!(set.is_some() && set < script.find("helm package charts/mirrorguard"), "{script}");
    Ok(())
}

/// Position of the step whose script contains a command.
fn step_that_runs(steps: &[Value], command: &str) -> Result<usize> {
    let found = steps.iter().position(|step| step["run"].as_str().is_some_and(|run| run.contains(command)));
    found.with_context(|| format!("no step runs {command}"))
}
