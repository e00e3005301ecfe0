//! Changes of an object as data: what a fix does to it.

use serde_json::{Map, Value};

use super::tree::steps;

/// A change of one object. A path is that of a finding, `spec.imageDigestMirrors[0].source`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Gives a field a value. The field and the fields above it may be missing.
    Set {
        /// The field, or an item of a list.
        path: String,
        /// Its value.
        value: Value,
    },
    /// Adds items to the end of a list, which may be missing or `null`.
    Append {
        /// The list.
        path: String,
        /// The items.
        items: Vec<Value>,
    },
    /// Gives a field another name.
    Rename {
        /// The field.
        path: String,
        /// The name.
        name: String,
    },
    /// Removes a field, or an item of a list.
    Remove {
        /// The field or item.
        path: String,
    },
}

impl Change {
    /// The field that it changes.
    pub fn path(&self) -> &str {
        match self {
            Self::Set { path, .. }
            | Self::Append { path, .. }
            | Self::Rename { path, .. }
            | Self::Remove { path } => path,
        }
    }

    /// Applies it to an object. `None` if the object has no such field, or a value of another type in its place, or if
    /// the new name of a field is taken. The object may then have been changed in part.
    fn apply(&self, object: &mut Value) -> Option<()> {
        let steps: Vec<_> = steps(self.path()).collect();
        let (last, above) = steps.split_last()?;
        match self {
            Self::Set { value, .. } => match parent_or_new(object, above)? {
                Value::Array(items) => *items.get_mut(last.parse::<usize>().ok()?)? = value.clone(),
                Value::Object(fields) => {
                    fields.insert((*last).to_owned(), value.clone());
                }
                _ => return None,
            },
            Self::Append { items, .. } => {
                let fields = parent_or_new(object, above)?.as_object_mut()?;
                let entries = fields.entry(*last).or_insert(Value::Null);
                if entries.is_null() {
                    *entries = Value::Array(Vec::new());
                }
                entries.as_array_mut()?.extend(items.iter().cloned());
            }
            Self::Rename { name, .. } => {
                let fields = parent(object, above)?.as_object_mut()?;
                if fields.contains_key(name) {
                    return None;
                }
                let value = fields.remove(*last)?;
                fields.insert(name.clone(), value);
            }
            Self::Remove { .. } => match parent(object, above)? {
                Value::Array(items) => {
                    let index = last.parse::<usize>().ok().filter(|index| *index < items.len())?;
                    items.remove(index);
                }
                Value::Object(fields) => {
                    fields.remove(*last)?;
                }
                _ => return None,
            },
        }
        Some(())
    }
}

/// The object after these changes; `None` if one of them cannot be made. All paths are those of the object before.
/// So items are removed and fields renamed after fields are set and lists appended to, from the end of each list, and
/// after everything below them has changed.
pub fn apply_all<'c>(object: &Value, changes: impl IntoIterator<Item = &'c Change>) -> Option<Value> {
    let (mut moving, others): (Vec<_>, Vec<_>) = changes
        .into_iter()
        .partition(|change| matches!(change, Change::Remove { .. } | Change::Rename { .. }));
    moving.sort_by_key(|change| std::cmp::Reverse(sort_key(change.path())));
    // Removing an item twice would remove the one after it, too.
    moving.dedup();
    let mut object = object.clone();
    for change in others.into_iter().chain(moving) {
        change.apply(&mut object)?;
    }
    Some(object)
}

/// The sort key of a path: its steps, each with its index (0 for a field), so that item 9 comes before item 10. A path
/// comes before those below it.
fn sort_key(path: &str) -> Vec<(usize, &str)> {
    steps(path).map(|step| (step.parse().unwrap_or(0), step)).collect()
}

/// The list or map at the end of these steps, which lead to the parent of what is changed.
fn parent<'v>(object: &'v mut Value, steps: &[&str]) -> Option<&'v mut Value> {
    steps.iter().try_fold(object, |at, step| match at {
        Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?),
        Value::Object(fields) => fields.get_mut(*step),
        _ => None,
    })
}

/// The same, after adding each map of the path that is missing or `null`.
fn parent_or_new<'v>(object: &'v mut Value, steps: &[&str]) -> Option<&'v mut Value> {
    steps.iter().try_fold(object, |at, step| match at {
        Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?),
        Value::Object(fields) => {
            let field = fields.entry(*step).or_insert(Value::Null);
            if field.is_null() {
                *field = Value::Object(Map::new());
            }
            Some(field)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_are_applied_to_the_object_as_it_was() {
        let object = json!({"metadata": {"name": "a"}, "spec": {"list": [{"x": 1}, {"x": 2}, {"x": 3}], "none": null}});
        let remove = |path: &str| Change::Remove { path: path.to_owned() };
        let set = |path: &str, value: Value| Change::Set { path: path.to_owned(), value };
        let rename = |path: &str, name: &str| Change::Rename { path: path.to_owned(), name: name.to_owned() };
        // The changes, and what `spec.list` then is; `None` if they cannot be made.
        let table = [
            (vec![remove("spec.list[0]"), remove("spec.list[2]")], Some(json!([{"x": 2}])), "two items"),
            (
                vec![remove("spec.list[1]"), set("spec.list[2].x", json!(4))],
                Some(json!([{"x": 1}, {"x": 4}])),
                "by old indexes",
            ),
            (
                vec![remove("spec.list[1]"), remove("spec.list[1]")],
                Some(json!([{"x": 1}, {"x": 3}])),
                "the same twice",
            ),
            (
                vec![remove("spec.list[0]"), rename("spec.list[1].x", "y")],
                Some(json!([{"y": 2}, {"x": 3}])),
                "a field behind the item is renamed",
            ),
            (vec![remove("spec.list[3]")], None, "no such item"),
            (vec![set("spec.list[0].x.y", json!(1))], None, "a number has no fields"),
        ];
        for (changes, expected, reason) in table {
            let after = apply_all(&object, &changes).map(|after| after["spec"]["list"].clone());
            assert_eq!(after, expected, "{reason}");
        }
    }

    #[test]
    fn missing_maps_and_lists_are_added() {
        let changes = [
            Change::Set { path: "metadata.annotations[a.b/c]".to_owned(), value: json!("v") },
            Change::Append { path: "spec.none".to_owned(), items: vec![json!(1)] },
            Change::Rename { path: "spec.lst".to_owned(), name: "list".to_owned() },
        ];
        let after = apply_all(&json!({"spec": {"none": null, "lst": []}}), &changes);
        assert_eq!(
            after,
            Some(json!({"metadata": {"annotations": {"a.b/c": "v"}}, "spec": {"none": [1], "list": []}}))
        );
    }
}
