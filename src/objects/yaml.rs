//! Values become YAML, written as people write manifests.

use saphyr::{LoadableYamlNode, Scalar, ScalarStyle, Yaml, YamlEmitter};
use serde::Serialize;

/// A value as one YAML document without a `---`, ending with a line break; keys stand in the order in
/// which the value gives them, and text of several lines stands in a block.
pub fn to_yaml(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).unwrap_or_default();
    // JSON is YAML, so that what cannot be written better is still right.
    let mut text = written(&json).unwrap_or(json);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn written(json: &str) -> Option<String> {
    let document = Yaml::load_from_str(json).ok()?.into_iter().next()?;
    let mut text = String::new();
    let mut emitter = YamlEmitter::new(&mut text);
    emitter.multiline(true);
    emitter.dump(&bared(document)).ok()?;
    Some(text.strip_prefix("---\n").map_or_else(|| text.clone(), str::to_owned))
}

/// The emitter quotes every text with a colon; image names stand better without.
fn bared(yaml: Yaml<'_>) -> Yaml<'_> {
    match yaml {
        Yaml::Value(Scalar::String(text)) if text.contains(':') && is_plain(&text) => {
            Yaml::Representation(text, ScalarStyle::Plain, None)
        }
        Yaml::Sequence(items) => Yaml::Sequence(items.into_iter().map(bared).collect()),
        Yaml::Mapping(fields) => Yaml::Mapping(fields.into_iter().map(|(k, v)| (k, bared(v))).collect()),
        other => other,
    }
}

/// Whether a text with a colon is the same text to every YAML reader when it stands without quotes.
fn is_plain(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '_' | '-' | ':' | '=');
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(fits) && !text.ends_with(':')
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::objects::manifest::read_document;

    #[derive(Serialize)]
    struct Entry {
        source: &'static str,
        mirrors: [&'static str; 2],
    }

    #[test]
    fn a_manifest_looks_as_if_written_by_hand() {
        let entry = Entry { source: "*.lab.example", mirrors: ["m.lab.example:8443/a", "m:5000"] };
        let expected = "source: \"*.lab.example\"\nmirrors:\n  - m.lab.example:8443/a\n  - m:5000\n";
        assert_eq!(to_yaml(&entry), expected);
    }

    #[test]
    fn every_value_is_read_back_as_it_was() {
        let table = [
            (json!({}), "an empty map"),
            (json!({"a": []}), "an empty list"),
            (json!({"a": {"b": {}}}), "nested maps"),
            (json!({"a": [[1, 2], [{"b": null}]]}), "nested lists"),
            (json!({"a": "x: y"}), "a colon and a space"),
            (json!({"a": "x:"}), "a colon at the end"),
            (json!({"a": "12:30:45"}), "what older readers take for a number"),
            (
                json!({"a": "true", "b": "no", "c": "~", "d": "1.30", "e": "0x1f", "f": "1e3"}),
                "no text to some",
            ),
            (json!({"a": "# no comment", "b": "it's", "c": "\"q\"", "d": "back\\slash"}), "quotes"),
            (json!({"a": " x ", "b": "\t", "c": "", "d": "\u{7}\u{7f}"}), "blanks"),
            (json!({"a": "one\ntwo", "b": "one\n\n  two\n", "c": "\n"}), "lines"),
            (json!({"ü": "ß€😀"}), "other scripts"),
            (json!({"k:8443/x": "v", "a b": 1, "- c": true}), "keys"),
        ];
        for (value, reason) in table {
            let yaml = to_yaml(&value);
            assert_eq!(read_document::<Value>("x.yaml", &yaml), Ok(value), "{reason}:\n{yaml}");
        }
    }
}
