//! Changes of objects as edits of the text they were read from, in the style of that text.

mod at;
mod layout;
mod new_object;
mod place;
mod remove;
mod scan;
#[cfg(test)]
mod tests;
mod text_edit;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value};

pub use self::text_edit::{TextEdit, apply_edits};
use self::{
    at::{At, Place, descend},
    layout::Layout,
    place::Style,
    remove::{holds_original, remove},
    text_edit::join,
};
use super::{
    change::Change,
    manifest::{Located, Source},
    tree::{Data, Node, Repeat, steps},
};

impl Located {
    /// The edits of its file that make these changes. `None` where they cannot be made by editing: in a value that an
    /// alias or a merge key brings in or repeats, inside of a string, in an unusual layout, or if a comment would be lost.
    pub fn edits<'c>(&self, changes: impl IntoIterator<Item = &'c Change>) -> Option<Vec<TextEdit>> {
        let root = self.editable_root()?;
        let changes: Vec<_> = changes.into_iter().collect();
        if changes.iter().any(|change| self.written_path(change.path()) != change.path()) {
            return None;
        }
        edits(&self.source, root, changes)
    }

    /// Why there are no edits for changes of it, a main clause.
    pub fn why_not_editable(&self) -> &'static str {
        match self.editable_root() {
            None => "a value inside of a text, as in a ConfigMap or in object-templates-raw, is not edited",
            Some(_) => {
                "the edit would lose a comment, reach into an alias or a merge key, or leave the file's layout"
            }
        }
    }
}

/// The edits of a file that make these changes of a document in it.
fn edits<'c>(
    source: &Source,
    root: &Node,
    changes: impl IntoIterator<Item = &'c Change>,
) -> Option<Vec<TextEdit>> {
    let layout = Layout::new(source, root);
    let changes: Vec<_> =
        changes.into_iter().map(|change| (change, steps(change.path()).collect::<Vec<_>>())).collect();
    let mut made: Vec<(usize, TextEdit)> = Vec::new();
    // The removals by the path of their parent: those of one list or map depend on each other.
    let mut removals = BTreeMap::<&[&str], BTreeSet<usize>>::new();
    // The values that are new, or gone: no other change may be about them or anything inside of them.
    let mut closed = HashMap::<&[&str], &Change>::new();
    for (change, steps) in &changes {
        let (at, missing) = descend(&layout, root, steps)?;
        let depth = steps.len() - missing.len();
        if let Some(path) = closed_by(change, &at, steps, depth)
            && let Some(other) = closed.insert(path, change)
        {
            // The same change twice is one, but items that are appended twice are there twice.
            if other != *change || matches!(change, Change::Append { .. }) {
                return None;
            }
            continue;
        }
        match change {
            Change::Remove { .. } => {
                let (Place::Field { index, .. } | Place::Item { index }) = at.place else { return None };
                removals.entry(&steps[..depth.checked_sub(1)?]).or_default().insert(index);
                missing.is_empty().then_some(())?;
            }
            _ => made.push((depth, edit(&layout, &at, missing, change)?)),
        }
    }
    let is_free = |(change, steps): &(&Change, Vec<&str>)| {
        let mut around = (1..=steps.len()).filter_map(|depth| closed.get(&steps[..depth]));
        around.all(|other| other == change || are_name_and_value(change, other))
    };
    if !changes.iter().all(is_free) {
        return None;
    }
    // Of several insertions at the end of a line, the innermost comes first.
    made.sort_by_key(|(depth, _)| std::cmp::Reverse(*depth));
    let mut made: Vec<_> = made.into_iter().map(|(_, edit)| edit).collect();
    for (path, indexes) in removals {
        let (parent, _) = descend(&layout, root, path)?;
        let is_emptied = matches!(&parent.spot.node.data, Data::List(items) if items.len() == indexes.len());
        // Without its items the list becomes `[]`: there is none to append behind.
        let adds = |change: &Change| matches!(change, Change::Append { .. });
        if is_emptied && changes.iter().any(|(change, steps)| adds(change) && steps == path) {
            return None;
        }
        made.extend(remove(&layout, &parent, &Vec::from_iter(indexes))?);
    }
    join(made)
}

/// The path of the value that a change removes, replaces, adds, or gives a first child; `None` if it adds to a list with
/// items or renames a field. The first `depth` steps exist, and lead to `at`.
fn closed_by<'s>(change: &Change, at: &At<'_>, steps: &'s [&'s str], depth: usize) -> Option<&'s [&'s str]> {
    match change {
        Change::Rename { .. } => None,
        _ if is_empty(at.spot.node) => Some(&steps[..depth]),
        Change::Append { .. } if depth == steps.len() => None,
        _ => Some(&steps[..steps.len().min(depth + 1)]),
    }
}

/// Whether one change is about the name of a field, and the other about its value. `other` closes a value, so it is
/// never the rename.
fn are_name_and_value(change: &Change, other: &Change) -> bool {
    matches!((change, other), (Change::Rename { path, .. }, Change::Set { path: of_value, .. }) if path == of_value)
}

fn is_empty(node: &Node) -> bool {
    match &node.data {
        Data::Scalar(value) => value.is_null(),
        Data::List(items) => items.is_empty(),
        Data::Map(fields) => fields.is_empty(),
    }
}

/// The edit of a single change other than a removal, for which [`remove`] makes the edits. `at` is the node at its path,
/// or the nearest existing parent and the steps that are missing.
fn edit(layout: &Layout<'_>, at: &At<'_>, missing: &[&str], change: &Change) -> Option<TextEdit> {
    match change {
        Change::Set { value, .. } => match missing.split_first() {
            None => replace(layout, at, value),
            Some((name, below)) => add_field(layout, at, name, nested(below, value.clone())),
        },
        Change::Append { items, .. } => match missing.split_first() {
            None => append(layout, at, items),
            Some((name, below)) => add_field(layout, at, name, nested(below, Value::Array(items.clone()))),
        },
        Change::Rename { name, .. } if missing.is_empty() => rename(layout, at, name),
        Change::Rename { .. } | Change::Remove { .. } => None,
    }
}

