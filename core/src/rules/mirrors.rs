//! Which mirrors somebody pulls from.

use std::collections::BTreeMap;

use super::{HostedWrite, Related};
use crate::{
    context::{EntryRef, View},
    hypershift::{RELEASE_REPOSITORIES, catalogs},
    objects::{annotation, scope::is_nested},
};

/// Mirrors, each with the entries that name it.
pub(super) type Mirrors<'a> = BTreeMap<&'a str, Vec<Related>>;

/// What the nodes pull from: every mirror of every set.
pub(super) fn of_nodes(view: View<'_>) -> Mirrors<'_> {
    collect(view, |_| true)
}

/// What is pulled with a hosted cluster's pull secret: its data plane's mirrors, the management cluster's
/// mirrors of the release, and those of the catalogs.
pub(super) fn of_hosted<'a>(view: View<'a>, write: &HostedWrite<'a>) -> Mirrors<'a> {
    let covers_release = |found: &EntryRef<'_>| {
        let source = &found.entry().source;
        found.set.kind.is_digest() && RELEASE_REPOSITORIES.iter().any(|release| is_nested(release, source))
    };
    let mut mirrors = collect(view, covers_release);
    let hosted = write.new;
    let of_itself = |path: &str| Related::to_hosted(hosted, path);
    for (at, entry) in hosted.spec.image_content_sources.iter().enumerate() {
        let path = format!("spec.imageContentSources[{at}].mirrors");
        for (_, mirror) in entry.real_mirrors() {
            mirrors.entry(mirror).or_default().push(of_itself(&path));
        }
    }
    let value = hosted.catalog_overrides().filter(|_| !write.overrides_reach_nothing());
    for place in value.and_then(catalogs::parse).iter().flat_map(|o| &o.0).flat_map(|(_, places)| places) {
        let path = annotation::path(annotation::CATALOG_OVERRIDES);
        mirrors.entry(place).or_default().push(of_itself(&path));
    }
    mirrors
}

fn collect<'a>(view: View<'a>, counts: impl Fn(&EntryRef<'a>) -> bool) -> Mirrors<'a> {
    let mut mirrors = Mirrors::new();
    for set in view.sets() {
        for (index, entry) in set.effective_entries() {
            let found = EntryRef { set, index };
            if !counts(&found) {
                continue;
            }
            for (_, mirror) in entry.real_mirrors() {
                mirrors.entry(mirror).or_default().push(Related::to_entry(&found, "mirrors"));
            }
        }
    }
    mirrors
}
