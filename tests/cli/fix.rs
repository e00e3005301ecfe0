//! What `lint --fix`, `--unsafe-fixes` and `--diff` do to files.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::command::{mirrorguard_of, mirrorguard_reads};

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

/// Fixes files of a folder twice, and returns the text of the first one. The second time changes nothing.
fn fixed_twice(folder: &tempfile::TempDir, line: &str) -> Result<String> {
    let words: Vec<_> = line.split(' ').collect();
    let file = folder.path().join(words.last().context("a file")?);
    let run = || {
        let mut command = crate::command::command(env!("CARGO_BIN_EXE_mirrorguard"));
        crate::command::Run::of(command.current_dir(folder.path()).arg("lint").args(&words))
    };
    run()?;
    let fixed = fs::read_to_string(&file)?;
    run()?.says("no fix applies")?;
    ensure!(fs::read_to_string(&file)? == fixed, "a second --fix changes something");
    Ok(fixed)
}

fn folder_with(files: &[(&str, &str)]) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    for (name, text) in files {
        fs::write(folder.path().join(name), text)?;
    }
    Ok(folder)
}

/// A set that blocks a source for digest pulls and has no partner for tag pulls.
const HALF: &str = "\
apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet
metadata:
  name: a
spec:
  imageDigestMirrors:
  - {source: docker.io, mirrors: [m.lab/hub], mirrorSourcePolicy: NeverContactSource}
";

#[test]
fn a_new_object_is_written_once_whatever_exists() -> Result<()> {
    let (taken, named) = (HALF.replace("Digest", "Tag").replace("docker.io", "q.io"), "name: a-tags");
    let taken = taken.replace("name: a", named);
    let table = [
        ("--fix a.yaml", "name: a-tags\n", "without existing objects"),
        ("--fix --against old.yaml a.yaml", "name: a-tags\n", "as a write"),
        ("--fix --against taken.yaml a.yaml", "name: a-tags-1\n", "next to an object of that name"),
    ];
    for (line, expected, reason) in table {
        let old = HALF.replace("name: a", "name: old").replace("docker.io", "r.io").replace("Never", "Allow");
        let old = old.replace("AllowContactSource", "AllowContactingSource");
        let folder = folder_with(&[("a.yaml", HALF), ("old.yaml", &old), ("taken.yaml", &taken)])?;
        let fixed = fixed_twice(&folder, line).context(reason)?;
        ensure!(fixed.matches("kind: ").count() == 2 && fixed.contains(expected), "{reason}: {fixed}");
    }
    Ok(())
}

#[test]
fn a_file_that_cannot_be_read_is_named() -> Result<()> {
    let folder = folder_with(&[("bad.yaml", "a: b: c\n"), ("quay.yaml", TEXT)])?;
    let [bad, all] = [folder.path().join("bad.yaml"), folder.path().to_owned()];
    for (options, path, reason) in [
        (&["--fix"][..], &bad, "alone"),
        (&["--fix"], &all, "next to another"),
        (&["--diff"], &bad, "alone, for a diff"),
        (&["--diff"], &all, "next to another, for a diff"),
    ] {
        let run = lint(options, path.to_str().context("UTF-8")?)?.code(2).context(reason)?;
        let printed = format!("{}{}", run.stdout, run.stderr);
        ensure!(printed.contains("bad.yaml:1:"), "{reason}: {printed}");
    }
    Ok(())
}

#[test]
fn no_field_gets_a_meaning_by_another_kind() -> Result<()> {
    let beside = "---\napiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {name: b}\n\
                  spec: {imageDigestMirrors: [{source: quay.io/z, mirrors: [m.lab/z]}]}\n";
    let icsp = |field: &str| {
        format!(
            "apiVersion: operator.openshift.io/v1alpha1\nkind: ImageContentSourcePolicy\nmetadata: {{name: a}}\n\
             spec:\n  repositoryDigestMirrors:\n  - source: quay.io/a/b\n    mirrors: [m.lab/b]\n{field}"
        )
    };
    for (field, becomes_idms) in [("", true), ("    mirrorSourcePolicy: NeverContactSource\n", false)] {
        let folder = folder_with(&[("a.yaml", &format!("{}{beside}", icsp(field)))])?;
        let path = folder.path().join("a.yaml");
        lint(&["--fix"], path.to_str().context("UTF-8")?)?;
        let fixed = fs::read_to_string(&path)?;
        ensure!(fixed.contains("ImageContentSourcePolicy") != becomes_idms, "{field}: {fixed}");
    }
    Ok(())
}

