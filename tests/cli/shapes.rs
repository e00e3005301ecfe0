//! JSON has the keys that programs rely on.

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use crate::command::{mirrorguard, mirrorguard_reads};

/// Expects a value to have the shape of a pattern: the name of a type, every key of a map, and every element
/// of a list like the first of the pattern's. Keys that the pattern does not name may be there.
fn has_shape(value: &Value, pattern: &Value, path: &str) -> Result<()> {
    match pattern {
        Value::String(name) => {
            let fits = match name.as_str() {
                "text" => value.is_string(),
                "text or null" => value.is_string() || value.is_null(),
                "null" => value.is_null(),
                "number" => value.is_u64(),
                "yes or no" => value.is_boolean(),
                other => bail!("no type is called {other}"),
            };
            ensure!(fits, "{path} is {value}, not {name}");
        }
        Value::Object(fields) => {
            for (name, pattern) in fields {
                let field = value.get(name).with_context(|| format!("{path} has no {name}: {value}"))?;
                has_shape(field, pattern, &format!("{path}.{name}"))?;
            }
        }
        Value::Array(elements) => {
            let pattern = elements.first().context("a list in a pattern has one element")?;
            let list = value.as_array().with_context(|| format!("{path} is {value}, not a list"))?;
            ensure!(!list.is_empty(), "{path} is empty, so that its elements are unknown");
            list.iter().try_for_each(|element| has_shape(element, pattern, &format!("{path}[]")))?;
        }
        _ => bail!("a pattern is made of names, maps and lists, not of {pattern}"),
    }
    Ok(())
}

/// Expects the output of a command line to have a shape.
fn prints_shape(line: &str, code: i32, pattern: &Value) -> Result<Value> {
    let value = mirrorguard(line)?.code(code).context(line.to_owned())?.json()?;
    has_shape(&value, pattern, "$").context(line.to_owned())?;
    Ok(value)
}

#[test]
fn lint_reports_findings_and_a_summary() -> Result<()> {
    let finding = json!({
        "rule": "text",
        "severity": "text",
        "object": {"kind": "text", "name": "text"},
        "path": "text",
        "file": "text",
        "line": "number",
        "column": "number",
        "message": "text",
        "help": "text",
        "related": [{"kind": "text", "name": "text", "path": "text"}],
    });
    let summary = json!({"deny": "number", "warn": "number", "objects": "number", "skipped": "number"});
    let pattern = json!({"findings": [finding], "summary": summary});
    let report = prints_shape("lint -o json examples/policy-conflict", 1, &pattern)?;
    ensure!(report["findings"][0]["severity"] == "deny", "{report}");
    let clean = mirrorguard("lint -o json examples/oc-mirror-v2")?.code(0)?.json()?;
    ensure!(clean["findings"] == json!([]), "no findings are an empty list: {clean}");
    Ok(())
}

/// An IDMS with the same entry many times.
fn repeated(entries: usize) -> String {
    let entry = json!({"source": "quay.io/a", "mirrors": ["m.lab/a"]});
    json!({
        "apiVersion": "config.openshift.io/v1",
        "kind": "ImageDigestMirrorSet",
        "metadata": {"name": "a"},
        "spec": {"imageDigestMirrors": vec![entry; entries]},
    })
    .to_string()
}

#[test]
fn lint_lists_ten_related_fields_and_counts_the_others() -> Result<()> {
    for (entries, listed, more) in [(8, 7, json!(null)), (11, 10, json!(null)), (50, 10, json!(39))] {
        let report = mirrorguard_reads("lint -o json -", &repeated(entries))?.code(0)?.json()?;
        let findings = report["findings"].as_array().context("findings")?;
        let split: Vec<_> = findings.iter().filter(|finding| finding["rule"] == "split-source").collect();
        let [split] = *split else { bail!("{entries}: {report}") };
        let related = split["related"].as_array().context("related")?;
        ensure!(related.len() == listed && split["moreRelated"] == more, "{entries}: {split}");
    }
    Ok(())
}

#[test]
fn explain_reports_the_nodes_and_each_look_up() -> Result<()> {
    let candidates = json!({"candidates": ["text"]});
    let pattern = json!({
        "image": "text",
        "node": {"source": "text", "objects": ["text"], "tries": ["text"], "blocked": "yes or no"},
        "hypershift": {"release": candidates, "exact": candidates, "prefix": candidates},
    });
    let image = "quay.io/openshift-release-dev/ocp-release:4.20.4-x86_64";
    prints_shape(&format!("explain -o json {image} examples/hosted-cluster"), 0, &pattern)?;
    let elsewhere =
        mirrorguard("explain -o json example.com/a:1 examples/hosted-cluster")?.code(0)?.json()?;
    let node = json!({
        "source": null, "objects": [], "tries": ["example.com/a:1"], "blocked": false,
        "attempts": [{"reference": "example.com/a:1", "isSource": true, "insecure": false}],
        "entries": [], "hidden": [],
    });
    ensure!(elsewhere["node"] == node, "what no source covers: {elsewhere}");
    ensure!(elsewhere["hypershift"]["release"]["candidates"] == json!([]), "not redirected: {elsewhere}");
    Ok(())
}

