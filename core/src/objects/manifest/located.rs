//! An object with the positions of its fields.

use std::{borrow::Cow, ops::Range, sync::Arc};

use serde_json::{Map, Value};

use super::{Holder, Source, Text, Written};
use crate::objects::{
    Object, Origin,
    tree::{Data, Field, Node, Position, steps},
};

/// An object and its position in a file.
#[derive(Debug, Clone)]
pub struct Located {
    /// The object.
    pub object: Object,
    /// The file.
    pub source: Arc<Source>,
    /// The cluster that it is for, where its file tells: the file itself for an install-config, `namespace NAME` for what is
    /// in a `ManifestWork` or `SyncSet`.
    pub cluster: Option<Arc<str>>,
    /// What the file says beyond the fields that are read.
    pub written: Written,
    /// The document, or the part of one.
    pub(super) node: Node,
    /// Whether its text can be edited: it is not inside of a string.
    pub(super) is_editable: bool,
    /// What it is written in.
    pub(in crate::objects) holder: Holder,
}

/// What a path leads to.
enum Target<'n> {
    /// The value of a field, or of its nearest existing parent.
    Value(&'n Node),
    /// The name of a field: one that the kind does not have, or the list of an install-config.
    Name(&'n Field),
}

impl Located {
    /// The document, or the item of a list, that it was read from. `None` if its text cannot be edited.
    pub(in crate::objects) fn editable_root(&self) -> Option<&Node> {
        self.is_editable.then_some(&self.node)
    }

    /// Whether it is the installer's configuration, of which the installer makes the object.
    pub fn is_install_config(&self) -> bool {
        self.written.origin == Origin::InstallConfig
    }

    /// Whether it is an item of a list of objects.
    pub fn is_in_list(&self) -> bool {
        self.holder == Holder::List
    }

    /// Whether another object with the same kind, namespace and name is this one again. The files of the installer are one
    /// for each cluster, a placeholder may become any name, and of a `generateName` the API server makes a new one each time.
    pub fn has_definite_name(&self) -> bool {
        // The name or the namespace: both paths begin so.
        let has_open_name = self.written.placeholders.iter().any(|path| path.starts_with("metadata.name"));
        let has_name = matches!(self.written.name, Text::Is(_));
        has_name && !self.is_install_config() && !has_open_name
    }

    /// Where the document has what is at a path of the object. The name and the kind of a set that the installer makes
    /// are not in its configuration, whose `metadata.name` is the cluster's: the path of its list is used.
    pub fn written_path<'p>(&self, path: &'p str) -> Cow<'p, str> {
        let Object::MirrorSet(set) = &self.object else { return Cow::Borrowed(path) };
        if !self.is_install_config() {
            return Cow::Borrowed(path);
        }
        let list = set.list_path();
        let first = steps(path).next().and_then(|step| self.node.field(step));
        match first {
            Some(field) if field.name == list || field.is_unknown => Cow::Borrowed(path),
            _ => Cow::Owned(list),
        }
    }

    fn target(&self, path: &str) -> Target<'_> {
        let mut at = &self.node;
        let path = self.written_path(path);
        if let Some(field) = at.field(&path).filter(|_| self.is_install_config()) {
            return Target::Name(field);
        }
        let mut steps = steps(&path).peekable();
        while let Some(step) = steps.next() {
            let unknown = at.field(step).filter(|field| field.is_unknown && steps.peek().is_none());
            if let Some(field) = unknown {
                return Target::Name(field);
            }
            let Some(next) = at.child(step) else { break };
            at = next;
        }
        Target::Value(at)
    }

    /// The position of a field, or of its nearest existing parent. For a field that the kind does not have, it is that
    /// of its name.
    pub fn position(&self, path: &str) -> Position {
        match self.target(path) {
            Target::Value(node) => node.at,
            Target::Name(field) => field.at,
        }
    }

    /// Where a field, or its nearest existing parent, is written, and whether this path only repeats it, by an alias or
    /// a merge key.
    pub(crate) fn origin_of(&self, path: &str) -> (Position, bool) {
        self.node.origin_of(&self.written_path(path))
    }

    /// File and line of a field, `FILE:LINE`.
    pub fn place(&self, path: &str) -> String {
        format!("{}:{}", self.source.name, self.position(path).line)
    }

    /// `metadata`, unchanged; empty if there is none.
    pub fn metadata(&self) -> Map<String, Value> {
        match self.node.get("metadata").map(Node::to_json) {
            Some(Value::Object(metadata)) => metadata,
            _ => Map::new(),
        }
    }

    /// The byte range of the value of a field in the file. For a list or map, it ends with the first line. For a field
    /// that the kind does not have, it is that of its name.
    pub fn span(&self, path: &str) -> Range<usize> {
        match self.target(path) {
            Target::Value(node) => first_line(&self.source.text, node),
            Target::Name(field) => field.span.clone(),
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

/// The byte range of a value. For a list or map, it ends with the first line of it.
pub(super) fn first_line(text: &str, node: &Node) -> Range<usize> {
    let Range { start, end } = node.span;
    match node.data {
        Data::Scalar(_) => start..end,
        Data::List(_) | Data::Map(_) => {
            // The parser ends a list or map in brackets before the closing bracket. An object inside of a string may
            // have the range of the whole string, which may begin with a bracket as well.
            let is_flow = text[start..].starts_with(['[', '{']) && text[end..].starts_with([']', '}']);
            let line = text[start..end + usize::from(is_flow)].lines().next().unwrap_or_default();
            start..start + line.trim_end().len()
        }
    }
}
