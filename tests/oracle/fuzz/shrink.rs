//! The smallest form of a cluster that still has a property, such as that the two sides disagree about it.

use std::error::Error;

use super::{cluster::Cluster, images::plain_payload};

/// Whether a cluster has the property.
type Property<'a> = dyn FnMut(&Cluster) -> Result<bool, Box<dyn Error>> + 'a;

/// How often the property is asked for, at most.
const MOST_TRIES: usize = 3000;

/// Removes, shortens and simplifies parts for as long as the property stays.
pub(crate) fn shrink(cluster: &Cluster, has_property: &mut Property<'_>) -> Result<Cluster, Box<dyn Error>> {
    let mut smallest = cluster.clone();
    let mut tries = MOST_TRIES;
    while let Some(smaller) = first_with(smaller(&smallest), &mut tries, has_property)? {
        smallest = smaller;
    }
    Ok(smallest)
}

/// The first cluster with the property; `None` if there is none, or if the tries are used up.
fn first_with(
    clusters: Vec<Cluster>,
    tries: &mut usize,
    has_property: &mut Property<'_>,
) -> Result<Option<Cluster>, Box<dyn Error>> {
    for cluster in clusters {
        if *tries == 0 {
            return Ok(None);
        }
        *tries -= 1;
        if has_property(&cluster)? {
            return Ok(Some(cluster));
        }
    }
    Ok(None)
}

/// Every cluster that is smaller by one step, those without large parts first.
fn smaller(cluster: &Cluster) -> Vec<Cluster> {
    let mut found = without_each(cluster, |cluster| &mut cluster.sets);
    found.extend(without_each(cluster, |cluster| &mut cluster.images));
    found.extend(without_each(cluster, |cluster| &mut cluster.insecure_registries));
    found.extend(without_each(cluster, |cluster| &mut cluster.blocked_registries));
    found.extend(without_each(cluster, |cluster| &mut cluster.allowed_registries));
    found.extend(without_each(cluster, |cluster| &mut cluster.search_registries));
    found.extend(with_plain_payload(cluster));
    for set in 0..cluster.sets.len() {
        found.extend(without_each(cluster, |cluster| &mut cluster.sets[set].entries));
        for entry in 0..cluster.sets[set].entries.len() {
            found.extend(with_smaller_entry(cluster, set, entry));
        }
    }
    found.extend(with_shorter_names(cluster));
    found
}

/// The cluster with a payload that nothing else is about.
fn with_plain_payload(cluster: &Cluster) -> Option<Cluster> {
    let payload = plain_payload();
    (cluster.payload != payload).then(|| Cluster { payload, ..cluster.clone() })
}

/// The cluster without the first item of a list, without the second, and so on.
fn without_each<T>(cluster: &Cluster, list: impl Fn(&mut Cluster) -> &mut Vec<T>) -> Vec<Cluster> {
    let length = list(&mut cluster.clone()).len();
    let without = |at| {
        let mut smaller = cluster.clone();
        list(&mut smaller).remove(at);
        smaller
    };
    (0..length).map(without).collect()
}

/// The cluster with fewer mirrors in one entry, and without its policy.
fn with_smaller_entry(cluster: &Cluster, set: usize, entry: usize) -> Vec<Cluster> {
    let original = &cluster.sets[set].entries[entry];
    let mut found = Vec::new();
    for at in 0..original.mirrors.len() {
        let mut smaller = cluster.clone();
        smaller.sets[set].entries[entry].mirrors.remove(at);
        found.push(smaller);
    }
    if original.mirror_source_policy.is_some() {
        let mut smaller = cluster.clone();
        smaller.sets[set].entries[entry].mirror_source_policy = None;
        found.push(smaller);
    }
    found
}

/// The cluster with a path element of one of its names taken away everywhere, so that names that meet still do.
fn with_shorter_names(cluster: &Cluster) -> impl Iterator<Item = Cluster> + '_ {
    let entries = cluster.sets.iter().flat_map(|set| &set.entries);
    let names = entries.flat_map(|entry| entry.mirrors.iter().chain([&entry.source]).map(|name| &**name));
    names.chain(cluster.scopes().map(String::as_str)).filter_map(|name| {
        let (parent, _) = name.rsplit_once('/')?;
        Some(renamed(cluster, name, parent))
    })
}

fn renamed(cluster: &Cluster, from: &str, to: &str) -> Cluster {
    let mut renamed = cluster.clone();
    for entry in renamed.sets.iter_mut().flat_map(|set| &mut set.entries) {
        entry.source = rename(&entry.source, from, to).into();
        for mirror in &mut entry.mirrors {
            *mirror = rename(mirror, from, to).into();
        }
    }
    let lists = [
        &mut renamed.insecure_registries,
        &mut renamed.blocked_registries,
        &mut renamed.allowed_registries,
        &mut renamed.images,
    ];
    for name in lists.into_iter().flatten().chain([&mut renamed.payload]) {
        *name = rename(name, from, to);
    }
    renamed
}

fn rename(name: &str, from: &str, to: &str) -> String {
    name.strip_prefix(from).map_or_else(|| name.to_owned(), |rest| format!("{to}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::generate;

    #[test]
    fn what_the_property_does_not_need_is_removed() {
        let mut shrunk = 0;
        for index in 0..60 {
            let cluster = generate(5, index);
            if !names_twice(&cluster) {
                continue;
            }
            let smallest = shrink(&cluster, &mut |smaller| Ok(names_twice(smaller))).unwrap();
            let entries: Vec<_> = smallest.sets.iter().flat_map(|set| &set.entries).collect();
            assert_eq!(entries.len(), 2, "cluster {index}: two entries are needed");
            assert!(entries.iter().all(|entry| entry.mirrors.is_empty()), "cluster {index}: mirrors");
            assert!(entries.iter().all(|entry| !entry.source.contains('/')), "cluster {index}: paths");
            assert_eq!(smallest.scopes().count(), 0, "cluster {index}: scopes");
            let others = [&smallest.images, &smallest.search_registries];
            assert!(others.iter().all(|list| list.is_empty()), "cluster {index}: the rest");
            assert_eq!(smallest.payload, plain_payload(), "cluster {index}: payload");
            shrunk += 1;
        }
        assert!(shrunk > 5, "only {shrunk} clusters name a source twice");
    }

    /// Whether two entries have the same source.
    fn names_twice(cluster: &Cluster) -> bool {
        let mut sources: Vec<_> =
            cluster.sets.iter().flat_map(|set| &set.entries).map(|entry| &entry.source).collect();
        sources.sort();
        sources.windows(2).any(|pair| pair[0] == pair[1])
    }
}
