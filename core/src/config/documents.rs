//! The page about the configuration, held against what is read.
#![expect(clippy::disallowed_methods, reason = "the tests look at the page that is checked in")]

use std::fs;

use serde_json::{Value, json};

use super::{file::File, parse, profile::Profile};
use crate::objects::manifest;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
const BEGIN: &str = "<!-- profiles: make generate -->\n";
const END: &str = "<!-- end of profiles -->\n";

fn schema() -> Value {
    schemars::schema_for!(File).to_value()
}

/// Every profile with what it is for and the levels it sets.
fn profiles() -> String {
    let row = |profile: &Value| {
        let name = profile["const"].as_str().unwrap();
        let read: Profile = serde_json::from_value(json!(name)).unwrap();
        let levels = read.levels().iter().map(|(rule, level)| {
            let level = serde_json::to_value(level).unwrap();
            format!("`{rule}: {}`", level.as_str().unwrap())
        });
        let levels = levels.collect::<Vec<_>>().join(", ");
        let levels = if levels.is_empty() { "nothing" } else { &levels };
        format!("| `{name}` | {} | {levels} |\n", profile["description"].as_str().unwrap())
    };
    let schema = schema();
    let rows = schema["$defs"]["Profile"]["oneOf"].as_array().unwrap().iter().map(row);
    let head = "\n| profile | for | sets |\n|---|---|---|\n".to_owned();
    std::iter::once(head).chain(rows).chain(["\n".to_owned()]).collect()
}

#[test]
fn the_page_lists_what_every_profile_sets() {
    let page = fs::read_to_string(PAGE).unwrap();
    let (start, rest) = page.split_once(BEGIN).unwrap();
    let (_, end) = rest.split_once(END).unwrap();
    let expected = format!("{start}{BEGIN}{}{END}{end}", profiles());
    if std::env::var_os("MIRRORGUARD_UPDATE").is_some() {
        fs::write(PAGE, &expected).unwrap();
    }
    let there = fs::read_to_string(PAGE).unwrap();
    assert!(there == expected, "{PAGE} is out of date: run make generate");
}

#[test]
fn the_files_on_the_page_are_read_and_the_first_has_every_key() {
    let page = fs::read_to_string(PAGE).unwrap();
    let blocks = page.split("```yaml\n").skip(1).map(|block| block.split("```").next().unwrap());
    let files: Vec<_> = blocks.filter(|block| !block.contains("apiVersion:")).collect();
    for file in &files {
        parse("docs/configuration.md", file).unwrap();
    }
    let whole: Value = manifest::read_document("docs/configuration.md", files[0]).unwrap();
    let schema = schema();
    let keys = schema["properties"].as_object().unwrap().keys();
    let missing: Vec<_> = keys.filter(|key| whole.get(key).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