/// A value inside maps of one field.
fn nested(steps: &[&str], value: Value) -> Value {
    steps.iter().rev().fold(value, |value, step| Value::Object(Map::from_iter([((*step).to_owned(), value)])))
}

/// Puts a value in the place of another one: any value inside brackets, else a string or a list in the place of a
/// single value, a string in the place of a list in brackets, or a list in the place of a list. `None` for anything else,
/// whose layout would have to be made up.
fn replace(layout: &Layout<'_>, at: &At<'_>, value: &Value) -> Option<TextEdit> {
    let node = at.spot.node;
    let marks = layout.marks(at.spot);
    if matches!(marks.style, Style::Alias | Style::BlockText) || holds_original(node) {
        return None;
    }
    if node.is_null() {
        return match at.place {
            Place::Root => None,
            Place::Field { .. } | Place::Item { .. } => layout.fill(at.spot, at.field(), at.in_flow, value),
        };
    }
    if let (Data::List(items), Value::Array(values)) = (&node.data, value)
        && let Some((old, new)) = values.split_at_checked(items.len())
        && !old.is_empty()
        && items.iter().map(Node::to_json).eq(old.iter().cloned())
    {
        return append(layout, at, new);
    }
    let range = marks.start..layout.end(at.spot)?;
    let is_single = matches!(node.data, Data::Scalar(_));
    if !is_single && layout.may_have_comment(range.clone()) {
        return None;
    }
    let is_on_line = match value {
        Value::String(_) => is_single || marks.style == Style::Brackets,
        Value::Array(_) => is_single,
        _ => false,
    };
    if at.in_flow || is_on_line {
        let text = match value {
            Value::String(text) => layout.like(marks.content, text),
            _ => layout.flow(value),
        };
        return Some(TextEdit { range, text });
    }
    match (&node.data, value) {
        (Data::List(_), Value::Array(values)) if !values.is_empty() => {
            let dash = layout.separator(at.spot, 0)?;
            // The range begins at the first dash, so the text of the first item needs no indentation.
            let lines = values.iter().map(|value| layout.item(value, layout.column(dash), false));
            let text = lines.collect::<Vec<_>>().join(layout.newline);
            Some(TextEdit { range: dash..range.end, text: text.trim_start().to_owned() })
        }
        _ => None,
    }
}

/// Gives a field another name. `None` if the map has one of that name, and if the old one is known elsewhere by an
/// anchor or would come from a merge key.
fn rename(layout: &Layout<'_>, at: &At<'_>, name: &str) -> Option<TextEdit> {
    let Place::Field { map, field, .. } = at.place else { return None };
    let start = field.span.start;
    let is_known_elsewhere = map.has_merge_key || layout.0[start..].starts_with(['&', '*']);
    if is_known_elsewhere || map.get(name).is_some() {
        return None;
    }
    Some(TextEdit { range: start..layout.name_end(field), text: layout.like(start, name) })
}

/// Adds a field to the end of a map, or to a field without a value. `None` for a map with a merge key: its last
/// field is not written in it.
fn add_field(layout: &Layout<'_>, at: &At<'_>, name: &str, value: Value) -> Option<TextEdit> {
    match &at.spot.node.data {
        Data::Map(_) if at.spot.node.has_merge_key => None,
        Data::Map(fields) if at.in_flow => {
            let text = format!("{}: {}", layout.string(name), layout.flow(&value));
            let last = match fields.last() {
                Some(last) => Some((last.span.start, layout.end(layout.value(last))?)),
                None => None,
            };
            layout.insert_in_flow(at.spot, last, &text)
        }
        Data::Map(fields) => {
            let (first, last) = (fields.first()?, fields.last()?);
            if !layout.is_first_behind_dashes(first.span.start) {
                return None;
            }
            let column = layout.column(first.span.start);
            layout.insert_below(layout.value(last), layout.new_field(name, &value, column))
        }
        Data::Scalar(Value::Null) => {
            let field = at.field()?;
            layout.fill(at.spot, Some(field), at.in_flow, &nested(&[name], value))
        }
        Data::Scalar(_) | Data::List(_) => None,
    }
}

/// Adds items to the end of a list, or makes them the value of a field without one.
fn append(layout: &Layout<'_>, at: &At<'_>, values: &[Value]) -> Option<TextEdit> {
    let items = match &at.spot.node.data {
        Data::List(items) if at.spot.node.repeat == Repeat::None => items,
        Data::Scalar(Value::Null) => return replace(layout, at, &Value::Array(values.to_vec())),
        _ => return None,
    };
    let last = match items.len().checked_sub(1) {
        Some(last) => Some((last, layout.child(at.spot, last)?)),
        None => None,
    };
    if at.in_flow {
        let texts: Vec<_> = values.iter().map(|value| layout.flow(value)).collect();
        let last = match last {
            Some((_, last)) => Some((layout.marks(last).start, layout.end(last)?)),
            None => None,
        };
        return layout.insert_in_flow(at.spot, last, &texts.join(", "));
    }
    let (index, last) = last?;
    let column = layout.column(layout.separator(at.spot, index)?);
    let texts = values.iter().map(|value| layout.item(value, column, layout.is_flow(last)));
    let text: String = texts.flat_map(|text| [layout.newline.to_owned(), text]).collect();
    layout.insert_below(last, text)
}
