//! The entries of each source, as a hash table that holds no text of its own.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// The position of an entry: the slot of its set in the context, and its index in the set. Four bytes each are enough:
/// more sets or entries than that would not fit into memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) slot: u32,
    pub(super) entry: u32,
}

/// A multimap from source to [`Place`]. Eight bytes an entry; the texts stay in the sets.
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

    /// Adds an entry. `source_of` returns the source at a place; it is called when the table grows, since the
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
