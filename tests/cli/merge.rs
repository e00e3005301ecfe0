//! `mirrorguard merge` as people run it.

use std::fs;

use anyhow::{Result, ensure};

use crate::command::{mirrorguard, mirrorguard_reads, text_of};
use crate::snapshot::Transcript;

const RUNS: &str = "examples/oc-mirror-v1-deltas";

#[test]
fn the_runs_of_oc_mirror_become_one_set_in_any_order_and_stay_it() -> Result<()> {
    let united = mirrorguard(&format!("merge {RUNS}"))?.code(0)?.stdout;
    for entry in ["rhel9", "oadp", "openshift4", "ubi9", "ocp-release", "ocp-v4.0-art-dev"] {
        ensure!(
            united.matches(&format!("/{entry}\n      mirrors:\n")).count() == 1,
            "not once: {entry}\n{united}"
        );
    }
    let turned = mirrorguard(&format!("merge {RUNS}/results-2 {RUNS}/results-1"))?.code(0)?;
    ensure!(turned.stdout == united, "another order of runs:\n{}", turned.stdout);
    for paths in ["-".to_owned(), format!("- {RUNS}/results-1"), format!("{RUNS} -")] {
        let again = mirrorguard_reads(&format!("merge {paths}"), &united)?.code(0)?;
        ensure!(again.stdout == united, "merge {paths}:\n{}", again.stdout);
    }
    Ok(())
}

#[test]
fn merging_prints_one_summary_and_no_warnings() -> Result<()> {
    let run = mirrorguard(&format!("merge {RUNS}"))?.code(0)?;
    let mut transcript = Transcript::default();
    transcript.add_messages(&format!("merge {RUNS}"), &run);
    let run = mirrorguard("merge examples/policy-conflict")?.code(1)?.prints("")?;
    transcript.add_messages("merge examples/policy-conflict", &run);
    transcript.matches("messages/merge.txt")
}

#[test]
fn what_is_united_can_be_migrated() -> Result<()> {
    let united = mirrorguard(&format!("merge {RUNS}"))?.code(0)?.stdout;
    let before = mirrorguard_reads("render -", &united)?.code(0)?.stdout;
    let migrated = mirrorguard_reads("migrate -", &united)?.code(0)?.stdout;
    ensure!(migrated.matches("kind: ImageDigestMirrorSet").count() == 3, "{migrated}");
    let after = mirrorguard_reads("render -", &migrated)?.code(0)?.stdout;
    ensure!(before == after && before.contains("registry.redhat.io/oadp"), "{before}\nand then\n{after}");
    Ok(())
}

#[test]
fn the_random_order_and_the_date_of_a_run_are_gone() -> Result<()> {
    let folder = "examples/oc-mirror-v2";
    let united = mirrorguard(&format!("merge {folder}"))?.code(0)?.stdout;
    ensure!(!united.contains("createdAt") && united.contains("createdBy: oc-mirror v2"), "{united}");
    let next_run = text_of(format!("{folder}/idms-oc-mirror.yaml"))?.replace("14-Apr-26", "15-May-26");
    let again = mirrorguard_reads(&format!("merge {folder} -"), &next_run)?.code(0)?;
    ensure!(again.stdout == united, "{}", again.stdout);
    Ok(())
}

#[test]
fn a_contradiction_is_an_error_with_both_places_and_nothing_is_written() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let folder = parent.path().join("out");
    let places = "ImageTagMirrorSet/by-tag in examples/policy-conflict/itms.yaml:8\n  \
                  ImageDigestMirrorSet/never-contact in examples/policy-conflict/idms.yaml:7\n";
    for out in [String::new(), format!("--out {}", folder.display())] {
        let run = mirrorguard(&format!("merge {out} examples/policy-conflict"))?.code(1)?;
        run.prints("")?.says("error: ")?.says(places)?;
    }
    ensure!(!folder.exists(), "the folder was made");
    let report = mirrorguard("merge -o json examples/policy-conflict")?.code(1)?.json()?;
    ensure!(report["objects"] == serde_json::json!([]), "{report}");
    Ok(())
}

#[test]
fn each_object_can_have_its_file() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let folder = parent.path().join("out");
    let run = mirrorguard(&format!("merge --out {} {RUNS}", folder.display()))?.code(0)?;
    let files = ["generic-0", "operator-0", "release-0"]
        .map(|name| folder.join(format!("imagecontentsourcepolicy-{name}.yaml")).display().to_string());
    ensure!(run.stdout.lines().eq(&files), "{}", run.stdout);
    let mut united = Vec::new();
    for file in &files {
        united.push(fs::read_to_string(file)?);
    }
    ensure!(united.join("---\n") == mirrorguard(&format!("merge {RUNS}"))?.code(0)?.stdout, "other objects");
    // The folder as one more input: what a pipeline does that keeps the result in a repository.
    mirrorguard(&format!("merge --out {0} {0} {RUNS}", folder.display()))?.code(0)?;
    Ok(())
}

#[test]
fn paths_are_required() -> Result<()> {
    mirrorguard("merge")?.code(2)?.prints("")?.says("<PATH>")?;
    mirrorguard("merge missing.yaml")?.code(2)?.prints("")?.says("missing.yaml")?;
    mirrorguard("merge tests/cli/fixtures/broken")?.code(2)?.prints("")?.says("syntax.yaml:4:1")?;
    Ok(())
}
