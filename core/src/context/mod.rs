//! What a decision reads: every mirror set of a cluster, found by source without a scan, the cluster-wide
//! settings that affect the same file, and the hosted clusters that depend on them.
//!
//! A [`Context`] is a value: it is changed object by object as a cluster changes, and cloning it is cheap.
//! A [`View`] is the context with one set added, replaced or left out, so that a write can be reviewed
//! without changing anything.
//!
//! The context keeps the size of registries.conf as a running total. It takes the sizes from
//! [`crate::registries_conf`], which writes the file: a module below both this one and [`crate::node`].

mod bulk;
mod index;
mod never_contacted;
mod registries;
mod size;
mod view;

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use index::{Place, Repeats, SourceIndex};
use never_contacted::NeverContacted;
use registries::Registries;
pub use registries::{ViewRegistries, mirror_hosts};
pub use size::{Totals, grows, size_at_most, size_of_write};
use size::{faults_of_all, faults_of_write};
pub use view::{EntryRef, Overlay, View};

use crate::objects::{
    ClusterVersion, FileDisruption, Format, HostedCluster, ImageConfig, MirrorSet, Object, ObjectId,
    OperatorCatalog, SetKind, SignaturePolicy, scope::is_wildcard,
};

/// The mirror sets and settings of one cluster.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The sets by slot: a number that stays the same while a set is there, for the index to refer to. `None` is a
    /// free slot.
    sets: Vec<Option<Arc<MirrorSet>>>,
    /// The entries of the set in each slot that have the source of an earlier one.
    repeats: Vec<Repeats>,
    /// The free slots, to be used again.
    free: Vec<u32>,
    /// The slot of each set, by kind and name.
    slots: BTreeMap<SetKind, BTreeMap<Box<str>, u32>>,
    index: SourceIndex,
    /// Bytes that all sources take in registries.conf; a running total, as `faults`.
    size: usize,
    /// The set with the most entries, once it was asked for.
    largest: OnceLock<Option<Arc<MirrorSet>>>,
    /// How many faults the sources have for which the machine-config operator renders nothing.
    faults: usize,
    /// The number of entries whose source is a wildcard; most clusters have none.
    wildcards: usize,
    never_contacted: NeverContacted,
    registries: Registries,
    hosted: BTreeMap<(Box<str>, Box<str>), Arc<HostedCluster>>,
    /// Those that serve an image to the whole cluster.
    catalogs: BTreeMap<ObjectId, Arc<OperatorCatalog>>,
    /// `image.config.openshift.io/cluster`.
    pub image_config: Arc<ImageConfig>,
    /// Reference of the payload, where a ClusterVersion is known.
    pub payload: Option<String>,
    /// What the machine-config operator accepts as sources and mirrors, by the release of the ClusterVersion. Changed
    /// only by [`Context::set_version`], which counts the faults again.
    pub format: Format,
    /// The ClusterImagePolicies and ImagePolicies, by namespace and name.
    signature_policies: BTreeMap<(Box<str>, Box<str>), Vec<String>>,
    /// The custom node disruption policy for files.
    pub file_disruptions: Vec<FileDisruption>,
}

impl Context {
    /// Adds an object, or replaces the one of the same kind and name.
    pub fn insert(&mut self, object: Object) {
        match object {
            Object::MirrorSet(set) => self.insert_set(set),
            Object::ImageConfig(config) if config.counts() => self.image_config = config,
            Object::ClusterVersion(version) if version.counts() => self.set_version(version),
            Object::MachineConfiguration(machines) if machines.counts() => {
                self.file_disruptions = machines.files;
            }
            Object::SignaturePolicy(SignaturePolicy { namespace, name, scopes }) => {
                self.signature_policies.insert((namespace, name), scopes);
            }
            // Of another name than the one that operators read.
            Object::ImageConfig(_) | Object::ClusterVersion(_) | Object::MachineConfiguration(_) => {}
            Object::HostedCluster(hosted) => {
                let metadata = &hosted.metadata;
                let key = (metadata.namespace.as_str().into(), metadata.name.as_str().into());
                self.hosted.insert(key, hosted);
            }
            Object::Catalog(catalog) if catalog.is_global() => {
                self.catalogs.insert(catalog.id(), catalog);
            }
            // It may have served the whole cluster until this change.
            Object::Catalog(catalog) => self.remove_catalog(&catalog.id()),
        }
    }

