//! Compares the page about the configuration with the types that read it.
#![expect(clippy::disallowed_methods, reason = "the tests read the page that is checked in")]

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

/// A table of the profiles, with the levels that each sets.
fn profiles() -> String {
    let schema = schema();
    let rows = schema["$defs"]["Profile"]["oneOf"].as_array().unwrap().iter().map(profile_row);
    format!("\n| profile | for | sets |\n|---|---|---|\n{}\n", rows.collect::<String>())
}

fn profile_row(profile: &Value) -> String {
    let name = profile["const"].as_str().unwrap();
    let read: Profile = serde_json::from_value(json!(name)).unwrap();
    let mut levels = Vec::new();
    for (rule, level) in read.levels() {
        let level = serde_json::to_value(level).unwrap();
        levels.push(format!("`{rule}: {}`", level.as_str().unwrap()));
    }
    let levels = if levels.is_empty() { "nothing".to_owned() } else { levels.join(", ") };
    format!("| `{name}` | {} | {levels} |\n", profile["description"].as_str().unwrap())
}

#[test]
fn the_page_lists_what_every_profile_sets_and_its_files_are_read() {
    let page = fs::read_to_string(PAGE).unwrap();
    let (start, rest) = page.split_once(BEGIN).unwrap();
    let (_, end) = rest.split_once(END).unwrap();
    let expected = format!("{start}{BEGIN}{}{END}{end}", profiles());
    if std::env::var_os("MIRRORGUARD_UPDATE").is_some() {
        fs::write(PAGE, &expected).unwrap();
    }
    let checked_in = fs::read_to_string(PAGE).unwrap();
    assert!(checked_in == expected, "{PAGE} is out of date: run make generate");
    assert_files_are_read(&checked_in);
}

/// Every configuration on the page is accepted, and the first one has every key.
fn assert_files_are_read(page: &str) {
    let blocks = page.split("```yaml\n").skip(1).map(|block| block.split("```").next().unwrap());
    // The others are objects of a cluster.
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
