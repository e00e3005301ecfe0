//! What is read: files, folders, standard input; YAML, JSON, lists; and what is wrong in them.

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
fn objects_of_other_kinds_are_counted_for_people_too() -> Result<()> {
    let run = mirrorguard("lint tests/cli/fixtures/list.yaml")?.code(1)?;
    run.says("1 denied, 0 warned, in 1 object, 1 object of other kinds skipped")?;
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
    run.prints("--> examples/policy-conflict/idms.yaml:10:27 … --> <stdin>:8:7")?.says("in 2 objects")?;
    Ok(())
}

#[test]
fn nothing_on_standard_input_is_nothing_to_complain_about() -> Result<()> {
    let expected = "warning: nothing to check: no mirror set and no HostedCluster in 1 file";
    mirrorguard_reads("lint -", "")?.code(0)?.prints("")?.says(expected)?;
    Ok(())
}

#[test]
fn a_broken_file_is_told_and_the_others_are_still_linted() -> Result<()> {
    let errors = "fixtures/broken/syntax.yaml:4:1: … fixtures/broken/type.yaml:6:23: ImageDigestMirrorSet: \
                  spec.imageDigestMirrors: … not everything could be read";
    let folder = "tests/cli/fixtures/broken";
    let run = mirrorguard(&format!("lint {folder}"))?.code(2)?;
    run.prints("denied[invalid-source] … good.yaml:8:15")?.says(errors)?;
    let run = mirrorguard(&format!("lint -o json {folder}"))?.code(2)?.says(errors)?;
    ensure!(run.json()?["findings"][0]["rule"] == "invalid-source", "{}", run.stdout);
    for command in ["render", "overrides", "explain example.com/a:1"] {
        // Half a cluster would give a wrong answer.
        mirrorguard(&format!("{command} {folder}"))?.code(2)?.prints("")?.says(errors).context(command)?;
    }
    Ok(())
}

#[test]
fn what_is_no_object_is_told() -> Result<()> {
    let table = [
        ("apiVersion: v1\n", "<stdin>:1:1: not a Kubernetes object: no kind", "no kind"),
        ("kind: Pod\n", "<stdin>:1:1: not a Kubernetes object: no apiVersion", "no API"),
        ("just text\n", "<stdin>:1:1: not a Kubernetes object: no kind", "no map"),
    ];
    for (text, expected, reason) in table {
        mirrorguard_reads("lint -", text)?.code(2)?.says(expected).context(reason)?;
    }
    // The values of a chart: some other program's.
    mirrorguard_reads("lint -", "name: values\n")?
        .code(0)?
        .says("in 1 file, 1 object of other kinds skipped")?;
    Ok(())
}

#[test]
fn what_is_defined_twice_is_told() -> Result<()> {
    let idms = "examples/policy-conflict/idms.yaml";
    let expected =
        "ImageDigestMirrorSet/never-contact is defined at examples/policy-conflict/idms.yaml:4 and again at";
    mirrorguard(&format!("lint {idms} {idms}"))?.code(0)?.says(expected)?;
    Ok(())
}

#[test]
fn a_missing_file_keeps_no_other_from_being_read() -> Result<()> {
    mirrorguard("lint missing.yaml examples/root-level-only")?
        .code(2)?
        .says("cannot read missing.yaml: No such file")?
        .says("0 denied, 2 warned, in 1 object")?;
    Ok(())
}

#[test]
fn standard_input_cannot_be_both_sides_of_a_diff() -> Result<()> {
    mirrorguard_reads("diff - -", "")?.code(2)?.says("standard input can only be one of the two")?;
    Ok(())
}

#[test]
fn files_that_cannot_be_read_are_told() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let latin = folder.path().join("latin.yaml");
    fs::write(&latin, b"# one\nname: \xfcber\n")?;
    let run = mirrorguard_of(["lint".as_ref(), latin.as_os_str()])?.code(2)?;
    run.says("latin.yaml:2:7: not UTF-8 text")?;
    mirrorguard("lint missing.yaml")?.code(2)?.says("cannot read missing.yaml: No such file")?;
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
