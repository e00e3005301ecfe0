//! The entries that cover an image, and what becomes of each.

use super::Decision;
use crate::{
    context::{EntryRef, View},
    node::PullFromMirror,
    objects::{MirrorSet, MirrorSourcePolicy, reference::Image, scope::matching_prefix},
};

/// An entry whose source covers the image.
#[derive(Debug, Clone, Copy)]
pub struct Covering<'a> {
    /// The entry.
    pub entry: EntryRef<'a>,
    /// What becomes of it.
    pub part: Part,
}

/// What an entry has to do with a pull.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Its mirrors are asked.
    Asked,
    /// Its mirrors serve only the other kind of pull, this one.
    OtherPulls(PullFromMirror),
    /// It has no mirror besides the source, so that the nodes drop it.
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
    let wanted = PullFromMirror::of(image);
    let deciding = decision.map(|decision| decision.mirrors_from.unwrap_or(decision.scope));
    let part = |found: EntryRef<'_>| {
        let serves =
            if found.set.kind.is_digest() { PullFromMirror::DigestOnly } else { PullFromMirror::TagOnly };
        if !found.entry().is_effective() {
            Part::WithoutMirror
        } else if Some(&*found.entry().source) != deciding {
            Part::Hidden
        } else if serves != wanted {
            Part::OtherPulls(serves)
        } else {
            Part::Asked
        }
    };
    let entries = view.sets().flat_map(entries_of);
    let covering = entries.filter(|found| matching_prefix(image.as_str(), &found.entry().source).is_some());
    let mut covering: Vec<_> = covering.map(|entry| Covering { entry, part: part(entry) }).collect();
    // Sets are seen by kind and name, which is the order that stays within a source.
    covering.sort_by_key(|c| (c.part, std::cmp::Reverse(c.entry.entry().source.len())));
    covering
}

fn entries_of(set: &MirrorSet) -> impl Iterator<Item = EntryRef<'_>> {
    (0..set.entries.len()).map(move |index| EntryRef { set, index })
}

/// The effective entries with this source that forbid it, by kind, name and place.
pub(super) fn never_contact<'a>(view: View<'a>, source: &str) -> Vec<EntryRef<'a>> {
    let forbids = |found: &EntryRef<'_>| {
        let entry = found.entry();
        entry.is_effective() && entry.policy() == MirrorSourcePolicy::NeverContactSource
    };
    let mut found: Vec<_> = view.entries(source).filter(forbids).collect();
    found.sort_by_key(|found| (found.set.kind, &found.set.name, found.index));
    found
}
