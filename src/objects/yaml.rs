//! Objects as the YAML that a person would write: block style, two spaces, quotes only where a reader needs
//! them.

use saphyr::{Scalar, ScalarStyle, Yaml, YamlEmitter};
use serde_json::{Map, Value};

/// An object as one document, without the line that separates documents.
pub fn to_yaml(object: &Value) -> String {
    let mut text = String::new();
    let mut emitter = YamlEmitter::new(&mut text);
    emitter.multiline(true);
    // Writing to a String cannot fail.
    let _ = emitter.dump(&node(object));
    let text = text.strip_prefix("---\n").unwrap_or(&text);
    format!("{}\n", text.trim_end_matches('\n'))
}

/// Several objects as the documents of one file.
pub fn to_documents<'a>(objects: impl IntoIterator<Item = &'a Value>) -> String {
    objects.into_iter().map(to_yaml).collect::<Vec<_>>().join("---\n")
}

fn node(value: &Value) -> Yaml<'_> {
    match value {
        Value::Null => plain("null".to_owned()),
        Value::Bool(value) => plain(value.to_string()),
        Value::Number(number) => plain(number.to_string()),
        Value::String(text) if text.contains('\n') && !text.contains('\r') => {
            Yaml::Value(Scalar::String(text.into()))
        }
        Value::String(text) => scalar(text),
        Value::Array(items) => Yaml::Sequence(items.iter().map(node).collect()),
        Value::Object(fields) => Yaml::Mapping(
            in_order(fields).into_iter().map(|(key, value)| (scalar(key), node(value))).collect(),
        ),
    }
}

/// Fields that people write first, in their order; the others follow by name.
const FIRST: [&str; 9] =
    ["apiVersion", "kind", "metadata", "name", "namespace", "labels", "annotations", "spec", "source"];

fn in_order(fields: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_by_key(|(key, _)| (FIRST.iter().position(|first| first == key).unwrap_or(FIRST.len()), *key));
    fields
}

fn plain<'a>(text: String) -> Yaml<'a> {
    Yaml::Representation(text.into(), ScalarStyle::Plain, None)
}

/// A text, in double quotes unless every reader takes it for a text without. What JSON writes of a text is
/// YAML too.
fn scalar(text: &str) -> Yaml<'_> {
    plain(if is_plain(text) { text.to_owned() } else { Value::from(text).to_string() })
}

/// Whether no reader takes the text for anything else, those of YAML 1.1 included: they know more booleans,
/// and numbers with colons and underscores.
fn is_plain(text: &str) -> bool {
    const OTHER_VALUES: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
    let is_number_like = !text.contains('/') && text.matches('.').count() < 2;
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic())
        || (text.starts_with(|c: char| c.is_ascii_digit()) && !is_number_like);
    let is_common = |c: char| c.is_ascii_alphanumeric() || "-_./:@+=,;() ".contains(c);
    starts_well
        && text.chars().all(is_common)
        && !text.contains(": ")
        && !text.ends_with([':', ' '])
        && !OTHER_VALUES.iter().any(|other| text.eq_ignore_ascii_case(other))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::objects::tree;

    #[test]
    fn an_object_looks_as_a_person_writes_it() {
        let object = json!({
            "spec": {"imageDigestMirrors": [
                {"mirrors": ["mirror.lab.example:8443/a", "10.0.0.1:5000"], "source": "quay.io/a"},
                {"mirrorSourcePolicy": "NeverContactSource", "mirrors": ["m.lab/b"], "source": "*.b.example"},
            ]},
            "metadata": {"name": "a", "annotations": {"b.example/why": "two\nlines"}, "labels": {"catalog": "true"}},
            "kind": "ImageDigestMirrorSet",
            "apiVersion": "config.openshift.io/v1",
        });
        let expected = "\
apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet
metadata:
  name: a
  labels:
    catalog: \"true\"
  annotations:
    b.example/why: |-
      two
      lines
spec:
  imageDigestMirrors:
    - source: quay.io/a
      mirrors:
        - mirror.lab.example:8443/a
        - 10.0.0.1:5000
    - source: \"*.b.example\"
      mirrorSourcePolicy: NeverContactSource
      mirrors:
        - m.lab/b
";
        assert_eq!(to_yaml(&object), expected);
    }

    #[test]
    fn a_text_is_quoted_where_some_reader_needs_it() {
        let table = [
            ("mirror.lab.example:8443/a", true, "a colon inside a word"),
            ("oc-mirror v2", true, "a space inside"),
            ("4.21.0-202604070914.p2", true, "a version"),
            ("true", false, "a boolean"),
            ("y", false, "a boolean of YAML 1.1"),
            ("8443", false, "a number"),
            ("1_000", false, "a number of YAML 1.1"),
            ("12:30:45", false, "a number to the base 60 of YAML 1.1"),
            ("2026-04-14", false, "a date of YAML 1.1"),
            ("0x1f", false, "a number in hexadecimal"),
            ("null", false, "nothing"),
            ("", false, "nothing to see"),
            ("*.b.example", false, "an alias"),
            ("a: b", false, "a map"),
            ("a #b", false, "a comment"),
            ("a:", false, "a map"),
            ("- a", false, "a list"),
            ("{\"a\": 1}", false, "a map in one line"),
            ("über", false, "letters beyond ASCII are left to the reader of quotes"),
        ];
        for (text, expected, reason) in table {
            assert_eq!(is_plain(text), expected, "{text}: {reason}");
        }
    }

    #[test]
    fn everything_reads_back_as_what_it_was() {
        let texts = [
            "", " ", "a", "y", "~", "null", "1e3", ".5", "0o7", "-1", "a: b", "a #b", "a:", "'", "\"", "\\",
            "\t", "a\nb", "a\nb\n", "a\n\n", "\na", " a\nb", "\ta\nb", "a\r\nb", "\n", "---\na", "...",
            "\u{7f}", "\u{85}", "\u{feff}", "\u{2028}", "ü", "{}", "[a]", "%", "@", "`", "?", "!", "|", ">",
            "&a", "*a", "a\u{0}b", "<<",
        ];
        for text in texts {
            let last = json!({"a": [text, {text: text}, [], {}, null, true, 7, 1.5]});
            let object = json!({"metadata": {"annotations": {text: text, "z": text}}, "spec": last});
            let yaml = to_documents([&object, &object]);
            let (documents, error) = tree::documents(&yaml);
            assert_eq!(error, None, "{text:?}:\n{yaml}");
            let read: Vec<_> = documents.iter().map(tree::Node::to_json).collect();
            assert_eq!(read, [object.clone(), object], "{text:?}:\n{yaml}");
        }
    }
}
