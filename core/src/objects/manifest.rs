//! Reads objects from files: any number of documents, YAML or JSON, with the items of `List`s as single objects. Each
//! object has the file, line and column of its fields.

use std::{ops::Range, sync::Arc};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, value::RawValue};
use thiserror::Error;

pub use super::tree::Position;
use super::{
    Kind, Object, ParseError, parse,
    tree::{self, Data, Node},
};

/// A file that findings point to.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The name that the user gave.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// An object and its position in a file.
#[derive(Debug, Clone)]
pub struct Located {
    /// The object.
    pub object: Object,
    /// The file.
    pub source: Arc<Source>,
    node: Node,
}

impl Located {
    /// The document, or the item of a list, that it was read from.
    pub(super) fn root(&self) -> &Node {
        &self.node
    }

    /// The position of a field, or of its nearest existing parent.
    pub fn position(&self, path: &str) -> Position {
        self.node.nearest(path).at
    }

    /// `metadata`, unchanged; empty if there is none.
    pub fn metadata(&self) -> Map<String, Value> {
        match self.node.get("metadata").map(Node::to_json) {
            Some(Value::Object(metadata)) => metadata,
            _ => Map::new(),
        }
    }

    /// The byte range of the value of a field in the file. For a list or map, it ends with the first line.
    pub fn span(&self, path: &str) -> Range<usize> {
        let node = self.node.nearest(path);
        let Range { start, end } = node.span;
        match node.data {
            Data::Scalar(_) => start..end,
            Data::List(_) | Data::Map(_) => {
                let text = &self.source.text;
                // The parser ends a list or map in brackets before the closing bracket.
                let is_flow = text[start..].starts_with(['[', '{']) && text[end..].starts_with([']', '}']);
                let line = text[start..end + usize::from(is_flow)].lines().next().unwrap_or_default();
                start..start + line.trim_end().len()
            }
        }
    }

    /// The same range as positions: of its first character, and of the one after its last.
    pub fn region(&self, path: &str) -> (Position, Position) {
        let start = self.position(path);
        let value = &self.source.text[self.span(path)];
        let last = value.rsplit('\n').next().unwrap_or_default().chars().count();
        let end = match value.matches('\n').count() {
            0 => Position { line: start.line, column: start.column + last },
            lines => Position { line: start.line + lines, column: last + 1 },
        };
        (start, end)
    }
}

/// An error in a file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}:{}:{}: {message}", at.line, at.column)]
pub struct ReadError {
    /// The name of the file that the user gave.
    pub file: String,
    /// Line and column.
    pub at: Position,
    /// What is wrong.
    pub message: String,
}

impl ReadError {
    fn new(file: &str, at: Position, message: String) -> Self {
        Self { file: file.to_owned(), at, message }
    }
}

impl Source {
    fn error(&self, at: Position, message: String) -> ReadError {
        ReadError::new(&self.name, at, message)
    }
}

/// The result of reading one or more files.
#[derive(Debug, Default)]
pub struct Reading {
    /// Objects of the kinds that are read.
    pub objects: Vec<Located>,
    /// How many objects of other kinds were skipped.
    pub skipped: usize,
    /// How many files were read.
    pub files: usize,
    /// The parts that could not be read.
    pub errors: Vec<ReadError>,
}

/// Reads one file.
pub fn read(name: &str, text: String) -> Reading {
    let source = Arc::new(Source { name: name.to_owned(), text });
    let mut reading = Reading { files: 1, ..Reading::default() };
    let (documents, error) = tree::documents(&source.text);
    for document in documents {
        add(&mut reading, &source, document, None);
    }
    reading.errors.extend(error.map(|(at, message)| source.error(at, message)));
    reading
}

/// Adds an object, or each item of a list. `item_kind` is the `apiVersion` and `kind` for items of a typed list that do
/// not have their own.
fn add(reading: &mut Reading, source: &Arc<Source>, node: Node, item_kind: Option<(&str, &str)>) {
    let api_version = node.text("apiVersion").or(item_kind.map(|k| k.0)).unwrap_or_default().to_owned();
    let kind_name = node.text("kind").or(item_kind.map(|k| k.1)).unwrap_or_default().to_owned();
    if let (Some(item_kind), Some(_)) = (kind_name.strip_suffix("List"), node.get("items")) {
        let Data::Map(fields) = node.data else { return };
        let items = fields.into_iter().find(|field| field.name == "items").map(|field| field.value.data);
        if let Some(Data::List(items)) = items {
            for item in items {
                add(reading, source, item, Some((&api_version, item_kind)));
            }
        }
        return;
    }
    if kind_name.is_empty() && api_version.is_empty() && matches!(node.data, Data::Map(_)) {
        // YAML of another program, such as the values of a chart or an old kustomization.
        reading.skipped += 1;
        return;
    }
    if kind_name.is_empty() || api_version.is_empty() {
        let missing = if kind_name.is_empty() { "kind" } else { "apiVersion" };
        reading.errors.push(source.error(node.at, format!("not a Kubernetes object: no {missing}")));
        return;
    }
    let Some(kind) = Kind::of_api_version(&api_version, &kind_name) else {
        reading.skipped += 1;
        return;
    };
    match Object::from_node(kind, &node) {
        Ok(object) => reading.objects.push(Located { object, source: Arc::clone(source), node }),
        Err(ParseError { path, message }) => {
            let at = node.nearest(&path).at;
            reading.errors.push(source.error(at, format!("{kind_name}: {path}: {message}")));
        }
    }
}

