//! Sources with their mirrors, of one kind of pull.

use std::collections::BTreeMap;

use super::Omission;
use crate::{
    context::{EntryRef, View},
    node,
    objects::{Entry, MirrorSourcePolicy, Pull, scope::names_registry},
};

/// The entries listed for a source, before the number of the others.
const MAX_PLACES: usize = 3;

/// One source and all entries with it of one kind of pull.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) name: &'a str,
    /// In the order the nodes try them.
    pub(super) mirrors: Vec<&'a str>,
    /// The one policy in force: that nodes accept the sets means that no source has two.
    pub(super) policy: MirrorSourcePolicy,
    /// The entries that were merged.
    entries: Vec<EntryRef<'a>>,
}

impl<'a> Source<'a> {
    /// Merges the entries of a source, all of them effective, as the nodes merge them. Also returns whether their
    /// mirrors are listed in contradicting orders.
    fn merge(name: &'a str, entries: Vec<EntryRef<'a>>) -> (Self, bool) {
        let lists: Vec<_> = entries.iter().map(|found| &*found.entry().mirrors).collect();
        let merged = node::merge(name, &lists);
        // All have the same: nodes reject sets with two policies for one source.
        let policy = entries.first().map(|found| found.entry().policy()).unwrap_or_default();
        (Self { name, mirrors: merged.mirrors.to_vec(), policy, entries }, merged.contradictory)
    }

    /// Whether the source may not be contacted.
    pub(super) fn is_never_contacted(&self) -> bool {
        self.policy == MirrorSourcePolicy::NeverContactSource
    }

    /// The source as one entry, without the default policy.
    pub(super) fn to_entry(&self) -> Entry {
        Entry {
            source: self.name.into(),
            mirrors: self.mirrors.iter().map(|mirror| Box::from(*mirror)).collect(),
            mirror_source_policy: Some(self.policy).filter(|policy| *policy != MirrorSourcePolicy::default()),
        }
    }

    /// An omission for each of these mirrors that has no registry host.
    pub(super) fn without_registry(&self, mirrors: &[&str]) -> Vec<Omission> {
        let unqualified = mirrors.iter().filter(|mirror| !names_registry(mirror));
        let described = unqualified.map(|mirror| {
            Omission::Kept(format!(
                "mirror \"{mirror}\" of {} has no registry host: every pull that this source decides fails",
                self.describe()
            ))
        });
        described.collect()
    }

    /// `source "quay.io/a" (ImageDigestMirrorSet/a, spec.imageDigestMirrors[0])`, with the first entries.
    pub(super) fn describe(&self) -> String {
        let mut places = Vec::new();
        for found in self.entries.iter().take(MAX_PLACES) {
            places.push(format!("{}, {}", found.set.id(), found.set.entry_path(found.index)));
        }
        let more = match self.entries.len() - places.len() {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        format!("source \"{}\" ({}{more})", self.name, places.join("; "))
    }
}

/// The sources of the sets for these pulls, sorted, each with its mirrors merged as the nodes merge them, and what
/// was left out or is not certain.
pub(super) fn sources(view: View<'_>, pull: Pull) -> (Vec<Source<'_>>, Vec<Omission>) {
    let mut omissions = Vec::new();
    let mut by_source: BTreeMap<&str, Vec<EntryRef<'_>>> = BTreeMap::new();
    for set in view.sets().filter(|set| set.kind.pull() == pull) {
        for (index, entry) in set.entries.iter().enumerate() {
            if entry.is_effective() {
                by_source.entry(&entry.source).or_default().push(EntryRef { set, index });
            } else {
                let path = set.field_path(index, "mirrors");
                omissions.push(Omission::Aside(format!(
                    "source \"{}\" ({}, {path}) has no mirror other than itself: nodes ignore the entry and its policy",
                    entry.source,
                    set.id()
                )));
            }
        }
    }
    let mut sources = Vec::new();
    for (name, entries) in by_source {
        let (source, is_contradictory) = Source::merge(name, entries);
        if is_contradictory {
            let source = source.describe();
            omissions.push(Omission::Aside(format!(
                "the mirrors of {source} are listed in contradicting orders: the order is unspecified, and nodes may \
                 use another one than the output shows"
            )));
        }
        sources.push(source);
    }
    (sources, omissions)
}

/// One omission for each set with effective entries for other pulls, with the reason.
pub(super) fn misplaced(view: View<'_>, pull: Pull, why: &str) -> Vec<Omission> {
    let mut omissions = Vec::new();
    for set in view.sets() {
        if set.kind.pull() != pull && set.effective_entries().next().is_some() {
            let count = match set.entries.len() {
                1 => "1 entry".to_owned(),
                count => format!("{count} entries"),
            };
            omissions.push(Omission::Aside(format!("{} ({count}): {why}", set.id())));
        }
    }
    omissions
}
