//! How a document is laid out in its file: where a value ends, how deep a line is indented, which quotes are used.

use std::{borrow::Cow, ops::Range};

use serde_json::Value;

use crate::objects::{
    tree::{Data, Field, Node},
    yaml::{to_flow, to_inline, to_yaml},
};

/// A text, and what all of its lines share.
pub(super) struct Layout<'t> {
    text: &'t str,
    /// The line break.
    pub(super) newline: &'static str,
    /// Whether strings are always quoted, as in JSON.
    is_json: bool,
}

impl<'t> Layout<'t> {
    pub(super) fn new(text: &'t str, root: &Node) -> Self {
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        // A document whose first name is in double quotes is taken for JSON.
        let is_json = match &root.data {
            Data::Map(fields) => {
                fields.first().is_some_and(|field| text[field.span.start..].starts_with('"'))
            }
            _ => false,
        };
        Self { text, newline, is_json }
    }

    fn from(&self, node: &Node) -> &'t str {
        &self.text[node.span.start..]
    }

    /// Whether a list or map is in brackets.
    pub(super) fn is_flow(&self, node: &Node) -> bool {
        match node.data {
            Data::List(_) => self.from(node).starts_with('['),
            Data::Map(_) => self.from(node).starts_with('{'),
            Data::Scalar(_) => false,
        }
    }

    /// Whether the value is written elsewhere.
    pub(super) fn is_alias(&self, node: &Node) -> bool {
        self.from(node).starts_with('*')
    }

    /// Whether a child is written inside its parent: an alias or a merge key brings in values from elsewhere.
    pub(super) fn contains(&self, parent: &Node, child: &Node) -> bool {
        parent.span.start <= child.span.start && child.span.end <= parent.span.end.max(self.end(parent))
    }

    /// The offset after the last character of a value, without what follows on its line.
    pub(super) fn end(&self, node: &Node) -> usize {
        let Range { start, end } = node.span;
        if self.is_alias(node) {
            return end;
        }
        if self.is_flow(node) {
            // The parser ends it before the closing bracket.
            return end + 1;
        }
        match &node.data {
            Data::Scalar(_) => start + self.text[start..end].trim_end().len(),
            Data::List(items) => items.last().map_or(start, |item| self.end(item)),
            Data::Map(fields) => match fields.last() {
                Some(last) if last.span.start >= start => self.end_of_field(last),
                // A merge key brings in fields from before the map.
                Some(_) => start + self.text[start..end].trim_end().len(),
                None => start,
            },
        }
    }

    /// The offset after the last character of a field.
    pub(super) fn end_of_field(&self, field: &Field) -> usize {
        let after_colon = self.after_colon(field);
        if matches!(field.value.data, Data::Scalar(Value::Null)) && self.is_unwritten(&field.value) {
            after_colon
        } else {
            self.end(&field.value).max(after_colon)
        }
    }

    /// Whether a `null` is written as nothing.
    fn is_unwritten(&self, node: &Node) -> bool {
        self.text[node.span.clone()].trim().is_empty()
    }

    /// The offset after the colon of a field.
    fn after_colon(&self, field: &Field) -> usize {
        let after = field.span.end;
        self.text[after..].find(':').map_or(after, |colon| after + colon + 1)
    }

    /// The offset after the name and colon of the field whose value starts at this offset, on a later line. `None` if
    /// anything is between the two, such as a comment, which would be removed with the value.
    pub(super) fn after_name(&self, start: usize) -> Option<usize> {
        let before = self.text[..start].trim_end();
        before.ends_with(':').then_some(before.len())
    }

    /// The offset of the dash of an item.
    pub(super) fn dash(&self, item: &Node) -> Option<usize> {
        let mut before = self.text[..item.span.start].trim_end();
        // An anchor, a tag or the mark of a block of text stands between the dash and the value.
        while let Some(word) = last_word(before).filter(|word| word.starts_with(['&', '!', '|', '>'])) {
            before = before[..before.len() - word.len()].trim_end();
        }
        before.ends_with('-').then(|| before.len() - 1)
    }

    /// Whether a string is a block of text below its `|` or `>`.
    pub(super) fn is_block_text(&self, node: &Node) -> bool {
        let before = self.text[..node.span.start].trim_end();
        last_word(before).is_some_and(|word| word.starts_with(['|', '>']))
    }

    /// How many characters are before an offset on its line.
    pub(super) fn column(&self, at: usize) -> usize {
        let line = self.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        self.text[line..at].chars().count()
    }

    /// The end of the line of an offset, before its line break.
    pub(super) fn line_end(&self, at: usize) -> usize {
        let rest = &self.text[at..];
        let end = rest.find('\n').unwrap_or(rest.len());
        at + rest[..end].trim_end_matches('\r').len()
    }

    /// The end of a line of which only a comment is left after this offset; the offset itself where anything else
    /// follows, as inside brackets.
    pub(super) fn tail(&self, at: usize) -> usize {
        let end = self.line_end(at);
        let rest = self.text[at..end].trim_start();
        if rest.is_empty() || rest.starts_with('#') { end } else { at }
    }

    /// A string on one line, in the quotes of the text that it replaces.
    pub(super) fn like(&self, replaced: &Range<usize>, text: &str) -> String {
        match self.text[replaced.clone()].chars().next() {
            Some('"') => Value::from(text).to_string(),
            Some('\'') if !text.contains(['\'', '\n']) => format!("'{text}'"),
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

    /// An item with its dash, indented by this many spaces. `is_flow`: it is written in brackets, as the item
    /// before it.
    pub(super) fn item(&self, value: &Value, column: usize, is_flow: bool) -> String {
        let text: Cow<'_, str> = if is_flow { self.flow(value).into() } else { to_yaml(value).into() };
        let indent = " ".repeat(column);
        let lines = text.lines().enumerate().map(|(at, line)| {
            let mark = if at == 0 { "- " } else { "  " };
            format!("{indent}{mark}{line}")
        });
        lines.collect::<Vec<_>>().join(self.newline)
    }

    /// A field on lines of its own, indented by this many spaces, with the line break before it.
    pub(super) fn new_field(&self, name: &str, value: &Value, column: usize) -> String {
        let object = Value::Object([(name.to_owned(), value.clone())].into_iter().collect());
        let indent = " ".repeat(column);
        self.indented(&to_yaml(&object), &indent)
    }

    /// Lines with a line break before each.
    fn indented(&self, text: &str, indent: &str) -> String {
        text.lines().flat_map(|line| [self.newline, indent, line]).collect()
    }

    /// Gives a field without a value, or with a written `null`, one. `None` if something follows that `null` on
    /// its line, such as a comment.
    pub(super) fn fill(&self, field: &Field, in_flow: bool, value: &Value) -> Option<super::TextEdit> {
        let after = self.after_colon(field);
        let end = if self.is_unwritten(&field.value) { after } else { self.end(&field.value) };
        if in_flow || self.is_json || !(value.is_array() || value.is_object()) {
            return Some(super::TextEdit { range: after..end, text: format!(" {}", self.flow(value)) });
        }
        let column = self.column(field.span.start) + 2;
        let text = self.indented(&to_yaml(value), &" ".repeat(column));
        let line_end = self.line_end(end);
        let rest = self.text[end..line_end].trim();
        if end == after {
            // A comment on this line stays where it is.
            return Some(super::TextEdit { range: line_end..line_end, text });
        }
        rest.is_empty().then_some(super::TextEdit { range: after..end, text })
    }

    /// Adds text to a list or map in brackets, after its last child, which is given by its start and end. A child on
    /// a line of its own is followed by a new line. `None` for a map without brackets of its own, `[a: b]`, and after
    /// a trailing comma.
    pub(super) fn insert_in_flow(
        &self,
        node: &Node,
        last: Option<(usize, usize)>,
        text: &str,
    ) -> Option<super::TextEdit> {
        if !self.is_flow(node) {
            return None;
        }
        let Some((start, end)) = last else {
            let at = node.span.start + 1;
            return Some(super::TextEdit { range: at..at, text: text.to_owned() });
        };
        if self.text[end..].trim_start().starts_with(',') {
            return None;
        }
        let line = self.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let indent = &self.text[line..start];
        let separator = if line > 0 && indent.trim().is_empty() {
            format!(",{}{indent}", self.newline)
        } else {
            ", ".to_owned()
        };
        Some(super::TextEdit { range: end..end, text: format!("{separator}{text}") })
    }
}

fn last_word(text: &str) -> Option<&str> {
    text.rsplit([' ', '\n', '\t']).next()
}
