//! The chart's values: each has a description and a schema, and the generated parts are up to date.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use mirrorguard_core::objects::manifest;
use serde_json::Value;

use crate::command::{ROOT, text_of};

const VALUES: &str = "charts/mirrorguard/values.yaml";
const SCHEMA: &str = "charts/mirrorguard/values.schema.json";
const README: &str = "charts/mirrorguard/README.md";
const UPDATE: &str = "make generate";
/// Begin and end of the generated part of the README.
const BEGIN: &str = "<!-- values: make generate -->\n";
const END: &str = "<!-- end of values -->\n";
/// Begin of the last definition in the schema, which is that of the configuration file.
const CONFIGURATION: &str = "    \"configuration\": ";
/// Values of parent charts, not of this one.
const OF_PARENTS: [&str; 2] = ["global", "enabled"];

/// A value with its comment.
struct Documented {
    key: String,
    description: String,
}

/// Every value with a comment that begins with `# --`, by its path, in the order of the file.
fn documented(values: &str) -> Vec<Documented> {
    let (mut path, mut comment, mut found) = (Vec::<(usize, String)>::new(), Vec::new(), Vec::new());
    for line in values.lines() {
        let text = line.trim_start();
        if let Some(first) = text.strip_prefix("# -- ") {
            comment = vec![first.to_owned()];
        } else if let (Some(next), false) = (text.strip_prefix("# "), comment.is_empty()) {
            comment.push(next.to_owned());
        } else if let Some((key, _)) = text.split_once(':').filter(|(key, _)| is_key(key)) {
            let indent = line.len() - text.len();
            path.retain(|(outer, _)| *outer < indent);
            path.push((indent, key.to_owned()));
            if !comment.is_empty() {
                let key = path.iter().map(|(_, key)| key.as_str()).collect::<Vec<_>>().join(".");
                found.push(Documented { key, description: joined(&std::mem::take(&mut comment)) });
            }
        }
    }
    found
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric())
}

/// The lines of a comment in one cell of a table.
fn joined(lines: &[String]) -> String {
    let parts = lines.iter().map(|line| match line.strip_prefix("- ") {
        Some(item) => format!("<br>• {item}"),
        None => format!(" {line}"),
    });
    parts.collect::<String>().trim_start().to_owned()
}

fn values() -> Result<Value> {
    Ok(manifest::read_document(VALUES, &text_of(VALUES)?)?)
}

fn at<'v>(values: &'v Value, key: &str) -> Result<&'v Value> {
    values.pointer(&format!("/{}", key.replace('.', "/"))).with_context(|| format!("no value {key}"))
}

/// The paths of everything that is no map with something in it.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value.as_object().filter(|map| !map.is_empty()) {
        Some(map) => {
            for (key, value) in map {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                leaves(value, &path, found);
            }
        }
        None => found.push(path.to_owned()),
    }
}

#[test]
fn every_value_has_a_description() -> Result<()> {
    let documented = documented(&text_of(VALUES)?);
    let mut all = Vec::new();
    leaves(&values()?, "", &mut all);
    ensure!(all.len() > 30, "too few values were found: {all:?}");
    all.retain(|leaf| !documented.iter().any(|value| value.covers(leaf)));
    ensure!(all.is_empty(), "{VALUES}: no `# --` above {all:?}");
    Ok(())
}

