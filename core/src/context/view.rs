//! A context with one set put in, replaced or taken out.

use std::collections::BTreeSet;

use hashbrown::HashTable;

use super::{Context, SourceIndex, never_contacted::NeverContacted};
use crate::objects::{
    Entry, HostedCluster, ImageConfig, MirrorSet, SetKind,
    scope::{Ancestor, ancestors},
};

/// An entry and the set it stands in.
#[derive(Debug, Clone, Copy)]
pub struct EntryRef<'a> {
    /// The set.
    pub set: &'a MirrorSet,
    /// Index of the entry in the set.
    pub index: usize,
}

impl<'a> EntryRef<'a> {
    /// The entry itself.
    pub fn entry(&self) -> &'a Entry {
        &self.set.entries[self.index]
    }

    /// Whether both are the same entry of the same set.
    pub fn is(&self, other: EntryRef<'_>) -> bool {
        std::ptr::eq(self.set, other.set) && self.index == other.index
    }

    /// Whether it comes after `other` in the same set.
    pub fn follows(&self, other: EntryRef<'_>) -> bool {
        std::ptr::eq(self.set, other.set) && self.index > other.index
    }

    /// Whether it has mirrors for pulls by digest, or by tag.
    pub fn serves(&self, is_digest: bool) -> bool {
        self.set.kind.is_digest() == is_digest && self.entry().is_effective()
    }

    /// What findings list entries by: kind, name of the set, index.
    pub fn order(&self) -> (SetKind, &'a str, usize) {
        (self.set.kind, &self.set.name, self.index)
    }
}

/// A set to be seen in place of the context's own, its sources indexed for the one decision.
#[derive(Debug)]
pub struct Overlay<'a> {
    set: &'a MirrorSet,
    places: HashTable<u32>,
    wildcards: bool,
    never_contacted: NeverContacted,
}

impl<'a> Overlay<'a> {
    /// Indexes a set to be looked at through `context`.
    pub fn new(context: &Context, set: &'a MirrorSet) -> Self {
        let index: &SourceIndex = &context.index;
        let source = |at: &u32| index.hash(&set.entries[*at as usize].source);
        let mut places = HashTable::with_capacity(set.entries.len());
        for at in 0..u32::try_from(set.entries.len()).unwrap_or(u32::MAX) {
            places.insert_unique(source(&at), at, source);
        }
        Self { set, places, wildcards: super::wildcards(set) > 0, never_contacted: NeverContacted::of(set) }
    }
}

/// What a decision sees. Copied freely.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    context: &'a Context,
    hidden: Option<u32>,
    overlay: Option<&'a Overlay<'a>>,
}

impl<'a> View<'a> {
    pub(super) fn new(context: &'a Context, hidden: Option<u32>, overlay: Option<&'a Overlay<'a>>) -> Self {
        Self { context, hidden, overlay }
    }

    /// The entries with exactly this source, of all three kinds, in no particular order.
    pub fn entries<'s>(self, source: &'s str) -> impl Iterator<Item = EntryRef<'a>> + use<'a, 's> {
        let Self { context, hidden, overlay } = self;
        let hash = context.index.hash(source);
        let kept = context.index.candidates(hash).filter_map(move |place| {
            let set = context.sets[place.slot as usize].as_deref()?;
            (hidden != Some(place.slot)).then_some(EntryRef { set, index: place.entry as usize })
        });
        let added = overlay.into_iter().flat_map(move |overlay| {
            overlay.places.iter_hash(hash).map(|at| EntryRef { set: overlay.set, index: *at as usize })
        });
        kept.chain(added).filter(move |found| *found.entry().source == *source)
    }

    /// The nearest source at or above a scope with effective entries that count, and those entries.
    pub fn nearest(
        self,
        scope: &str,
        counts: impl Fn(&EntryRef<'a>) -> bool,
    ) -> Option<(&'a str, Vec<EntryRef<'a>>)> {
        let wildcards = self.has_wildcards();
        let can_be_there = |above: &Ancestor<'_>| wildcards || matches!(above, Ancestor::Parent(_));
        let above = ancestors(scope).filter(can_be_there).map(Ancestor::to_scope);
        std::iter::once(scope.into()).chain(above).find_map(|scope| {
            let found = self.entries(&scope).filter(|found| found.entry().is_effective() && counts(found));
            let found: Vec<_> = found.collect();
            found.first().map(|first| &*first.entry().source).map(|source| (source, found))
        })
    }

    /// Whether any source may be a wildcard; without one, nobody needs to look for those above a scope.
    pub fn has_wildcards(&self) -> bool {
        self.context.wildcards > 0 || self.overlay.is_some_and(|overlay| overlay.wildcards)
    }

    /// Whether an entry may forbid to contact what this scope stands for; where none does, nobody needs to look
    /// those above it up.
    pub fn may_never_contact(&self, scope: &str) -> bool {
        self.context.never_contacted.may_cover(scope)
            || self.overlay.is_some_and(|overlay| overlay.never_contacted.may_cover(scope))
    }

    /// Every set that is seen, those of a kind by name.
    pub fn sets(self) -> impl Iterator<Item = &'a MirrorSet> {
        SetKind::ALL.into_iter().flat_map(move |kind| self.sets_of(kind))
    }

    /// The sets of a kind, by name.
    pub fn sets_of(self, kind: SetKind) -> impl Iterator<Item = &'a MirrorSet> {
        let hidden = self.hidden.and_then(|slot| self.context.sets[slot as usize].as_deref());
        let is_hidden = move |set: &&MirrorSet| hidden.is_some_and(|hidden| std::ptr::eq(hidden, *set));
        let kept = move || self.context.sets_of(kind).filter(move |set| !is_hidden(set));
        let added = self.overlay.map(|overlay| overlay.set).filter(|set| set.kind == kind);
        let before = kept().take_while(move |set| added.is_none_or(|added| set.name < added.name));
        let after = kept().filter(move |set| added.is_some_and(|added| set.name >= added.name));
        before.chain(added).chain(after)
    }

    /// How many sets of a kind are seen.
    pub fn count(&self, kind: SetKind) -> usize {
        let hidden = self.hidden.and_then(|slot| self.context.sets[slot as usize].as_deref());
        let taken = usize::from(hidden.is_some_and(|set| set.kind == kind));
        let put = usize::from(self.overlay.is_some_and(|overlay| overlay.set.kind == kind));
        self.context.count(kind) - taken + put
    }

    /// Every source that an effective entry has, sorted. A scan: not for a single decision.
    pub fn sources(&self) -> BTreeSet<&'a str> {
        let entries = self.sets().flat_map(MirrorSet::effective_entries);
        entries.map(|(_, entry)| &*entry.source).collect()
    }

    /// Bytes that the sources of the context, not of this view of it, take in registries.conf; what the image
    /// configuration adds is left out. Kept as sets come and go: nothing is gone through.
    pub fn size_of_context(self) -> usize {
        self.context.size
    }

    /// The HostedClusters, by namespace and name.
    pub fn hosted_clusters(self) -> impl Iterator<Item = &'a HostedCluster> {
        self.context.hosted_clusters()
    }

    /// `image.config.openshift.io/cluster`.
    pub fn image_config(&self) -> &'a ImageConfig {
        &self.context.image_config
    }

    /// Reference of the release payload, where known.
    pub fn payload(&self) -> Option<&'a str> {
        self.context.payload.as_deref()
    }
}