#[test]
fn explain_reports_reasons() -> Result<()> {
    let object = json!({"kind": "text", "name": "text"});
    let entry = json!({
        "object": object, "path": "text", "source": "text", "part": "text", "file": "text", "line": "number",
    });
    let attempt = json!({"reference": "text", "isSource": "yes or no", "insecure": "yes or no"});
    let source = json!({"source": "text", "objects": ["text"], "candidates": [{"reference": "text"}]});
    let pattern = json!({
        "node": {
            "attempts": [attempt], "entries": [entry], "hidden": [entry],
            "blockedBy": [{"object": object, "path": "text"}],
        },
        "hypershift": {"release": {"sources": [source], "onlyNodesRedirect": "yes or no"}},
    });
    let image = "quay.io/openshift-release-dev/ocp-release@sha256:\
                 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let line = format!("explain -o json {image} tests/cli/fixtures/explain.yaml");
    let explained = prints_shape(&line, 0, &pattern)?;
    ensure!(explained["node"]["attempts"][1]["blockedBy"] == "backup.lab.example", "{explained}");
    ensure!(explained["hypershift"]["exact"]["onlyNodesRedirect"] == true, "{explained}");
    let prefix = &explained["hypershift"]["prefix"]["sources"][1];
    ensure!(prefix["candidates"][0]["differs"] == "elsewhere", "{explained}");

    let pattern = json!({"image": "text", "assumedTag": "text", "searched": [{"image": "text", "node": {}}]});
    let short = prints_shape("explain -o json nginx tests/cli/fixtures/explain.yaml", 0, &pattern)?;
    ensure!(short["image"] == "registry.access.redhat.com/nginx:latest", "{short}");
    let refused = short["searched"][1]["node"]["refused"].as_str().unwrap_or_default();
    ensure!(refused.contains("docker.io"), "{short}");
    Ok(())
}

#[test]
fn the_demo_reports_each_write() -> Result<()> {
    let run = mirrorguard("demo -o json")?.code(0)?;
    let writes = run.stdout.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
    let pattern = json!({
        "file": "text", "object": {"kind": "text", "name": "text"}, "allowed": "yes or no",
    });
    writes.iter().try_for_each(|write| has_shape(write, &pattern, "$"))?;
    let [icsp, never_contact, release, hosted] = &writes[..] else { bail!("not four writes: {writes:#?}") };
    for denied in [icsp, never_contact] {
        has_shape(denied, &json!({"deniedBy": "text", "message": "text"}), "$")?;
        ensure!(denied["allowed"] == false && denied["patch"] == json!([]), "{denied}");
    }
    for warned in [icsp, release] {
        has_shape(warned, &json!({"warnings": ["text"]}), "$")?;
    }
    ensure!(never_contact["warnings"] == json!([]), "{never_contact}");
    ensure!(release["allowed"] == true && release["deniedBy"].is_null(), "{release}");
    has_shape(hosted, &json!({"patch": [{"op": "text", "path": "text"}]}), "$")?;
    Ok(())
}

#[test]
fn diff_reports_the_impact_and_its_reasons() -> Result<()> {
    let pattern =
        json!({"changed": "yes or no", "impact": "text", "reasons": [{"registry": "text", "what": "text"}]});
    let change = prints_shape("diff -o json examples/root-level-only examples/hosted-cluster", 0, &pattern)?;
    ensure!(change["changed"] == true && change["impact"] == "drain", "{change}");
    let same = mirrorguard("diff -o json examples/icsp-to-idms/icsp.yaml examples/icsp-to-idms/idms.yaml")?;
    let same = same.code(0)?.json()?;
    ensure!(same == json!({"changed": false, "impact": "none", "reasons": []}), "{same}");
    Ok(())
}

#[test]
fn overrides_report_the_value_or_why_there_is_none() -> Result<()> {
    let catalog = json!({"name": "text", "image": "text", "mirrors": ["text"]});
    let pattern = json!({"value": "text", "from": "text", "reason": "null", "catalogs": [catalog]});
    let derived = prints_shape("overrides -o json examples/hosted-cluster", 0, &pattern)?;
    ensure!(derived["value"] == "registry.redhat.io/redhat=mirror.lab.example:8443/redhat", "{derived}");
    ensure!(derived["from"] == "mirrorSets", "{derived}");
    let pattern = json!({"value": "null", "from": "null", "reason": "text"});
    prints_shape("overrides -o json examples/oc-mirror-v2", 0, &pattern)?;
    Ok(())
}

