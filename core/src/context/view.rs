//! A context with one set added, replaced or left out.

use std::collections::BTreeSet;

use hashbrown::HashTable;

use super::{Context, ViewRegistries, faults_of_write, index::Repeats, never_contacted::NeverContacted};
use crate::objects::{
    Entry, FileDisruption, Format, HostedCluster, ImageConfig, MirrorSet, OperatorCatalog, Pull, SetKind,
    scope::{Ancestor, matching_scopes},
};

/// An entry and its set.
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

    /// Whether both are the same entry of the same set, compared by its address.
    pub fn is(&self, other: EntryRef<'_>) -> bool {
        std::ptr::eq(self.set, other.set) && self.index == other.index
    }

    /// Whether it has mirrors for these pulls.
    pub fn serves(&self, pull: Pull) -> bool {
        self.set.kind.pull() == pull && self.entry().is_effective()
    }

    /// The order in which entries are listed: kind, name of the set, index.
    pub fn order(&self) -> (SetKind, &'a str, usize) {
        (self.set.kind, &self.set.name, self.index)
    }
}

/// A set that a view shows in place of the context's own, its sources indexed for one decision.
#[derive(Debug)]
pub struct Overlay<'a> {
    set: &'a MirrorSet,
    /// The index in the set of the last entry of each source, by the hash of the source that the context's index uses.
    places: HashTable<u32>,
    repeats: Repeats,
    wildcards: bool,
    never_contacted: NeverContacted,
}

impl<'a> Overlay<'a> {
    /// Indexes a set for views of `context`.
    pub fn new(context: &Context, set: &'a MirrorSet) -> Self {
        let (places, repeats) = Repeats::of(&set.entries, |source| context.index.hash(source));
        Self {
            set,
            places,
            repeats,
            wildcards: super::count_wildcards(set) > 0,
            never_contacted: NeverContacted::of(set),
        }
    }
}

/// A context with one set added, replaced or left out. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    context: &'a Context,
    /// The slot of the set of the context that is replaced or left out; `None` for a view that hides none.
    hidden: Option<u32>,
    /// The set that is added, or that takes the place of the hidden one.
    overlay: Option<&'a Overlay<'a>>,
    /// Whether the sets that HyperShift manages are left out, the added one included.
    without_managed: bool,
}

impl<'a> View<'a> {
    pub(super) fn new(context: &'a Context, hidden: Option<u32>, overlay: Option<&'a Overlay<'a>>) -> Self {
        Self { context, hidden, overlay, without_managed: false }
    }

    /// The same without the sets that HyperShift manages: they are copies of what the hosted cluster that this
    /// management cluster is was given, not what its own administrators mirrored. Numbers that the context keeps
    /// still include them, as in [`View::count`], [`View::registries`] and [`View::has_refused_entries`].
    #[must_use]
    pub fn without_managed_sets(self) -> Self {
        Self { without_managed: true, ..self }
    }

    /// `false` for a set that HyperShift manages, in a view without those.
    fn shows(self, set: &MirrorSet) -> bool {
        !(self.without_managed && set.is_managed)
    }

