//! A YAML or JSON document as a tree whose nodes have their positions in the file.

mod build;
mod deserialize;

use std::ops::Range;

pub(super) use build::documents;
use saphyr_parser::Marker;
use serde_json::{Map, Value};

/// A position in a file. Line and column start at 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// Where the value is written; of an alias, where the alias is. What is inside of it keeps its own place.
    pub(super) at: Position,
    /// The byte range in the file, as the parser has it: it begins with the anchor and the tag, or with the first
    /// character of a block of text; it ends before the closing bracket of a list or map in brackets, and may end with
    /// blanks or a comment.
    pub(super) span: Range<usize>,
    pub(super) data: Data,
    pub(super) repeat: Repeat,
    /// Whether a merge key is written in it. It may bring in nothing, where the map has all fields itself.
    pub(super) has_merge_key: bool,
}

/// Whether a value is in a document more than once, but written only once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Repeat {
    /// It is where it is written, and nowhere else.
    #[default]
    None,
    /// An alias repeats it, or a list or map around it: an edit of it would change that place, too.
    Original,
    /// It is an alias of the value at this position.
    Alias(Position),
}

/// The value of a [`Node`].
#[derive(Debug, Clone)]
pub(super) enum Data {
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<Field>),
}

/// A field of a map.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: String,
    /// The position of its name.
    pub(super) at: Position,
    /// The byte range of its name in the file, with quotes.
    pub(super) span: Range<usize>,
    pub(super) value: Node,
    /// Whether the kind of the document has no such field.
    pub(super) is_unknown: bool,
    /// Whether a merge key brings it in: then it is written elsewhere.
    pub(super) is_merged: bool,
}

/// The root of an empty document.
pub(super) fn empty_map() -> Node {
    Node {
        at: Position { line: 1, column: 1 },
        span: 0..0,
        data: Data::Map(Vec::new()),
        repeat: Repeat::None,
        has_merge_key: false,
    }
}

impl Node {
    /// A field of a map.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.field(name).map(|field| &field.value)
    }

    /// A field of a map, with its name.
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        match &self.data {
            Data::Map(fields) => fields.iter().find(|field| field.name == name),
            Data::Scalar(_) | Data::List(_) => None,
        }
    }

    /// The node at a step of a path: a field of a map, or an item of a list.
    pub(super) fn child(&self, step: &str) -> Option<&Node> {
        match (&self.data, step.parse::<usize>()) {
            (Data::List(items), Ok(index)) => items.get(index),
            _ => self.get(step),
        }
    }

    /// The same, to be changed.
    pub(super) fn child_mut(&mut self, step: &str) -> Option<&mut Node> {
        match &mut self.data {
            Data::List(items) => items.get_mut(step.parse::<usize>().ok()?),
            Data::Map(fields) => {
                fields.iter_mut().find(|field| field.name == step).map(|field| &mut field.value)
            }
            Data::Scalar(_) => None,
        }
    }

    /// The string in a field of a map; `None` if it is missing or another type.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match &self.get(name)?.data {
            Data::Scalar(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// The node at a path such as `spec.imageDigestMirrors[0].source` or `metadata.annotations[a.b/c]`. If it is
    /// missing, its nearest existing parent.
    pub(super) fn nearest(&self, path: &str) -> &Node {
        let mut at = self;
        for step in steps(path) {
            match at.child(step) {
                Some(next) => at = next,
                None => break,
            }
        }
        at
    }

    /// Where the value at a path, or its nearest existing parent, is written, and whether the path only repeats it, by
    /// an alias or a merge key. Of a field that the kind does not have, it is where its name is.
    pub(super) fn origin_of(&self, path: &str) -> (Position, bool) {
        let (mut node, mut at, mut is_repeated) = (self, self.at, false);
        for step in steps(path) {
            let field = node.field(step);
            is_repeated |= field.is_some_and(|field| field.is_merged);
            let Some(next) = node.child(step) else { break };
            node = next;
            at = match (field, node.repeat) {
                (Some(field), _) if field.is_unknown => field.at,
                (_, Repeat::Alias(original)) => original,
                _ => node.at,
            };
            is_repeated |= matches!(node.repeat, Repeat::Alias(_));
        }
        (at, is_repeated)
    }

    /// The value as JSON, without positions.
    pub(super) fn to_json(&self) -> Value {
        match &self.data {
            Data::Scalar(value) => value.clone(),
            Data::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Data::Map(fields) => {
                let fields = fields.iter().map(|field| (field.name.clone(), field.value.to_json()));
                Value::Object(fields.collect::<Map<_, _>>())
            }
        }
    }
}

/// The steps of a path. Text in brackets is one step, even if it contains dots.
pub(super) fn steps(path: &str) -> impl Iterator<Item = &str> {
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
    fn paths_are_split_at_dots_outside_brackets() {
        let path = "metadata.annotations[a.b/c].x[3]";
        assert_eq!(steps(path).collect::<Vec<_>>(), ["metadata", "annotations", "a.b/c", "x", "3"]);
    }

    #[test]
    fn a_missing_field_has_the_position_of_its_parent() {
        let (documents, _) = documents("spec:\n  list:\n  - a: 1\n");
        assert_eq!(documents[0].nearest("spec.list[0].b").at, Position { line: 3, column: 5 });
    }
}
