//! Reading files, folders and standard input: YAML, JSON, lists, and files with errors.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::command::{Run, fixture, mirrorguard, mirrorguard_of, mirrorguard_reads, text_of};

/// The only finding of a run and its place.
fn only_finding(run: Run) -> Result<(Value, String)> {
    let report = run.code(1)?.json()?;
    let findings = report["findings"].as_array().context("no list of findings")?;
    ensure!(findings.len() == 1, "not one finding: {report}");
    let finding = &findings[0];
    let place = format!("{}:{}", finding["line"], finding["column"]);
    ensure!(finding["rule"] == "invalid-source", "another rule: {finding}");
    ensure!(finding["object"] == json!({"kind": "ImageDigestMirrorSet", "name": "with-scheme"}), "{finding}");
    Ok((report["summary"].clone(), place))
}

#[test]
fn every_form_of_the_same_object_is_read() -> Result<()> {
    let table = [
        ("documents.yaml", 1, "15:13", "several documents, one of them empty"),
        ("list.yaml", 1, "15:15", "a list of any kinds"),
        ("typed-list.yaml", 0, "9:15", "a list of one kind"),
        ("list.json", 1, "17:23", "JSON"),
    ];
    for (name, skipped, place, reason) in table {
        let expected = json!({"deny": 1, "warn": 0, "objects": 1, "skipped": skipped});
        let file = format!("tests/cli/fixtures/{name}");
        let (summary, at) = only_finding(mirrorguard(&format!("lint -o json {file}"))?).context(reason)?;
        ensure!((&summary, &*at) == (&expected, place), "{reason}, from a file: {summary} at {at}");
        let input = mirrorguard_reads("lint -o json -", &text_of(&file)?)?;
        let (summary, at) = only_finding(input).context(reason)?;
        ensure!((&summary, &*at) == (&expected, place), "{reason}, from standard input: {summary} at {at}");
    }
    Ok(())
}

#[test]
fn standard_input_has_a_name_in_findings() -> Result<()> {
    let text = text_of("tests/cli/fixtures/list.yaml")?;
    mirrorguard_reads("lint -", &text)?.code(1)?.prints("--> <stdin>:15:15")?;
    Ok(())
}

#[test]
fn standard_input_is_one_of_several_paths() -> Result<()> {
    let text = text_of("examples/policy-conflict/itms.yaml")?;
    let run = mirrorguard_reads("lint examples/policy-conflict/idms.yaml -", &text)?.code(1)?;
    run.prints("--> examples/policy-conflict/idms.yaml:10:27 … --> <stdin>:8:7")?;
    Ok(())
}

#[test]
fn a_field_that_is_ignored_is_named_and_nothing_is_made_of_its_set() -> Result<()> {
    let object = |policy: &str| {
        format!(
            "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {{name: a}}\nspec:\n  \
             imageDigestMirrors:\n  - source: q.io/a\n    mirrors: [m.lab/a]\n    {policy}: NeverContactSource\n"
        )
    };
    let table = [
        ("render -", 0, "its own form"),
        ("explain q.io/a/x:1 -", 0, "a question"),
        ("diff /dev/null -", 0, "a comparison"),
        ("render --to idms -", 2, "another object"),
        ("merge -", 2, "several objects in one"),
        ("migrate -", 2, "a migration"),
    ];
    for (command, code, reason) in table {
        let run = mirrorguard_reads(command, &object("mirrorSourcepolicy"))?.code(code).context(reason)?;
        run.says(
            "<stdin>:8: ImageDigestMirrorSet has no field spec.imageDigestMirrors[0].mirrorSourcepolicy",
        )
        .context(reason)?;
        let right = mirrorguard_reads(command, &object("mirrorSourcePolicy"))?.code(0).context(reason)?;
        ensure!(!right.stderr.contains("has no field"), "{reason}: {}", right.stderr);
    }
    Ok(())
}

#[test]
fn a_related_place_is_in_the_object_that_is_meant() -> Result<()> {
    let set = |entries: usize| {
        let entry = "  - {source: q.io/a, mirrors: [m.lab/a]}\n".repeat(entries);
        format!(
            "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {{name: a}}\nspec:\n  \
             imageDigestMirrors:\n{entry}"
        )
    };
    let folder = tempfile::tempdir()?;
    let [first, second] = ["1.yaml", "2.yaml"].map(|name| folder.path().join(name));
    fs::write(&first, set(2))?;
    fs::write(&second, set(1))?;
    let words = ["lint", "-o", "json"].map(std::ffi::OsStr::new);
    let report = mirrorguard_of(words.into_iter().chain([folder.path().as_os_str()]))?.json()?;
    let findings = report["findings"].as_array().context("no list of findings")?;
    let split = findings.iter().find(|finding| finding["rule"] == "split-source").context("no finding")?;
    ensure!(split["related"][0]["file"] == split["file"], "{split}");
    Ok(())
}