    /// The entries with exactly this source, of all three kinds, in no particular order.
    pub fn entries<'s>(self, source: &'s str) -> impl Iterator<Item = EntryRef<'a>> + use<'a, 's> {
        let Self { context, hidden, overlay, .. } = self;
        let hash = context.index.hash(source);
        let kept = context.index.candidates(hash).filter_map(move |place| {
            let set = context.sets[place.slot as usize].as_deref()?;
            let is_seen = hidden != Some(place.slot);
            is_seen.then_some((set, place.entry, &context.repeats[place.slot as usize]))
        });
        let added = overlay.into_iter().flat_map(move |overlay| {
            overlay.places.iter_hash(hash).map(|last| (overlay.set, *last, &overlay.repeats))
        });
        let in_sets = kept
            .chain(added)
            .filter(move |(set, last, _)| *set.entries[*last as usize].source == *source && self.shows(set));
        in_sets.flat_map(|(set, last, repeats)| {
            repeats.up_to(last).map(move |index| EntryRef { set, index: index as usize })
        })
    }

    /// Those of them that affect the configuration of the nodes.
    pub fn effective<'s>(self, source: &'s str) -> impl Iterator<Item = EntryRef<'a>> + use<'a, 's> {
        self.entries(source).filter(|found| found.entry().is_effective())
    }

    /// The scopes that may decide a pull at a scope; see [`matching_scopes`].
    pub fn scopes_at(self, scope: &str) -> impl Iterator<Item = Ancestor<'_>> {
        let has_wildcards = self.has_wildcards();
        matching_scopes(scope).filter(move |above| has_wildcards || matches!(above, Ancestor::Parent(_)))
    }

    /// Whether a source at or above a scope has an effective entry that counts. It stops at the first.
    pub fn covers(self, scope: &str, counts: impl Fn(&EntryRef<'a>) -> bool) -> bool {
        self.scopes_at(scope).any(|above| self.effective(&above.to_scope()).any(|found| counts(&found)))
    }

    /// The source that decides pulls of images at a scope or below it, of those with effective entries.
    pub fn nearest_source(self, scope: &str) -> Option<&'a str> {
        let found = self.scopes_at(scope).find_map(|above| self.effective(&above.to_scope()).next())?;
        Some(&found.entry().source)
    }

    /// The source that decides pulls of images at a scope or below it, of those with effective entries that count, and
    /// these entries. A source with a slash at its end, which only releases up to 4.15 accept, is not found.
    pub fn nearest(
        self,
        scope: &str,
        counts: impl Fn(&EntryRef<'a>) -> bool,
    ) -> Option<(&'a str, Vec<EntryRef<'a>>)> {
        self.scopes_at(scope).find_map(|above| self.effective_entries(&above.to_scope(), &counts))
    }

    /// The effective entries with exactly this source that count; `None` where there are none.
    fn effective_entries(
        self,
        source: &str,
        counts: &impl Fn(&EntryRef<'a>) -> bool,
    ) -> Option<(&'a str, Vec<EntryRef<'a>>)> {
        let found: Vec<_> = self.effective(source).filter(counts).collect();
        let source = &*found.first()?.entry().source;
        Some((source, found))
    }

    /// Whether any source may be a wildcard; without one, those above a scope need not be looked up. The sources of the
    /// hidden set count too.
    pub fn has_wildcards(&self) -> bool {
        self.context.wildcards > 0 || self.overlay.is_some_and(|overlay| overlay.wildcards)
    }

    /// Whether a source that covers this scope may be `NeverContactSource`; otherwise those above it need not be
    /// looked up. The sources of the hidden set count too.
    pub fn may_never_contact(&self, scope: &str) -> bool {
        self.context.never_contacted.may_cover(scope)
            || self.overlay.is_some_and(|overlay| overlay.never_contacted.may_cover(scope))
    }

    /// The set of a kind and name, if it is shown.
    pub fn set(self, kind: SetKind, name: &str) -> Option<&'a MirrorSet> {
        let added = self.overlay.map(|overlay| overlay.set);
        let added = added.filter(|set| set.kind == kind && *set.name == *name);
        let kept = || {
            let slot = self.context.slot(kind, name).filter(|slot| self.hidden != Some(*slot))?;
            self.context.sets[slot as usize].as_deref()
        };
        added.or_else(kept).filter(|set| self.shows(set))
    }

    /// Every set that is shown, in the order of [`SetKind::ALL`], those of a kind by name.
    pub fn sets(self) -> impl Iterator<Item = &'a MirrorSet> {
        SetKind::ALL.into_iter().flat_map(move |kind| self.sets_of(kind))
    }

    /// The sets of a kind, by name.
    pub fn sets_of(self, kind: SetKind) -> impl Iterator<Item = &'a MirrorSet> {
        // The added set is put where its name belongs. Without one of this kind, all others are before it.
        let added = self.overlay.map(|overlay| overlay.set).filter(|set| set.kind == kind);
        let before = self.kept(kind).take_while(move |set| added.is_none_or(|added| set.name < added.name));
        let after = self.kept(kind).filter(move |set| added.is_some_and(|added| set.name >= added.name));
        before.chain(added).chain(after).filter(move |set| self.shows(set))
    }

    /// The context's own sets of a kind without the hidden one, by name.
    fn kept(self, kind: SetKind) -> impl Iterator<Item = &'a MirrorSet> {
        let hidden = self.hidden_set();
        let sets = self.context.sets_of(kind);
        sets.filter(move |set| !hidden.is_some_and(|hidden| std::ptr::eq(hidden, *set)))
    }

    pub(super) fn hidden_set(&self) -> Option<&'a MirrorSet> {
        self.context.sets[self.hidden? as usize].as_deref()
    }

    pub(super) fn added_set(&self) -> Option<&'a MirrorSet> {
        self.overlay.map(|overlay| overlay.set)
    }

    /// The registries that sources and mirrors are on. Only the entries of the set that the view adds or leaves out
    /// are counted; the rest is known.
    pub fn registries(self) -> ViewRegistries<'a> {
        ViewRegistries::new(self, &self.context.registries)
    }

    /// How many sets of a kind there are, with those that HyperShift manages even if the view does not show them.
    pub fn count(&self, kind: SetKind) -> usize {
        let hidden = usize::from(self.hidden_set().is_some_and(|set| set.kind == kind));
        let added = usize::from(self.overlay.is_some_and(|overlay| overlay.set.kind == kind));
        self.context.count(kind) - hidden + added
    }

    /// Every source that an effective entry has, sorted. A scan: not for a single decision.
    pub fn sources(&self) -> BTreeSet<&'a str> {
        let entries = self.sets().flat_map(MirrorSet::effective_entries);
        entries.map(|(_, entry)| &*entry.source).collect()
    }

    /// Bytes that the sources of the context, not of this view of it, take in registries.conf; what the image
    /// configuration adds is left out. The context keeps the number up to date as sets change.
    pub fn size_of_context(self) -> usize {
        self.context.size
    }

    /// The set of the context, not of this view of it, with the most entries; of several, the first one. The context
    /// looks for it once.
    pub fn largest_of_context(self) -> Option<&'a MirrorSet> {
        self.context.largest().map(|set| &**set)
    }

    /// Whether the machine-config operator refuses some entry, so that it renders nothing. Only the entries of the
    /// set that the view adds or leaves out are looked at; the rest is known.
    pub fn has_refused_entries(self) -> bool {
        let whole = self.context.view();
        let changed =
            faults_of_write(whole, self, self.hidden_set(), self.overlay.map(|overlay| overlay.set));
        // The faults of the context with those of the changed sources replaced are more than 0.
        self.context.faults + changed.after > changed.before
    }

    /// The HostedClusters, by namespace and name.
    pub fn hosted_clusters(self) -> impl Iterator<Item = &'a HostedCluster> {
        self.context.hosted_clusters()
    }

    /// The CatalogSources and ClusterCatalogs that serve an image to the whole cluster, by kind, namespace and name.
    pub fn catalogs(self) -> impl Iterator<Item = &'a OperatorCatalog> {
        self.context.catalogs()
    }

    /// `image.config.openshift.io/cluster`.
    pub fn image_config(&self) -> &'a ImageConfig {
        &self.context.image_config
    }

    /// Reference of the release payload, where known.
    pub fn payload(&self) -> Option<&'a str> {
        self.context.payload.as_deref()
    }

    /// What the machine-config operator of the cluster's release accepts as sources and mirrors.
    pub fn format(&self) -> Format {
        self.context.format
    }

    /// The scopes that ClusterImagePolicies require signatures for (`true`), or ImagePolicies (`false`).
    pub fn signed_scopes(self) -> impl Iterator<Item = (bool, &'a str)> {
        self.context.signed_scopes()
    }

    /// The custom node disruption policy for files.
    pub fn file_disruptions(&self) -> &'a [FileDisruption] {
        &self.context.file_disruptions
    }
}
