//! The mirrors that nodes and hosted clusters pull from. A mirror that names no registry does not count.

use std::collections::BTreeMap;

use super::{HostedWrite, Related};
use crate::{
    context::{EntryRef, View},
    hypershift::{
        RELEASE_REPOSITORIES,
        catalogs::{self, EmptySides},
        readings,
    },
    objects::{
        Entry, annotation,
        scope::{is_nested, names_registry},
    },
};

/// Mirrors, each with the fields that name it.
pub(super) type Mirrors<'a> = BTreeMap<&'a str, Vec<Related>>;

/// The mirrors that nodes pull from: every mirror of every set, unless it is the source of its own entry.
pub(super) fn of_nodes(view: View<'_>) -> Mirrors<'_> {
    collect(view, |_| true)
}

/// What is pulled with a hosted cluster's pull secret: its data plane's mirrors, the management cluster's
/// mirrors of the release, and those of the catalogs.
pub(super) fn of_hosted<'a>(view: View<'a>, write: &HostedWrite<'a>) -> Mirrors<'a> {
    let mut mirrors = collect(view, covers_release);
    let hosted = write.new;
    for (at, entry) in hosted.spec.image_content_sources.iter().enumerate() {
        let path = format!("spec.imageContentSources[{at}].mirrors");
        for mirror in named_mirrors(entry) {
            mirrors.entry(mirror).or_default().push(Related::to_hosted(hosted, &path));
        }
    }
    let path = annotation::path(annotation::CATALOG_OVERRIDES);
    for namespace in catalog_namespaces(write) {
        mirrors.entry(namespace).or_default().push(Related::to_hosted(hosted, &path));
    }
    mirrors
}

/// The mirrors of an entry other than its source, without those that name no registry: no pull can use one of these.
fn named_mirrors(entry: &Entry) -> impl Iterator<Item = &str> {
    entry.real_mirrors().map(|(_, mirror)| mirror).filter(|mirror| names_registry(mirror))
}

/// Where a HostedCluster's catalog overrides lead to; nothing if no catalog is pulled as they say. With guest placement
/// the nodes of the hosted cluster pull them, whose pull secret is the same.
fn catalog_namespaces<'a>(write: &HostedWrite<'a>) -> Vec<&'a str> {
    let (Some(value), Some(placement)) = (write.new.catalog_overrides(), write.overrides_placement()) else {
        return Vec::new();
    };
    if readings(value, &write.releases(), placement).is_empty() {
        return Vec::new();
    }
    // The empty sides that some releases keep name no mirror.
    let overrides = catalogs::parse(value, EmptySides::Dropped).unwrap_or_default();
    overrides.0.into_iter().flat_map(|(_, namespaces)| namespaces).collect()
}

/// Whether the source of an entry for digest pulls covers release images.
fn covers_release(found: &EntryRef<'_>) -> bool {
    let source = &found.entry().source;
    found.set.kind.is_digest() && RELEASE_REPOSITORIES.iter().any(|release| is_nested(release, source))
}

/// The mirrors of the entries that count.
fn collect<'a>(view: View<'a>, counts: impl Fn(&EntryRef<'a>) -> bool) -> Mirrors<'a> {
    let mut mirrors = Mirrors::new();
    for set in view.sets() {
        for (index, entry) in set.effective_entries() {
            let found = EntryRef { set, index };
            if !counts(&found) {
                continue;
            }
            for mirror in named_mirrors(entry) {
                mirrors.entry(mirror).or_default().push(Related::to_entry(&found, "mirrors"));
            }
        }
    }
    mirrors
}
