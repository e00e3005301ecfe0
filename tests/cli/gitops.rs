//! A repository as people have it: mirror sets in several wrappers, between files of other programs.

use std::fs;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::command::{mirrorguard, mirrorguard_reads};

const FOLDER: &str = "tests/cli/fixtures/gitops";

#[test]
fn a_repository_is_checked_and_what_is_not_ours_is_counted() -> Result<()> {
    let report = mirrorguard(&format!("lint -o json {FOLDER}"))?.code(0)?.json()?;
    let summary = &report["summary"];
    let counts = ["objects", "skipped", "deny"].map(|name| summary[name].as_u64().unwrap_or(u64::MAX));
    // Chart.yaml, values.yaml, the template, package.json, the playbook, two kustomization.yaml and three patches.
    ensure!(counts == [4, 10, 0], "{report:#}");
    let mut messages = mirrorguard(&format!("lint -v {FOLDER}"))?.code(0)?;
    for patch in ["source", "removed", "unlisted"] {
        messages = messages.says(&format!("{FOLDER}/overlay/{patch}.yaml:1: a Kustomize patch"))?;
    }
    Ok(())
}

#[test]
fn a_template_that_is_named_is_an_error() -> Result<()> {
    let named = mirrorguard(&format!("lint {FOLDER}/chart/templates/idms.yaml"))?.code(2)?;
    named.prints("this looks like a template: render it first, for example helm template")?;
    Ok(())
}

const IDMS: &str = "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {name: a}\n\
                    spec:\n  imageDigestMirrors:\n";

#[test]
fn a_placeholder_is_left_out_and_the_rest_is_checked() -> Result<()> {
    let entry = |source: &str, mirrors: &str| format!("  - {{source: {source}, mirrors: [{mirrors}]}}\n");
    let open = format!("{IDMS}{}{}", entry("quay.io/a", "'${M}'"), entry("quay.io/b", "'https://m.lab/b'"));
    let summary = "1 error in 1 object, 1 placeholder left out";
    let run = mirrorguard_reads("lint -v -", &open)?.code(1)?;
    run.prints("error[invalid-mirror]")?
        .says("skipped <stdin>:6: spec.imageDigestMirrors[0].mirrors[0], a placeholder")?
        .says(summary)?;
    let report = mirrorguard_reads("lint -o json -", &open)?.code(1)?.json()?;
    ensure!(report["summary"]["placeholders"] == 1 && report["summary"]["skipped"] == 0, "{report:#}");
    let render = mirrorguard_reads("render -", &open)?;
    render.says(
        "ImageDigestMirrorSet/a is skipped, because spec.imageDigestMirrors[0].mirrors[0] is a placeholder",
    )?;
    let known = format!("{IDMS}{}", entry("quay.io/a", "m.lab/a"));
    let run = mirrorguard_reads("lint -", &known)?.code(0)?;
    ensure!(run.stderr == "no problems found in 1 object\n", "{}", run.stderr);
    Ok(())
}

#[test]
fn an_answer_without_a_set_is_not_passed_off_as_complete() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let set = |name: &str, mirror: &str| {
        let text = format!("{IDMS}  - {{source: quay.io/{name}, mirrors: [{mirror}]}}\n");
        text.replace("{name: a}", &format!("{{name: {name}}}"))
    };
    let both = folder.path().join("both.yaml");
    // Whether b has a placeholder or not, and what each command exits with.
    let cases = [("'${M}'", [2, 2, 2, 1, 1, 1, 1, 2, 2, 1]), ("m.lab/b", [0; 10])];
    for (mirror, codes) in cases {
        fs::write(&both, format!("{}---\n{}", set("a", "m.lab/a"), set("b", mirror)))?;
        let both = both.display();
        let commands = [
            format!("merge {both}"),
            format!("migrate {both}"),
            format!("render --to idms {both}"),
            format!("render -q {both}"),
            format!("diff {both} {both}"),
            format!("diff --fail-on drain {both} {both}"),
            format!("render -o json {both}"),
            format!("overrides {both}"),
            format!("overrides --check registry.redhat.io/redhat=m.lab/redhat {both}"),
            format!("explain quay.io/b/x:v1 {both}"),
        ];
        for (command, code) in commands.iter().zip(codes) {
            let run = mirrorguard(command)?.code(code)?;
            if mirror.starts_with('\'') {
                run.says("ImageDigestMirrorSet/b is skipped, because spec.imageDigestMirrors[0].mirrors[0]")?;
            }
        }
    }
    Ok(())
}

