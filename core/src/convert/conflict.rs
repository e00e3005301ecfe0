//! Contradictions between the entries of any objects.

use std::collections::{BTreeMap, HashSet};

use super::{Document, Problem};
use crate::{
    node,
    objects::{Entry, MirrorSourcePolicy, Pull},
};

/// An entry and its document.
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

    /// The place with the mirrors in their order.
    fn place_with_mirrors(self) -> String {
        format!("{}: {}", self.place(), self.entry().mirrors.join(", then "))
    }
}

fn entries_of(document: &Document) -> impl Iterator<Item = Found<'_>> {
    (0..document.set.entries.len()).map(move |index| Found { document, index })
}

/// Sources with two policies, in any objects: the nodes get nothing from them.
pub(super) fn policy_conflicts(documents: &[Document]) -> Vec<Problem> {
    let mut allowed: BTreeMap<&str, Found<'_>> = BTreeMap::new();
    let mut never: BTreeMap<&str, Found<'_>> = BTreeMap::new();
    for found in documents.iter().flat_map(entries_of) {
        let entry = found.entry();
        let first = match entry.policy() {
            MirrorSourcePolicy::AllowContactingSource => &mut allowed,
            MirrorSourcePolicy::NeverContactSource => &mut never,
        };
        first.entry(&entry.source).or_insert(found);
    }
    let mut problems = Vec::new();
    for (source, allowed) in allowed {
        let Some(never) = never.get(source) else { continue };
        problems.push(Problem {
            what: format!(
                "source \"{source}\" has two mirrorSourcePolicy values, AllowContactingSource and \
                 NeverContactSource: nodes get no new configuration"
            ),
            places: vec![allowed.place(), never.place()],
            fix: "use the same mirrorSourcePolicy in every entry of the source".to_owned(),
        });
    }
    problems
}

/// Sources whose lists of mirrors contradict each other, among the entries that the nodes merge. Nodes accept that, but
/// upstream calls the merged order unspecified.
pub(super) fn order_conflicts<'a>(documents: impl IntoIterator<Item = &'a Document>) -> Vec<Problem> {
    let mut merged: BTreeMap<(&str, Pull), Vec<Found<'_>>> = BTreeMap::new();
    for found in documents.into_iter().flat_map(entries_of).filter(|found| found.entry().is_effective()) {
        merged.entry((&found.entry().source, found.document.set.kind.pull())).or_default().push(found);
    }
    let mut problems = Vec::new();
    for ((source, pull), found) in merged {
        if !is_contradictory(source, &found) {
            continue;
        }
        let places = first_contradiction(source, found).into_iter().map(Found::place_with_mirrors).collect();
        problems.push(Problem {
            what: format!(
                "the mirrors of source \"{source}\" are listed in contradicting orders: their order for {pull} pulls \
                 is unspecified"
            ),
            places,
            fix: "list the mirrors in the same order in every entry".to_owned(),
        });
    }
    problems
}

fn is_contradictory(source: &str, found: &[Found<'_>]) -> bool {
    let lists: Vec<&[Box<str>]> = found.iter().map(|found| &*found.entry().mirrors).collect();
    node::merge(source, &lists).contradictory
}

/// The number of lists that are compared with all others one by one: each comparison is a merge, and a source may have
/// thousands of lists.
const COMPARED: usize = 10;

/// An entry that contradicts itself, or the first two that contradict each other; all that are part of a contradiction
/// where only more than two together are one, or where no pair is found from the first [`COMPARED`]. Of entries with
/// the same mirrors, the first.
fn first_contradiction<'a>(source: &'a str, mut found: Vec<Found<'a>>) -> Vec<Found<'a>> {
    if let Some(own) = found.iter().find(|own| is_contradictory(source, &[**own])) {
        return vec![*own];
    }
    let mut seen = HashSet::new();
    found.retain(|found| seen.insert(&found.entry().mirrors));
    let lists: Vec<_> = found.iter().map(|found| &*found.entry().mirrors).collect();
    let circles = node::Circles::of(source, &lists);
    found.retain(|found| circles.with(&found.entry().mirrors).is_some());
    for (at, one) in found.iter().enumerate().take(COMPARED) {
        if let Some(other) = found[at + 1..].iter().find(|other| is_contradictory(source, &[*one, **other])) {
            return vec![*one, *other];
        }
    }
    found
}
