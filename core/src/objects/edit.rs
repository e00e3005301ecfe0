//! Changes of objects as edits of the text they were read from, in the style of that text.

mod layout;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use serde_json::{Map, Value};

use self::layout::Layout;
use super::{
    change::Change,
    manifest::Located,
    tree::{Data, Field, Node, steps},
};

/// Replaces a byte range of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEdit {
    /// The range; empty for an insertion.
    pub range: Range<usize>,
    /// What takes its place.
    pub text: String,
}

impl Located {
    /// The edits of its file that make these changes. `None` where they cannot be made by editing: in a value that an
    /// alias or a merge key brings in, inside of a string, or in an unusual layout.
    pub fn edits<'c>(&self, changes: impl IntoIterator<Item = &'c Change>) -> Option<Vec<TextEdit>> {
        let root = self.editable_root()?;
        let layout = Layout::new(&self.source.text, root);
        // The removals by the path of their parent: those of one list or map depend on each other.
        let (mut edits, mut removals) = (Vec::new(), BTreeMap::<String, BTreeSet<usize>>::new());
        for change in changes {
            if self.written_path(change.path()) != change.path() {
                return None;
            }
            match change {
                Change::Remove { path } => {
                    let (parent, index) = child_at(&layout, root, path)?;
                    removals.entry(parent).or_default().insert(index);
                }
                _ => edits.push(edit(&layout, root, change)?),
            }
        }
        for (path, indexes) in removals {
            let steps: Vec<_> = steps(&path).collect();
            let (parent, _) = descend(&layout, root, &steps)?;
            edits.extend(remove(&layout, &parent, &Vec::from_iter(indexes))?);
        }
        join(edits)
    }
}

/// The path of the parent of a field or item, each step in brackets, since a name may contain dots; and the index of
/// the field or item in it.
fn child_at(layout: &Layout<'_>, root: &Node, path: &str) -> Option<(String, usize)> {
    let steps: Vec<_> = steps(path).collect();
    let (at, missing) = descend(layout, root, &steps)?;
    let (Place::Field { index, .. } | Place::Item { index }) = at.place else { return None };
    let above = steps.split_last()?.1;
    missing.is_empty().then(|| (above.iter().flat_map(|step| ["[", step, "]"]).collect(), index))
}

/// Sorts edits. `None` if two of them overlap. Insertions at one place become one, in the order of the changes, since
/// the sort is stable. A replacement or removal that is there twice is made once.
fn join(mut edits: Vec<TextEdit>) -> Option<Vec<TextEdit>> {
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let mut joined: Vec<TextEdit> = Vec::with_capacity(edits.len());
    for edit in edits {
        match joined.last_mut() {
            Some(last) if *last == edit && !edit.range.is_empty() => {}
            Some(last) if last.range == edit.range && edit.range.is_empty() => last.text.push_str(&edit.text),
            Some(last) if last.range.end > edit.range.start => return None,
            _ => joined.push(edit),
        }
    }
    Some(joined)
}

/// Applies edits that are sorted and do not overlap.
pub fn apply_edits(text: &str, edits: &[TextEdit]) -> String {
    let mut edited = String::with_capacity(text.len());
    let mut from = 0;
    for TextEdit { range, text: new } in edits {
        edited.push_str(&text[from..range.start]);
        edited.push_str(new);
        from = range.end;
    }
    edited.push_str(&text[from..]);
    edited
}

/// A node, and where it is.
struct At<'n> {
    node: &'n Node,
    /// Whether it is written in brackets, its own or those of a list or map around it.
    in_flow: bool,
    place: Place<'n>,
}

enum Place<'n> {
    Root,
    Field { map: &'n [Field], index: usize },
    Item { index: usize },
}

