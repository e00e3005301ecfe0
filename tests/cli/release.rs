//! The image, the workflows and the places that have the version agree with each other.

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

/// What follows a word at the beginning of the first line that has it there.
fn after<'a>(text: &'a str, start: &str) -> Result<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(start)).with_context(|| format!("no line {start}…"))
}

/// The words of the Containerfile's last stage, one instruction an item.
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
fn workflows_use_actions_of_one_commit_only() -> Result<()> {
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
                "{file}: a name that can be moved: {line}"
            );
            ensure!(version.split('.').all(|part| part.parse::<u16>().is_ok()), "{file}: {line}");
            used += 1;
        }
    }
    ensure!(used >= 10, "only {used} were found");
    Ok(())
}

#[test]
fn workflows_may_do_little_and_not_for_long() -> Result<()> {
    for file in WORKFLOWS {
        ensure!(yaml(file)?["permissions"] == serde_json::json!({}), "{file}: every job says what it may");
        for (name, job) in jobs(file)? {
            ensure!(job["permissions"].is_object(), "{file}: {name} may do what the repository's default is");
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
fn no_text_of_others_becomes_a_script() -> Result<()> {
    for file in WORKFLOWS {
        for (name, job) in jobs(file)? {
            for step in job["steps"].as_array().into_iter().flatten() {
                let script = step["run"].as_str().unwrap_or_default();
                // What stands in the workflow itself is nobody else's.
                let foreign =
                    script.split("${{").skip(1).find(|rest| !rest.trim_start().starts_with("matrix."));
                ensure!(foreign.is_none(), "{file}: {name}: {script}");
            }
        }
    }
    Ok(())
}

#[test]
fn tools_are_installed_in_one_version() -> Result<()> {
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
fn the_image_is_built_with_the_rust_of_the_repository() -> Result<()> {
    let channel = text_of("rust-toolchain.toml")?;
    let channel = after(&channel, "channel = ")?.trim_matches('"').to_owned();
    let file = text_of("Containerfile")?;
    ensure!(after(&file, "ARG RUST=")?.starts_with(&format!("docker.io/library/rust:{channel}-")));
    ensure!(after(&file, "ENV RUSTUP_TOOLCHAIN=")? == channel);
    Ok(())
}

#[test]
fn the_image_holds_no_shell_and_is_run_by_nobody_in_particular() -> Result<()> {
    let stage = final_stage()?;
    ensure!(stage.first().is_some_and(|from| from.join(" ") == "FROM scratch"), "{stage:#?}");
    let allowed = ["FROM", "ARG", "LABEL", "COPY", "USER", "ENTRYPOINT", "CMD"];
    for words in &stage {
        ensure!(allowed.contains(&words[0].as_str()), "{words:?} needs more than files");
        // The other form of these two is run by a shell.
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
fn every_architecture_is_released_and_looked_at() -> Result<()> {
    let platform = text_of("image/platform")?;
    let cases = platform.lines().filter_map(|line| line.trim().split_once(") cpu="));
    let cases: Vec<_> =
        cases.map(|(name, rest)| (name, rest.split(' ').next().unwrap_or_default())).collect();
    ensure!(cases.len() == 4, "{cases:?}");
    let built = &jobs(".github/workflows/release.yml")?["build"]["strategy"]["matrix"]["arch"];
    let built: BTreeSet<_> = built.as_array().context("no list")?.iter().filter_map(Value::as_str).collect();
    ensure!(built == cases.iter().map(|(name, _)| *name).collect(), "{built:?}");
    let looked_at = text_of("deny.toml")?;
    for (name, cpu) in cases {
        ensure!(
            looked_at.contains(&format!("\"{cpu}-unknown-linux-gnu\"")),
            "deny.toml does not know {name}"
        );
    }
    Ok(())
}

/// The tree's files that have the version, with this one as the tag's, and another beside them.
#[test]
fn a_tag_is_released_only_where_everything_says_the_same() -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let files = [".ci/version", "Cargo.toml", "charts/mirrorguard/Chart.yaml", "CHANGELOG.md"];
    let changed = |file: &str, from: &str, to: &str, tag: &str| -> Result<Run> {
        let folder = tempfile::tempdir()?;
        for name in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().context("no folder")?)?;
            fs::copy(Path::new(ROOT).join(name), &path)?;
        }
        let changelog = text_of("CHANGELOG.md")?.replacen("\n## Unreleased", &format!("\n## {version}"), 1);
        fs::write(folder.path().join("CHANGELOG.md"), changelog)?;
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path)?;
        ensure!(text.contains(from), "{file} has no {from}");
        fs::write(&path, text.replacen(from, to, 1))?;
        let mut script = command(folder.path().join(".ci/version"));
        Run::of(script.arg(tag).env("PATH", std::env::var("PATH")?))
    };
    let tag = format!("refs/tags/v{version}");
    changed("Cargo.toml", "", "", &tag)?.code(0)?.prints(version)?;
    changed("Cargo.toml", "", "", "refs/heads/main")?.code(0)?.prints(version)?;
    let table = [
        ("Cargo.toml", format!("\nversion = \"{version}\""), "\nversion = \"9.9.9\"", "the program"),
        ("charts/mirrorguard/Chart.yaml", format!("\nversion: {version}"), "\nversion: 9.9.9", "the chart"),
        (
            "charts/mirrorguard/Chart.yaml",
            format!("\nappVersion: {version}"),
            "\nappVersion: 9.9.9",
            "its image",
        ),
        ("CHANGELOG.md", format!("\n## {version}"), "\n## Unreleased", "what changed"),
    ];
    for (file, from, to, reason) in table {
        changed(file, &from, to, &tag)?.code(1)?.says(file).context(reason)?;
    }
    Ok(())
}

/// The values and the README of the chart after `.ci/chart-image`, and how that ended.
fn named(repository: &str, digest: &str) -> Result<(Run, Value, String)> {
    let folder = tempfile::tempdir()?;
    for name in ["values.yaml", "README.md"] {
        fs::copy(Path::new(ROOT).join("charts/mirrorguard").join(name), folder.path().join(name))?;
    }
    let mut script = command(Path::new(ROOT).join(".ci/chart-image"));
    let run =
        Run::of(script.arg(folder.path()).args([repository, digest]).env("PATH", std::env::var("PATH")?))?;
    let read = |name: &str| fs::read_to_string(folder.path().join(name));
    Ok((run, read_document("values.yaml", &read("values.yaml")?)?, read("README.md")?))
}

/// An `ImageDigestMirrorSet` serves no pull by tag.
#[test]
fn a_released_chart_names_its_image_by_digest() -> Result<()> {
    let (repository, digest) = ("ghcr.io/owner/mirrorguard", format!("sha256:{}", "7".repeat(64)));
    let (run, mut values, readme) = named(repository, &digest)?;
    run.code(0)?;
    ensure!(readme.contains(&format!("| `image.repository` | `\"{repository}\"` |")), "{readme}");
    ensure!(readme.contains(&format!("| `image.digest` | `\"{digest}\"` |")), "{readme}");
    let mut expected = yaml("charts/mirrorguard/values.yaml")?;
    expected["image"]["repository"] = repository.into();
    expected["image"]["digest"] = digest.clone().into();
    ensure!(values.take() == expected, "something else has changed");
    for (repository, digest, reason) in [
        ("ghcr.io/Owner/mirrorguard", &*digest, "no registry takes capitals"),
        ("", &*digest, "no repository"),
        (repository, "", "nothing was pushed"),
        (repository, "sha256:7", "cut short"),
    ] {
        let (run, values, _) = named(repository, digest)?;
        run.code(1)?.says("chart-image: ").context(reason)?;
        ensure!(values == yaml("charts/mirrorguard/values.yaml")?, "{reason}: something was written");
    }
    Ok(())
}

#[test]
fn the_chart_is_packaged_once_it_names_what_was_pushed() -> Result<()> {
    let publish = jobs(".github/workflows/release.yml")?["publish"]["steps"].take();
    let steps = publish.as_array().context("no steps")?;
    let step = |id: &str| steps.iter().position(|step| step["id"] == id).with_context(|| format!("no {id}"));
    let chart = &steps[step("chart")?];
    ensure!(step("image")? < step("chart")?, "the image's digest is not known yet");
    ensure!(chart["env"]["IMAGE_DIGEST"] == "${{ steps.image.outputs.digest }}", "{chart}");
    let script = chart["run"].as_str().context("no script")?;
    let named = script.find(".ci/chart-image charts/mirrorguard \"$IMAGE\" \"$IMAGE_DIGEST\"");
    ensure!(named.is_some() && named < script.find("helm package charts/mirrorguard"), "{script}");
    let first = steps.iter().position(|step| step["name"] == "names").context("no names")?;
    let script = steps[first]["run"].as_str().context("no script")?;
    for name in ["IMAGE=ghcr.io/${GITHUB_REPOSITORY,,}", "CHARTS=ghcr.io/${GITHUB_REPOSITORY_OWNER,,}/charts"]
    {
        ensure!(script.contains(name), "in capitals where the owner has them: {script}");
    }
    ensure!(first < step("image")?, "the image is pushed before it has a name");
    Ok(())
}
