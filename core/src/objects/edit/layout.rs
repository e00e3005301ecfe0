//! How a document is laid out in its file: its line breaks, its quotes, and how new values are written in its style.

use std::ops::Deref;

use serde_json::Value;

use super::{
    TextEdit,
    place::{Places, Spot, Style},
};
use crate::objects::{
    manifest::Source,
    tree::{Data, Field, Node},
    yaml::{to_flow, to_inline, to_yaml},
};

/// A text, and what all of its lines share.
pub(super) struct Layout<'t> {
    places: Places<'t>,
    /// The line break.
    pub(super) newline: &'static str,
    /// Whether strings are always quoted, as in JSON.
    is_json: bool,
}

impl<'t> Deref for Layout<'t> {
    type Target = Places<'t>;

    fn deref(&self) -> &Places<'t> {
        &self.places
    }
}

impl<'t> Layout<'t> {
    pub(super) fn new(source: &'t Source, root: &Node) -> Self {
        let text = &*source.text;
        // A document whose first name is in double quotes is taken for JSON.
        let is_json = match &root.data {
            Data::Map(fields) => {
                fields.first().is_some_and(|field| text[field.span.start..].starts_with('"'))
            }
            _ => false,
        };
        Self { places: Places(text), newline: source.newline, is_json }
    }

    /// A string on one line, in the quotes of the text at this offset.
    pub(super) fn like(&self, replaced: usize, text: &str) -> String {
        match self.0[replaced..].chars().next() {
            Some('"') => Value::from(text).to_string(),
            Some('\'') if !text.contains(|c: char| c == '\'' || c.is_control()) => format!("'{text}'"),
            _ => self.string(text),
        }
    }

    /// A string on one line.
    pub(super) fn string(&self, text: &str) -> String {
        if self.is_json { Value::from(text).to_string() } else { to_inline(text) }
    }

    /// A value on one line.
    pub(super) fn flow(&self, value: &Value) -> String {
        to_flow(value, self.is_json)
    }

    /// A value on lines of its own. Not with a block of text, to which comments on the next lines could belong.
    fn block(&self, value: &Value) -> String {
        if has_lines(value) { self.flow(value) } else { to_yaml(value) }
    }

    /// An item with its dash, indented by this many spaces. `is_flow`: it is written in brackets, as the item
    /// before it.
    pub(super) fn item(&self, value: &Value, column: usize, is_flow: bool) -> String {
        let text = if is_flow { self.flow(value) } else { self.block(value) };
        self.dashed(&text, column)
    }

    /// Lines behind a dash, indented by this many spaces.
    pub(super) fn dashed(&self, text: &str, column: usize) -> String {
        let indent = " ".repeat(column);
        let lines = text.lines().enumerate().map(|(at, line)| {
            let mark = if at == 0 { "- " } else { "  " };
            format!("{indent}{mark}{line}")
        });
        lines.collect::<Vec<_>>().join(self.newline)
    }

    /// A field on lines of its own, indented by this many spaces, with the line break before it.
    pub(super) fn new_field(&self, name: &str, value: &Value, column: usize) -> String {
        let indent = " ".repeat(column);
        if has_lines(value) {
            return format!("{}{indent}{}: {}", self.newline, self.string(name), self.flow(value));
        }
        let object = Value::Object([(name.to_owned(), value.clone())].into_iter().collect());
        self.indented(&to_yaml(&object), &indent)
    }

    /// Lines with a line break before each.
    fn indented(&self, text: &str, indent: &str) -> String {
        text.lines().flat_map(|line| [self.newline, indent, line]).collect()
    }

    /// An insertion on new lines below this value. `None` where more than a comment follows it on its line, as inside
    /// of brackets, and where the file ends with a block of text without a line break: a break would become part of it.
    pub(super) fn insert_below(&self, last: Spot<'_>, text: String) -> Option<TextEdit> {
        let end = self.tail(self.end(last)?)?;
        let is_open = end == self.0.len() && self.ends_with_block_text(last);
        (!is_open).then_some(TextEdit { range: end..end, text })
    }

    /// Gives a field or item without a value, or with a written `null`, one. `field` is `None` for an item. `None`
    /// behind a tag, where it has no place, and if something follows that `null` on its line, such as a comment.
    pub(super) fn fill(
        &self,
        spot: Spot<'_>,
        field: Option<&Field>,
        in_flow: bool,
        value: &Value,
    ) -> Option<TextEdit> {
        let marks = self.marks(spot);
        if marks.has_tag || field.is_some_and(|field| self.colon(field).is_none()) {
            return None;
        }
        let is_written = marks.style != Style::Nothing;
        let is_single = !(value.is_array() || value.is_object());
        // Only the list or map of a field gets lines of its own; all else stays on this line.
        let Some(field) = field.filter(|_| !(in_flow || self.is_json || is_single)) else {
            let text = self.flow(value);
            return Some(if is_written {
                TextEdit { range: marks.content..self.end(spot)?, text }
            } else {
                TextEdit { range: marks.after..marks.after, text: format!(" {text}") }
            });
        };
        if !self.is_first_behind_dashes(field.span.start) {
            return None;
        }
        let column = self.column(field.span.start) + 2;
        let text = self.indented(&self.block(value), &" ".repeat(column));
        if !is_written {
            // A comment on this line stays where it is.
            let end = self.tail(marks.after)?;
            return Some(TextEdit { range: end..end, text });
        }
        let end = self.end(spot)?;
        let is_alone = self.0[end..self.line_end(end)].trim().is_empty()
            && self.0[marks.after..marks.content].trim_matches([' ', '\t']).is_empty();
        is_alone.then_some(TextEdit { range: marks.after..end, text })
    }

    /// Adds text to a list or map in brackets, after its last child, which is given by its start and end. A child on
    /// a line of its own is followed by a new line. `None` for a map without brackets of its own, `[a: b]`, and after
    /// a trailing comma.
    pub(super) fn insert_in_flow(
        &self,
        spot: Spot<'_>,
        last: Option<(usize, usize)>,
        text: &str,
    ) -> Option<TextEdit> {
        let marks = self.marks(spot);
        if marks.style != Style::Brackets {
            return None;
        }
        let Some((start, end)) = last else {
            let at = marks.content + 1;
            return Some(TextEdit { range: at..at, text: text.to_owned() });
        };
        if self.0[self.skip_blanks(end)..].starts_with(',') {
            return None;
        }
        // Not from the start of the line: all of a file may be on one.
        let before = self.0[..start].trim_end_matches([' ', '\t']);
        let indent = &self.0[before.len()..start];
        let is_on_own_line = before.ends_with('\n');
        let separator = if is_on_own_line { format!(",{}{indent}", self.newline) } else { ", ".to_owned() };
        Some(TextEdit { range: end..end, text: format!("{separator}{text}") })
    }
}

/// Whether a value has a string of several lines.
fn has_lines(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\n'),
        Value::Array(items) => items.iter().any(has_lines),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\n') || has_lines(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