/// The edit of a single change other than a removal, for which [`remove`] makes the edits.
fn edit(layout: &Layout<'_>, root: &Node, change: &Change) -> Option<TextEdit> {
    let steps: Vec<_> = steps(change.path()).collect();
    let (at, missing) = descend(layout, root, &steps)?;
    match change {
        Change::Set { value, .. } => match missing.split_first() {
            None => replace(layout, &at, value),
            Some((name, below)) => add_field(layout, &at, name, nested(below, value.clone())),
        },
        Change::Append { items, .. } => match missing.split_first() {
            None => append(layout, &at, items),
            Some((name, below)) => add_field(layout, &at, name, nested(below, Value::Array(items.clone()))),
        },
        Change::Rename { name, .. } => match (&at.place, missing) {
            (Place::Field { map, index }, []) if map.iter().all(|field| field.name != *name) => {
                let range = map[*index].span.clone();
                let text = layout.like(&range, name);
                Some(TextEdit { range, text })
            }
            _ => None,
        },
        Change::Remove { .. } => None,
    }
}

/// The node at a path, or its nearest existing parent and the steps that are missing. `None` if it is not written
/// there, but comes from an alias or a merge key, or if the path leads through an item that a list does not have.
fn descend<'n, 's>(
    layout: &Layout<'_>,
    root: &'n Node,
    steps: &'s [&'s str],
) -> Option<(At<'n>, &'s [&'s str])> {
    let mut at = At { node: root, in_flow: layout.is_flow(root), place: Place::Root };
    for (depth, step) in steps.iter().enumerate() {
        if layout.is_alias(at.node) {
            return None;
        }
        let found = match &at.node.data {
            Data::Map(fields) => {
                let index = fields.iter().position(|field| field.name == *step);
                index.map(|index| (&fields[index].value, Place::Field { map: fields, index }))
            }
            Data::List(items) => {
                let index = step.parse().ok()?;
                Some((items.get(index)?, Place::Item { index }))
            }
            Data::Scalar(_) => None,
        };
        let Some((node, place)) = found else { return Some((at, &steps[depth..])) };
        if !layout.contains(at.node, node) {
            return None;
        }
        at = At { in_flow: at.in_flow || layout.is_flow(node), node, place };
    }
    Some((at, &[]))
}

/// A value inside maps of one field.
fn nested(steps: &[&str], value: Value) -> Value {
    steps.iter().rev().fold(value, |value, step| Value::Object(Map::from_iter([((*step).to_owned(), value)])))
}

/// Puts a value in the place of another one: any value inside brackets, else a string in the place of a single
/// value, or a list in the place of a list. `None` for anything else, whose layout would have to be made up.
fn replace(layout: &Layout<'_>, at: &At<'_>, value: &Value) -> Option<TextEdit> {
    let node = at.node;
    if layout.is_alias(node) || layout.is_block_text(node) {
        return None;
    }
    if let (Data::Scalar(Value::Null), Place::Field { map, index }) = (&node.data, &at.place) {
        return layout.fill(&map[*index], at.in_flow, value);
    }
    let range = node.span.start..layout.end(node);
    if at.in_flow || layout.is_flow(node) || value.is_string() && matches!(node.data, Data::Scalar(_)) {
        let text = match value {
            Value::String(text) => layout.like(&range, text),
            _ => layout.flow(value),
        };
        return Some(TextEdit { range, text });
    }
    match (&node.data, value) {
        (Data::List(items), Value::Array(values)) if !values.is_empty() => {
            let dash = layout.dash(items.first()?)?;
            // The range begins at the first dash, so the text of the first item needs no indentation.
            let lines = values.iter().map(|value| layout.item(value, layout.column(dash), false));
            let text = lines.collect::<Vec<_>>().join(layout.newline);
            Some(TextEdit { range: dash..layout.end(node), text: text.trim_start().to_owned() })
        }
        _ => None,
    }
}

/// Adds a field to the end of a map, or to a field without a value. `None` for a map with a merge key: its last
/// field is not written in it.
fn add_field(layout: &Layout<'_>, at: &At<'_>, name: &str, value: Value) -> Option<TextEdit> {
    if has_merged_fields(layout, at.node) {
        return None;
    }
    match &at.node.data {
        Data::Map(fields) if at.in_flow => {
            let text = format!("{}: {}", layout.string(name), layout.flow(&value));
            let last = fields.last().map(|field| (field.span.start, layout.end_of_field(field)));
            layout.insert_in_flow(at.node, last, &text)
        }
        Data::Map(fields) => {
            let (first, last) = (fields.first()?, fields.last()?);
            let column = layout.column(first.span.start);
            let end = layout.line_end(layout.end_of_field(last));
            Some(TextEdit { range: end..end, text: layout.new_field(name, &value, column) })
        }
        Data::Scalar(Value::Null) => match &at.place {
            Place::Field { map, index } => layout.fill(&map[*index], at.in_flow, &nested(&[name], value)),
            Place::Root | Place::Item { .. } => None,
        },
        Data::Scalar(_) | Data::List(_) => None,
    }
}

/// Whether a merge key brings fields into a map.
fn has_merged_fields(layout: &Layout<'_>, node: &Node) -> bool {
    let Data::Map(fields) = &node.data else { return false };
    fields.iter().any(|field| !layout.contains(node, &field.value))
}

/// Adds items to the end of a list, or makes them the value of a field without one.
fn append(layout: &Layout<'_>, at: &At<'_>, values: &[Value]) -> Option<TextEdit> {
    let items = match &at.node.data {
        Data::List(items) if !layout.is_alias(at.node) => items,
        Data::Scalar(Value::Null) => return replace(layout, at, &Value::Array(values.to_vec())),
        _ => return None,
    };
    if at.in_flow {
        let texts: Vec<_> = values.iter().map(|value| layout.flow(value)).collect();
        let last = items.last().map(|item| (item.span.start, layout.end(item)));
        return layout.insert_in_flow(at.node, last, &texts.join(", "));
    }
    let last = items.last()?;
    let column = layout.column(layout.dash(last)?);
    let texts = values.iter().map(|value| layout.item(value, column, layout.is_flow(last)));
    let text: String = texts.flat_map(|text| [layout.newline.to_owned(), text]).collect();
    let end = layout.line_end(layout.end(last));
    Some(TextEdit { range: end..end, text })
}

/// Removes children of one list or map, given by their ascending indexes.
fn remove(layout: &Layout<'_>, parent: &At<'_>, indexes: &[usize]) -> Option<Vec<TextEdit>> {
    let children = Children::of(layout, parent)?;
    if indexes.len() == children.0.len() {
        return children.remove_all(layout, parent).map(|edit| vec![edit]);
    }
    let mut edits = Vec::new();
    let mut rest = indexes;
    while let Some(first) = rest.first() {
        // How many neighbours in a row go from here on: they are one range.
        let run = rest.iter().zip(*first..).take_while(|(index, expected)| **index == *expected).count();
        // Up to the start of the next child where there is one, else from the end of the child before.
        let range = match (first.checked_sub(1), children.0.get(first + run)) {
            (_, Some(next)) => children.0[*first].start..next.start,
            (Some(before), None) => {
                layout.tail(children.0[before].end)..layout.tail(children.0[first + run - 1].end)
            }
            // All children: see above.
            (None, None) => return None,
        };
        edits.push(TextEdit { range, text: String::new() });
        rest = &rest[run..];
    }
    Some(edits)
}

/// The ranges of the fields of a map or the items of a list, from the name or the dash on.
struct Children(Vec<Range<usize>>);

impl Children {
    fn of(layout: &Layout<'_>, parent: &At<'_>) -> Option<Self> {
        if layout.is_alias(parent.node) || has_merged_fields(layout, parent.node) {
            return None;
        }
        let ranges = match &parent.node.data {
            Data::Map(fields) => {
                fields.iter().map(|field| Some(field.span.start..layout.end_of_field(field))).collect()
            }
            Data::List(items) if parent.in_flow => {
                items.iter().map(|item| Some(item.span.start..layout.end(item))).collect()
            }
            Data::List(items) => {
                items.iter().map(|item| Some(layout.dash(item)?..layout.end(item))).collect()
            }
            Data::Scalar(_) => None,
        };
        ranges.map(Self)
    }

    /// The edit that leaves an empty list. `None` for a map: in block style, one without fields would read as `null`.
    fn remove_all(&self, layout: &Layout<'_>, parent: &At<'_>) -> Option<TextEdit> {
        let (Data::List(_), Some(first), Some(last)) = (&parent.node.data, self.0.first(), self.0.last())
        else {
            return None;
        };
        if parent.in_flow {
            return Some(TextEdit { range: first.start..last.end, text: String::new() });
        }
        let range = layout.after_name(first.start)?..last.end;
        Some(TextEdit { range, text: " []".to_owned() })
    }
}
