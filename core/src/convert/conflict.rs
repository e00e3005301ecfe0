//! What mirror sets contradict each other about, in whatever objects.

use std::collections::BTreeMap;

use super::{Document, Problem};
use crate::{
    node,
    objects::{Entry, MirrorSourcePolicy},
};

/// An entry, and the place it has.
#[derive(Clone, Copy)]
struct Found<'a> {
    document: &'a Document,
    index: usize,
}

impl<'a> Found<'a> {
    fn entry(self) -> &'a Entry {
        &self.document.set.entries[self.index]
    }

    fn place(self) -> String {
        self.document.entry_place(self.index)
    }
}

fn entries_of(document: &Document) -> impl Iterator<Item = Found<'_>> {
    (0..document.set.entries.len()).map(move |index| Found { document, index })
}

/// Sources with two policies, in whatever objects: the nodes get nothing from them.
pub(super) fn policy_conflicts(documents: &[Document]) -> Vec<Problem> {
    let mut found: BTreeMap<&str, [Option<Found<'_>>; 2]> = BTreeMap::new();
    for this in documents.iter().flat_map(entries_of) {
        let entry = this.entry();
        let never = entry.policy() == MirrorSourcePolicy::NeverContactSource;
        found.entry(&entry.source).or_default()[usize::from(never)].get_or_insert(this);
    }
    let conflict = |(source, pair)| {
        let [Some(allowed), Some(never)]: [Option<Found<'_>>; 2] = pair else { return None };
        Some(Problem {
            what: format!(
                "source \"{source}\" is AllowContactingSource in one place and NeverContactSource in another"
            ),
            places: vec![allowed.place(), never.place()],
            fix: "give it one policy everywhere: no node gets a new configuration while there are two"
                .to_owned(),
        })
    };
    found.into_iter().filter_map(conflict).collect()
}

/// Sources whose lists of mirrors contradict each other, among the entries that the nodes merge: a cycle is
/// no error to them, but their order is then called unspecified.
pub(super) fn order_conflicts<'a>(documents: impl IntoIterator<Item = &'a Document>) -> Vec<Problem> {
    let mut lists: BTreeMap<(&str, bool), Vec<Found<'_>>> = BTreeMap::new();
    for this in documents.into_iter().flat_map(entries_of).filter(|found| found.entry().is_effective()) {
        lists.entry((&this.entry().source, this.document.set.kind.is_digest())).or_default().push(this);
    }
    let contradict = |source: &str, found: &[Found<'_>]| {
        let lists: Vec<&[Box<str>]> = found.iter().map(|found| &*found.entry().mirrors).collect();
        node::merge(source, &lists).contradictory
    };
    let conflict = |((source, is_digest), found): ((&str, bool), Vec<Found<'_>>)| {
        if !contradict(source, &found) {
            return None;
        }
        let pairs =
            found.iter().enumerate().flat_map(|(at, one)| found[at..].iter().map(move |two| [*one, *two]));
        let culprits =
            pairs.into_iter().find(|pair| contradict(source, pair)).map_or(found.clone(), Vec::from);
        let mut places: Vec<_> = culprits
            .iter()
            .map(|found| format!("{}: {}", found.place(), found.entry().mirrors.join(", then ")))
            .collect();
        places.dedup();
        Some(Problem {
            what: format!(
                "the mirrors of source \"{source}\" stand in contradicting order, so that pulls by {} try them in an \
                 order nobody chose",
                if is_digest { "digest" } else { "tag" }
            ),
            places,
            fix: "list them in one order everywhere".to_owned(),
        })
    };
    lists.into_iter().filter_map(conflict).collect()
}
