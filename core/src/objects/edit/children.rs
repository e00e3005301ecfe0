//! Removing fields of a map or items of a list.

use std::ops::Range;

use super::{At, TextEdit, has_merged_fields, layout::Layout};
use crate::objects::tree::Data;

/// Removes children of one list or map, given by their ascending indexes.
pub(super) fn remove(layout: &Layout<'_>, parent: &At<'_>, indexes: &[usize]) -> Option<Vec<TextEdit>> {
    let children = Children::of(layout, parent)?;
    if indexes.len() == children.count() {
        return children.remove_all().map(|edit| vec![edit]);
    }
    let mut edits = Vec::new();
    let mut rest = indexes;
    while let Some(first) = rest.first() {
        let run = rest.iter().zip(*first..).take_while(|(index, expected)| **index == *expected).count();
        // Up to the start of the next child where there is one, else from the end of the child before.
        let range = if first + run < children.count() {
            children.range(*first)?.start..children.range(first + run)?.start
        } else {
            let [before, last] = [first.checked_sub(1)?, first + run - 1];
            layout.tail(children.range(before)?.end)..layout.tail(children.range(last)?.end)
        };
        edits.push(TextEdit { range, text: String::new() });
        rest = &rest[run..];
    }
    Some(edits)
}

/// The fields of a map or the items of a list. Only those that are asked for are looked at: a list may be long, and
/// each of its items may have a fix.
struct Children<'l, 'n, 't> {
    layout: &'l Layout<'t>,
    parent: &'l At<'n>,
}

impl<'l, 'n, 't> Children<'l, 'n, 't> {
    /// `None` for what an alias or a merge key brings in.
    fn of(layout: &'l Layout<'t>, parent: &'l At<'n>) -> Option<Self> {
        let is_elsewhere = layout.is_alias(parent.node) || has_merged_fields(layout, parent.node);
        (!is_elsewhere).then_some(Self { layout, parent })
    }

    fn count(&self) -> usize {
        match &self.parent.node.data {
            Data::Map(fields) => fields.len(),
            Data::List(items) => items.len(),
            Data::Scalar(_) => 0,
        }
    }

    /// The range of a child, from its name or its dash on.
    fn range(&self, index: usize) -> Option<Range<usize>> {
        match &self.parent.node.data {
            Data::Map(fields) => {
                let field = fields.get(index)?;
                Some(field.span.start..self.layout.end_of_field(field))
            }
            Data::List(items) => {
                let item = items.get(index)?;
                let start = if self.parent.in_flow { item.span.start } else { self.layout.dash(item)? };
                Some(start..self.layout.end(item))
            }
            Data::Scalar(_) => None,
        }
    }

    /// Leaves an empty list. A map keeps at least one field.
    fn remove_all(&self) -> Option<TextEdit> {
        let Data::List(items) = &self.parent.node.data else { return None };
        let (first, last) = (self.range(0)?, self.range(items.len().checked_sub(1)?)?);
        if self.parent.in_flow {
            return Some(TextEdit { range: first.start..last.end, text: String::new() });
        }
        let range = self.layout.after_name(first.start)?..last.end;
        Some(TextEdit { range, text: " []".to_owned() })
    }
}
