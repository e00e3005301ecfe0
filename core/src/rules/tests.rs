//! Tests about the list of rules, their pages and their texts. The tests in `tests/` review the examples on the pages.
#![expect(clippy::disallowed_methods, reason = "the tests read the folder of the rules")]

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use super::{Check, RULES, Rule};
use crate::objects::{Kind, SetKind, manifest};

/// Whether no write is reviewed by it.
fn is_audit_only(rule: &Rule) -> bool {
    matches!(rule.check, Check::Cluster(_))
}

#[test]
fn ids_are_unique_sorted_and_well_formed() {
    for pair in RULES.windows(2) {
        assert!(pair[0].id < pair[1].id, "{} is before {}", pair[0].id, pair[1].id);
    }
    for rule in RULES {
        assert!(rule.id.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", rule.id);
        assert!(!rule.summary.ends_with('.') && !rule.summary.is_empty(), "{}: {}", rule.id, rule.summary);
    }
}

#[test]
fn every_file_of_a_rule_is_in_the_list() {
    assert_one_for_each_rule("", ".md");
}

#[test]
fn every_rule_has_its_texts_in_one_file() {
    assert_one_for_each_rule("/texts", ".txt");
}

/// Every rule of the list has a file with this ending in a folder below `rules`, and every such file a rule.
fn assert_one_for_each_rule(folder: &str, ending: &str) {
    let mut ids = BTreeSet::new();
    for entry in fs::read_dir(format!("{}/src/rules{folder}", env!("CARGO_MANIFEST_DIR"))).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        ids.extend(name.strip_suffix(ending).map(|stem| stem.replace('_', "-")));
    }
    for rule in RULES {
        assert!(ids.remove(rule.id), "{} has no file {folder}/*{ending}", rule.id);
    }
    assert!(ids.is_empty(), "not in RULES of rules/mod.rs: {ids:?}");
}

#[test]
fn every_page_has_its_parts() {
    for rule in RULES {
        assert!(rule.page.starts_with(&format!("# {}\n", rule.id)), "{}", rule.id);
        let parts = ["## What it does", "## Why is this bad?", "## How to fix it"];
        let more = if is_audit_only(rule) { &[][..] } else { &["## Example", "## Configuration"] };
        for part in parts.iter().chain(more) {
            assert!(rule.page.contains(&format!("\n{part}\n")), "{}: {part}", rule.id);
        }
    }
}

#[test]
fn every_page_has_both_examples() {
    for rule in RULES.iter().filter(|rule| !is_audit_only(rule)) {
        let is_found = has_example(rule, "denied") || has_example(rule, "warned");
        assert!(is_found && has_example(rule, "allowed"), "{}", rule.id);
    }
}

fn has_example(rule: &Rule, tag: &str) -> bool {
    rule.page.contains(&format!("\n```yaml {tag}\n"))
}

#[test]
fn the_configurations_on_every_page_are_read() {
    for rule in RULES {
        let blocks = ["config", "settings"].map(|tag| format!("\n```yaml {tag}\n"));
        for text in blocks.iter().flat_map(|fence| rule.page.split(fence).skip(1)) {
            let text = text.split("```").next().unwrap_or_default();
            crate::config::parse(rule.id, text).unwrap();
        }
    }
}

/// The list of rules as a page, with links to theirs.
fn overview() -> String {
    let head = "<!-- Generated from core/src/rules: make generate -->\n\n# Rules\n\n\
                `mirrorguard rules ID` prints the page of a rule.\n\n";
    let (writes, audit): (Vec<_>, Vec<_>) = RULES.iter().partition(|rule| !is_audit_only(rule));
    format!(
        "{head}{}\n## Rules of `mirrorguard audit` alone\n\n{}",
        overview_of(&writes),
        overview_of(&audit)
    )
}

fn overview_of(rules: &[&Rule]) -> String {
    let rows: Vec<_> = rules.iter().map(|rule| overview_row(rule)).collect();
    format!("| rule | default | finds |\n|---|---|---|\n{}", rows.concat())
}

fn overview_row(rule: &Rule) -> String {
    let level = serde_json::to_value(rule.level).unwrap();
    let page = rule.id.replace('-', "_");
    let (id, level, summary) = (rule.id, level.as_str().unwrap(), rule.summary);
    format!("| [{id}](../core/src/rules/{page}.md) | {level} | {summary} |\n")
}

#[test]
fn the_overview_in_docs_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/rules.md");
    if std::env::var_os("MIRRORGUARD_UPDATE").is_some() {
        fs::write(path, overview()).unwrap();
    }
    let there = fs::read_to_string(path).unwrap();
    assert!(there == overview(), "{path} is out of date: run make generate");
}

/// The YAML between two texts of a template of the chart, without the one expression that may be in it: the operations,
/// which the template is given.
fn template(file: &str, from: &str, to: &str) -> Value {
    let path = format!("{}/../charts/mirrorguard/templates/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(path).unwrap();
    let (_, part) = text.split_once(from).unwrap();
    let part = part.split_once(to).unwrap().0.replace("{{ join \", \" . }}", "");
    manifest::read_document(file, &part).unwrap()
}

/// Group and resource of everything in a list of rules, of the chart's webhooks or its role.
fn resources(rules: &Value) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for rule in rules.as_array().unwrap() {
        for group in texts(&rule["apiGroups"]) {
            found.extend(texts(&rule["resources"]).into_iter().map(|resource| (group.clone(), resource)));
        }
    }
    found
}

fn texts(value: &Value) -> Vec<String> {
    serde_json::from_value(value.clone()).unwrap()
}

fn resource(kind: Kind) -> (String, String) {
    (kind.group().to_owned(), kind.plural().to_owned())
}

#[test]
fn the_chart_sends_the_webhook_every_kind_that_a_rule_reviews() {
    let file = "/../charts/mirrorguard/templates/validatingwebhookconfiguration.yaml";
    let webhooks = fs::read_to_string(format!("{}{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    for rule in RULES {
        // The kinds, the template that lists their resources, and the places where the webhooks include it.
        let (kinds, rules, includes) = match rule.check {
            Check::MirrorSet(_) | Check::Entries(_) | Check::Nodes(_) => (
                SetKind::ALL.map(Kind::Set).to_vec(),
                "mirrorSetRules",
                vec![
                    r#"list "CREATE" "UPDATE" | include "mirrorguard.mirrorSetRules""#,
                    r#"list "DELETE" | include "mirrorguard.mirrorSetRules""#,
                ],
            ),
            Check::HostedCluster(_) => (
                vec![Kind::HostedCluster],
                "hostedClusterRules",
                vec![r#"include "mirrorguard.hostedClusterRules""#],
            ),
            // The chart sends neither the image configuration, nor a whole cluster, nor a file.
            Check::ImageConfig(_) | Check::Cluster(_) | Check::File(_) => continue,
        };
        let wanted: BTreeSet<_> = kinds.into_iter().map(resource).collect();
        let start = format!("{{{{- define \"mirrorguard.{rules}\" -}}}}");
        let sent = template("_helpers.tpl", &start, "{{- end }}");
        assert_eq!(resources(&sent), wanted, "{}", rule.id);
        assert!(includes.iter().all(|include| webhooks.contains(include)), "{}: {includes:?}", rule.id);
    }
}
