//! Values without a registry, which no fix may copy.

use std::collections::BTreeMap;

use mirrorguard_core::objects::{Object, manifest::Located, scope::names_registry};

/// The sources and mirrors without a registry that a cluster has more often after a fix than before it.
pub(crate) fn spread(before: &[Located], after: &[Located]) -> Vec<String> {
    let (before, after) = (without_registry(before), without_registry(after));
    let is_spread = |(value, count): &(String, usize)| before.get(value).is_none_or(|before| before < count);
    after.into_iter().filter(is_spread).map(|(value, _)| value).collect()
}

/// How often each of them is there.
fn without_registry(located: &[Located]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for located in located {
        let entries = match &located.object {
            Object::MirrorSet(set) => &set.entries,
            Object::HostedCluster(hosted) => &hosted.spec.image_content_sources,
            _ => continue,
        };
        let values = entries.iter().flat_map(|entry| entry.mirrors.iter().chain([&entry.source]));
        for value in values.filter(|value| !names_registry(value)) {
            *counts.entry(value.to_string()).or_default() += 1;
        }
    }
    counts
}
