//! A fix as edits of files, and as whole objects where no file has what it changes.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use super::Places;
use crate::{
    objects::{Change, MirrorSet, Object, ObjectId, Origin, TextEdit, apply_all, manifest::Located},
    rules::{Applicability, Fix},
};

/// An edit of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FileEdit {
    /// The name of the file that the user gave.
    pub file: String,
    /// The first byte that is replaced.
    pub start: usize,
    /// The first byte after those that are replaced; the same as `start` for an insertion.
    pub end: usize,
    /// What takes their place.
    pub text: String,
}

impl FileEdit {
    pub(super) fn new(file: &str, TextEdit { range, text }: TextEdit) -> Self {
        Self { file: file.to_owned(), start: range.start, end: range.end, text }
    }
}

/// A fix of objects in files or a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AppliedFix<'a> {
    /// What to do, in one line.
    pub title: &'a str,
    /// What it does to pulls.
    pub applicability: Applicability,
    /// Edits of files, by file and place. They do not overlap.
    pub edits: Vec<FileEdit>,
    /// Objects to apply: new ones, and those that no edit can change.
    pub objects: Vec<MirrorSet>,
}

/// The fix of a finding for objects at these places; `None` if a person has to make it. A mirror set that is not in a
/// file, or cannot be edited there, becomes a whole object: not one that the installer makes of its configuration.
/// A person also deletes an object that would have no entry left: without its text in a file, it is still in the cluster.
///
/// `own` is where the object with the finding is: of two objects with one name, this one is fixed.
pub fn apply_fix<'a>(own: Option<&Located>, fix: &'a Fix, places: &Places<'_>) -> Option<AppliedFix<'a>> {
    if !fix.is_applicable() {
        return None;
    }
    let (mut edits, mut objects) = (Vec::new(), Vec::new());
    for (object, changes) in changes_by_object(fix) {
        let located = locate(own, object, places);
        if refusal(located, object, &changes, places).is_some() {
            return None;
        }
        match located.and_then(|located| edits_of(located, &changes)) {
            Some(more) => edits.extend(more),
            None if located.is_some_and(Located::is_install_config) => return None,
            None => objects.push(changed_set(set_at(located, object, places)?, &changes)?),
        }
    }
    edits.sort_unstable();
    objects.extend(fix.objects.iter().cloned());
    Some(AppliedFix { title: &fix.title, applicability: fix.applicability, edits, objects })
}

fn changes_by_object(fix: &Fix) -> BTreeMap<&ObjectId, Vec<&Change>> {
    let mut by_object: BTreeMap<&ObjectId, Vec<&Change>> = BTreeMap::new();
    for (object, change) in &fix.changes {
        by_object.entry(object).or_default().push(change);
    }
    by_object
}

/// Why a fix cannot be made by editing the files of these places, a main clause. `None` if it can, or if the fix has no
/// changes and no objects, only words for a person.
pub(super) fn obstacle(own: &Located, fix: &Fix, places: &Places<'_>) -> Option<String> {
    let change = changes_by_object(fix).into_iter().find_map(|(object, changes)| {
        let Some(located) = locate(Some(own), object, places) else {
            return Some(format!("{object} is in none of the files"));
        };
        let why_not_editable = || located.why_not_editable().to_owned();
        refusal(Some(located), object, &changes, places)
            .or_else(|| edits_of(located, &changes).is_none().then(why_not_editable))
    });
    change.or_else(|| fix.objects.iter().find_map(|object| own.addition(object).err()))
}

/// Where an object is: the one with the finding, or the one that counts of its name.
fn locate<'p>(own: Option<&'p Located>, object: &ObjectId, places: &Places<'p>) -> Option<&'p Located> {
    own.filter(|own| own.written.id == *object).or_else(|| places.find(object))
}

/// Why no program makes these changes of an object, a main clause.
fn refusal(
    located: Option<&Located>,
    object: &ObjectId,
    changes: &[&Change],
    places: &Places<'_>,
) -> Option<String> {
    if located.is_some_and(|located| gives_fields_a_meaning(located, changes)) {
        return Some("fields that have no effect now would have one in the other kind".to_owned());
    }
    let is_emptied = set_at(located, object, places).is_some_and(|set| takes_last_entry(set, changes));
    is_emptied.then(|| format!("{object} would have no entries left and has to be deleted"))
}

/// Whether an object gets another kind, while it has fields that its own does not have: these have no effect, but the
/// other kind may have them (`mirrorSourcePolicy` in an ICSP that becomes an IDMS). The unknown fields of a misnamed
/// object are those that the kind it gets does not have.
fn gives_fields_a_meaning(located: &Located, changes: &[&Change]) -> bool {
    let written = &located.written;
    let changes_kind = changes.iter().any(|change| change.path() == "kind");
    changes_kind && !written.is_misnamed && !written.unknown_fields.is_empty()
}

/// The mirror set at this position, or of the cluster if it is in no file.
fn set_at<'p>(located: Option<&'p Located>, object: &ObjectId, places: &Places<'p>) -> Option<&'p MirrorSet> {
    match located.map(|located| &located.object) {
        Some(Object::MirrorSet(set)) => Some(set),
        Some(_) => None,
        None => places.set(object),
    }
}

/// Whether changes leave a mirror set that is an object of its own without an entry.
fn takes_last_entry(set: &MirrorSet, changes: &[&Change]) -> bool {
    let removed = changes.iter().filter_map(|change| match change {
        Change::Remove { path } => Some(&**path),
        _ => None,
    });
    let removed: HashSet<_> = removed.collect();
    let list = set.list_path();
    let adds = |change: &&Change| matches!(change, Change::Append { path, .. } if *path == list);
    let is_removed = |index: usize| removed.contains(&*set.entry_path(index));
    set.origin == Origin::Object
        && !set.entries.is_empty()
        && !changes.iter().any(adds)
        && (0..set.entries.len()).all(is_removed)
}

/// The edits of the file that has an object; `None` if it cannot be edited there.
fn edits_of(located: &Located, changes: &[&Change]) -> Option<Vec<FileEdit>> {
    let edits = located.edits(changes.iter().copied())?.into_iter();
    Some(edits.map(|edit| FileEdit::new(&located.source.name, edit)).collect())
}

/// A mirror set after these changes.
fn changed_set(set: &MirrorSet, changes: &[&Change]) -> Option<MirrorSet> {
    let before = serde_json::to_value(set).ok()?;
    MirrorSet::from_value(&apply_all(&before, changes.iter().copied())?)
}
