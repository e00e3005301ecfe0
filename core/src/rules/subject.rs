//! What a check reviews: a write, and the cluster before and after it.

use std::{borrow::Cow, cell::OnceCell};

use super::{
    Settings,
    as_written::AsWritten,
    shared::{OwnSources, SharedSource, find_shared},
};
use crate::{
    context::{EntryRef, View},
    hypershift::{
        Derivation, Placement, Release, Releases,
        catalogs::{CATALOGS, Catalog},
    },
    inventory::Inventory,
    node::{Change, Orders, Standstill, renders},
    objects::{Entry, HostedCluster, MirrorSet, annotation, manifest::Written},
    state::State,
    write::Operation,
};

/// A write of a mirror set, and the cluster around it. Invalid sources and mirrors are in none of its sets but
/// `written`: its sets and views hold the [`MirrorSet::valid_part`] of the set under review.
#[derive(Debug, Clone)]
pub struct SetWrite<'a> {
    /// What happens to the set.
    pub operation: Operation<&'a MirrorSet>,
    /// The same, with the invalid sources and mirrors.
    written: AsWritten<'a>,
    /// The cluster before and after.
    pub cluster: Views<'a>,
    /// The configuration.
    pub settings: &'a Settings,
    // Each of these is computed when the first rule asks for it.
    change: OnceCell<Option<Result<Change<'a>, Standstill>>>,
    renders: OnceCell<bool>,
    sources: OnceCell<OwnSources>,
    shared_sources: OnceCell<Vec<SharedSource<'a>>>,
    orders: Option<&'a Orders>,
    is_for_comparison: bool,
}

/// A cluster around a write of one mirror set. The views show the old and the new set themselves, not copies, so that
/// rules can tell the entries of the set under review by the address of the set.
#[derive(Debug, Clone, Copy)]
pub struct Views<'a> {
    /// Before the write; the same as `after` if nothing is written.
    pub before: View<'a>,
    /// After it.
    pub after: View<'a>,
    /// Without the set, before and after.
    pub others: View<'a>,
}

impl<'a> SetWrite<'a> {
    /// A write, of which nothing is computed yet.
    pub fn new(
        operation: Operation<&'a MirrorSet>,
        written: AsWritten<'a>,
        cluster: Views<'a>,
        settings: &'a Settings,
    ) -> Self {
        Self {
            operation,
            written,
            cluster,
            settings,
            change: OnceCell::new(),
            renders: OnceCell::new(),
            sources: OnceCell::new(),
            shared_sources: OnceCell::new(),
            orders: None,
            is_for_comparison: false,
        }
    }

    /// With the orders of mirrors that the reviews of a state share. The state has exactly the mirror sets of `after`:
    /// what this review finds is kept for the others.
    #[must_use]
    pub fn with_orders(self, orders: Option<&'a Orders>) -> Self {
        Self { orders, ..self }
    }

    /// Of an existing set, to compare with what is found in a write of it.
    #[must_use]
    pub fn for_comparison(self, is_for_comparison: bool) -> Self {
        Self { is_for_comparison, ..self }
    }

    /// Whether the set under review reports a fault that several sets have together, the first of which has the entry
    /// `first`. A set that is written does; of existing sets, which are all reviewed, only the first.
    pub(super) fn reports_for(&self, first: EntryRef<'_>) -> bool {
        match self.operation {
            Operation::Existing(set) if !self.is_for_comparison => std::ptr::eq(set, first.set),
            _ => true,
        }
    }