#[test]
fn findings_are_in_the_order_of_the_lines() -> Result<()> {
    let object = |kind: &str| {
        format!(
            "apiVersion: config.openshift.io/v1\nkind: {kind}\nmetadata: {{name: a{kind}}}\nspec: \
             {{imageDigestMirrors: [{{source: 'q.io/a:1', mirrors: [m.lab]}}]}}\n"
        )
    };
    let kinds = ["ImageDigestMirrorsSet", "ImageDigestMirrorSet", "ImageDigestMirrorSets"];
    let report = mirrorguard_reads("lint -o json -", &kinds.map(object).join("---\n"))?.code(1)?.json()?;
    let findings = report["findings"].as_array().context("no list of findings")?;
    let lines: Vec<_> = findings.iter().filter_map(|finding| finding["line"].as_u64()).collect();
    ensure!(lines.len() >= 3 && lines.is_sorted(), "{lines:?}");
    Ok(())
}

#[test]
fn a_broken_file_is_an_error_and_the_others_are_still_linted() -> Result<()> {
    let errors = "fixtures/broken/syntax.yaml:4:1: … fixtures/broken/type.yaml:6:23: ImageDigestMirrorSet: \
                  spec.imageDigestMirrors: … \nerror: ";
    let folder = "tests/cli/fixtures/broken";
    let run = mirrorguard(&format!("lint {folder}"))?.code(2)?;
    run.prints("syntax.yaml:4:1 … type.yaml:6:23 … error[invalid-source] … good.yaml:8:15")?
        .says("2 files")?;
    let run = mirrorguard(&format!("lint -o json {folder}"))?.code(2)?.says(errors)?;
    ensure!(run.json()?["findings"][0]["rule"] == "invalid-source", "{}", run.stdout);
    for command in ["render", "overrides", "explain example.com/a:1"] {
        // Half a cluster would give a wrong answer.
        mirrorguard(&format!("{command} {folder}"))?.code(2)?.prints("")?.says(errors).context(command)?;
    }
    Ok(())
}

#[test]
fn what_is_not_a_kubernetes_object_is_skipped_and_counted() -> Result<()> {
    for text in ["apiVersion: v1\n", "kind: Pod\n", "just text\n", "name: values\n", "- hosts: all\n"] {
        let report = mirrorguard_reads("lint -o json -", text)?.code(0).context(text)?.json()?;
        ensure!(report["summary"]["skipped"] == 1, "{text}: {report}");
    }
    mirrorguard_reads("lint -", "kind: [\n")?.code(2)?;
    Ok(())
}

#[test]
fn a_missing_file_keeps_no_other_from_being_read() -> Result<()> {
    let run = mirrorguard("lint missing.yaml examples/root-level-only")?.code(2)?.says("missing.yaml")?;
    ensure!(run.findings().warnings == 2, "{}", run.stdout);
    Ok(())
}

#[test]
fn a_file_that_is_not_text_is_an_error_at_its_place() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let latin = folder.path().join("latin.yaml");
    fs::write(&latin, b"# one\nname: \xfcber\n")?;
    let run = mirrorguard_of(["lint".as_ref(), latin.as_os_str()])?.code(2)?;
    run.says("latin.yaml:2:7: ")?;
    Ok(())
}

#[test]
fn a_folder_is_read_with_what_is_below_and_without_what_is_hidden() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let good = fs::read_to_string(fixture("typed-list.yaml"))?;
    let files = [
        ("a.yaml", &*good, true),
        ("b.yml", &good, true),
        ("c.json", &text_of("tests/cli/fixtures/list.json")?, true),
        ("deeper/and/deeper/d.yaml", &good, true),
        ("README.md", "kind: [", false),
        (".hidden.yaml", "kind: [", false),
        (".git/config.yaml", "kind: [", false),
    ];
    for (name, text, _) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().context("a file has a folder")?)?;
        fs::write(path, text)?;
    }
    let arguments = ["lint", "-o", "json"].map(AsRef::as_ref);
    let report = mirrorguard_of(arguments.into_iter().chain([folder.path().as_os_str()]))?.code(1)?.json()?;
    let read = files.iter().filter(|(.., read)| *read).count();
    ensure!(report["summary"]["objects"] == read, "{report}");
    Ok(())
}
