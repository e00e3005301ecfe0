//! The places of entries in files.

use std::collections::HashMap;

use mirrorguard_core::{
    context::EntryRef,
    objects::{Object, SetKind, manifest::Located},
};

use crate::cli::input::Input;

/// The mirror sets of files by kind and name.
pub(super) struct Places<'a>(HashMap<(SetKind, &'a str), &'a Located>);

impl<'a> Places<'a> {
    /// The places of all mirror sets. The last definition of an object is used.
    pub(super) fn of(input: &'a Input) -> Self {
        let mut places = HashMap::new();
        for located in &input.located {
            if let Object::MirrorSet(set) = &located.object {
                places.insert((set.kind, &*set.name), located);
            }
        }
        Self(places)
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