    /// The set after, with its invalid sources and mirrors; `None` for a deletion.
    pub fn written(&self) -> Option<&'a MirrorSet> {
        self.written.operation.after().copied()
    }

    /// The set before, for an update or a deletion.
    pub fn old_set(&self) -> Option<&'a MirrorSet> {
        self.operation.before().copied()
    }

    /// The set after; `None` for a deletion.
    pub fn new_set(&self) -> Option<&'a MirrorSet> {
        self.operation.after().copied()
    }

    /// What the write changes in the nodes' configuration, or why that cannot be said. `None` if nothing is written, or
    /// if the new set has an invalid value.
    pub fn change(&self) -> Option<&Result<Change<'a>, Standstill>> {
        self.change.get_or_init(|| self.written.find_change()).as_ref()
    }

    /// Whether the nodes' configuration renders after the write, with the invalid sources and mirrors.
    pub fn renders(&self) -> bool {
        *self.renders.get_or_init(|| renders(self.written.after))
    }

    /// The sources of the set after, each with all of its entries in the set.
    fn sources(&self) -> &OwnSources {
        self.sources.get_or_init(|| OwnSources::of(self.new_set().map_or(&[], |set| &set.entries)))
    }

    /// Of each source of the set after, the first entry that counts, and its index: for what is the same for all
    /// entries of a source.
    pub fn first_entries(&self, counts: impl Fn(&Entry) -> bool) -> impl Iterator<Item = (usize, &'a Entry)> {
        let entries = self.new_set().map_or(&[][..], |set| &set.entries);
        self.sources().first_where(move |index| counts(&entries[index])).map(|index| (index, &entries[index]))
    }

    /// What was found for several sources, without the sources that placeholders leave open, and then those alone: what
    /// is found for these is uncertain, and must be in no finding with the others.
    pub fn apart_from_open<T>(&self, found: Vec<T>, source: impl Fn(&T) -> &str) -> [Vec<T>; 2] {
        let (open, known) =
            found.into_iter().partition(|found| self.settings.open_sources.overlap(source(found)));
        [known, open]
    }

    /// The sources of the set that are in more than one entry of the cluster.
    pub fn shared_sources(&self) -> &[SharedSource<'a>] {
        self.shared_sources.get_or_init(|| match self.new_set() {
            Some(set) => find_shared(set, self.sources(), self.cluster.others, self.orders),
            None => Vec::new(),
        })
    }
}

/// A change of what the nodes' files are made of, as far as it is not about single entries: the image configuration,
/// the payload, and whether they fit the sources.
#[derive(Debug, Clone, Copy)]
pub struct NodesWrite<'a> {
    /// The cluster before the write; `None` if the settings are reviewed as they are.
    pub before: Option<View<'a>>,
    /// The cluster after it.
    pub after: View<'a>,
    /// The set that is written, after the write; `None` if it is deleted, or if the settings are written.
    pub set: Option<&'a MirrorSet>,
    /// The path of a finding that is about no field in particular, such as `spec`. Without a set, it is where the
    /// image configuration's fields are, and the path of a finding about one of them begins with it.
    pub path: &'a str,
}

impl<'a> NodesWrite<'a> {
    /// The settings as they are, reported for a field.
    pub fn existing(view: View<'a>, path: &'a str) -> Self {
        Self { before: None, after: view, set: None, path }
    }
}

/// An object as it is written in a file.
#[derive(Debug, Clone, Copy)]
pub struct FileObject<'a> {
    /// What the file says.
    pub written: &'a Written,
    /// The last object before it in the files with the same kind, namespace and name.
    pub earlier: Option<Earlier<'a>>,
}

/// An object that a later one replaces.
#[derive(Debug, Clone, Copy)]
pub struct Earlier<'a> {
    /// Where it is, `a.yaml:3`.
    pub place: &'a str,
    /// Whether both are mirror sets with the same entries, so that nothing is lost.
    pub has_same_entries: bool,
}

/// A creation or update of a HostedCluster, or an existing one.
#[derive(Debug, Clone, Copy)]
pub struct HostedWrite<'a> {
    /// The HostedCluster before, for an update.
    pub old: Option<&'a HostedCluster>,
    /// The HostedCluster after the write.
    pub new: &'a HostedCluster,
    /// The management cluster.
    pub state: &'a State,
    /// The configuration.
    pub settings: &'a Settings,
}

/// A whole cluster, with objects that no write contains.
#[derive(Debug, Clone, Copy)]
pub struct Survey<'a> {
    /// Its mirror sets, HostedClusters and settings.
    pub state: &'a State,
    /// Its other objects.
    pub inventory: &'a Inventory,
    /// The configuration.
    pub settings: &'a Settings,
}

