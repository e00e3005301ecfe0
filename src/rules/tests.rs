//! Tests about the list of rules, and the examples on their pages.
#![expect(clippy::disallowed_methods, reason = "the tests look at the folder that the rules stand in")]

use std::fs;

use super::{Level, Operation, RULES, Settings};
use crate::{
    objects::{Object, manifest},
    review::{Reviewer, State, Verdict},
};

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
        let parts =
            ["## What it finds", "## Why it hurts", "## Example", "## How to mend it", "## Configuration"];
        for part in parts {
            assert!(rule.page.contains(&format!("\n{part}\n")), "{}: {part}", rule.id);
        }
    }
}

/// A YAML block of a page: what stands after `yaml` on its fence, its text, and its first line.
struct Block<'a> {
    tag: &'a str,
    text: String,
    line: usize,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for (at, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(fence)) => {
                let tag = fence.strip_prefix("yaml").unwrap_or("other").trim();
                open = Some(Block { tag, text: String::new(), line: at + 2 });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => block.text.extend([line, "\n"]),
            (None, None) => {}
        }
    }
    blocks
}

fn objects(name: &str, block: &Block<'_>) -> Vec<Object> {
    let reading = manifest::read(name, block.text.clone());
    assert!(reading.errors.is_empty(), "{name}, line {}: {:?}", block.line, reading.errors);
    reading.objects.into_iter().map(|located| located.object).collect()
}

/// Judges the objects of a block: as they stand, or as writes on what was there before.
fn judge(before: &[Object], block: &[Object], settings: &Settings) -> Vec<Verdict> {
    let state: State = before.iter().cloned().collect();
    let whole: State = before.iter().chain(block).cloned().collect();
    let verdict = |object: &Object| match object {
        Object::MirrorSet(set) if before.is_empty() => {
            Reviewer { state: &whole, settings }.review_set(Operation::Existing, None, Some(set))
        }
        Object::MirrorSet(set) => {
            let old = state.set(set.kind, &set.name);
            let operation = if old.is_some() { Operation::Update } else { Operation::Create };
            Reviewer { state: &state, settings }.review_set(operation, old, Some(set))
        }
        Object::HostedCluster(hosted) => Reviewer { state: &whole, settings }.review_hosted(None, hosted),
        Object::ImageConfig(_) | Object::ClusterVersion(_) => Verdict::default(),
    };
    block.iter().map(verdict).collect()
}

#[test]
fn the_examples_on_every_page_are_judged_as_they_say() {
    for rule in RULES {
        let blocks = blocks(rule.page);
        let has = |tags: &[&str]| blocks.iter().any(|block| tags.contains(&block.tag));
        assert!(has(&["denied", "warned"]) && has(&["allowed"]), "{}: both examples", rule.id);
        let mut before = Vec::new();
        for block in &blocks {
            let name = format!("{} line {}", rule.id, block.line);
            match block.tag {
                "before" => {
                    before = objects(&name, block);
                    continue;
                }
                "config" => {
                    crate::config::parse(&name, &block.text).unwrap();
                    continue;
                }
                "denied" | "warned" | "allowed" => {}
                _ => continue,
            }
            let verdicts = judge(&before, &objects(&name, block), &Settings::default());
            before.clear();
            let found = verdicts.iter().flat_map(|verdict| &verdict.judged).filter(|j| j.rule.id == rule.id);
            let worst = found.map(|judged| judged.level).max();
            let expected = match block.tag {
                "denied" => Some(Level::Deny),
                "warned" => Some(Level::Warn),
                _ => None,
            };
            assert_eq!(worst, expected, "{name}: {}", block.tag);
        }
    }
}

/// The list of rules as a page, with links to theirs.
fn overview() -> String {
    let row = |rule: &super::Rule, folder: &str| {
        let level = serde_json::to_value(rule.level).unwrap();
        let page = rule.id.replace('-', "_");
        format!(
            "| [{0}](../src/{folder}/{page}.md) | {1} | {2} |\n",
            rule.id,
            level.as_str().unwrap(),
            rule.summary
        )
    };
    let head = "<!-- Generated from src/rules: MIRRORGUARD_UPDATE=1 cargo test overview -->\n\n# Rules\n\n\
                `mirrorguard rules ID` prints a rule's page.\n\n| rule | default | finds |\n|---|---|---|\n";
    let audit = "\n## What only `mirrorguard audit` checks\n\n| check | default | finds |\n|---|---|---|\n";
    let rules = RULES.iter().map(|rule| row(rule, "rules"));
    let checks = crate::audit::CHECKS.iter().map(|check| row(check, "audit"));
    std::iter::once(head.to_owned()).chain(rules).chain([audit.to_owned()]).chain(checks).collect()
}

#[test]
fn the_overview_in_docs_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rules.md");
    if std::env::var_os("MIRRORGUARD_UPDATE").is_some() {
        fs::write(path, overview()).unwrap();
    }
    let there = fs::read_to_string(path).unwrap();
    assert_eq!(there, overview(), "run MIRRORGUARD_UPDATE=1 cargo test overview");
}
