//! Where a value is in its file: what stands before it, and where it ends.

use std::ops::Range;

use serde_json::Value;

use super::scan::word;
use crate::objects::tree::{Data, Field, Node, Repeat};

/// A value and the place where it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot<'n> {
    pub(super) node: &'n Node,
    /// The offset behind the colon, dash, bracket or comma before it.
    pub(super) from: usize,
}

/// What stands before a value, and what it begins with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks {
    /// The first anchor or tag; without one, the same as `content`.
    pub(super) start: usize,
    /// The offset behind the last anchor or tag; without one, behind the colon, dash, bracket or comma.
    pub(super) after: usize,
    /// The first character of the value; of a block of text, its `|` or `>`.
    pub(super) content: usize,
    pub(super) has_tag: bool,
    pub(super) style: Style,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// A value that is not written at all: `null`, or an empty string behind its tag.
    Nothing,
    Alias,
    /// A single value on lines of its own below `|` or `>`.
    BlockText,
    /// A single value in quotes.
    Quoted,
    Plain,
    /// A list or map in brackets.
    Brackets,
    /// A list with dashes, or a map without brackets.
    Block,
}

/// A text with the places of its values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places<'t>(pub(super) &'t str);

impl Places<'_> {
    /// What stands before a value. Between it and what comes before, there are only blanks, comments, an anchor and a
    /// tag, so these are read from there on. The other way round, a comment could not be told from a text.
    pub(super) fn marks(self, spot: Spot<'_>) -> Marks {
        let (mut start, mut after, mut has_tag) = (None, spot.from, false);
        let content = loop {
            let at = self.skip_blanks(after);
            let rest = &self.0[at..];
            if !rest.starts_with(['&', '!']) {
                break at;
            }
            has_tag |= rest.starts_with('!');
            start.get_or_insert(at);
            after = at + word(rest).len();
        };
        let style = self.style(spot.node, content);
        let content = if style == Style::Nothing { after } else { content };
        Marks { start: start.unwrap_or(content), after, content, has_tag, style }
    }

    fn style(self, node: &Node, content: usize) -> Style {
        let rest = &self.0[content..];
        match &node.data {
            _ if matches!(node.repeat, Repeat::Alias(_)) => Style::Alias,
            Data::Scalar(Value::String(_)) if rest.starts_with(['|', '>']) => Style::BlockText,
            Data::Scalar(_) if content >= node.span.end || rest.starts_with([',', ']', '}']) => {
                Style::Nothing
            }
            Data::Scalar(_) if rest.starts_with(['"', '\'']) => Style::Quoted,
            Data::Scalar(_) => Style::Plain,
            Data::List(_) if rest.starts_with('[') => Style::Brackets,
            // Otherwise the brackets are those of the first name.
            Data::Map(fields)
                if rest.starts_with('{')
                    && fields.first().is_none_or(|field| field.span.start != content) =>
            {
                Style::Brackets
            }
            Data::List(_) | Data::Map(_) => Style::Block,
        }
    }

    /// Whether a list or map is in brackets.
    pub(super) fn is_flow(self, spot: Spot<'_>) -> bool {
        self.marks(spot).style == Style::Brackets
    }

    /// A child of a list or map.
    pub(super) fn child(self, parent: Spot<'_>, index: usize) -> Option<Spot<'_>> {
        match &parent.node.data {
            Data::Map(fields) => fields.get(index).map(|field| self.value(field)),
            Data::List(items) => {
                let from = self.separator(parent, index)? + 1;
                Some(Spot { node: items.get(index)?, from })
            }
            Data::Scalar(_) => None,
        }
    }

    /// The value of a field.
    pub(super) fn value(self, field: &Field) -> Spot<'_> {
        let name_end = self.name_end(field);
        Spot { node: &field.value, from: self.colon(field).map_or(name_end, |colon| colon + 1) }
    }

    /// The offset of the colon behind the name of a field; `None` if there is none, as in `{a, b}`.
    pub(super) fn colon(self, field: &Field) -> Option<usize> {
        let at = self.skip_blanks(self.name_end(field));
        self.0[at..].starts_with(':').then_some(at)
    }

    /// The offset behind the name of a field.
    pub(super) fn name_end(self, field: &Field) -> usize {
        let Range { start, end } = field.span;
        if self.0[start..].starts_with(['"', '\'']) {
            self.quotes_end(start)
        } else {
            self.plain_end(start..end)
        }
    }

    /// The offset of the dash, bracket or comma before an item of a list.
    pub(super) fn separator(self, list: Spot<'_>, index: usize) -> Option<usize> {
        let Data::List(items) = &list.node.data else { return None };
        let marks = self.marks(list);
        let is_flow = marks.style == Style::Brackets;
        let Some(before) = index.checked_sub(1).and_then(|before| items.get(before)) else {
            return self.0[marks.content..].starts_with(['-', '[']).then_some(marks.content);
        };
        // Its range begins with its anchor and tag, so that it can be read from there on.
        let is_closed = self.is_flow(Spot { node: before, from: before.span.start });
        let end = if is_closed { self.brackets_end(before)? } else { before.span.end };
        let at = self.skip_blanks(end);
        self.0[at..].starts_with(if is_flow { ',' } else { '-' }).then_some(at)
    }

    /// The offset behind the last character of a value, without what follows on its line. `None` for an unusual layout.
    pub(super) fn end(self, spot: Spot<'_>) -> Option<usize> {
        let (node, marks) = (spot.node, self.marks(spot));
        Some(match marks.style {
            Style::Nothing => marks.after,
            Style::Alias => marks.content + word(&self.0[marks.content..]).len(),
            Style::BlockText => self.block_text_end(node, marks.content),
            Style::Quoted => self.quotes_end(marks.content),
            Style::Plain => self.plain_end(marks.content..node.span.end),
            Style::Brackets => self.brackets_end(node)?,
            Style::Block => match &node.data {
                Data::List(items) => self.end(self.child(spot, items.len().checked_sub(1)?)?)?,
                Data::Map(fields) => self.fields_end(node, fields)?,
                Data::Scalar(_) => return None,
            },
        })
    }

    /// The offset behind the closing bracket. The parser ends a list or map before it, or before a last comma.
    fn brackets_end(self, node: &Node) -> Option<usize> {
        let mut at = self.skip_blanks(node.span.end);
        if self.0[at..].starts_with(',') {
            at = self.skip_blanks(at + 1);
        }
        self.0[at..].starts_with([']', '}']).then_some(at + 1)
    }

    /// The end of a map without brackets.
    fn fields_end(self, node: &Node, fields: &[Field]) -> Option<usize> {
        let last = fields.iter().rfind(|field| !field.is_merged);
        let end = last.map_or(Some(node.span.start), |field| self.end(self.value(field)))?;
        if node.has_merge_key && self.skip_blanks(end) < node.span.end {
            // The merge key follows.
            return Some(self.without_comments(end..node.span.end));
        }
        Some(end)
    }

    /// The end of a range without the blank lines and comments in its last lines.
    fn without_comments(self, Range { start, mut end }: Range<usize>) -> usize {
        loop {
            let text = self.0[start..end].trim_end();
            let line = text.rfind('\n').map_or(0, |newline| newline + 1);
            if !text[line..].trim_start().starts_with('#') || line == 0 {
                return start + text.len();
            }
            end = start + line;
        }
    }

    /// The end of the last line of a block of text. With `+`, the empty lines behind it are part of it.
    fn block_text_end(self, node: &Node, header: usize) -> usize {
        let first = self.line_end(header);
        let keeps = word(&self.0[header..first]).contains('+');
        let text = &self.0[first..node.span.end.max(first)];
        // The blanks before a comment or name on the next line.
        let text = text.trim_end_matches([' ', '\t']);
        if !keeps {
            return self.line_end(first + text.trim_end().len());
        }
        let text = text.strip_suffix('\n').unwrap_or(text);
        first + text.strip_suffix('\r').unwrap_or(text).len()
    }

    /// Whether the last thing in a value is a block of text: an empty line or a comment below may become part of it.
    /// A merge key at the end is not seen.
    pub(super) fn ends_with_block_text(self, spot: Spot<'_>) -> bool {
        let last = match (&spot.node.data, self.marks(spot).style) {
            (_, Style::BlockText) => return true,
            (Data::List(items), Style::Block) => items.len().checked_sub(1),
            (Data::Map(fields), Style::Block) => fields.iter().rposition(|field| !field.is_merged),
            _ => None,
        };
        last.and_then(|last| self.child(spot, last)).is_some_and(|last| self.ends_with_block_text(last))
    }
}
