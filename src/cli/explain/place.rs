//! Where an entry stands.

use std::collections::HashMap;

use crate::cli::input::Input;
use mirrorguard_core::{
    context::EntryRef,
    objects::{Object, SetKind, manifest::Located},
};

/// The mirror sets of files by kind and name.
pub(super) struct Places<'a>(HashMap<(SetKind, &'a str), &'a Located>);

impl<'a> Places<'a> {
    /// The places of what was read. Of an object that is defined twice the last one counts.
    pub(super) fn of(input: &'a Input) -> Self {
        let set = |located: &'a Located| match &located.object {
            Object::MirrorSet(set) => Some(((set.kind, &*set.name), located)),
            _ => None,
        };
        Self(input.located.iter().filter_map(set).collect())
    }

    /// File and line of an entry's source; `None` for one from a cluster.
    pub(super) fn place(&self, entry: EntryRef<'_>) -> Option<(&'a str, usize)> {
        let located = self.0.get(&(entry.set.kind, &*entry.set.name))?;
        let line = located.position(&entry.set.field_path(entry.index, "source")).line;
        Some((&located.source.name, line))
    }
}

/// The path of an entry in its object.
pub(super) fn path_of(entry: EntryRef<'_>) -> String {
    format!("spec.{}[{}]", entry.set.kind.list_field(), entry.index)
}