/// The objects of a JSON file without their positions, several times faster than [`read`]. `None` if the text is not
/// JSON or an object cannot be read; [`read`] then reports the error.
pub fn objects_of_json(text: &str) -> Option<Vec<Object>> {
    #[derive(Deserialize)]
    struct Head<'a> {
        #[serde(rename = "apiVersion", default)]
        api_version: &'a str,
        #[serde(default)]
        kind: &'a str,
        #[serde(borrow)]
        items: Option<Vec<&'a RawValue>>,
    }
    let mut objects = Vec::new();
    let mut pending = vec![text];
    while let Some(text) = pending.pop() {
        let head: Head = serde_json::from_str(text).ok()?;
        if let Some(items) = head.items {
            pending.extend(items.iter().rev().map(|item| item.get()));
        } else if let Some(kind) = Kind::of_api_version(head.api_version, head.kind) {
            objects.push(Object::from_json(kind, text).ok()?);
        }
    }
    Some(objects)
}

/// Reads a file with one document of a known type. An empty file is read as `{}`.
pub fn read_document<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, ReadError> {
    let (documents, error) = tree::documents(text);
    if let Some((at, message)) = error {
        return Err(ReadError::new(name, at, message));
    }
    let mut documents = documents.into_iter();
    let node = documents.next();
    if let Some(second) = documents.next() {
        return Err(ReadError::new(name, second.at, "only one document is expected".to_owned()));
    }
    let node = node.unwrap_or_else(tree::empty_map);
    parse::read_node(&node).map_err(|ParseError { path, message }| {
        ReadError::new(name, node.nearest(&path).at, format!("{path}: {message}"))
    })
}

/// An error in a field of a file with one document, for values that are checked after reading.
pub fn error_at(name: &str, text: &str, path: &str, message: impl AsRef<str>) -> ReadError {
    let (documents, _) = tree::documents(text);
    let at = documents.first().map_or(Position { line: 1, column: 1 }, |node| node.nearest(path).at);
    ReadError::new(name, at, format!("{path}: {}", message.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "\
apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet
metadata: {name: a}
spec:
  imageDigestMirrors:
  - source: quay.io/ü
    mirrors:
    - m.lab/x
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
- apiVersion: operator.openshift.io/v1alpha1
  kind: ImageContentSourcePolicy
  metadata: {name: b}
  spec: {repositoryDigestMirrors: 7}
";

    #[test]
    fn documents_and_lists_are_read_and_other_kinds_counted() {
        let reading = read("two.yaml", TWO.to_owned());
        assert_eq!(reading.objects.len(), 1);
        assert_eq!(reading.skipped, 1);
        assert_eq!(
            reading.errors[0].to_string(),
            "two.yaml:18:35: ImageContentSourcePolicy: spec.repositoryDigestMirrors: invalid type: integer `7`, expected a sequence"
        );
    }

    #[test]
    fn a_field_has_a_line_a_column_and_a_byte_range() {
        let reading = read("two.yaml", TWO.to_owned());
        let located = &reading.objects[0];
        let path = "spec.imageDigestMirrors[0].mirrors[0]";
        assert_eq!(located.position(path), Position { line: 8, column: 7 });
        assert_eq!(&TWO[located.span(path)], "m.lab/x");
    }

    #[test]
    fn a_value_ends_where_its_text_ends() {
        let head = "apiVersion: config.openshift.io/v1\nkind: ImageTagMirrorSet\nspec:\n  imageTagMirrors:";
        let table = [
            (" [{source: q}] # one", "", "[{source: q}]", (4, 33), "a list"),
            (" [{source: q}]", "[0]", "{source: q}", (4, 32), "a map"),
            ("\n  - source: q\n    mirrors: [m]", "[0]", "source: q", (5, 14), "a block"),
            (" [{source: ü日}]", "[0].source", "ü日", (4, 32), "wide characters"),
            (" [{source: \"a\n    b\"}]", "[0].source", "\"a\n    b\"", (5, 7), "two lines"),
        ];
        for (spec, path, expected, (line, column), reason) in table {
            for newline in ["\n", "\r\n"] {
                let text = format!("{head}{spec}\n").replace('\n', newline);
                let reading = read("x.yaml", text.clone());
                let (located, path) = (&reading.objects[0], format!("spec.imageTagMirrors{path}"));
                let expected = expected.replace('\n', newline);
                assert_eq!(text[located.span(&path)], expected, "{reason}, {newline:?}");
                assert_eq!(located.region(&path).1, Position { line, column }, "{reason}, {newline:?}");
            }
        }
    }

    #[test]
    fn fast_and_slow_reading_of_json_have_the_same_result() {
        let json = r#"{"apiVersion":"v1","kind":"List","items":[
            {"kind":"ImageTagMirrorSet","apiVersion":"config.openshift.io/v1","metadata":{"name":"t"},
             "spec":{"imageTagMirrors":[{"source":"quay.io","mirrors":["m"]}]}},
            {"kind":"Pod","apiVersion":"v1"}]}"#;
        let slow: Vec<_> = read("x.json", json.to_owned()).objects.into_iter().map(|l| l.object).collect();
        assert_eq!(objects_of_json(json), Some(slow));
    }

    #[test]
    fn an_incomplete_object_is_an_error_and_other_yaml_is_skipped() {
        let reading = read("x.yaml", "apiVersion: v1\n---\na: 1\n".to_owned());
        assert_eq!(reading.errors[0].to_string(), "x.yaml:1:1: not a Kubernetes object: no kind");
        assert_eq!(reading.skipped, 1);
    }
}
