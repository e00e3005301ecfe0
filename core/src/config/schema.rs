//! The JSON schema of the configuration, generated from its types and kept in the repository.
#![expect(clippy::disallowed_methods, reason = "the test looks at the schema that is checked in")]

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::file::File;
use crate::rules;

pub(super) fn levels(_: &mut SchemaGenerator) -> Schema {
    let level = |rule: &rules::Rule| {
        let about = format!("{}. Its own level: {:?}.", rule.summary, rule.level).replace("Deny", "deny");
        let about = about.replace("Warn", "warn").replace("Off", "off");
        // A YAML 1.1 reader takes `off` for a boolean.
        (rule.id.to_owned(), json!({ "enum": ["deny", "warn", "off", false], "description": about }))
    };
    let properties: Map<String, Value> = rules::RULES.iter().map(level).collect();
    json_schema!({
        "type": "object",
        "description": "Levels by rule id.",
        "properties": properties,
        "additionalProperties": false,
    })
}

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
    let there = std::fs::read_to_string(path).unwrap();
    assert!(there == schema, "{path} is out of date: run make generate");
}
