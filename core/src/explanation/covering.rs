//! The entries that cover an image, and whether each is used.

use std::cmp::Reverse;

use super::Decision;
use crate::{
    context::{EntryRef, View},
    objects::{MirrorSet, MirrorSourcePolicy, Pull, reference::Image, scope::matching_prefix},
};

/// An entry whose source covers the image.
#[derive(Debug, Clone, Copy)]
pub struct Covering<'a> {
    /// The entry.
    pub entry: EntryRef<'a>,
    /// Whether it is used.
    pub part: Part,
}

/// The part of an entry in a pull, in the order in which entries are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Its mirrors are tried.
    Tried,
    /// Its mirrors serve only the other kind of pull, this one.
    OtherPulls(Pull),
    /// It has no mirror other than the source, so that the nodes drop it.
    WithoutMirror,
    /// A more specific scope decides.
    Hidden,
}

/// Every entry that covers an image: by its part, and those of a part from the narrowest to the widest.
pub(super) fn covering<'a>(
    view: View<'a>,
    image: &Image,
    decision: Option<Decision<'a>>,
) -> Vec<Covering<'a>> {
    // The source whose entries give the mirrors: above the scope, where that has none of its own.
    let deciding = decision.map(|decision| decision.mirrors_from.unwrap_or(decision.scope));
    let entries = view.sets().flat_map(entries_of);
    let mut covering: Vec<_> = entries
        .filter(|found| matching_prefix(image.as_str(), &found.entry().source).is_some())
        .map(|entry| Covering { entry, part: part_of(entry, deciding, Pull::of(image)) })
        .collect();
    // Sets are listed by kind and name, which is the order that stays within a source.
    covering.sort_by_key(|c| (c.part, Reverse(c.entry.entry().source.len())));
    covering
}

/// The part of an entry in a pull of the `wanted` kind. `deciding` is the source whose mirrors are used; `None` where
/// nothing in the file decides.
fn part_of(found: EntryRef<'_>, deciding: Option<&str>, wanted: Pull) -> Part {
    let served = found.set.kind.pull();
    if !found.entry().is_effective() {
        Part::WithoutMirror
    } else if Some(&*found.entry().source) != deciding {
        Part::Hidden
    } else if served != wanted {
        Part::OtherPulls(served)
    } else {
        Part::Tried
    }
}

fn entries_of(set: &MirrorSet) -> impl Iterator<Item = EntryRef<'_>> {
    (0..set.entries.len()).map(move |index| EntryRef { set, index })
}

/// The effective entries with this source that are `NeverContactSource`, by kind, name and index.
pub(super) fn never_contact<'a>(view: View<'a>, source: &str) -> Vec<EntryRef<'a>> {
    let mut found = Vec::new();
    for entry in view.entries(source) {
        let is_never_contacted = entry.entry().policy() == MirrorSourcePolicy::NeverContactSource;
        if is_never_contacted && entry.entry().is_effective() {
            found.push(entry);
        }
    }
    found.sort_by_key(EntryRef::order);
    found
}
