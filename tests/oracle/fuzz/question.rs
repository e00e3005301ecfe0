//! What each upstream program is asked about a cluster.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
};

use mirrorguard_core::{
    hypershift,
    node::{self, PolicyFile, Rendering},
    objects::MirrorSourcePolicy,
};
use serde_json::{Value, json};

use super::{
    cluster::{Cluster, Set},
    images::plain_payload,
};

/// The whole cluster, and what our model says that the machine-config operator makes of the lists of the image
/// configuration: that is asked of the operator itself.
pub(crate) fn node(cluster: &Cluster) -> Result<Value, Box<dyn Error>> {
    let context = cluster.context()?;
    let view = context.view();
    let policy = node::files(view).ok().map(|files| policy(&files.policy));
    let mut question = serde_json::to_value(cluster)?;
    question["blocked"] = json!(Rendering::new(view).blocked());
    question["policy"] = policy.into();
    Ok(question)
}

/// What policy.json says.
pub(crate) fn policy(file: &PolicyFile<'_>) -> Value {
    json!({"rejectsOthers": file.rejects_others, "scopes": file.scopes})
}

/// The cluster and those that it may become.
pub(crate) fn machine_config_operator(cluster: &Cluster) -> Result<Value, Box<dyn Error>> {
    Ok(serde_json::to_value(BTreeMap::from([("clusters", variants(cluster))]))?)
}

/// The names of the cluster, and what HyperShift hands on of its mirror sets.
pub(crate) fn hypershift(cluster: &Cluster) -> Result<Value, Box<dyn Error>> {
    let context = cluster.context()?;
    let overrides = hypershift::overrides(context.view());
    Ok(json!({"references": references(cluster), "overrides": overrides, "images": cluster.images}))
}

/// Every source, mirror and image once.
pub(crate) fn references(cluster: &Cluster) -> Vec<&str> {
    let entries = cluster.sets.iter().flat_map(|set| &set.entries);
    let named = entries.flat_map(|entry| entry.mirrors.iter().chain([&entry.source]).map(|name| &**name));
    let images = cluster.images.iter().map(String::as_str);
    named.chain(images).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The cluster, and clusters that differ from it in one thing each. Release 4.14 rejects every wildcard: they have none.
pub(crate) fn variants(cluster: &Cluster) -> Vec<Cluster> {
    let first = Cluster {
        sets: cluster.sets.iter().map(without_wildcards).collect(),
        images: Vec::new(),
        ..cluster.clone()
    };
    let mut variants = vec![
        Cluster { insecure_registries: Vec::new(), ..first.clone() },
        Cluster { blocked_registries: Vec::new(), ..first.clone() },
        Cluster { allowed_registries: Vec::new(), ..first.clone() },
        Cluster { payload: plain_payload(), ..first.clone() },
    ];
    for at in 0..first.sets.len() {
        variants.push(changed(&first, |sets| drop(sets.remove(at))));
        variants.push(changed(&first, |sets| reverse_mirrors(&mut sets[at])));
        variants.push(changed(&first, |sets| flip_policies(&mut sets[at])));
        variants.push(changed(&first, |sets| drop(sets[at].entries.pop())));
    }
    variants.insert(0, first);
    variants
}

fn without_wildcards(set: &Set) -> Set {
    let mut set = set.clone();
    set.entries.retain(|entry| !entry.source.contains('*'));
    set
}

fn changed(cluster: &Cluster, change: impl FnOnce(&mut Vec<Set>)) -> Cluster {
    let mut changed = cluster.clone();
    change(&mut changed.sets);
    changed
}

fn reverse_mirrors(set: &mut Set) {
    for entry in &mut set.entries {
        entry.mirrors.reverse();
    }
}

/// An `ImageContentSourcePolicy` has no policy to flip.
fn flip_policies(set: &mut Set) {
    for entry in &mut set.entries {
        entry.mirror_source_policy = match entry.mirror_source_policy {
            Some(MirrorSourcePolicy::NeverContactSource) => None,
            _ if set.kind == "ImageContentSourcePolicy" => None,
            _ => Some(MirrorSourcePolicy::NeverContactSource),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::generate;

    #[test]
    fn the_variants_are_bounded_and_have_no_wildcards() {
        for index in 0..200 {
            let variants = variants(&generate(3, index));
            assert!(variants.len() <= 5 + 4 * 4, "cluster {index}: {} variants", variants.len());
            let mut entries = variants.iter().flat_map(|cluster| &cluster.sets).flat_map(|set| &set.entries);
            assert!(entries.all(|entry| !entry.source.contains('*')), "cluster {index}");
        }
    }
}
