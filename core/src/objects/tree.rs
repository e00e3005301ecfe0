//! A YAML or JSON document as a tree in which every node knows where it stands.

use std::ops::Range;

use saphyr::{MarkedYaml, Scalar, YamlData, YamlLoader};
use saphyr_parser::{Marker, Parser};
use serde_json::{Map, Value};

/// A place in a file, both counted from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl From<&Marker> for Position {
    fn from(marker: &Marker) -> Self {
        Self { line: marker.line(), column: marker.col() + 1 }
    }
}

/// A node of a document.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) at: Position,
    /// In bytes from the start of the file.
    pub(super) span: Range<usize>,
    pub(super) data: Data,
}

/// The value of a [`Node`].
#[derive(Debug, Clone)]
pub(super) enum Data {
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// The documents of a text up to its first syntax error, and that error.
pub(super) fn documents(text: &str) -> (Vec<Node>, Option<(Position, String)>) {
    let mut loader = YamlLoader::<MarkedYaml>::default();
    let scanned = Parser::new_from_str(text).load(&mut loader, true);
    let error = loader.error().cloned().or(scanned.err());
    let error = error.map(|e| (Position::from(e.marker()), e.info().to_owned()));
    // After an error the loader may hold a half-built document; those before it are whole.
    let broken_at = error.as_ref().map(|(at, _)| *at);
    let documents = loader.into_documents();
    let offsets = Offsets::of(text);
    let whole = documents
        .iter()
        .map(|yaml| node(yaml, &offsets))
        .filter(|n| !matches!(&n.data, Data::Scalar(Value::Null)));
    let whole = whole.filter(|n| broken_at.is_none_or(|at| n.at < at)).collect();
    (whole, error)
}

/// Bytes of the characters of a text, which is what the reader counts.
struct Offsets<'t> {
    text: &'t str,
    /// Where every 64th character begins; nothing where characters are bytes.
    marks: Vec<usize>,
}

impl<'t> Offsets<'t> {
    const STEP: usize = 64;

    fn of(text: &'t str) -> Self {
        let marks = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().step_by(Self::STEP).map(|(byte, _)| byte).collect()
        };
        Self { text, marks }
    }

    fn byte(&self, character: usize) -> usize {
        if self.marks.is_empty() {
            return character.min(self.text.len());
        }
        let mark = self.marks.get(character / Self::STEP).copied().unwrap_or(self.text.len());
        let rest = self.text[mark..].char_indices().nth(character % Self::STEP);
        rest.map_or(self.text.len(), |(byte, _)| mark + byte)
    }
}

fn node(yaml: &MarkedYaml<'_>, offsets: &Offsets<'_>) -> Node {
    let span = offsets.byte(yaml.span.start.index())..offsets.byte(yaml.span.end.index());
    Node { at: Position::from(&yaml.span.start), span, data: data(&yaml.data, offsets) }
}

fn data<'i>(yaml: &YamlData<'i, MarkedYaml<'i>>, offsets: &Offsets<'_>) -> Data {
    let node = |yaml| node(yaml, offsets);
    match yaml {
        YamlData::Sequence(items) => Data::List(items.iter().map(node).collect()),
        YamlData::Mapping(fields) => Data::Map(fields.iter().map(|(k, v)| (key(k), node(v))).collect()),
        YamlData::Tagged(_, inner) => data(&inner.data, offsets),
        YamlData::Value(scalar) => Data::Scalar(scalar_value(scalar)),
        YamlData::Representation(text, _, _) => Data::Scalar(Value::String(text.to_string())),
        YamlData::Alias(_) | YamlData::BadValue => Data::Scalar(Value::Null),
    }
}

fn key(yaml: &MarkedYaml<'_>) -> String {
    match &yaml.data {
        YamlData::Value(Scalar::String(text)) => text.to_string(),
        YamlData::Value(scalar) => scalar_value(scalar).to_string(),
        _ => String::new(),
    }
}

fn scalar_value(scalar: &Scalar<'_>) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(value) => Value::Bool(*value),
        Scalar::Integer(value) => Value::from(*value),
        Scalar::FloatingPoint(value) => Value::from(**value),
        Scalar::String(text) => Value::String(text.to_string()),
    }
}

impl Node {
    /// A field of a map.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        match &self.data {
            Data::Map(fields) => fields.iter().find(|(key, _)| key == name).map(|(_, node)| node),
            _ => None,
        }
    }

    /// A field of a map that holds a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match &self.get(name)?.data {
            Data::Scalar(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// The node that a path such as `spec.imageDigestMirrors[0].source` or `metadata.annotations[a.b/c]`
    /// leads to, or the nearest one above it where it is missing.
    pub(super) fn nearest(&self, path: &str) -> &Node {
        let mut at = self;
        for step in steps(path) {
            let next = match (&at.data, step.parse::<usize>()) {
                (Data::List(items), Ok(index)) => items.get(index),
                _ => at.get(step),
            };
            match next {
                Some(next) => at = next,
                None => break,
            }
        }
        at
    }

    /// The same as JSON, without places.
    pub(super) fn to_json(&self) -> Value {
        match &self.data {
            Data::Scalar(value) => value.clone(),
            Data::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Data::Map(fields) => {
                Value::Object(fields.iter().map(|(k, v)| (k.clone(), v.to_json())).collect::<Map<_, _>>())
            }
        }
    }
}

/// The steps of a path; what stands in brackets is one step, dots and all.
fn steps(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = path;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches('.');
        if rest.is_empty() {
            return None;
        }
        let (step, after) = match rest.strip_prefix('[') {
            Some(inner) => inner.split_once(']').unwrap_or((inner, "")),
            None => rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len())),
        };
        rest = after;
        Some(step)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cut_at_dots_outside_brackets() {
        let path = "metadata.annotations[a.b/c].x[3]";
        assert_eq!(steps(path).collect::<Vec<_>>(), ["metadata", "annotations", "a.b/c", "x", "3"]);
    }

    #[test]
    fn documents_before_a_syntax_error_are_kept() {
        let (documents, error) = documents("a: 1\n---\nb: 2\n---\nc: [1,\n---\n");
        assert_eq!(documents.len(), 2);
        assert_eq!(error.unwrap().0.line, 6);
    }

    #[test]
    fn characters_are_found_among_bytes() {
        let table =
            [("plain text".repeat(30), "one byte each"), ("aü日𝄞\r\n".repeat(70), "several bytes each")];
        for (text, reason) in table {
            let offsets = Offsets::of(&text);
            for (at, (byte, _)) in text.char_indices().enumerate() {
                assert_eq!(offsets.byte(at), byte, "{reason}: character {at}");
            }
            assert_eq!(offsets.byte(text.len() + 1), text.len(), "{reason}: beyond the end");
        }
    }

    #[test]
    fn a_missing_field_is_placed_at_its_parent() {
        let (documents, _) = documents("spec:\n  list:\n  - a: 1\n");
        assert_eq!(documents[0].nearest("spec.list[0].b").at, Position { line: 3, column: 5 });
    }
}
