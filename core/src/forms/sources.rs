//! Sources with their mirrors, of one kind of pull.

use std::collections::BTreeMap;

use super::Omission;
use crate::{
    context::{EntryRef, View},
    node,
    objects::{MirrorSourcePolicy, SetKind},
};

/// One source and all that the mirror sets of one kind of pull say about it.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) name: &'a str,
    /// In the order the nodes try them.
    pub(super) mirrors: Vec<&'a str>,
    /// The one policy in force.
    pub(super) policy: MirrorSourcePolicy,
    /// The entries that were merged.
    entries: Vec<EntryRef<'a>>,
}

impl Source<'_> {
    /// Whether the source may not be contacted.
    pub(super) fn is_never_contacted(&self) -> bool {
        self.policy == MirrorSourcePolicy::NeverContactSource
    }

    /// `source "quay.io/a" (ImageDigestMirrorSet/a, spec.imageDigestMirrors[0])`, with the first three entries.
    pub(super) fn named(&self) -> String {
        let place = |found: &EntryRef<'_>| {
            let path = found.set.field_path(found.index, "");
            format!("{}, {}", found.set.id(), path.trim_end_matches('.'))
        };
        let places: Vec<_> = self.entries.iter().take(3).map(place).collect();
        let more = match self.entries.len() - places.len() {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        format!("source \"{}\" ({}{more})", self.name, places.join("; "))
    }
}

/// The sources of the sets whose kind is asked for, sorted, each with its mirrors merged as the nodes merge
/// them, and what was left out or is not certain.
pub(super) fn sources(view: View<'_>, wanted: impl Fn(SetKind) -> bool) -> (Vec<Source<'_>>, Vec<Omission>) {
    let mut omissions = Vec::new();
    let mut by_source: BTreeMap<&str, Vec<EntryRef<'_>>> = BTreeMap::new();
    for set in view.sets().filter(|set| wanted(set.kind)) {
        for (index, entry) in set.entries.iter().enumerate() {
            if entry.is_effective() {
                by_source.entry(&entry.source).or_default().push(EntryRef { set, index });
            } else {
                let path = set.field_path(index, "mirrors");
                omissions.push(Omission::Aside(format!(
                    "source \"{}\" ({}, {path}) has no mirror but itself: the nodes drop the entry, its policy included",
                    entry.source,
                    set.id()
                )));
            }
        }
    }
    let merged = by_source.into_iter().map(|(source, entries)| {
        let lists: Vec<_> = entries.iter().map(|found| &*found.entry().mirrors).collect();
        let merged = node::merge(source, &lists);
        let mut policies = entries.iter().map(|found| found.entry().policy());
        let policy = policies.find(|policy| *policy != MirrorSourcePolicy::default()).unwrap_or_default();
        let source = Source { name: source, mirrors: merged.mirrors.to_vec(), policy, entries };
        if merged.contradictory {
            let what =
                "is given its mirrors in contradicting orders: the nodes' order is unspecified, this is one";
            omissions.push(Omission::Aside(format!("{} {what}", source.named())));
        }
        source
    });
    let merged = merged.collect();
    (merged, omissions)
}

/// One line for each set of a kind that has no place in the form, and why.
pub(super) fn misplaced(view: View<'_>, kind: impl Fn(SetKind) -> bool, why: &str) -> Vec<Omission> {
    let sets = view.sets().filter(|set| kind(set.kind) && set.effective_entries().next().is_some());
    sets.map(|set| Omission::Aside(format!("{} with {} entries: {why}", set.id(), set.entries.len())))
        .collect()
}
