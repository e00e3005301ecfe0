//! The fields of other objects that a finding is about.

use std::ops::Deref;

use serde::Serialize;

use crate::{
    context::EntryRef,
    objects::{HostedCluster, MirrorSet, ObjectId},
};

/// The number of related fields that a finding lists. Any number of entries can have one source: each has a finding
/// that would list all others.
pub const MAX_RELATED: usize = 10;

/// A field of another object that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Related {
    /// The object.
    #[serde(flatten)]
    pub object: ObjectId,
    /// The field, `spec.imageTagMirrors[2].source`.
    pub path: String,
}

impl Related {
    /// A field of a mirror set.
    pub fn to_set(set: &MirrorSet, path: String) -> Self {
        Self { object: set.id(), path }
    }

    /// A field of an entry.
    pub fn to_entry(entry: &EntryRef<'_>, field: &str) -> Self {
        Self::to_set(entry.set, entry.set.field_path(entry.index, field))
    }

    /// The field that sets the policy of an entry.
    pub fn to_policy(entry: &EntryRef<'_>) -> Self {
        Self::to_set(entry.set, entry.set.policy_path(entry.index))
    }

    /// A field of a HostedCluster.
    pub fn to_hosted(hosted: &HostedCluster, path: &str) -> Self {
        Self { object: hosted.id(), path: path.to_owned() }
    }
}

/// The related fields of a finding: the first [`MAX_RELATED`] in full, the others as a number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RelatedFields {
    listed: Vec<Related>,
    more: usize,
}

impl RelatedFields {
    /// The fields that `relate` makes of items. It is called only for those that are listed, so equal fields are not
    /// noticed: there must be none.
    pub(super) fn of<T>(items: impl IntoIterator<Item = T>, relate: impl Fn(T) -> Related) -> Self {
        let mut items = items.into_iter();
        let listed = items.by_ref().take(MAX_RELATED).map(relate).collect();
        Self { listed, more: items.count() }
    }

    /// How many are not listed.
    pub fn more(&self) -> usize {
        self.more
    }

    /// The objects of the fields.
    pub(crate) fn objects_mut(&mut self) -> impl Iterator<Item = &mut ObjectId> {
        self.listed.iter_mut().map(|related| &mut related.object)
    }

    /// With a field before all others.
    pub(crate) fn after(mut self, first: Related) -> Self {
        self.listed.insert(0, first);
        self.more += self.listed.len().saturating_sub(MAX_RELATED);
        self.listed.truncate(MAX_RELATED);
        self
    }
}

impl Deref for RelatedFields {
    type Target = [Related];

    fn deref(&self) -> &[Related] {
        &self.listed
    }
}

impl<'a> IntoIterator for &'a RelatedFields {
    type Item = &'a Related;
    type IntoIter = std::slice::Iter<'a, Related>;

    fn into_iter(self) -> Self::IntoIter {
        self.listed.iter()
    }
}

impl FromIterator<Related> for RelatedFields {
    fn from_iter<I: IntoIterator<Item = Related>>(fields: I) -> Self {
        let mut related = Self::default();
        related.extend(fields);
        related
    }
}

impl From<Vec<Related>> for RelatedFields {
    fn from(fields: Vec<Related>) -> Self {
        fields.into_iter().collect()
    }
}

impl Extend<Related> for RelatedFields {
    /// A field that is listed already is not listed twice.
    fn extend<I: IntoIterator<Item = Related>>(&mut self, fields: I) {
        for field in fields {
            if self.listed.contains(&field) {
                continue;
            }
            if self.listed.len() < MAX_RELATED {
                self.listed.push(field);
            } else {
                self.more += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: usize) -> Related {
        Related { object: ObjectId::new("Image", "", "cluster"), path: format!("spec.list[{number}]") }
    }

    #[test]
    fn the_first_fields_are_listed_and_the_others_counted() {
        let table = [
            ((0..3).collect::<Vec<_>>(), 3, 0, "few"),
            ((0..MAX_RELATED).collect(), MAX_RELATED, 0, "as many as are listed"),
            ((0..50).collect(), MAX_RELATED, 40, "more"),
            (vec![1, 1, 2, 1], 2, 0, "a field that is named again"),
        ];
        for (numbers, listed, more, reason) in table {
            let related: RelatedFields = numbers.iter().copied().map(field).collect();
            assert_eq!((related.len(), related.more()), (listed, more), "{reason}");
        }
        let related = RelatedFields::of(0..50, field).after(field(50));
        assert_eq!((related.len(), related.more(), &related[0]), (MAX_RELATED, 41, &field(50)));
    }
}