/// The answers of `explain` and `diff` name what is missing in JSON, too, and what is skipped was found.
#[test]
fn a_report_names_the_sets_without_which_it_was_made() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("a.yaml");
    let expected = json!([{
        "what": "ImageDigestMirrorSet/a", "why": "spec.imageDigestMirrors[0].mirrors[0] is a placeholder"
    }]);
    for (mirror, code, not_checked) in [("'${M}/a'", 1, expected), ("m.lab/a", 0, Value::Null)] {
        fs::write(&path, format!("{IDMS}  - {{source: quay.io/a, mirrors: [{mirror}]}}\n"))?;
        let path = path.display();
        let empty = "tests/cli/fixtures/empty.yaml";
        for line in [format!("explain -o json quay.io/a/x:v1 {path}"), format!("diff -o json {empty} {path}")]
        {
            let run = mirrorguard(&line)?.code(code)?;
            ensure!(run.json()?["notChecked"] == not_checked, "{line}: {}", run.stdout);
            ensure!(!run.stderr.contains("no mirror set"), "{line}: {}", run.stderr);
            ensure!(!run.stderr.contains("NEW"), "{line}: {}", run.stderr);
        }
        let run = mirrorguard(&format!("diff --fail-on drain {path} {path}"))?.code(code)?;
        ensure!(run.stdout.is_empty() == (code == 1), "an impact that may be wrong: {}", run.stdout);
    }
    Ok(())
}

#[test]
fn a_placeholder_of_an_existing_object_is_no_value() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("old.yaml");
    let entries = |mirror: &str| format!("{IDMS}  - {{source: quay.io/a, mirrors: [m.lab/a, {mirror}]}}\n");
    let lint = format!("lint -o json --against {} -", path.display());
    for (old, new, expected) in [
        ("'${M}'", "'${M}'", Vec::<&str>::new()),
        ("'${M}'", "'https://n.lab/a'", vec!["\"invalid-mirror\""]),
        ("n.lab/a", "o.lab/a", vec!["\"node-impact\""]),
    ] {
        fs::write(&path, entries(old))?;
        let report = mirrorguard_reads(&lint, &entries(new))?.json()?;
        let findings = report["findings"].as_array().into_iter().flatten();
        let rules: Vec<_> = findings.map(|finding| finding["rule"].to_string()).collect();
        ensure!(rules == expected, "{old} becomes {new}: {rules:?}");
    }
    Ok(())
}

#[test]
fn a_file_with_an_error_has_no_clean_summary() -> Result<()> {
    let run =
        mirrorguard_reads("lint -", &format!("{IDMS}  - {{source: quay.io/a, mirrors: 7}}\n"))?.code(2)?;
    run.says("no other problems found in 1 object")?;
    let null = mirrorguard_reads("lint -", &format!("{IDMS}  - {{source: null, mirrors: [m.lab/a]}}\n"))?;
    null.code(1)?.prints("error[invalid-source]: source \"\" is empty")?;
    Ok(())
}

#[test]
fn an_image_configuration_is_one_object() -> Result<()> {
    let image = |list: &str| {
        let head = "apiVersion: config.openshift.io/v1\nkind: Image\nmetadata: {name: cluster}\n";
        format!("{head}spec: {{registrySources: {{blockedRegistries: [{list}]}}}}\n")
    };
    mirrorguard_reads("lint -", &image("q.io"))?.code(0)?.says("no problems found in 1 object")?;
    mirrorguard_reads("lint -", &image("'*.*'"))?.code(1)?.says("1 error in 1 object")?;
    Ok(())
}

