//! SARIF, validated by its schema.

use std::ops::Range;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::command::{mirrorguard, mirrorguard_reads, text_of};

/// Runs `lint -o sarif`, validates the result by the standard's schema, and returns its only run.
fn sarif(line: &str, code: i32) -> Result<Value> {
    let report =
        mirrorguard(&format!("lint -o sarif {line}"))?.code(code).context(line.to_owned())?.json()?;
    let schema = text_of("tests/cli/sarif/sarif-schema-2.1.0.json")?;
    // One bracket too many, which only JavaScript accepts as a character.
    let schema = serde_json::from_str(&schema.replace("-[a-zA-Z]{2}]?$", "-[a-zA-Z]{2}$"))?;
    let validator = jsonschema::options().should_validate_formats(true).build(&schema)?;
    let errors: Vec<_> =
        validator.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect();
    ensure!(errors.is_empty(), "{line}: {errors:#?}");
    Ok(report["runs"][0].clone())
}

#[test]
fn sarif_is_valid_by_its_schema() -> Result<()> {
    let table = [
        ("examples/policy-conflict", 1, "findings with other places"),
        ("examples/root-level-only", 0, "findings with YAML to paste"),
        ("examples/oc-mirror-v2", 0, "no finding"),
        ("examples/hosted-cluster --against examples/oc-mirror-v2", 0, "writes"),
        ("tests/cli/fixtures/broken", 2, "files that cannot be read"),
        ("missing.yaml", 2, "no file"),
        ("certs", 0, "nothing to check"),
    ];
    for (line, code, reason) in table {
        let run = sarif(line, code).context(reason)?;
        let results =
            run["results"].as_array().context("no list of results, which would keep old findings open")?;
        let rules = run["tool"]["driver"]["rules"].as_array().context("no rules")?;
        for result in results {
            let index = usize::try_from(result["ruleIndex"].as_u64().context("no index")?)?;
            ensure!(rules[index]["id"] == result["ruleId"], "{line} ({reason}): {result}");
        }
        ensure!(run["invocations"][0]["exitCode"] == code, "{line} ({reason}): {}", run["invocations"]);
    }
    Ok(())
}

/// A part of a line in a file of the example `policy-conflict`.
fn physical_location(file: &str, line: usize, columns: Range<usize>) -> Value {
    json!({
        "artifactLocation": {"uri": format!("examples/policy-conflict/{file}"), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": line, "startColumn": columns.start, "endLine": line, "endColumn": columns.end},
    })
}

/// The texts of a finding.
pub(crate) struct Texts {
    pub(crate) message: String,
    pub(crate) help: String,
}

/// The texts of the first finding in the JSON report of `lint`.
pub(crate) fn first_finding(path: &str) -> Result<Texts> {
    let report = mirrorguard(&format!("lint -o json {path}"))?.answers()?.json()?;
    let finding = &report["findings"][0];
    let message = finding["message"].as_str().context("no message")?.to_owned();
    Ok(Texts { message, help: finding["help"].as_str().context("no help")?.to_owned() })
}

#[test]
fn sarif_holds_all_of_a_finding() -> Result<()> {
    let run = sarif("examples/policy-conflict", 1)?;
    let result = &run["results"][0];
    ensure!((&result["ruleId"], &result["level"]) == (&json!("conflicting-source-policy"), &json!("error")));
    let location = &result["locations"][0]["physicalLocation"];
    ensure!(*location == physical_location("idms.yaml", 10, 27..45), "{location}");
    let related = &result["relatedLocations"][0]["physicalLocation"];
    ensure!(*related == physical_location("itms.yaml", 8, 7..38), "{related}");
    let finding = first_finding("examples/policy-conflict")?;
    let text = result["message"]["text"].as_str().context("no text")?;
    ensure!(text.starts_with(&finding.message) && text.ends_with(&finding.help), "{text}");
    let rules = run["tool"]["driver"]["rules"].as_array().context("no rules")?;
    let known = mirrorguard("rules -o json")?.code(0)?.json()?;
    ensure!(Some(rules.len()) == known.as_array().map(Vec::len), "{rules:#?}");
    let rule = rules.iter().find(|rule| rule["id"] == "node-impact").context("no such rule")?;
    ensure!(rule["defaultConfiguration"] == json!({"level": "warning", "enabled": true}), "{rule}");
    let page = mirrorguard("rules node-impact")?.code(0)?.stdout;
    ensure!(rule["help"]["markdown"] == page.as_str(), "{}", rule["help"]["markdown"]);
    Ok(())
}

/// Of the first result of linting a text.
fn fingerprint_and_line(text: &str) -> Result<(Value, Value)> {
    let report = mirrorguard_reads("lint -o sarif -", text)?.code(1)?.json()?;
    let result = &report["runs"][0]["results"][0];
    let line = result["locations"][0]["physicalLocation"]["region"]["startLine"].clone();
    Ok((result["partialFingerprints"].clone(), line))
}

#[test]
fn sarif_keeps_the_fingerprint_of_a_finding_that_moves() -> Result<()> {
    let text = text_of("tests/cli/fixtures/list.yaml")?;
    let first = fingerprint_and_line(&text)?;
    let moved = fingerprint_and_line(&format!("# moved\n{text}"))?;
    let other = fingerprint_and_line(&text.replace("with-scheme", "other"))?;
    ensure!(first.0 == moved.0 && first.1 != moved.1, "{first:?} {moved:?}");
    ensure!(first.0 != other.0, "{first:?} {other:?}");
    Ok(())
}

#[test]
fn sarif_holds_what_could_not_be_read() -> Result<()> {
    let run = sarif("tests/cli/fixtures/broken", 2)?;
    let invocation = &run["invocations"][0];
    ensure!(invocation["executionSuccessful"] == false, "{invocation}");
    let place = &invocation["toolExecutionNotifications"][1]["locations"][0]["physicalLocation"];
    ensure!(place["artifactLocation"]["uri"] == "tests/cli/fixtures/broken/type.yaml", "{invocation}");
    ensure!(place["region"]["startLine"] == 6, "{invocation}");
    ensure!(run["results"][0]["ruleId"] == "invalid-source", "what could be read is checked too: {run}");
    Ok(())
}

/// Two HostedClusters of one name, both hit by a mirror set.
const NAMESAKES: &str = "\
apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet
metadata: {name: wide}
spec: {imageDigestMirrors: [{source: quay.io/openshift-release-dev, mirrors: [m.lab/c]}]}
---
apiVersion: hypershift.openshift.io/v1beta1
kind: HostedCluster
metadata:
  name: lab
  namespace: clusters
spec: {release: {image: quay.io/openshift-release-dev/ocp-release:4.14.1-x86_64}}
---
apiVersion: hypershift.openshift.io/v1beta1
kind: HostedCluster
metadata: {name: lab, namespace: others}
spec: {release: {image: quay.io/openshift-release-dev/ocp-release:4.14.1-x86_64}}
";

/// The first SARIF result of a rule.
fn result_of<'a>(results: &'a [Value], rule: &str) -> Result<&'a Value> {
    results.iter().find(|result| result["ruleId"] == rule).with_context(|| rule.to_owned())
}