    /// Removes a CatalogSource or ClusterCatalog, if it exists.
    pub fn remove_catalog(&mut self, id: &ObjectId) {
        self.catalogs.remove(id);
    }

    /// The CatalogSources and ClusterCatalogs that serve an image to the whole cluster, by kind, namespace and name.
    pub fn catalogs(&self) -> impl Iterator<Item = &OperatorCatalog> {
        self.catalogs.values().map(|catalog| &**catalog)
    }

    /// Takes the payload and the release of a ClusterVersion.
    pub fn set_version(&mut self, version: ClusterVersion) {
        self.payload = Some(version.desired_image).filter(|image| !image.is_empty());
        let format = Format::of_release(&version.desired_version);
        if format != self.format {
            self.format = format;
            self.faults = faults_of_all(self.view());
        }
    }

    /// The scopes that ClusterImagePolicies require signatures for (`true`), or ImagePolicies (`false`).
    pub fn signed_scopes(&self) -> impl Iterator<Item = (bool, &str)> {
        let policies = self.signature_policies.iter();
        policies.flat_map(|((namespace, _), scopes)| {
            scopes.iter().map(move |scope| (namespace.is_empty(), &**scope))
        })
    }

    /// Removes a HostedCluster, if it exists.
    pub fn remove_hosted(&mut self, namespace: &str, name: &str) {
        self.hosted.remove(&(namespace.into(), name.into()));
    }

    /// The HostedClusters, by namespace and name.
    pub fn hosted_clusters(&self) -> impl Iterator<Item = &HostedCluster> {
        self.hosted.values().map(|hosted| &**hosted)
    }

    /// A HostedCluster by namespace and name.
    pub fn hosted_cluster(&self, namespace: &str, name: &str) -> Option<&HostedCluster> {
        self.hosted.get(&(namespace.into(), name.into())).map(|hosted| &**hosted)
    }

    /// Whether everything that the catalog overrides are derived from, apart from mirror sets, is the same as in
    /// another context.
    pub fn has_settings_of(&self, other: &Self) -> bool {
        (&self.image_config, &self.payload, &self.format, &self.signature_policies, &self.catalogs)
            == (
                &other.image_config,
                &other.payload,
                &other.format,
                &other.signature_policies,
                &other.catalogs,
            )
    }

    /// Adds a mirror set, or replaces the one of the same kind and name.
    pub fn insert_set(&mut self, set: Arc<MirrorSet>) {
        self.remove_set(set.kind, &set.name);
        let slot = self.put_set(set);
        let [size, faults] = self.totals_of_set(slot);
        // Added first: the difference alone may be less than 0.
        self.size = self.size + size.after - size.before;
        self.faults = self.faults + faults.after - faults.before;
    }

    /// Puts a set into a slot, which is returned. The totals do not have it yet.
    fn put_set(&mut self, set: Arc<MirrorSet>) -> u32 {
        self.largest = OnceLock::new();
        let slot = self.free.pop().unwrap_or_else(|| {
            self.sets.push(None);
            self.repeats.push(Repeats::default());
            u32::try_from(self.sets.len() - 1).unwrap_or(u32::MAX)
        });
        self.slots.entry(set.kind).or_default().insert(set.name.clone(), slot);
        self.wildcards += count_wildcards(&set);
        self.never_contacted.add(&set);
        self.registries.add(&set);
        let (last, repeats) = Repeats::of(&set.entries, |source| self.index.hash(source));
        self.repeats[slot as usize] = repeats;
        self.sets[slot as usize] = Some(set);
        let Self { sets, index, .. } = self;
        for entry in last {
            let place = Place { slot, entry };
            index.insert(source_at(sets, place), place, |place| source_at(sets, place));
        }
        slot
    }

    /// The bytes and the faults of the sources of the set in a slot, without it (`before`) and with it
    /// (`after`). The set must be in the index.
    fn totals_of_set(&self, slot: u32) -> [Totals; 2] {
        let set = self.sets[slot as usize].as_deref();
        let (without, with) = (View::new(self, Some(slot), None), self.view());
        [size_of_write(without, with, None, set), faults_of_write(without, with, None, set)]
    }

