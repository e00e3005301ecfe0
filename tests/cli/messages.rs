//! Every message that people read on standard error, in transcripts below `messages/`.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use crate::command::{Run, command, mirrorguard, mirrorguard_reads};
use crate::snapshot::Transcript;

/// A command line, and why its exit code is what it is.
struct Case {
    line: &'static str,
    code: i32,
    reason: &'static str,
}

/// Runs each line, which must print nothing but messages, and holds those against a snapshot.
fn are_seen(cases: &[Case], snapshot: &str) -> Result<()> {
    let mut transcript = Transcript::default();
    for Case { line, code, reason } in cases {
        let run = mirrorguard(line)?.code(*code).with_context(|| format!("{line} ({reason})"))?;
        ensure!(run.stdout.is_empty(), "{line} ({reason}) prints a result:\n{}", run.stdout);
        transcript.add_messages(line, &run);
    }
    transcript.matches(snapshot)
}

/// Command lines that must exit with 2.
fn usage_errors(lines: &[(&'static str, &'static str)]) -> Vec<Case> {
    lines.iter().map(|(line, reason)| Case { line, code: 2, reason }).collect()
}

#[test]
fn command_lines_that_are_wrong() -> Result<()> {
    let cases = usage_errors(&[
        ("lnit", "a misspelt command"),
        ("help lnit", "its help"),
        ("lint --fail-onn deny", "a misspelt option"),
        ("lint --nope", "an unknown option"),
        ("lint --fail-on dney .", "a misspelt level"),
        ("lint --fail-on all .", "an unknown level"),
        ("lint -o xml .", "an unknown format"),
        ("render -o sarif .", "a format for findings"),
        ("rules -o junit", "another one"),
        ("-o sarif render .", "before the command"),
        ("man -o json", "a page is not JSON"),
        ("completions bash -o json", "a script is not JSON"),
        ("completions tcsh", "an unknown shell"),
        ("lint --exclude a{b .", "not a glob"),
        ("lint --against - -", "standard input is read once"),
        ("diff - -", "standard input is read once"),
        ("diff a", "one argument of two"),
        ("explain", "no image"),
        ("explain UPPER/case .", "not an image"),
        ("explain docker://quay.io/a:1 .", "an image with a scheme"),
        ("rules root-levle-source", "a misspelt rule"),
        ("rules zzz", "similar to no rule"),
        ("man lnit", "a misspelt command"),
        ("man zzz", "similar to no command"),
        ("man --out README.md", "a file in place of a folder"),
        ("man --out a lint", "one page or all of them"),
        ("merge", "no path"),
        ("migrate --force icsp.yaml", "nothing to overwrite"),
        ("overrides --release x examples/hosted-cluster", "not a release"),
        ("render --to yaml .", "an unknown target"),
    ]);
    are_seen(&cases, "messages/usage.txt")
}

#[test]
fn command_lines_of_serve_that_are_wrong() -> Result<()> {
    let cases = usage_errors(&[
        ("serve", "no certificate"),
        ("serve --tls-self-signed", "no state outside of a pod"),
        ("serve --tls-self-signed --state missing", "no state there"),
        ("serve --tls-self-signed --state examples/demo --listen localhost", "not an address"),
        ("serve --tls-self-signed --state examples/demo --shutdown-delay=2h", "too long"),
        (
            "serve --tls-self-signed --state examples/demo --tls-ca-out no/ca.crt --listen 127.0.0.1:0",
            "no folder",
        ),
        ("serve --tls-managed-secret a/b --tls-name *.lab.example --webhook-configuration c", "a wildcard"),
        ("serve --tls-managed-secret a --tls-name c.lab.example --webhook-configuration c", "no namespace"),
        (
            "serve --tls-managed-secret a/b --tls-name c.lab.example --webhook-configuration c --tls-duration x",
            "not a duration",
        ),
    ]);
    are_seen(&cases, "messages/serve.txt")
}

#[test]
fn files_that_cannot_be_read() -> Result<()> {
    let cases = usage_errors(&[
        ("lint missing.yaml", "no such file"),
        ("lint --against missing.yaml -q examples/oc-mirror-v2", "no such file to compare with"),
        ("render tests/cli/fixtures/broken", "files with errors"),
        ("migrate missing.yaml", "no such file"),
        ("lint --config missing.yaml .", "no such configuration"),
        ("lint --config src examples/demo", "a folder"),
        ("lint --config tests/cli/fixtures/config-misspelt.yaml .", "a misspelt rule"),
    ]);
    are_seen(&cases, "messages/files.txt")
}

