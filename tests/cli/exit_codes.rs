//! 0: all is well; 1: the answer is no; 2: the question could not be answered.

use anyhow::{Context as _, Result, ensure};

use crate::command::{mirrorguard, mirrorguard_reads};

/// The words of the command line, the exit code, what is on standard output and on standard error, and why.
type Row<'a> = (&'a str, i32, &'a str, &'a str, &'a str);

fn holds(table: &[Row<'_>]) -> Result<()> {
    for (line, code, stdout, stderr, reason) in table {
        let run = mirrorguard(line)?.code(*code);
        let run = run.and_then(|run| run.prints(stdout)?.says(stderr));
        run.with_context(|| format!("{line} ({reason})"))?;
    }
    Ok(())
}

#[test]
fn lint_fails_by_the_level_asked_for() -> Result<()> {
    let (clean, warned, denied) =
        ("examples/oc-mirror-v2", "examples/root-level-only", "examples/policy-conflict");
    holds(&[
        (&format!("lint {clean}"), 0, "", "nothing found: 0 denied, 0 warned, in 4 objects", "nothing found"),
        (&format!("lint {warned}"), 0, "warning[", "0 denied, 2 warned", "warnings alone"),
        (&format!("lint {denied}"), 1, "denied[", "2 denied, 0 warned", "what the webhook refuses"),
        (&format!("lint --fail-on warn {clean}"), 0, "", "0 warned", "nothing to fail on"),
        (&format!("lint --fail-on warn {warned}"), 1, "warning[", "2 warned", "they were asked for"),
        (&format!("lint --fail-on warn {denied}"), 1, "denied[", "2 denied", "worse than asked for"),
        (&format!("lint -q {denied}"), 1, "denied[", "", "the same without talk"),
    ])
}

#[test]
fn existing_objects_are_read_but_not_blamed() -> Result<()> {
    let new = "examples/policy-conflict/idms.yaml";
    let against = |existing: &str| format!("lint --against {existing} {new}");
    let conflict = &against("examples/policy-conflict/itms.yaml");
    holds(&[
        (&format!("lint {new}"), 0, "", "0 denied, 0 warned, in 1 object", "alone it is in order"),
        (
            conflict,
            1,
            "ImageTagMirrorSet/by-tag",
            "1 denied, 0 warned, in 1 object",
            "only this side is told",
        ),
        (&against("missing.yaml"), 2, "", "cannot read missing.yaml", "no such file"),
    ])
}

#[test]
fn diff_fails_by_the_impact_asked_for() -> Result<()> {
    let drain = "examples/root-level-only examples/hosted-cluster";
    let reload = "tests/cli/fixtures/empty.yaml examples/root-level-only";
    let none = "examples/icsp-to-idms/icsp.yaml examples/icsp-to-idms/idms.yaml";
    holds(&[
        (&format!("diff {drain}"), 0, "drain: every node", "", "told, not judged"),
        (&format!("diff --fail-on drain {drain}"), 1, "drain: every node", "", "judged"),
        (&format!("diff --fail-on reload {drain}"), 1, "drain: every node", "", "a drain is worse"),
        (&format!("diff --fail-on drain {reload}"), 0, "reload: CRI-O", "", "a reload is not as bad"),
        (&format!("diff --fail-on reload {reload}"), 1, "reload: CRI-O", "", "judged"),
        (&format!("diff --fail-on reload {none}"), 0, "none: registries.conf stays", "", "nothing changes"),
    ])
}

#[test]
fn what_the_nodes_would_refuse_is_refused() -> Result<()> {
    let (good, conflict) = ("examples/oc-mirror-v2", "examples/policy-conflict");
    let refused = "denied[conflicting-source-policy] … the nodes get no new configuration: ";
    holds(&[
        (&format!("render {good}"), 0, "location = \"registry.redhat.io/oadp\"", "", "as the nodes get it"),
        (&format!("render {conflict}"), 1, "", refused, "the findings are talk, there is no result"),
        (&format!("render -o json {conflict}"), 1, "", refused, "no JSON either"),
        (&format!("explain example.com/a:1 {conflict}"), 1, "", refused, "no pull without a configuration"),
        (&format!("diff {conflict} {good}"), 1, "", refused, "nothing to compare with"),
        (&format!("diff {good} {conflict}"), 1, "", refused, "nothing to compare"),
    ])
}

#[test]
fn overrides_that_are_misread_fail() -> Result<()> {
    let (good, bad) = ("registry.redhat.io/redhat=m.lab/redhat", "registry.redhat.io=m.lab/redhat.io");
    let fix =
        "denied[misread-catalog-overrides] … write \"registry.redhat.io/redhat=m.lab/redhat.io/redhat\"";
    holds(&[
        (&format!("overrides --check {good}"), 0, "redhat-operators", "as it is meant", "one way to read it"),
        ("overrides --check =", 0, "redhat-operators", "as it is meant", "no overrides at all"),
        (&format!("overrides --check {bad}"), 1, fix, "", "two ways to read it"),
        ("overrides --release x examples/hosted-cluster", 2, "", "\"x\" is not a release", "no release"),
    ])
}

#[test]
fn what_cannot_be_understood_is_2() -> Result<()> {
    holds(&[
        ("", 2, "", "Usage: mirrorguard", "no command"),
        ("lnit", 2, "", "unrecognized subcommand 'lnit' … 'lint'", "a misspelt command"),
        ("help lnit", 2, "", "unrecognized subcommand 'lnit' … 'lint'", "its help"),
        ("lint --fail-onn deny", 2, "", "'--fail-onn' … '--fail-on'", "a misspelt flag"),
        ("lint --fail-on dney .", 2, "", "invalid value 'dney' … 'deny'", "a misspelt level"),
        ("diff a", 2, "", "<NEW> … Usage: mirrorguard diff", "only one of two"),
        ("completions tcsh", 2, "", "bash, elvish, fish, powershell, zsh", "a shell that is not known"),
        ("completions bash -o json", 2, "", "there is no JSON of them", "a script is no JSON"),
        ("lint --config src examples/demo", 2, "", "--config: cannot read src: Is a directory", "a folder"),
        ("lint --nope", 2, "", "unexpected argument '--nope'", "an unknown flag"),
        ("lint --fail-on all .", 2, "", "invalid value 'all' … deny, warn", "an unknown level"),
        ("lint -o xml .", 2, "", "invalid value 'xml' … human, json, sarif, junit", "an unknown form"),
        (
            "render -o sarif .",
            2,
            "",
            "error: only lint and audit write sarif and junit",
            "a form that is for findings",
        ),
        ("rules -o junit", 2, "", "write -o human or -o json here", "another"),
        ("lint --exclude a{b .", 2, "", "--exclude: cannot read the glob \"a{b\"", "no glob"),
        ("lint --against - -", 2, "", "standard input can only be read once", "two readers of one input"),
        ("explain", 2, "", "<IMAGE>", "no image"),
        (
            "explain UPPER/case .",
            2,
            "",
            "cannot read the image \"UPPER/case\": … \"upper/case\"",
            "no reference",
        ),
        (
            "explain docker://quay.io/a:1 .",
            2,
            "",
            "leave out \"docker://\", write \"quay.io/a:1\"",
            "a scheme",
        ),
        ("rules root-levle-source", 2, "", "did you mean \"root-level-source\"?", "a misspelt rule"),
        ("rules zzz", 2, "", "mirrorguard rules lists them", "like no rule"),
    ])
}

#[test]
fn help_and_version_are_results() -> Result<()> {
    holds(&[
        ("--version", 0, concat!("mirrorguard ", env!("CARGO_PKG_VERSION")), "", "asked for"),
        ("--help", 0, "Usage: mirrorguard … lint … serve", "", "asked for"),
        ("lint --help", 0, "--fail-on … Examples:", "", "asked for"),
    ])
}

#[test]
fn the_configuration_decides_what_is_denied() -> Result<()> {
    let with = |file: &str| format!("lint --config tests/cli/fixtures/{file} examples/root-level-only");
    let misspelt = "config-misspelt.yaml:2:22: … did you mean \"root-level-source\"?";
    holds(&[
        (&with("empty.yaml"), 0, "warning[root-level-source]", "0 denied, 2 warned", "the default"),
        (
            &with("config-deny.yaml"),
            1,
            "denied[root-level-source]",
            "2 denied, 0 warned",
            "a warning made a denial",
        ),
        (&with("config-off.yaml"), 0, "", "0 denied, 0 warned", "turned off"),
        (&with("config-misspelt.yaml"), 2, "", misspelt, "an unknown rule"),
        (&with("missing.yaml"), 2, "", "--config: cannot read", "no such file"),
    ])
}

#[test]
fn a_malformed_scope_of_the_image_configuration_is_told() -> Result<()> {
    let image = |scope: &str| {
        format!(
            "apiVersion: config.openshift.io/v1\nkind: Image\nmetadata: {{name: cluster}}\nspec:\n  registrySources:\n    blockedRegistries: [\"{scope}\"]\n"
        )
    };
    for scope in ["", "*.x/y"] {
        let told = "denied[invalid-registry-scope] … <stdin>:6:25";
        mirrorguard_reads("lint -", &image(scope))?.code(1)?.prints(told)?.says("1 denied")?;
        mirrorguard_reads("render -q -", &image(scope))?
            .code(1)?
            .prints("")?
            .says(&format!("{told} … error: the nodes get no new configuration: invalid entry"))?;
    }
    mirrorguard_reads("lint -", &image("*.x"))?.code(0)?.prints("")?;
    Ok(())
}

#[test]
fn what_makes_the_answer_no_is_said_quietly_too() -> Result<()> {
    let icsp = |policy: &str| {
        format!(
            "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {{name: a}}\nspec: {{imageDigestMirrors: [{{source: q.io/c, mirrors: [m.lab/c], mirrorSourcePolicy: {policy}}}]}}\n"
        )
    };
    let both = format!("{}---\n{}", icsp("NeverContactSource"), icsp("AllowContactingSource"));
    mirrorguard_reads("merge -q -", &both)?.code(1)?.says("error: ")?;
    mirrorguard_reads("render -q --to hostedcluster -", &icsp("NeverContactSource"))?
        .code(1)?
        .says("lost: ")?;
    Ok(())
}

#[test]
fn what_cannot_be_read_stands_in_the_json_too() -> Result<()> {
    let report = mirrorguard_reads("lint -o json -", "kind: [\n")?.code(2)?.json()?;
    let errors = report["errors"].as_array().context("no errors")?;
    ensure!(errors[0].as_str().is_some_and(|text| text.starts_with("<stdin>:2:1: ")), "{report}");
    let report = mirrorguard("lint -o json examples/root-level-only")?.code(0)?.json()?;
    ensure!(report.get("errors").is_none() && report.get("exempted").is_none(), "{report}");
    Ok(())
}

#[test]
fn what_is_exempt_is_told() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("c.yaml");
    std::fs::write(
        &config,
        "exemptions:\n- {rules: [conflicting-source-policy], objects: [\"ImageTagMirrorSet/*\", \"ImageDigestMirrorSet/*\"], reason: CHG-1, until: 2999-12-31}\n",
    )?;
    let config = config.display();
    mirrorguard(&format!("lint --config {config} examples/policy-conflict"))?.code(0)?.says(
        "exempt until 2999-12-31: [conflicting-source-policy] ImageDigestMirrorSet/never-contact: CHG-1\n",
    )?;
    let report =
        mirrorguard(&format!("lint -o json --config {config} examples/policy-conflict"))?.code(0)?.json()?;
    let expected = serde_json::json!({"rule": "conflicting-source-policy", "reason": "CHG-1", "until": "2999-12-31",
        "object": {"kind": "ImageDigestMirrorSet", "name": "never-contact"}});
    ensure!(report["exempted"][0] == expected, "{report:#}");
    Ok(())
}