    /// The set with the most entries; of several, the first one.
    fn largest(&self) -> Option<&Arc<MirrorSet>> {
        // Of equal ones, `min_by_key` returns the first.
        let find = || self.shared_sets().min_by_key(|set| Reverse(set.entries.len())).cloned();
        self.largest.get_or_init(find).as_ref()
    }

    /// Removes a mirror set, if it exists.
    pub fn remove_set(&mut self, kind: SetKind, name: &str) {
        let Some(slot) = self.slot(kind, name) else { return };
        // While the index still has the set: the totals are those of adding it, and are taken back.
        let [size, faults] = self.totals_of_set(slot);
        self.size = self.size + size.before - size.after;
        self.faults = self.faults + faults.before - faults.after;
        self.take_set(kind, name);
    }

    /// Takes a mirror set out, if it exists. The totals still have it.
    fn take_set(&mut self, kind: SetKind, name: &str) {
        let Some(slot) = self.slots.get_mut(&kind).and_then(|names| names.remove(name)) else { return };
        self.largest = OnceLock::new();
        let Some(set) = self.sets[slot as usize].take() else { return };
        self.free.push(slot);
        self.wildcards -= count_wildcards(&set);
        self.never_contacted.remove(&set);
        self.registries.remove(&set);
        let repeats = std::mem::take(&mut self.repeats[slot as usize]);
        for last in repeats.last_of_each(set.entries.len()) {
            let place = Place { slot, entry: u32::try_from(last).unwrap_or(u32::MAX) };
            self.index.remove(&set.entries[last].source, place);
        }
    }

    /// A mirror set by kind and name.
    pub fn set(&self, kind: SetKind, name: &str) -> Option<&MirrorSet> {
        self.shared_set(kind, name).map(|set| &**set)
    }

    /// A mirror set by kind and name, shared.
    pub fn shared_set(&self, kind: SetKind, name: &str) -> Option<&Arc<MirrorSet>> {
        self.sets[self.slot(kind, name)? as usize].as_ref()
    }

    /// The mirror sets of a kind, by name.
    pub fn sets_of(&self, kind: SetKind) -> impl Iterator<Item = &MirrorSet> {
        let slots = self.slots.get(&kind).into_iter().flat_map(BTreeMap::values);
        slots.filter_map(|slot| self.sets[*slot as usize].as_deref())
    }

    /// Every mirror set, shared; in the order of [`SetKind::ALL`], those of a kind by name.
    pub fn shared_sets(&self) -> impl Iterator<Item = &Arc<MirrorSet>> {
        let slots =
            SetKind::ALL.into_iter().filter_map(|kind| self.slots.get(&kind)).flat_map(BTreeMap::values);
        slots.filter_map(|slot| self.sets[*slot as usize].as_ref())
    }

    /// The number of mirror sets of a kind.
    pub fn count(&self, kind: SetKind) -> usize {
        self.slots.get(&kind).map_or(0, BTreeMap::len)
    }

    /// The context as it is.
    pub fn view(&self) -> View<'_> {
        View::new(self, None, None)
    }

    /// The context without the set of this kind and name, and with `overlay` instead, where given: a set of the same
    /// kind and name.
    pub fn view_with<'a>(&'a self, kind: SetKind, name: &str, overlay: Option<&'a Overlay<'a>>) -> View<'a> {
        View::new(self, self.slot(kind, name), overlay)
    }

    fn slot(&self, kind: SetKind, name: &str) -> Option<u32> {
        self.slots.get(&kind)?.get(name).copied()
    }
}

fn count_wildcards(set: &MirrorSet) -> usize {
    set.entries.iter().filter(|entry| is_wildcard(&entry.source)).count()
}

/// The source at a place of the index.
fn source_at(sets: &[Option<Arc<MirrorSet>>], place: Place) -> &str {
    let set = sets.get(place.slot as usize).and_then(Option::as_ref);
    set.and_then(|set| set.entries.get(place.entry as usize)).map_or("", |entry| &entry.source)
}

#[cfg(test)]
mod tests;
