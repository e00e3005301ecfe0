//! Writes values as YAML in the usual form: block style, two spaces, quotes only where a parser requires them.

use saphyr::{LoadableYamlNode, Scalar, ScalarStyle, Yaml, YamlEmitter};
use serde::Serialize;
use serde_json::Value;

/// A value as one YAML document without `---`, with a final newline. The usual first fields come first, the others in
/// the order of the value. Text of several lines is a block.
pub fn to_yaml(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).unwrap_or_default();
    // JSON is valid YAML, so it is the fallback.
    let text = block_style(&json).unwrap_or(json);
    format!("{}\n", text.trim_end_matches('\n'))
}

/// Several values as the documents of one file.
pub fn to_documents<'a, T: Serialize + 'a>(values: impl IntoIterator<Item = &'a T>) -> String {
    values.into_iter().map(to_yaml).collect::<Vec<_>>().join("---\n")
}

/// A string on one line, with quotes where a parser may require them; it may be inside of brackets.
pub fn to_inline(text: &str) -> String {
    let is_plain = is_plain(text) && !text.contains(',');
    if is_plain { text.to_owned() } else { quoted(text) }
}

/// A value on one line: strings with quotes only where a parser requires them, or always, as in JSON.
pub fn to_flow(value: &Value, is_json: bool) -> String {
    let string = |text: &str| if is_json { quoted(text) } else { to_inline(text) };
    match value {
        Value::String(text) => string(text),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| to_flow(item, is_json)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| rank(name));
            let fields: Vec<_> = fields
                .into_iter()
                .map(|(name, value)| format!("{}: {}", string(name), to_flow(value, is_json)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

/// A string in JSON is valid YAML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn block_style(json: &str) -> Option<String> {
    let document = Yaml::load_from_str(json).ok()?.into_iter().next()?;
    let mut text = String::new();
    let mut emitter = YamlEmitter::new(&mut text);
    emitter.multiline(true);
    emitter.dump(&format_node(document)).ok()?;
    Some(text.strip_prefix("---\n").map_or_else(|| text.clone(), str::to_owned))
}

/// The usual first fields, in their order.
const FIRST: [&str; 10] = [
    "apiVersion",
    "kind",
    "metadata",
    "name",
    "namespace",
    "labels",
    "annotations",
    "spec",
    "source",
    "mirrors",
];

fn format_node(yaml: Yaml<'_>) -> Yaml<'_> {
    match yaml {
        // A block, if the emitter can write one.
        Yaml::Value(Scalar::String(text)) if text.contains('\n') && !text.contains('\r') => {
            Yaml::Value(Scalar::String(text))
        }
        Yaml::Value(Scalar::String(text)) => {
            let quoted = (!is_plain(&text)).then(|| quoted(&text).into());
            Yaml::Representation(quoted.unwrap_or(text), ScalarStyle::Plain, None)
        }
        Yaml::Sequence(items) => Yaml::Sequence(items.into_iter().map(format_node).collect()),
        Yaml::Mapping(fields) => {
            let mut fields: Vec<_> = fields.into_iter().collect();
            fields.sort_by_key(|(key, _)| rank(key.as_str().unwrap_or_default()));
            Yaml::Mapping(
                fields.into_iter().map(|(key, value)| (format_node(key), format_node(value))).collect(),
            )
        }
        other => other,
    }
}

/// The sort key of a field.
fn rank(name: &str) -> usize {
    FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len())
}

/// Whether a character may be anywhere behind the first one of a text without quotes; what a colon and a space mean
/// together is checked apart. A comma ends a text inside of brackets: see [`to_inline`].
fn is_common(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_./:@+=,;() ".contains(character)
}

/// Whether every parser reads the text as a string, even without quotes. YAML 1.1 has more booleans, and numbers with
/// colons and underscores.
fn is_plain(text: &str) -> bool {
    const OTHER_VALUES: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
    // A text with a slash or several dots is no number, date or time, whatever digit it begins with.
    let is_number_like = !text.contains('/') && text.matches('.').count() < 2;
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic())
        || (text.starts_with(|c: char| c.is_ascii_digit()) && !is_number_like);
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
    use crate::objects::{manifest::read_document, tree};

    #[test]
    fn an_object_is_written_in_the_usual_form() {
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
      mirrors:
        - m.lab/b
      mirrorSourcePolicy: NeverContactSource
";
        assert_eq!(to_yaml(&object), expected);
    }

    #[test]
    fn a_text_is_quoted_if_a_parser_requires_it() {
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
            ("null", false, "null"),
            ("", false, "an empty text"),
            ("*.b.example", false, "an alias"),
            ("a: b", false, "a map"),
            ("a #b", false, "a comment"),
            ("a:", false, "a map"),
            ("- a", false, "a list"),
            ("{\"a\": 1}", false, "a map in one line"),
            ("über", false, "letters outside ASCII are always quoted"),
        ];
        for (text, expected, reason) in table {
            assert_eq!(is_plain(text), expected, "{text}: {reason}");
        }
    }

    #[test]
    fn every_text_is_read_back_unchanged() {
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

    #[test]
    fn every_value_is_read_back_unchanged() {
        let table = [
            (json!({}), "an empty map"),
            (json!({"a": []}), "an empty list"),
            (json!({"a": {"b": {}}}), "nested maps"),
            (json!({"a": [[1, 2], [{"b": null}]]}), "nested lists"),
            (json!({"a": "x: y"}), "a colon and a space"),
            (json!({"a": "x:"}), "a colon at the end"),
            (json!({"a": "12:30:45"}), "a number in YAML 1.1"),
            (
                json!({"a": "true", "b": "no", "c": "~", "d": "1.30", "e": "0x1f", "f": "1e3"}),
                "values that some parsers do not read as text",
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