#[test]
fn overrides_come_from_the_configuration_or_the_catalogs_of_the_management_cluster() -> Result<()> {
    let catalogs = ["certified-operator", "community-operator", "redhat-operator"].map(|name| {
        let image = format!("m.lab/redhat/{name}-index:v4.22");
        format!(
            "---\napiVersion: operators.coreos.com/v1alpha1\nkind: CatalogSource\n\
             metadata: {{name: {name}, namespace: openshift-marketplace}}\n\
             spec: {{sourceType: grpc, image: \"{image}\"}}\n"
        )
    });
    let catalogs = catalogs.concat();
    let served = mirrorguard_reads("overrides -o json --release 4.22 -", &catalogs)?.code(0)?.json()?;
    ensure!(served["from"] == "catalogs", "{served}");
    ensure!(served["value"] == "registry.redhat.io/redhat=m.lab/redhat", "{served}");
    let linted = mirrorguard_reads("lint -o json -", &catalogs)?.json()?;
    ensure!(linted["summary"]["objects"] == 0 && linted["summary"]["skipped"] == 3, "{linted}");

    let folder = tempfile::tempdir()?;
    let config = folder.path().join("config.yaml");
    let value = "registry.redhat.io/redhat=own.lab/redhat";
    std::fs::write(&config, format!("catalogOverrides: {{value: {value}}}\n"))?;
    let line = format!("overrides -o json --config {} -", config.display());
    let configured = mirrorguard_reads(&line, &catalogs)?.code(0)?.json()?;
    ensure!(configured["from"] == "configuration" && configured["value"] == value, "{configured}");
    Ok(())
}

#[test]
fn overrides_check_reports_both_eras() -> Result<()> {
    let good = "registry.redhat.io/redhat=m.lab/redhat";
    let checked = prints_shape(&format!("overrides -o json --check {good}"), 0, &json!({}))?;
    let index = json!(["m.lab/redhat/redhat-operator-index"]);
    ensure!(checked["parsed"] == json!({"registry.redhat.io/redhat": ["m.lab/redhat"]}), "{checked}");
    ensure!(checked["replace"]["redhat-operators"] == index, "{checked}");
    ensure!(checked["list"]["redhat-operators"] == index, "{checked}");
    ensure!(checked["findings"] == json!([]), "{checked}");

    // Both entries apply, and which one does is left to the order of a map.
    let random = "registry.redhat.io/redhat=m.lab/a,registry.redhat.io=m.lab/b";
    let pattern = json!({"findings": [{"rule": "text", "severity": "text", "message": "text"}]});
    let checked = prints_shape(&format!("overrides -o json --check {random}"), 1, &pattern)?;
    let replaced = checked["replace"]["redhat-operators"].as_array().context("no list")?;
    ensure!(
        replaced.len() > 1 && checked["list"]["redhat-operators"].is_null(),
        "not shown as random: {checked}"
    );
    Ok(())
}

#[test]
fn rules_report_their_ids_and_levels() -> Result<()> {
    prints_shape("rules -o json", 0, &json!([{"id": "text", "level": "text", "summary": "text"}]))?;
    let pattern = json!({"id": "text", "level": "text", "summary": "text", "page": "text"});
    let rule = prints_shape("rules -o json node-impact", 0, &pattern)?;
    ensure!(rule["id"] == "node-impact" && rule["level"] == "warn", "{rule}");
    Ok(())
}

#[test]
fn migrate_reports_objects_a_proof_and_a_plan() -> Result<()> {
    let object = json!({"apiVersion": "text", "kind": "text", "metadata": {"name": "text"}, "spec": {}});
    let proof = json!({"same": "yes or no", "refusal": "null"});
    let plan = json!([{"step": "text", "what": "text", "command": "text"}]);
    let pattern = json!({"objects": [object], "proof": proof, "plan": plan});
    let icsp = "examples/icsp-to-idms/icsp.yaml";
    let report = prints_shape(&format!("migrate -o json {icsp}"), 0, &pattern)?;
    ensure!(report["proof"]["same"] == true && report["proof"]["differences"] == json!([]), "{report}");
    ensure!(report["objects"][0]["kind"] == "ImageDigestMirrorSet", "{report}");
    for empty in ["files", "there", "problems", "notes"] {
        ensure!(report[empty] == json!([]), "{empty}: {report}");
    }
    let folder = tempfile::tempdir()?;
    let line = format!("migrate -o json --out {} {icsp}", folder.path().display());
    prints_shape(&line, 0, &json!({"objects": [object], "files": ["text"]}))?;
    prints_shape("migrate -o json examples/icsp-to-idms", 0, &json!({"there": ["text"], "plan": plan}))?;
    let none = mirrorguard("migrate -o json examples/oc-mirror-v2")?.code(0)?.json()?;
    ensure!(none["proof"].is_null() && none["objects"] == json!([]), "nothing to migrate: {none}");
    Ok(())
}

#[test]
fn merge_reports_objects_or_problems() -> Result<()> {
    let object = json!({"apiVersion": "text", "kind": "text", "metadata": {"name": "text"}, "spec": {}});
    let report =
        prints_shape("merge -o json examples/oc-mirror-v1-deltas", 0, &json!({"objects": [object]}))?;
    ensure!(["files", "problems", "notes"].iter().all(|empty| report[empty] == json!([])), "{report}");
    let problem = json!({"what": "text", "places": ["text"], "fix": "text"});
    prints_shape("merge -o json examples/policy-conflict", 1, &json!({"problems": [problem]}))?;
    Ok(())
}