#[test]
fn an_object_with_a_namespace_is_named_and_found_by_it() -> Result<()> {
    let run = mirrorguard_reads("lint -o sarif -", NAMESAKES)?.answers()?.json()?;
    let results = run["runs"][0]["results"].as_array().context("no results")?;
    let own = result_of(results, "data-plane-not-mirrored")?;
    let name = &own["locations"][0]["logicalLocations"][0]["fullyQualifiedName"];
    ensure!(name == "HostedCluster/clusters/lab", "{name}");
    let related = &result_of(results, "root-level-source")?["relatedLocations"];
    for (at, name, line) in [(0, "HostedCluster/clusters/lab", 11), (1, "HostedCluster/others/lab", 16)] {
        let place = &related[at];
        ensure!(place["message"]["text"].as_str().is_some_and(|text| text.ends_with(name)), "{related}");
        ensure!(place["physicalLocation"]["region"]["startLine"] == line, "{related}");
    }
    ensure!(related.as_array().map(Vec::len) == Some(2), "{related}");
    let report = mirrorguard_reads("lint -o json -", NAMESAKES)?.answers()?.json()?;
    let findings = report["findings"].as_array().context("no findings")?;
    let related = findings.iter().find(|finding| finding["rule"] == "root-level-source");
    let related = &related.context("not found")?["related"][1];
    let expected = json!({"kind": "HostedCluster", "namespace": "others", "name": "lab",
        "path": "spec.release.image", "file": "<stdin>", "line": 16, "column": 25});
    ensure!(*related == expected, "{related}");
    Ok(())
}

#[test]
fn an_object_that_is_defined_twice_is_named_with_its_namespace() -> Result<()> {
    let summary = mirrorguard_reads("lint -o json -", NAMESAKES)?.json()?["summary"].clone();
    ensure!(summary == json!({"deny": 0, "warn": 4, "objects": 3, "skipped": 0}), "{summary}");
    let twice = NAMESAKES.replace("namespace: clusters", "namespace: others");
    mirrorguard_reads("lint -", &twice)?
        .prints("HostedCluster/others/lab is already defined at <stdin>:9 … <stdin>:15")?;
    Ok(())
}