impl Documented {
    /// Whether the comment is that of a value or of a map that contains it.
    fn covers(&self, leaf: &str) -> bool {
        leaf.strip_prefix(&self.key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

#[test]
fn the_readmes_table_of_values_is_up_to_date() -> Result<()> {
    let values = values()?;
    let mut table = "\n| key | default | description |\n|---|---|---|\n".to_owned();
    for Documented { key, description } in documented(&text_of(VALUES)?) {
        let default = at(&values, &key)?;
        writeln!(table, "| `{key}` | `{default}` | {} |", description.replace('|', "\\|"))?;
    }
    let there = text_of(README)?;
    let (before, rest) = there.split_once(BEGIN).context("the README has no place for the values")?;
    let (_, after) = rest.split_once(END).context("the README's values have no end")?;
    expect_generated(README, &there, &format!("{before}{BEGIN}{table}\n{END}{after}"))
}

#[test]
fn the_schema_of_the_values_contains_that_of_the_configuration() -> Result<()> {
    let mut configuration: Value = serde_json::from_str(&text_of("docs/config.schema.json")?)?;
    let schema = configuration.as_object_mut().context("no schema")?;
    // A schema has one dialect, and its references begin at the top.
    schema.remove("$schema");
    let definitions = schema.remove("$defs").context("the schema defines nothing")?;
    schema.insert("definitions".to_owned(), definitions);
    let text = serde_json::to_string_pretty(&configuration)?
        .replace("\"#/$defs/", "\"#/definitions/configuration/definitions/")
        .replace('\n', "\n    ");
    let there = text_of(SCHEMA)?;
    let (before, _) =
        there.rsplit_once(&format!("\n{CONFIGURATION}")).context("no place for the configuration")?;
    expect_generated(SCHEMA, &there, &format!("{before}\n{CONFIGURATION}{text}\n  }}\n}}\n"))
}

fn expect_generated(path: &str, there: &str, expected: &str) -> Result<()> {
    if std::env::var_os("MIRRORGUARD_UPDATE").is_some() {
        // By a rename, because other tests read the file meanwhile.
        let (whole, part) = (Path::new(ROOT).join(path), Path::new(ROOT).join(format!("{path}.part")));
        return fs::write(&part, expected).and_then(|()| fs::rename(part, whole)).context(path.to_owned());
    }
    ensure!(there == expected, "{path} is out of date: run {UPDATE}");
    Ok(())
}

#[test]
fn the_values_are_valid_and_unknown_keys_are_not() -> Result<()> {
    let schema: Value = serde_json::from_str(&text_of(SCHEMA)?)?;
    let validator = jsonschema::validator_for(&schema)?;
    let values = values()?;
    let wrong: Vec<String> = validator.iter_errors(&values).map(|error| error.to_string()).collect();
    ensure!(wrong.is_empty(), "{wrong:#?}");
    let mut objects = 0;
    compare(&schema, &schema, "", &values, &mut objects)?;
    ensure!(objects > 15, "too few objects in the schema: {objects}");
    Ok(())
}

/// Compares schema and values: both have the same keys, and the schema allows no others.
fn compare(root: &Value, schema: &Value, path: &str, value: &Value, objects: &mut usize) -> Result<()> {
    let schema = match schema["$ref"].as_str() {
        // Checked by the test of the configuration.
        Some("#/definitions/configuration") => return Ok(()),
        Some(place) => root.pointer(&place[1..]).with_context(|| format!("{path}: no {place}"))?,
        None => schema,
    };
    let Some(properties) = schema["properties"].as_object() else { return Ok(()) };
    *objects += 1;
    ensure!(schema["additionalProperties"] == false, "{path}: a typing error would be accepted");
    // A map that is empty by default has no keys to compare; securityContexts have more than are set.
    let Some(map) = value.as_object().filter(|map| !map.is_empty()) else { return Ok(()) };
    for (key, value) in map {
        let schema = properties.get(key).with_context(|| format!("{path}.{key} has no schema"))?;
        compare(root, schema, &format!("{path}.{key}"), value, objects)?;
    }
    if !schema["description"].as_str().unwrap_or_default().starts_with("As in ") {
        let unknown =
            properties.keys().filter(|key| !map.contains_key(*key) && !OF_PARENTS.contains(&key.as_str()));
        let unknown: Vec<_> = unknown.collect();
        ensure!(unknown.is_empty(), "{path}: the values do not have {unknown:?}");
    }
    Ok(())
}
