//! What a check reviews: a write, and the cluster before and after it.

use std::{borrow::Cow, cell::OnceCell};

use super::{Settings, as_written::AsWritten};
use crate::{
    context::{EntryRef, View},
    hypershift::{
        Derivation, Placement, Release, Releases,
        catalogs::{CATALOGS, Catalog},
    },
    inventory::Inventory,
    node::{Change, Standstill},
    objects::{HostedCluster, MirrorSet, annotation, manifest::Written},
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
    // Both are computed when the first rule asks for them.
    change: OnceCell<Option<Result<Change<'a>, Standstill>>>,
    shared_sources: OnceCell<Vec<SharedSource<'a>>>,
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

/// An entry whose source is in other entries too.
#[derive(Debug, Clone)]
pub struct SharedSource<'a> {
    /// The entry.
    pub own: EntryRef<'a>,
    /// The others, of all three kinds and of the same set too, sorted by kind, name and index.
    pub others: Vec<EntryRef<'a>>,
}

impl<'a> SharedSource<'a> {
    /// The others to compare with this one: all except those that come later in the same set, so that a pair
    /// within one set is reported once, at its later entry.
    pub fn compared(&self) -> impl Iterator<Item = EntryRef<'a>> {
        let own = self.own;
        self.others.iter().copied().filter(move |other| !other.follows(own))
    }

    /// Of the [`SharedSource::compared`] entries, those whose mirrors are merged with this one's: they serve the same
    /// pulls, digest or tag, and have mirrors. None if this one has no mirrors itself.
    pub fn merged_with(&self) -> Vec<EntryRef<'a>> {
        if !self.own.entry().is_effective() {
            return Vec::new();
        }
        let pull = self.own.set.kind.pull();
        self.compared().filter(|other| other.serves(pull)).collect()
    }
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
            shared_sources: OnceCell::new(),
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

    /// The entries of the set whose source is also in other entries of the cluster or of the set.
    pub fn shared_sources(&self) -> &[SharedSource<'a>] {
        self.shared_sources.get_or_init(|| self.find_shared_sources())
    }

    fn find_shared_sources(&self) -> Vec<SharedSource<'a>> {
        let Some(set) = self.new_set() else { return Vec::new() };
        let mut shared = Vec::new();
        for index in 0..set.entries.len() {
            let own = EntryRef { set, index };
            let found = self.cluster.after.entries(&own.entry().source);
            let mut others: Vec<_> = found.filter(|other| !other.is(own)).collect();
            if !others.is_empty() {
                others.sort_by_key(EntryRef::order);
                shared.push(SharedSource { own, others });
            }
        }
        shared
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
    /// Where the files have an earlier object of the same kind, namespace and name, `a.yaml:3`; `None` if there is
    /// none.
    pub earlier: Option<&'a str>,
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
