//! The places of entries in files.

use mirrorguard_core::{context::EntryRef, report::Places};

/// File and line of an entry's source; `None` for one from a cluster.
pub(super) fn place_of<'a>(places: &Places<'a>, entry: EntryRef<'_>) -> Option<(&'a str, usize)> {
    let located = places.find(&entry.set.id())?;
    let line = located.position(&entry.set.field_path(entry.index, "source")).line;
    Some((&located.source.name, line))
}

/// The path of an entry in its object.
pub(super) fn path_of(entry: EntryRef<'_>) -> String {
    entry.set.entry_path(entry.index)
}
