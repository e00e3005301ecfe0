//! What a check is given: a write, and the cluster before and after it.

use std::cell::OnceCell;

use super::Settings;
use crate::{
    context::{EntryRef, View},
    hypershift::{
        Derivations, Release, Releases,
        catalogs::{CATALOGS, Catalog},
    },
    node::{Change, change_of_write},
    objects::{HostedCluster, MirrorSet, annotation},
};

/// What happens to the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// It is new.
    Create,
    /// It changes.
    Update,
    /// It goes away.
    Delete,
    /// Nothing: it is there, or a file says it should be.
    Existing,
}

/// A write of a mirror set.
#[derive(Debug, Clone)]
pub struct SetWrite<'a> {
    /// What happens.
    pub operation: Operation,
    /// The set before, for an update or a deletion.
    pub old: Option<&'a MirrorSet>,
    /// The set after; `None` for a deletion.
    pub new: Option<&'a MirrorSet>,
    /// The cluster before.
    pub before: View<'a>,
    /// The cluster after, `new` included.
    pub after: View<'a>,
    /// The cluster without the set, before and after.
    pub others: View<'a>,
    /// The configuration.
    pub settings: &'a Settings,
    /// Worked out when first asked for; see [`SetWrite::change`].
    pub change: OnceCell<Option<Change<'a>>>,
    /// Worked out when first asked for; see [`SetWrite::shared_sources`].
    pub shared: OnceCell<Vec<SharedSource<'a>>>,
}

/// An entry whose source other entries have too.
#[derive(Debug, Clone)]
pub struct SharedSource<'a> {
    /// The entry.
    pub own: EntryRef<'a>,
    /// The others, of all three kinds and of the same set too, by kind, name and index.
    pub others: Vec<EntryRef<'a>>,
}

impl<'a> SharedSource<'a> {
    /// The others that are to be compared with this one: all but those that come later in the same set, so
    /// that a pair within one set is told once, at its later entry.
    pub fn compared(&self) -> impl Iterator<Item = EntryRef<'a>> {
        let own = self.own;
        let later = move |other: &EntryRef<'_>| std::ptr::eq(other.set, own.set) && other.index > own.index;
        self.others.iter().copied().filter(move |other| !later(other))
    }

    /// The others whose mirrors are merged with this one's: those that serve the same pulls, digest or tag,
    /// and have mirrors.
    pub fn merged_with(&self) -> Vec<EntryRef<'a>> {
        if !self.own.entry().is_effective() {
            return Vec::new();
        }
        let is_digest = self.own.set.kind.is_digest();
        let counts =
            |other: &EntryRef<'_>| other.set.kind.is_digest() == is_digest && other.entry().is_effective();
        self.compared().filter(counts).collect()
    }
}

impl<'a> SetWrite<'a> {
    /// What the write changes in the nodes' configuration; `None` where nothing is written, or nothing
    /// renders.
    pub fn change(&self) -> Option<&Change<'a>> {
        let work_out = || match self.operation {
            Operation::Existing => None,
            _ => change_of_write(self.before, self.after, self.old, self.new).ok(),
        };
        self.change.get_or_init(work_out).as_ref()
    }

    /// The entries of the set whose source stands elsewhere in the cluster, or twice in the set.
    pub fn shared_sources(&self) -> &[SharedSource<'a>] {
        let work_out = || {
            let entries = self
                .new
                .into_iter()
                .flat_map(|set| (0..set.entries.len()).map(move |index| EntryRef { set, index }));
            let shared = entries.filter_map(|own| {
                let is_own =
                    |other: &EntryRef<'_>| std::ptr::eq(other.set, own.set) && other.index == own.index;
                let found = self.after.entries(&own.entry().source).filter(|other| !is_own(other));
                let mut others: Vec<_> = found.collect();
                others.sort_by_key(|other| (other.set.kind, &other.set.name, other.index));
                (!others.is_empty()).then_some(SharedSource { own, others })
            });
            shared.collect()
        };
        self.shared.get_or_init(work_out)
    }
}

/// A write of a HostedCluster.
#[derive(Debug, Clone, Copy)]
pub struct HostedWrite<'a> {
    /// The HostedCluster before, for an update.
    pub old: Option<&'a HostedCluster>,
    /// The HostedCluster after the write.
    pub new: &'a HostedCluster,
    /// The management cluster.
    pub cluster: View<'a>,
    /// What the management cluster's mirror sets say about its catalogs.
    pub derivations: &'a Derivations,
    /// The configuration.
    pub settings: &'a Settings,
}

impl HostedWrite<'_> {
    /// The releases to judge for: the hosted cluster's own where its image's tag tells, else those of the
    /// configuration.
    pub fn releases(&self) -> Releases {
        let own = Release::of_image(&self.new.spec.release.image).map(Releases::from);
        own.unwrap_or_else(|| self.settings.releases.clone())
    }

    /// Whether no default catalog runs in the management cluster.
    pub fn runs_no_catalogs(&self) -> bool {
        runs_no_catalogs(self.new)
    }

    /// Whether the overrides annotation reaches no catalog: none runs here, or their images are named.
    pub fn overrides_reach_nothing(&self) -> bool {
        overrides_reach_nothing(self.new)
    }

    /// Whether the overrides annotation is not to be filled in: it would reach nothing, or the object is on
    /// its way out or back, or its owner does not want it.
    pub fn leaves_catalogs_alone(&self) -> bool {
        let hosted = self.new;
        self.overrides_reach_nothing()
            || hosted.metadata.deletion_timestamp.is_some()
            || hosted.metadata.annotations.contains_key(annotation::RESTORED)
            || hosted.annotation(annotation::OPT_OUT) == Some("disabled")
    }
}

/// Whether no default catalog of this HostedCluster runs in the management cluster.
fn runs_no_catalogs(hosted: &HostedCluster) -> bool {
    hosted.catalogs_run_in_guest() || hosted.spec.configuration.operator_hub.disable_all_default_sources
}

/// Whether the overrides annotation of this HostedCluster reaches no catalog.
pub(super) fn overrides_reach_nothing(hosted: &HostedCluster) -> bool {
    runs_no_catalogs(hosted) || named_catalog(hosted).is_some()
}

/// A catalog whose image is named by an annotation of its own.
pub(super) fn named_catalog(hosted: &HostedCluster) -> Option<&'static Catalog> {
    CATALOGS.iter().find(|catalog| hosted.annotation(catalog.image_annotation).is_some())
}
