//! Objects inside of texts, such as those of a `ConfigMap`, at the lines where they are written.

use serde_json::Value;

use super::{
    Holder,
    naming::{Naming, naming},
    unfold::Part,
};
use crate::objects::tree::{self, Data, Field, Node, Position, Repeat};

/// The objects of kinds that are read, and lists that may hold some. Text that is no YAML holds none.
pub(super) fn objects(text: &str, config_map: &Node) -> Vec<Part> {
    let Some(Data::Map(fields)) = config_map.get("data").map(|data| &data.data) else { return Vec::new() };
    fields.iter().flat_map(|field| objects_of_field(text, field)).collect()
}

/// The documents of a text, at the lines where they are written. If it is no YAML, where and why.
pub(super) fn documents(text: &str, field: &Field, value: &str) -> Result<Vec<Node>, (Position, String)> {
    let (mut documents, failure) = tree::documents(value);
    let place = Place::of(text, field, value);
    if let Some((at, why)) = failure {
        return Err((place.position(at), why));
    }
    for node in &mut documents {
        place.apply(node);
    }
    Ok(documents)
}

fn objects_of_field(text: &str, field: &Field) -> Vec<Part> {
    let Data::Scalar(Value::String(value)) = &field.value.data else { return Vec::new() };
    // Most texts are no objects, and are not parsed. A kind may be misspelled, so it is not looked for by name.
    if !value.contains("kind") {
        return Vec::new();
    }
    let objects = documents(text, field, value).unwrap_or_default().into_iter().filter(is_object);
    objects.map(|node| Part { is_editable: false, holder: Holder::Text, ..Part::of_file(node) }).collect()
}

fn is_object(node: &Node) -> bool {
    let [api_version, kind] = ["apiVersion", "kind"].map(|name| node.text(name).unwrap_or_default());
    node.get("items").is_some() || naming(api_version, kind, node) != Naming::Other
}

/// Where a text is in its file.
enum Place {
    /// Each of its lines is a line of the file.
    Lines {
        /// The number of the line before its first.
        before: usize,
        /// How far it is indented, in spaces.
        indent: usize,
        /// For each of its lines, where it starts in the text, and in the file.
        starts: Vec<(usize, usize)>,
        /// The length of the file. The text may end with a line break that the file does not have.
        end: usize,
    },
    /// It is folded or in quotes: everything is at its beginning.
    Whole(Node),
}

impl Place {
    fn of(text: &str, field: &Field, value: &str) -> Self {
        Self::of_block(text, field, value).unwrap_or_else(|| Self::Whole(field.value.clone()))
    }

    /// The place of a block after `|`. `None` if the value is not such a block, or if a line of the file is not the
    /// line of the text behind the indentation. How deep that is shows at the first line that is not empty.
    fn of_block(text: &str, field: &Field, value: &str) -> Option<Self> {
        let rest = &text[field.span.end..];
        let (header, _) = rest.split_once('\n')?;
        if !header.trim_start().strip_prefix(':')?.trim_start().starts_with('|') {
            return None;
        }
        let first = field.span.end + header.len() + 1;
        let lines = || text[first..].split_inclusive('\n').zip(value.split('\n'));
        let (line, content) = lines().find(|(_, content)| !content.is_empty())?;
        let indent = line.trim_end_matches(['\n', '\r']).len().checked_sub(content.len())?;
        let (mut starts, mut in_text, mut in_file) = (Vec::new(), 0, first);
        for (line, content) in lines() {
            if !content.is_empty() && line.get(indent..)?.trim_end_matches(['\n', '\r']) != content {
                return None;
            }
            // An empty line may be shorter than the indentation.
            starts.push((in_text, if content.is_empty() { in_file } else { in_file + indent }));
            in_text += content.len() + 1;
            in_file += line.len();
        }
        Some(Self::Lines { before: field.at.line, indent, starts, end: text.len() })
    }

    /// Moves a node of the text to where it is in the file.
    fn apply(&self, node: &mut Node) {
        node.at = self.position(node.at);
        node.span = self.span(&node.span);
        if let Repeat::Alias(original) = &mut node.repeat {
            *original = self.position(*original);
        }
        match &mut node.data {
            Data::Scalar(_) => {}
            Data::List(items) => items.iter_mut().for_each(|item| self.apply(item)),
            Data::Map(fields) => {
                for field in fields {
                    field.at = self.position(field.at);
                    field.span = self.span(&field.span);
                    self.apply(&mut field.value);
                }
            }
        }
    }

    fn position(&self, at: Position) -> Position {
        match self {
            Self::Lines { before, indent, .. } => {
                Position { line: before + at.line, column: indent + at.column }
            }
            Self::Whole(node) => node.at,
        }
    }

    fn span(&self, span: &std::ops::Range<usize>) -> std::ops::Range<usize> {
        match self {
            Self::Lines { starts, end, .. } => {
                in_file(starts, span.start).min(*end)..in_file(starts, span.end).min(*end)
            }
            Self::Whole(node) => node.span.clone(),
        }
    }
}

/// The offset in the file of an offset in the text.
fn in_file(starts: &[(usize, usize)], offset: usize) -> usize {
    let line = starts.partition_point(|(start, _)| *start <= offset).saturating_sub(1);
    starts.get(line).map_or(0, |(in_text, in_file)| in_file + (offset - in_text))
}
