//! Tests about the list of rules and their pages; the examples on them are judged by the tests in `tests/`.
#![expect(clippy::disallowed_methods, reason = "the tests look at the folder that the rules stand in")]

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
        assert!(pair[0].id < pair[1].id, "{} stands before {}", pair[0].id, pair[1].id);
    }
    for rule in RULES {
        assert!(rule.id.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", rule.id);
        assert!(!rule.summary.ends_with('.') && !rule.summary.is_empty(), "{}: {}", rule.id, rule.summary);
    }
}

#[test]
fn every_file_of_a_rule_is_in_the_list() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/rules");
    let mut pages: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".md").map(|stem| stem.replace('_', "-")))
        .collect();
    pages.sort();
    assert_eq!(pages, RULES.iter().map(|rule| rule.id).collect::<Vec<_>>());
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
        let has = |tag| rule.page.contains(&format!("\n```yaml {tag}\n"));
        assert!((has("denied") || has("warned")) && has("allowed"), "{}", rule.id);
    }
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
    let row = |rule: &Rule| {
        let level = serde_json::to_value(rule.level).unwrap();
        let page = rule.id.replace('-', "_");
        let (id, level, summary) = (rule.id, level.as_str().unwrap(), rule.summary);
        format!("| [{id}](../core/src/rules/{page}.md) | {level} | {summary} |\n")
    };
    let rows = |audit_only| RULES.iter().filter(move |rule| is_audit_only(rule) == audit_only).map(row);
    let head = "<!-- Generated from core/src/rules: make generate -->\n\n# Rules\n\n\
                `mirrorguard rules ID` prints the page of a rule.\n\n| rule | default | finds |\n|---|---|---|\n";
    let audit = "\n## Rules of `mirrorguard audit` alone\n\n\
                 | rule | default | finds |\n|---|---|---|\n";
    std::iter::once(head.to_owned()).chain(rows(false)).chain([audit.to_owned()]).chain(rows(true)).collect()
}

#[test]
fn the_overview_in_docs_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/rules.md");
    if std::env::var_os("MIRRORGUARD_UPDATE").is_some() {
        fs::write(path, overview()).unwrap();
    }
    let there = fs::read_to_string(path).unwrap();
    assert_eq!(there, overview(), "run make generate");
}

/// A part of the chart, as far as it is written out.
fn template(file: &str, from: &str, to: &str) -> Value {
    let path = format!("{}/../charts/mirrorguard/templates/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(path).unwrap();
    let (_, part) = text.split_once(from).unwrap();
    let part = part.split_once(to).unwrap().0.replace("{{ join \", \" . }}", "");
    manifest::read_document(file, &part).unwrap()
}

/// Group and resource of everything in a list of rules, of the chart's webhooks or its role.
fn resources(rules: &Value) -> BTreeSet<(String, String)> {
    let texts = |value: &Value| -> Vec<String> { serde_json::from_value(value.clone()).unwrap() };
    let pairs = rules.as_array().unwrap().iter().flat_map(|rule| {
        let groups = texts(&rule["apiGroups"]);
        let resources = texts(&rule["resources"]);
        groups
            .into_iter()
            .flat_map(move |group| resources.clone().into_iter().map(move |r| (group.clone(), r)))
    });
    pairs.collect()
}

fn resource(kind: Kind) -> (String, String) {
    (kind.group().to_owned(), kind.plural().to_owned())
}

#[test]
fn the_chart_sends_the_webhook_every_kind_that_a_rule_judges() {
    let helpers = |name: &str| {
        template("_helpers.tpl", &format!("{{{{- define \"mirrorguard.{name}\" -}}}}"), "{{- end }}")
    };
    let file = "/../charts/mirrorguard/templates/validatingwebhookconfiguration.yaml";
    let webhooks = fs::read_to_string(format!("{}{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    for rule in RULES {
        let (kinds, rules, asked) = match rule.check {
            Check::MirrorSet(_) => (
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
            // The chart sends neither the image configuration nor a whole cluster.
            Check::ImageConfig(_) | Check::Cluster(_) => continue,
        };
        let wanted: BTreeSet<_> = kinds.into_iter().map(resource).collect();
        assert_eq!(resources(&helpers(rules)), wanted, "{}", rule.id);
        assert!(asked.iter().all(|asked| webhooks.contains(asked)), "{}: {asked:?}", rule.id);
    }
}