#[test]
fn files_of_the_installer_are_of_a_cluster_each() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = |list: &str, source: &str| {
        format!("apiVersion: v1\nbaseDomain: lab\n{list}:\n- source: {source}\n  mirrors: [m.lab/a]\n")
    };
    let lint = format!("lint -o json {}", folder.path().display());
    let rules = |first: &str, second: &str| -> Result<Vec<String>> {
        fs::write(folder.path().join("a.yaml"), first)?;
        fs::write(folder.path().join("b.yaml"), second)?;
        let report = mirrorguard(&lint)?.json()?;
        let findings = report["findings"].as_array().into_iter().flatten();
        Ok(findings.map(|finding| finding["rule"].to_string()).collect())
    };
    let (new, old) = ("imageDigestSources", "imageContentSources");
    let same = rules(&config(new, "quay.io/a"), &config(new, "quay.io/a"))?;
    ensure!(same.is_empty(), "two clusters: {same:?}");
    let other = rules(&config(new, "quay.io/a"), &config(old, "quay.io/a"))?;
    ensure!(other == ["\"deprecated-icsp\""], "each has only its own list: {other:?}");
    Ok(())
}

#[test]
fn no_answer_is_made_of_two_clusters() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let work = |namespace: &str, mirror: &str| {
        let set = format!("{IDMS}  - {{source: quay.io/a, mirrors: [{mirror}]}}\n");
        let set = set.lines().flat_map(|line| ["      ", line, "\n"]).collect::<String>();
        format!(
            "apiVersion: work.open-cluster-management.io/v1\nkind: ManifestWork\nmetadata: {{name: w, namespace: \
             {namespace}}}\nspec:\n  workload:\n    manifests:\n    -\n{set}"
        )
    };
    let install = |mirror: &str| {
        let entry = format!("{{source: quay.io/a, mirrors: [{mirror}]}}");
        format!("apiVersion: v1\nbaseDomain: lab\nimageDigestSources: [{entry}]\n")
    };
    let rules = |first: &str, second: &str| -> Result<Vec<String>> {
        fs::write(folder.path().join("a.yaml"), first)?;
        fs::write(folder.path().join("b.yaml"), second)?;
        let report = mirrorguard(&format!("lint -o json {}", folder.path().display()))?.json()?;
        let findings = report["findings"].as_array().into_iter().flatten();
        Ok(findings.map(|finding| finding["rule"].to_string()).collect())
    };
    let path = folder.path().display().to_string();
    let commands =
        [format!("render {path}"), format!("explain quay.io/a:v1 {path}"), format!("merge {path}")];
    let table = [
        (work("one", "m.lab/a"), work("two", "n.lab/a"), 2, 0, "two works"),
        (work("one", "m.lab/a"), work("one", "m.lab/a"), 0, 1, "one cluster, and a set twice"),
        (install("m.lab/a"), install("n.lab/a"), 2, 0, "two files of the installer"),
    ];
    for (first, second, code, findings, reason) in table {
        let found = rules(&first, &second)?;
        ensure!(found.len() >= findings && (findings > 0 || found.is_empty()), "{reason}: {found:?}");
        ensure!(findings == 0 || found.contains(&"\"duplicate-object\"".to_owned()), "{reason}: {found:?}");
        for command in &commands {
            mirrorguard(command)?.code(code)?;
        }
    }
    Ok(())
}

#[test]
fn findings_in_wrappers_are_at_their_own_lines() -> Result<()> {
    let configuration = "tests/cli/fixtures/untrusted.yaml";
    let report = mirrorguard(&format!("lint -o json --config {configuration} {FOLDER}"))?.code(0)?.json()?;
    let lines: Vec<_> = report["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|finding| {
            let is_untrusted = finding["rule"] == "untrusted-mirror";
            is_untrusted.then(|| (finding["object"]["name"].clone(), finding["line"].clone()))
        })
        .collect();
    let expected =
        [("hosted", 16), ("image-digest-mirror", 8), ("image-digest-mirror", 11), ("team", 9), ("acm", 25)];
    let expected: Vec<_> = expected.iter().map(|(name, line)| ((*name).into(), (*line).into())).collect();
    ensure!(lines == expected, "{lines:?}");
    Ok(())
}