impl<'a> Survey<'a> {
    /// The hosted clusters that are not being deleted.
    pub fn hosted(self) -> impl Iterator<Item = HostedWrite<'a>> {
        let Self { state, inventory, settings } = self;
        let hosted = inventory.hosted_clusters.iter();
        let staying = hosted.filter(|hosted| hosted.metadata.deletion_timestamp.is_none());
        staying.map(move |new| HostedWrite { old: None, new, state, settings })
    }
}

impl<'a> HostedWrite<'a> {
    /// The releases that the HostedCluster may have.
    pub fn releases(&self) -> Releases {
        releases_of(self.new, self.settings)
    }

    /// The management cluster.
    pub fn cluster(&self) -> View<'a> {
        self.state.context().view()
    }

    /// The catalog overrides for the HostedCluster: the configured ones, or those derived for it.
    pub fn derivation(&self) -> Cow<'a, Derivation> {
        let configured = self.settings.catalog_overrides.as_deref();
        self.state.derivations().or_configured(configured, &self.releases())
    }

    /// Whether no default catalog runs in the management cluster.
    pub fn runs_no_catalogs(&self) -> bool {
        runs_no_catalogs(self.new)
    }

    /// Whether the catalog overrides annotation affects no catalog of the management cluster: none runs there, or
    /// their images are set. With guest placement it may still affect those of the hosted cluster; see
    /// [`HostedWrite::overrides_placement`].
    pub fn overrides_reach_nothing(&self) -> bool {
        overrides_reach_nothing(self.new)
    }

    /// Where catalogs run that the catalog overrides annotation may affect; `None` if it affects none.
    pub fn overrides_placement(&self) -> Option<Placement> {
        overrides_placement(self.new)
    }

    /// Whether the catalog overrides annotation must not be filled in: it would affect no catalog of the
    /// management cluster, the object is being deleted or was restored from a backup, or its owner opted out.
    pub fn leaves_catalogs_alone(&self) -> bool {
        let hosted = self.new;
        self.overrides_reach_nothing()
            || hosted.metadata.deletion_timestamp.is_some()
            || hosted.metadata.annotations.contains_key(annotation::RESTORED)
            || hosted.annotation(annotation::OPT_OUT) == Some("disabled")
    }
}

/// The release of a HostedCluster by the tag of its image or by its status, or else the configured ones.
pub(super) fn releases_of(hosted: &HostedCluster, settings: &Settings) -> Releases {
    Release::of_hosted(hosted).map_or_else(|| settings.releases.clone(), Releases::from)
}

/// Whether no default catalog of this HostedCluster runs in the management cluster.
fn runs_no_catalogs(hosted: &HostedCluster) -> bool {
    hosted.catalogs_run_in_guest() || hosted.disables_default_catalogs()
}

/// Where catalogs run that the catalog overrides annotation of this HostedCluster may affect; `None` if it affects
/// none. With guest placement, the annotations that name the images of the catalogs are not read.
pub(super) fn overrides_placement(hosted: &HostedCluster) -> Option<Placement> {
    if hosted.disables_default_catalogs() {
        return None;
    }
    if hosted.catalogs_run_in_guest() {
        return Some(Placement::Guest);
    }
    named_catalog(hosted).is_none().then_some(Placement::Management)
}

/// Whether the catalog overrides annotation of this HostedCluster affects no catalog of the management cluster.
pub(super) fn overrides_reach_nothing(hosted: &HostedCluster) -> bool {
    runs_no_catalogs(hosted) || named_catalog(hosted).is_some()
}

/// The first catalog whose image is set by an annotation of its own. One is enough for HyperShift to ignore the catalog
/// overrides annotation.
pub(super) fn named_catalog(hosted: &HostedCluster) -> Option<&'static Catalog> {
    CATALOGS.iter().find(|catalog| hosted.annotation(catalog.image_annotation).is_some())
}
