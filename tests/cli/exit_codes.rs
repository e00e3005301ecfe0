//! 0: all is well; 1: the answer is no; 2: the question could not be answered. The messages of wrong command
//! lines and files are held in `messages.rs`.

use anyhow::{Context as _, Result, ensure};

use crate::command::{Findings, mirrorguard, mirrorguard_reads};

struct Case<'a> {
    line: &'a str,
    code: i32,
    /// On standard output; empty where there is no result.
    stdout: &'a str,
    reason: &'a str,
}

fn hold(cases: &[Case<'_>]) -> Result<()> {
    for Case { line, code, stdout, reason } in cases {
        let run = mirrorguard(line)?.code(*code);
        run.and_then(|run| run.prints(stdout)).with_context(|| format!("{line} ({reason})"))?;
    }
    Ok(())
}

const CLEAN: &str = "examples/oc-mirror-v2";
const WARNED: &str = "examples/root-level-only";
const CONFLICT: &str = "examples/policy-conflict";

/// A run of lint, and what it finds.
struct LintCase<'a> {
    arguments: &'a str,
    code: i32,
    errors: usize,
    warnings: usize,
    reason: &'a str,
}

fn hold_lint(cases: &[LintCase<'_>]) -> Result<()> {
    for LintCase { arguments, code, errors, warnings, reason } in cases {
        let run = mirrorguard(&format!("lint {arguments}"))?.code(*code);
        let found = run.with_context(|| format!("{arguments} ({reason})"))?.findings();
        let expected = Findings { errors: *errors, warnings: *warnings };
        ensure!(found == expected, "{arguments} ({reason}): {found:?}");
    }
    Ok(())
}

fn on_warnings(path: &str) -> String {
    format!("--fail-on warn {path}")
}

#[test]
fn lint_fails_by_the_level_given() -> Result<()> {
    hold_lint(&[
        LintCase { arguments: CLEAN, code: 0, errors: 0, warnings: 0, reason: "nothing is found" },
        LintCase { arguments: WARNED, code: 0, errors: 0, warnings: 2, reason: "warnings alone" },
        LintCase {
            arguments: CONFLICT,
            code: 1,
            errors: 2,
            warnings: 0,
            reason: "the webhook would deny it",
        },
        LintCase {
            arguments: &on_warnings(CLEAN),
            code: 0,
            errors: 0,
            warnings: 0,
            reason: "nothing is found",
        },
        LintCase {
            arguments: &on_warnings(WARNED),
            code: 1,
            errors: 0,
            warnings: 2,
            reason: "warnings fail",
        },
        LintCase {
            arguments: &on_warnings(CONFLICT),
            code: 1,
            errors: 2,
            warnings: 0,
            reason: "worse than that",
        },
    ])?;
    mirrorguard(&format!("lint -q {CONFLICT}"))?.code(1)?.prints("error[")?.says("")?;
    Ok(())
}

#[test]
fn existing_objects_are_read_and_not_blamed() -> Result<()> {
    let new = "examples/policy-conflict/idms.yaml";
    let conflict = format!("--against examples/policy-conflict/itms.yaml {new}");
    hold_lint(&[
        LintCase { arguments: new, code: 0, errors: 0, warnings: 1, reason: "alone it blocks tag pulls" },
        LintCase { arguments: &conflict, code: 1, errors: 1, warnings: 0, reason: "only one side is blamed" },
    ])?;
    mirrorguard(&format!("lint {conflict}"))?.code(1)?.prints("ImageTagMirrorSet/by-tag")?;
    mirrorguard(&format!("lint --against missing.yaml {new}"))?.code(2)?.prints("")?.says("missing.yaml")?;
    Ok(())
}

#[test]
fn diff_fails_by_the_impact_given() -> Result<()> {
    let drain = "examples/root-level-only examples/hosted-cluster";
    let reload = "tests/cli/fixtures/no-entries.yaml examples/root-level-only";
    let none = "examples/icsp-to-idms/icsp.yaml examples/icsp-to-idms/idms.yaml";
    let table = [
        (drain.to_owned(), 0, "drain", "reported only"),
        (format!("--fail-on drain {drain}"), 1, "drain", "a drain fails"),
        (format!("--fail-on reload {drain}"), 1, "drain", "a drain is worse"),
        (format!("--fail-on drain {reload}"), 0, "reload", "a reload is not as bad"),
        (format!("--fail-on reload {reload}"), 1, "reload", "a reload fails"),
        (format!("--fail-on reload {none}"), 0, "none", "nothing changes"),
    ];
    for (arguments, code, impact, reason) in table {
        let report = mirrorguard(&format!("diff -o json {arguments}"))?.code(code).context(reason)?.json()?;
        ensure!(report["impact"] == impact, "{arguments} ({reason}): {report}");
        mirrorguard(&format!("diff {arguments}"))?.code(code)?.prints(impact).context(reason)?;
    }
    Ok(())
}

#[test]
fn what_the_nodes_would_refuse_is_refused() -> Result<()> {
    mirrorguard(&format!("render {CLEAN}"))?
        .code(0)?
        .prints("location = \"registry.redhat.io/oadp\"")?
        .says("")?;
    let table = [
        (format!("render {CONFLICT}"), "findings are messages, there is no result"),
        (format!("render -o json {CONFLICT}"), "no JSON either"),
        (format!("explain example.com/a:1 {CONFLICT}"), "no pull without a configuration"),
        (format!("diff {CONFLICT} {CLEAN}"), "nothing to compare with"),
        (format!("diff {CLEAN} {CONFLICT}"), "nothing to compare"),
    ];
    for (line, reason) in table {
        let run = mirrorguard(&line)?.code(1).and_then(|run| run.prints(""));
        run.and_then(|run| run.says("error[conflicting-source-policy] … \nerror: ")).context(reason)?;
    }
    Ok(())
}

fn check_overrides(value: &str) -> String {
    format!("overrides --check {value}")
}

#[test]
fn overrides_that_are_misread_fail() -> Result<()> {
    let (good, bad) = ("registry.redhat.io/redhat=m.lab/redhat", "registry.redhat.io=m.lab/redhat.io");
    let misread = "error[misread-catalog-overrides] … registry.redhat.io/redhat=m.lab/redhat.io/redhat";
    hold(&[
        Case {
            line: &check_overrides(good),
            code: 0,
            stdout: "redhat-operators",
            reason: "one way to read it",
        },
        Case {
            line: &check_overrides("="),
            code: 0,
            stdout: "redhat-operators",
            reason: "no overrides at all",
        },
        Case { line: &check_overrides(bad), code: 1, stdout: misread, reason: "two ways to read it" },
    ])
}

#[test]
fn help_and_version_are_results() -> Result<()> {
    let version = concat!("mirrorguard ", env!("CARGO_PKG_VERSION"));
    hold(&[
        Case { line: "--version", code: 0, stdout: version, reason: "a result" },
        Case { line: "--help", code: 0, stdout: "Usage: mirrorguard … lint … serve", reason: "a result" },
        Case { line: "lint --help", code: 0, stdout: "--fail-on … Examples:", reason: "a result" },
        Case { line: "", code: 2, stdout: "", reason: "no command: help is a message here" },
    ])
}

fn with_config(file: &str) -> String {
    format!("--config tests/cli/fixtures/{file} {WARNED}")
}

#[test]
fn the_configuration_decides_what_is_an_error() -> Result<()> {
    hold_lint(&[
        LintCase {
            arguments: &with_config("empty.yaml"),
            code: 0,
            errors: 0,
            warnings: 2,
            reason: "the default",
        },
        LintCase {
            arguments: &with_config("config-deny.yaml"),
            code: 1,
            errors: 2,
            warnings: 0,
            reason: "deny",
        },
        LintCase {
            arguments: &with_config("config-off.yaml"),
            code: 0,
            errors: 0,
            warnings: 0,
            reason: "off",
        },
    ])
}

#[test]
fn a_malformed_scope_of_the_image_configuration_is_found() -> Result<()> {
    for scope in ["", "*.x/y"] {
        let found = "error[invalid-registry-scope] … <stdin>:6:25";
        mirrorguard_reads("lint -", &image(scope))?.code(1)?.prints(found)?;
        mirrorguard_reads("render -q -", &image(scope))?
            .code(1)?
            .prints("")?
            .says(&format!("{found} … \nerror: "))?;
    }
    mirrorguard_reads("lint -", &image("*.x"))?.code(0)?.prints("")?;
    Ok(())
}

/// The image configuration that blocks a scope.
fn image(scope: &str) -> String {
    format!(
        "apiVersion: config.openshift.io/v1\nkind: Image\nmetadata: {{name: cluster}}\nspec:\n  registrySources:\n    blockedRegistries: [\"{scope}\"]\n"
    )
}

/// An IDMS with a policy.
fn idms(policy: &str) -> String {
    format!(
        "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {{name: a}}\nspec: {{imageDigestMirrors: [{{source: q.io/c, mirrors: [m.lab/c], mirrorSourcePolicy: {policy}}}]}}\n"
    )
}

#[test]
fn what_makes_the_answer_no_is_a_message_with_quiet_too() -> Result<()> {
    let both = format!("{}---\n{}", idms("NeverContactSource"), idms("AllowContactingSource"));
    mirrorguard_reads("merge -q -", &both)?.code(1)?.says("error: ")?;
    mirrorguard_reads("render -q --to hostedcluster -", &idms("NeverContactSource"))?
        .code(1)?
        .says("NeverContactSource")?;
    Ok(())
}

#[test]
fn what_cannot_be_read_is_in_the_json_too() -> Result<()> {
    let report = mirrorguard_reads("lint -o json -", "kind: [\n")?.code(2)?.json()?;
    let errors = report["errors"].as_array().context("no errors")?;
    ensure!(errors[0].as_str().is_some_and(|text| text.starts_with("<stdin>:2:1: ")), "{report}");
    let report = mirrorguard("lint -o json examples/root-level-only")?.code(0)?.json()?;
    ensure!(report.get("errors").is_none() && report.get("exempted").is_none(), "{report}");
    Ok(())
}

#[test]
fn exemptions_are_listed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("c.yaml");
    std::fs::write(
        &config,
        "exemptions:\n- {rules: [conflicting-source-policy], objects: [\"ImageTagMirrorSet/*\", \"ImageDigestMirrorSet/*\"], reason: CHG-1, until: 2999-12-31}\n",
    )?;
    let config = config.display();
    mirrorguard(&format!("lint --config {config} examples/policy-conflict"))?
        .code(0)?
        .says("2999-12-31 … [conflicting-source-policy] ImageDigestMirrorSet/never-contact: CHG-1\n")?;
    let report =
        mirrorguard(&format!("lint -o json --config {config} examples/policy-conflict"))?.code(0)?.json()?;
    let expected = serde_json::json!({"rule": "conflicting-source-policy", "reason": "CHG-1", "until": "2999-12-31",
        "object": {"kind": "ImageDigestMirrorSet", "name": "never-contact"}});
    ensure!(report["exempted"][0] == expected, "{report:#}");
    Ok(())
}
