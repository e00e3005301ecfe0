//! The JSON schema of the configuration, generated from its types and kept in the repository.
#![expect(clippy::disallowed_methods, reason = "the test reads the schema that is checked in")]

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, json};

use super::file::File;
use crate::rules;

/// The schema of a map from rule ids to levels.
pub(super) fn levels(_: &mut SchemaGenerator) -> Schema {
    let mut properties = Map::new();
    for rule in rules::RULES {
        let level = serde_json::to_value(rule.level).unwrap_or_default();
        let description = format!("{}. Default: {}.", rule.summary, level.as_str().unwrap_or_default());
        // YAML 1.1 readers read `off` as a boolean.
        let schema = json!({ "enum": ["deny", "warn", "off", false], "description": description });
        properties.insert(rule.id.to_owned(), schema);
    }
    json_schema!({
        "type": "object",
        "description": "Levels by rule id.",
        "properties": properties,
        "additionalProperties": false,
    })
}

/// The schema of a list of rule ids.
pub(super) fn rule_ids(_: &mut SchemaGenerator) -> Schema {
    let ids: Vec<_> = rules::RULES.iter().map(|rule| rule.id).collect();
    json_schema!({ "type": "array", "description": "Ids of the rules.", "items": { "enum": ids }, "minItems": 1 })
}

#[test]
fn the_schema_in_docs_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/config.schema.json");
    let schema = serde_json::to_string_pretty(&schemars::schema_for!(File)).unwrap() + "\n";
    if std::env::var_os("MIRRORGUARD_UPDATE").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    let checked_in = std::fs::read_to_string(path).unwrap();
    assert!(checked_in == schema, "{path} is out of date: run make generate");
}