#[test]
fn standard_input_that_cannot_be_read() -> Result<()> {
    let table = [
        ("apiVersion: v1\n", 0, "no kind"),
        ("kind: Pod\n", 0, "no apiVersion"),
        ("just text\n", 0, "not a map"),
        ("kind: [\n", 2, "not YAML"),
        ("name: values\n", 0, "the values of a chart are another program's"),
        ("", 0, "nothing at all"),
    ];
    let mut transcript = Transcript::default();
    for (text, code, reason) in table {
        let run = mirrorguard_reads("lint -", text)?.code(code).context(reason)?;
        transcript.add_messages(&format!("lint -  # {reason}"), &run);
    }
    transcript.matches("messages/stdin.txt")
}

#[test]
fn summaries_of_lint() -> Result<()> {
    let table = [
        ("lint examples/oc-mirror-v2", 0, "nothing is found"),
        ("lint examples/root-level-only", 0, "warnings"),
        ("lint examples/policy-conflict", 1, "errors"),
        ("lint examples/policy-conflict examples/root-level-only", 1, "both"),
        ("lint tests/cli/fixtures/list.yaml", 1, "another kind is skipped"),
        ("lint tests/cli/fixtures/broken", 2, "not everything could be read"),
        ("lint examples/policy-conflict/idms.yaml examples/policy-conflict/idms.yaml", 0, "one file twice"),
    ];
    let mut transcript = Transcript::default();
    for (line, code, reason) in table {
        let run = mirrorguard(line)?.code(code).with_context(|| format!("{line} ({reason})"))?;
        transcript.add_messages(line, &run);
    }
    transcript.matches("messages/lint.txt")
}

/// A folder without mirror sets.
fn nothing_to_check() -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    fs::create_dir(folder.path().join("empty"))?;
    let others = "apiVersion: v1\nkind: Pod\n---\napiVersion: v1\nkind: Secret\n";
    fs::write(folder.path().join("pod.yaml"), others)?;
    Ok(folder)
}

#[test]
fn nothing_to_check_is_said_in_every_format_and_is_no_failure() -> Result<()> {
    let folder = nothing_to_check()?;
    let mut transcript = Transcript::default();
    for line in ["lint empty", "lint --exclude *.yaml .", "lint pod.yaml"] {
        let mut messages = Vec::new();
        for format in ["human", "json", "sarif", "junit"] {
            let mut command = command(env!("CARGO_BIN_EXE_mirrorguard"));
            command.current_dir(folder.path()).args(line.split(' ')).args(["-o", format]);
            messages.push(Run::of(&mut command)?.code(0)?);
        }
        ensure!(messages.iter().all(|run| run.stderr == messages[0].stderr), "{line}: {messages:#?}");
        transcript.add_messages(line, &messages[0]);
    }
    transcript.matches("messages/nothing-to-check.txt")
}

#[test]
fn what_a_target_cannot_hold() -> Result<()> {
    let never = "tests/cli/fixtures/forms/never-contact.yaml";
    let wildcard = "tests/cli/fixtures/forms/wildcard.yaml";
    let hosted = "examples/hosted-cluster";
    let table = [
        (format!("render --to idms {hosted}"), 0, "tag pulls are not lost"),
        (format!("render --to itms {hosted}"), 0, "nor are digest pulls"),
        (format!("render --to hostedcluster {never}"), 1, "it has no policies"),
        (format!("render --to install-config {wildcard}"), 1, "it has no wildcards"),
        (format!("render --to vap {hosted}"), 0, "no path is read"),
        ("render --to vap --config tests/cli/fixtures/forms/all-off.yaml".to_owned(), 1, "all rules are off"),
        ("render --to annotation examples/oc-mirror-v2".to_owned(), 1, "no catalog is mirrored"),
    ];
    let mut transcript = Transcript::default();
    for (line, code, reason) in table {
        let run = mirrorguard(&line)?.code(code).with_context(|| format!("{line} ({reason})"))?;
        transcript.add_messages(&line, &run);
    }
    transcript.matches("messages/render.txt")
}

#[test]
fn results_that_are_texts() -> Result<()> {
    let table = [
        ("diff examples/icsp-to-idms/icsp.yaml examples/icsp-to-idms/idms.yaml", 0, "no impact"),
        ("diff tests/cli/fixtures/empty.yaml examples/root-level-only", 0, "a reload"),
        ("diff examples/root-level-only examples/hosted-cluster", 0, "a drain"),
        ("overrides examples/hosted-cluster", 0, "a value"),
        ("overrides examples/oc-mirror-v2", 0, "no value"),
        ("overrides --check registry.redhat.io/redhat=m.lab/redhat", 0, "a good value"),
        ("overrides --check registry.redhat.io=m.lab/redhat.io", 1, "a bad value"),
        (
            "overrides --check registry.redhat.io/redhat=m.lab/a,registry.redhat.io=m.lab/b",
            1,
            "a random value",
        ),
    ];
    let mut transcript = Transcript::default();
    for (line, code, reason) in table {
        let run = mirrorguard(line)?.code(code).with_context(|| format!("{line} ({reason})"))?;
        transcript.add_all(line, &run);
    }
    transcript.matches("messages/results.txt")
}
