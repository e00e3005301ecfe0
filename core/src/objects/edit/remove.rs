//! Removals of fields and items. What stands outside of them stays, comments too.

use std::ops::Range;

use super::{At, TextEdit, layout::Layout};
use crate::objects::tree::{Data, Node, Repeat};

/// The edits that remove children of one list or map, given by their ascending indexes. `None` if they cannot be
/// removed without something else, such as a comment between two of them on a line.
pub(super) fn remove(layout: &Layout<'_>, parent: &At<'_>, indexes: &[usize]) -> Option<Vec<TextEdit>> {
    let children = Children::of(layout, parent)?;
    if indexes.iter().any(|index| child(parent.spot.node, *index).is_none_or(holds_original)) {
        return None;
    }
    if indexes.len() == children.count {
        return children.remove_all().map(|edit| vec![edit]);
    }
    let mut edits = Vec::new();
    let mut rest = indexes;
    while let Some(first) = rest.first() {
        // How many neighbours in a row go from here on: they are one range, except around a comment.
        let neighbours = rest
            .windows(2)
            .take_while(|pair| pair[0] + 1 == pair[1] && children.has_comment_behind(pair[0]) == Some(false));
        let run = 1 + neighbours.count();
        let range =
            if parent.in_flow { children.in_flow(*first, run)? } else { children.lines(*first, run)? };
        edits.push(TextEdit { range, text: String::new() });
        rest = &rest[run..];
    }
    Some(edits)
}

fn child(parent: &Node, index: usize) -> Option<&Node> {
    match &parent.data {
        Data::Map(fields) => fields.get(index).map(|field| &field.value),
        Data::List(items) => items.get(index),
        Data::Scalar(_) => None,
    }
}

/// Whether an alias elsewhere refers to a value or to something inside of it.
pub(super) fn holds_original(node: &Node) -> bool {
    match (node.repeat, &node.data) {
        (Repeat::Original, _) => true,
        (Repeat::Alias(_), _) | (Repeat::None, Data::Scalar(_)) => false,
        (Repeat::None, Data::List(items)) => items.iter().any(holds_original),
        (Repeat::None, Data::Map(fields)) => {
            fields.iter().any(|field| !field.is_merged && holds_original(&field.value))
        }
    }
}

/// The fields of a map or the items of a list. Only those that are asked for are looked at: a list may be long, and
/// each of its items may have a fix.
struct Children<'a, 't, 'n> {
    layout: &'a Layout<'t>,
    parent: &'a At<'n>,
    count: usize,
}

impl<'a, 't, 'n> Children<'a, 't, 'n> {
    fn of(layout: &'a Layout<'t>, parent: &'a At<'n>) -> Option<Self> {
        let spot = parent.spot;
        if matches!(spot.node.repeat, Repeat::Alias(_)) {
            return None;
        }
        let count = match &spot.node.data {
            Data::Map(fields) if !spot.node.has_merge_key => fields.len(),
            Data::List(items) => items.len(),
            Data::Map(_) | Data::Scalar(_) => return None,
        };
        Some(Self { layout, parent, count })
    }

    /// The range of a child, from its name or dash on. `None` for an unusual layout.
    fn range(&self, index: usize) -> Option<Range<usize>> {
        let (layout, spot) = (self.layout, self.parent.spot);
        let child = layout.child(spot, index)?;
        let start = match &spot.node.data {
            // A name with an anchor may be repeated elsewhere.
            Data::Map(fields) => {
                let start = fields.get(index)?.span.start;
                (!layout.0[start..].starts_with(['&', '*'])).then_some(start)?
            }
            _ if self.parent.in_flow => layout.marks(child).start,
            _ => layout.separator(spot, index)?,
        };
        Some(start..layout.end(child)?)
    }

    /// Whether there is a comment on the lines between a child and the next one.
    fn has_comment_behind(&self, index: usize) -> Option<bool> {
        let end = self.range(index)?.end;
        if index + 1 == self.count {
            return Some(false);
        }
        let next = self.range(index + 1)?.start;
        Some(self.layout.may_have_comment(self.layout.tail(end).unwrap_or(end)..next))
    }

    /// The range of neighbours in brackets: up to the start of the next child where there is one, else from the end of
    /// the child before. `None` if a comment is in between.
    fn in_flow(&self, first: usize, count: usize) -> Option<Range<usize>> {
        let (start, end) = (self.range(first)?.start, self.range(first + count - 1)?.end);
        let (range, between) = if first + count < self.count {
            let next = self.range(first + count)?.start;
            (start..next, end..next)
        } else {
            let before = self.range(first.checked_sub(1)?)?.end;
            (before..end, before..start)
        };
        (!self.layout.may_have_comment(between)).then_some(range)
    }

    /// The range of neighbours on lines of their own.
    fn lines(&self, first: usize, count: usize) -> Option<Range<usize>> {
        let layout = self.layout;
        let start = self.range(first)?.start;
        let tail = layout.tail(self.range(first + count - 1)?.end)?;
        let next = if first + count < self.count { Some(self.range(first + count)?) } else { None };
        if !layout.is_first_in_line(start) {
            // The next child takes the place behind the dash.
            let next = next.filter(|_| first == 0 && layout.is_first_behind_dashes(start))?.start;
            return (!layout.may_have_comment(tail..next)).then_some(start..next);
        }
        let line = layout.line_start(start);
        let after = layout.0[tail..].find('\n').map_or(tail, |newline| tail + newline + 1);
        let Some(before) = first.checked_sub(1) else { return Some(line..after) };
        if layout.ends_with_block_text(layout.child(self.parent.spot, before)?) {
            // Empty lines and comments that follow could become part of the text before, and so could a line break that
            // another edit adds where the file ends without one.
            let is_apart = |text: &str| !text.trim().is_empty() && !text.trim_start().starts_with('#');
            let is_end_of_file = tail == layout.0.len();
            (!is_end_of_file && layout.0[after..].lines().next().is_none_or(is_apart)).then_some(())?;
        }
        // What another edit adds below the last child begins at `tail`. The range must not go beyond that, so it takes
        // the line break before the child, not the one behind it.
        Some(if next.is_some() { line..after } else { self.line_break(line)..tail })
    }

    /// The offset of the line break before a line.
    fn line_break(&self, line: usize) -> usize {
        let before = &self.layout.0[..line];
        let before = before.strip_suffix('\n').unwrap_or(before);
        before.strip_suffix('\r').unwrap_or(before).len()
    }

    /// The edit that leaves an empty list, `[]`. `None` for a map: no fix removes all fields of one. `None` also if there
    /// is a comment between two items, or a comment, an anchor or a tag before the first.
    fn remove_all(&self) -> Option<TextEdit> {
        let (layout, spot) = (self.layout, self.parent.spot);
        let Data::List(_) = &spot.node.data else { return None };
        let (first, last) = (self.range(0)?, self.range(self.count.checked_sub(1)?)?);
        if self.parent.in_flow {
            let range = layout.marks(spot).content + 1..layout.end(spot)? - 1;
            return (!layout.may_have_comment(range.clone()))
                .then_some(TextEdit { range, text: String::new() });
        }
        let has_comment = (0..self.count).any(|index| self.has_comment_behind(index) != Some(false));
        let is_alone = layout.0[spot.from..first.start].trim().is_empty();
        let range = spot.from..last.end;
        (is_alone && !has_comment).then_some(TextEdit { range, text: " []".to_owned() })
    }
}
