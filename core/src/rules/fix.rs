//! How to fix a finding: in words, and as changes that can be applied to objects.

use serde::Serialize;
use serde_json::Value;

use crate::objects::{Change, Entry, MirrorSet, ObjectId, annotation, to_documents, to_flow, to_inline};

/// What the changes of a fix do to pulls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Applicability {
    /// Every pull goes where it went, on nodes and in HyperShift, or gains only what the finding is about.
    Safe,
    /// Nodes or HyperShift pull differently afterwards.
    #[default]
    Unsafe,
}

/// The number of places whose additions are shown as YAML.
const ADDITIONS: usize = 5;

/// A fix. Empty if there is nothing to fix.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fix {
    /// What to do, an imperative in lower case without a full stop.
    pub title: String,
    /// What the changes do to pulls.
    pub applicability: Applicability,
    /// Changes of existing objects. Each path is that in the object as it is before any of the changes.
    pub changes: Vec<(ObjectId, Change)>,
    /// New objects. None of them exists.
    pub objects: Vec<MirrorSet>,
    /// YAML that a person completes, where the fix cannot know a value.
    pub template: Option<String>,
}

impl From<&str> for Fix {
    fn from(title: &str) -> Self {
        Self::from(title.to_owned())
    }
}

impl From<String> for Fix {
    /// A fix that a person makes.
    fn from(title: String) -> Self {
        Self { title, ..Self::default() }
    }
}

impl Fix {
    /// A fix after which every pull goes where it went, or gains only what the finding is about.
    pub(super) fn safe(title: impl Into<String>) -> Self {
        Self { title: title.into(), applicability: Applicability::Safe, ..Self::default() }
    }

    /// A fix after which something pulls differently.
    pub(super) fn changing_pulls(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// With a change of an object.
    pub(super) fn change(mut self, object: ObjectId, change: Change) -> Self {
        self.changes.push((object, change));
        self
    }

    /// With another value of a field.
    pub(super) fn set(self, object: ObjectId, path: impl Into<String>, value: impl Into<Value>) -> Self {
        self.change(object, Change::Set { path: path.into(), value: value.into() })
    }

    /// Without a field, or an item of a list.
    pub(super) fn remove(self, object: ObjectId, path: impl Into<String>) -> Self {
        self.change(object, Change::Remove { path: path.into() })
    }

    /// With more entries in the list at this path. For a mirror set, see [`Fix::add_entries`].
    pub(super) fn append(self, object: ObjectId, path: impl Into<String>, entries: &[Entry]) -> Self {
        let items = entries.iter().map(entry_value).collect();
        self.change(object, Change::Append { path: path.into(), items })
    }

    /// With more entries in a mirror set.
    pub(super) fn add_entries(self, set: &MirrorSet, entries: &[Entry]) -> Self {
        let items = entries.iter().map(|entry| set.written_entry(entry)).collect();
        self.change(set.id(), Change::Append { path: set.list_path(), items })
    }

    /// With a new mirror set.
    pub(super) fn create(mut self, set: MirrorSet) -> Self {
        self.objects.push(set);
        self
    }

    /// Whether there is nothing to fix.
    pub fn is_empty(&self) -> bool {
        self.title.is_empty()
    }

    /// Whether it can be applied without a person.
    pub fn is_applicable(&self) -> bool {
        !self.changes.is_empty() || !self.objects.is_empty()
    }

    /// YAML to paste: the entries and annotations to add, each below its field, and the new objects. Of additions in
    /// several places, the first few are shown, with their places.
    pub fn yaml(&self) -> Option<String> {
        let added = |(object, change): &(ObjectId, Change)| {
            Some((format!("# {object}, {}\n", change.path()), addition(change)?))
        };
        let additions: Vec<_> = self.changes.iter().filter_map(added).collect();
        let has_one_place = additions.iter().all(|(place, _)| *place == additions[0].0);
        let mut text = String::new();
        for (place, yaml) in additions.iter().take(ADDITIONS) {
            if !has_one_place {
                text += place;
            }
            text += yaml;
        }
        let more = additions.len().saturating_sub(ADDITIONS);
        text.extend((more > 0).then(|| format!("# and {more} more\n")));
        text += &to_documents(&self.objects);
        text.extend(self.template.clone());
        Some(text).filter(|text| !text.is_empty())
    }
}

/// What a change adds, as YAML below the field that holds it. Of the values that are set, only annotations are shown:
/// for any other field, the title of the fix has the value.
fn addition(change: &Change) -> Option<String> {
    match change {
        Change::Append { path, items } => {
            // A list that is not below another field is not indented.
            let indent = if path.contains('.') { "  " } else { "" };
            let lines = items.iter().map(|item| format!("{indent}- {}\n", to_flow(item, false)));
            Some(format!("{indent}{}:\n{}", path.rsplit('.').next()?, lines.collect::<String>()))
        }
        Change::Set { path, value: Value::String(value) } => {
            let name = path.strip_prefix(annotation::PATH_PREFIX)?.strip_suffix(']')?;
            Some(format!("  annotations:\n    {name}: {}\n", to_inline(value)))
        }
        Change::Set { .. } | Change::Rename { .. } | Change::Remove { .. } => None,
    }
}

fn entry_value(entry: &Entry) -> Value {
    // An entry is plain text, which always serializes.
    serde_json::to_value(entry).unwrap_or_default()
}

/// The number of mirrors up to which an entry is shown in a sentence.
pub(super) const NAMED_MIRRORS: usize = 10;

/// An entry on one line, or what it is where that line would be too long for a sentence.
pub(super) fn describe_entry(entry: &Entry) -> String {
    if entry.mirrors.len() <= NAMED_MIRRORS {
        return entry_text(entry);
    }
    let policy = entry.mirror_source_policy.map_or(String::new(), |policy| format!(" and {}", policy.name()));
    format!(
        "an entry for \"{}\" with all {} mirrors{policy}, in the order in which nodes try them",
        entry.source,
        entry.mirrors.len()
    )
}

/// An entry on one line.
pub(super) fn entry_text(entry: &Entry) -> String {
    to_flow(&entry_value(entry), false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::SetKind::Idms;

    #[test]
    fn additions_in_several_places_name_them() {
        let set = MirrorSet::new(Idms, "a", Vec::new());
        let adding = |count: usize| {
            (0..count).fold(Fix::safe("add them"), |fix, at| {
                let (path, items) = (set.field_path(at, "mirrors"), vec!["m.lab/a".into()]);
                fix.change(set.id(), Change::Append { path, items })
            })
        };
        let one = "  mirrors:\n  - m.lab/a\n";
        let table = [
            (1, 0, 1, "the place is that of the finding"),
            (2, 2, 2, "each"),
            (7, 6, 5, "the first, and a number"),
        ];
        for (count, comments, shown, reason) in table {
            let yaml = adding(count).yaml().unwrap();
            let found = (yaml.matches("# ").count(), yaml.matches(one).count());
            assert_eq!(found, (comments, shown), "{reason}: {yaml}");
        }
    }
}
