//! What `lint --exclude` leaves out of folders.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use crate::command::{Run, command, fixture};

/// A folder with the same set in each of these files.
fn folder(files: &[&str]) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let text = fs::read_to_string(fixture("typed-list.yaml"))?;
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().context("a file has a folder")?)?;
        fs::write(path, &text)?;
    }
    Ok(folder)
}

fn lint(folder: &TempDir, line: &str) -> Result<Run> {
    let mut command = command(env!("CARGO_BIN_EXE_mirrorguard"));
    Run::of(command.current_dir(folder.path()).arg("lint").args(line.split_whitespace()))
}

#[test]
fn folders_are_read_without_what_is_left_out() -> Result<()> {
    let folder = folder(&["a.yaml", "old/b.yaml", "charts/old/c.yaml", "charts/d.json"])?;
    let table: [(&str, &[&str], &str); 8] = [
        (".", &["./a.yaml", "./charts/d.json", "./charts/old/c.yaml", "./old/b.yaml"], "everything"),
        ("--exclude old .", &["./a.yaml", "./charts/d.json"], "a name at any depth"),
        ("--exclude /old .", &["./a.yaml", "./charts/d.json", "./charts/old/c.yaml"], "only in the folder"),
        ("--exclude old --exclude *.json .", &["./a.yaml"], "several"),
        ("--exclude charts/ --exclude old/b.yaml .", &["./a.yaml"], "a folder, and a path"),
        ("--exclude d.json charts", &["charts/old/c.yaml"], "below the folder that is named"),
        ("--exclude charts charts", &["charts/d.json", "charts/old/c.yaml"], "not the folder that is named"),
        (
            "--exclude *.yaml --exclude old . old/b.yaml",
            &["./charts/d.json", "old/b.yaml"],
            "nor a file that is",
        ),
    ];
    for (line, expected, reason) in table {
        let report = lint(&folder, &format!("-o json {line}"))?.code(1)?.json()?;
        let findings = report["findings"].as_array().context("no list")?;
        let findings = findings.iter().filter(|finding| finding["rule"] != "duplicate-object");
        let files: Vec<_> = findings.filter_map(|finding| finding["file"].as_str()).collect();
        ensure!(files == expected, "{line} ({reason}): {files:?}");
    }
    Ok(())
}

#[test]
fn existing_objects_are_left_out_likewise() -> Result<()> {
    let folder = folder(&["new.yaml", "live/a.yaml"])?;
    // With the old state left out, the set is a new one.
    lint(&folder, "--against live new.yaml")?.code(0)?.prints("")?;
    lint(&folder, "--against live --exclude a.yaml new.yaml")?.code(1)?.prints("error[invalid-source]")?;
    Ok(())
}

#[test]
fn nothing_to_check_is_no_failure() -> Result<()> {
    let folder = tempfile::tempdir()?;
    lint(&folder, ".")?.code(0)?.prints("")?.says("warning: ")?;
    lint(&folder, "-q .")?.code(0)?.prints("")?.says("")?;
    Ok(())
}