#[test]
fn standard_input_is_not_written_to() -> Result<()> {
    let set = "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {name: a}\nspec:\n  \
               imageDigestMirrors:\n  - {source: quay.io/a/, mirrors: [m.lab/a]}\n";
    let refused = mirrorguard_reads("lint --unsafe-fixes -", set)?.code(2)?;
    refused.says("--fix cannot write <stdin>")?;
    ensure!(!std::path::Path::new("<stdin>").exists(), "a file of that name was written");
    mirrorguard_reads("lint --unsafe-fixes --diff -", set)?.code(1)?.prints("+  - {source: quay.io/a,")?;
    Ok(())
}

#[test]
fn a_misnamed_kind_is_fixed() -> Result<()> {
    let folder = folder_with(&[(
        "a.yaml",
        &HALF.replace("config.openshift.io/v1", "operator.openshift.io/v1alpha1"),
    )])?;
    let fixed = fixed_twice(&folder, "--unsafe-fixes a.yaml")?;
    ensure!(fixed.starts_with(HALF) && fixed.contains("kind: ImageTagMirrorSet"), "{fixed}");
    Ok(())
}

#[test]
fn a_fix_that_would_break_its_file_is_skipped() -> Result<()> {
    let text = HALF.replace("imageDigestMirrors", "repositoryDigestMirrors");
    let broken = text.replace("mirrors: [m.lab/hub]", "mirrors: {name: m.lab/x}");
    let folder = folder_with(&[("a.yaml", &broken)])?;
    let file = folder.path().join("a.yaml");
    lint(&["--unsafe-fixes"], file.to_str().context("UTF-8")?)?
        .code(1)?
        .says("warning: the fix of unknown-field for ImageDigestMirrorSet/a is skipped … expected a list … no fix applies")?;
    ensure!(fs::read_to_string(&file)? == broken, "the file is changed");
    Ok(())
}

const INSTALL_CONFIG: &str = "\
apiVersion: v1
baseDomain: lab.example
metadata: {name: lab}
platform: {none: {}}
imageDigestSources:
- source: quay.io
  mirrors: [m.lab/quay]
  sourcePolicy: NeverContactSource
- source: registry.redhat.io/redhat
  mirrors: [m.lab/redhat]
";

#[test]
fn an_install_config_is_fixed_in_its_own_words() -> Result<()> {
    let folder = folder_with(&[("install-config.yaml", INSTALL_CONFIG)])?;
    let fixed = fixed_twice(&folder, "--fix install-config.yaml")?;
    ensure!(!fixed.contains("---") && !fixed.contains("mirrorSourcePolicy"), "{fixed}");
    let added = "- source: quay.io/openshift-release-dev/ocp-release\n  mirrors:\n    - \
                 m.lab/quay/openshift-release-dev/ocp-release\n  sourcePolicy: NeverContactSource\n";
    ensure!(fixed.starts_with(INSTALL_CONFIG) && fixed.contains(added), "{fixed}");
    let misspelt = INSTALL_CONFIG.replace("imageDigestSources", "imageDigestSource");
    let folder = folder_with(&[("install-config.yaml", &misspelt)])?;
    let fixed = fixed_twice(&folder, "--unsafe-fixes install-config.yaml")?;
    ensure!(fixed.starts_with(INSTALL_CONFIG), "{fixed}");
    Ok(())
}

#[test]
fn the_paths_of_an_install_config_are_its_own() -> Result<()> {
    let folder = folder_with(&[(
        "install-config.yaml",
        &INSTALL_CONFIG.replace("mirrors: [m.lab/r", "mirror: [m.lab/r"),
    )])?;
    let file = folder.path().join("install-config.yaml");
    let report = lint(&["-o", "json"], file.to_str().context("UTF-8")?)?.json()?;
    let findings = report["findings"].as_array().context("findings")?;
    let path =
        |rule: &str| findings.iter().find(|found| found["rule"] == rule).map(|found| found["path"].clone());
    ensure!(path("unknown-field") == Some("imageDigestSources[1].mirror".into()), "{findings:?}");
    ensure!(path("half-blocked-source") == Some("imageDigestSources[0].sourcePolicy".into()), "{findings:?}");
    ensure!(!report.to_string().contains("spec.imageDigestMirrors"), "{findings:?}");
    Ok(())
}
