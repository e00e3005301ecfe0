//! The entries of each source, as a hash table that holds no text of its own.

use std::{hash::BuildHasher, sync::Arc};

use hashbrown::{DefaultHashBuilder, HashTable, hash_table::Entry as Slot};

use crate::objects::Entry;

/// The entries of a set that have the source of an earlier one. Hardly any set has one, but an object can be full of
/// them: in a hash table, where all of them would have one hash, each would be compared with all others.
#[derive(Debug, Clone, Default)]
pub(super) struct Repeats {
    /// For each entry, the one before it with the same source, or [`Repeats::NONE`]. `None` for a set in which every
    /// source is there once.
    before: Option<Arc<[u32]>>,
}

impl Repeats {
    const NONE: u32 = u32::MAX;

    /// The last entry of each source of a set, in a table by the hash of the source, and those before them.
    pub(super) fn of(entries: &[Entry], hash: impl Fn(&str) -> u64) -> (HashTable<u32>, Self) {
        let mut last = HashTable::with_capacity(entries.len());
        let mut before: Vec<u32> = Vec::new();
        for (at, Entry { source, .. }) in (0..Self::NONE).zip(entries) {
            let has_source = |other: &u32| entries[*other as usize].source == *source;
            let hash_at = |at: &u32| hash(&entries[*at as usize].source);
            match last.entry(hash(source), has_source, hash_at) {
                Slot::Vacant(slot) => {
                    slot.insert(at);
                }
                Slot::Occupied(mut slot) => {
                    if before.is_empty() {
                        before = vec![Self::NONE; entries.len()];
                    }
                    before[at as usize] = std::mem::replace(slot.get_mut(), at);
                }
            }
        }
        let before = (!before.is_empty()).then(|| before.into());
        (last, Self { before })
    }

    /// The last entry of a source, and all before it with the same source.
    pub(super) fn up_to(&self, last: u32) -> impl Iterator<Item = u32> {
        let before = self.before.as_deref();
        let previous =
            move |at: &u32| before.map(|before| before[*at as usize]).filter(|at| *at != Self::NONE);
        std::iter::successors(Some(last), previous)
    }

    /// The last entry of each source of a set with this many entries.
    pub(super) fn last_of_each(&self, entries: usize) -> Vec<usize> {
        let mut is_last = vec![true; entries];
        for at in self.before.as_deref().unwrap_or_default().iter().filter(|at| **at != Self::NONE) {
            is_last[*at as usize] = false;
        }
        (0..entries).filter(|at| is_last[*at]).collect()
    }
}

/// The last entry of a source in a set: the slot of the set in the context, and the index of the entry in the set. Four
/// bytes each are enough: more sets or entries than that would not fit into memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) slot: u32,
    pub(super) entry: u32,
}

/// A multimap from source to [`Place`]: one for each set that has the source. Eight bytes each; the texts stay in the
/// sets.
#[derive(Debug, Clone, Default)]
pub(super) struct SourceIndex {
    places: HashTable<Place>,
    hasher: DefaultHashBuilder,
}

impl SourceIndex {
    /// The hash of a source, the same in this index and in the overlays made for it.
    pub(super) fn hash(&self, source: &str) -> u64 {
        self.hasher.hash_one(source)
    }

    /// Adds a place. `source_of` returns the source at a place; it is called when the table grows, since the
    /// table does not keep the hashes.
    pub(super) fn insert<'s>(&mut self, source: &str, place: Place, source_of: impl Fn(Place) -> &'s str) {
        let hasher = &self.hasher;
        let hash = hasher.hash_one(source);
        self.places.insert_unique(hash, place, |place| hasher.hash_one(source_of(*place)));
    }

    /// Removes an entry, if it is there. `source` must be the one that it was added with.
    pub(super) fn remove(&mut self, source: &str, place: Place) {
        if let Ok(found) = self.places.find_entry(self.hash(source), |p| *p == place) {
            found.remove();
        }
    }

    /// Places whose source has this hash; the caller compares the sources.
    pub(super) fn candidates(&self, hash: u64) -> impl Iterator<Item = Place> {
        self.places.iter_hash(hash).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::Mirrors;

    type Case<'a> = (&'a [&'a str], &'a [&'a [u32]], &'a str);

    fn entries(sources: &[&str]) -> Vec<Entry> {
        let entry = |source: &&str| Entry {
            source: (*source).into(),
            mirrors: Mirrors::default(),
            mirror_source_policy: None,
        };
        sources.iter().map(entry).collect()
    }

    #[test]
    fn the_entries_of_a_source_follow_one_another() {
        let table: [Case<'_>; 4] = [
            (&[], &[], "no entry"),
            (&["a", "b"], &[&[0], &[1]], "every source once"),
            (&["a", "b", "a", "a"], &[&[1], &[3, 2, 0]], "three times"),
            (&["a", "a", "b", "b"], &[&[1, 0], &[3, 2]], "two sources twice"),
        ];
        for (sources, expected, reason) in table {
            let entries = entries(sources);
            let hasher = DefaultHashBuilder::default();
            let (table, repeats) = Repeats::of(&entries, |source| hasher.hash_one(source));
            let mut last: Vec<usize> = table.iter().map(|at| *at as usize).collect();
            last.sort_unstable();
            assert_eq!(last, repeats.last_of_each(entries.len()), "{reason}");
            let found: Vec<Vec<u32>> =
                last.iter().map(|at| repeats.up_to(u32::try_from(*at).unwrap()).collect()).collect();
            assert_eq!(found, expected, "{reason}");
        }
    }
}
