//! Unites the outputs of several runs: objects of one kind and name become one, with sorted entries.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{
    Document, Origin, Problem,
    conflict::{order_conflicts, policy_conflicts},
};
use crate::{
    node,
    objects::{Entry, MirrorSet, Mirrors, SetKind},
};

/// Annotations with which oc-mirror describes a run: their values differ with each run and say nothing about the
/// mirrors.
///
/// Follows `oc-mirror internal/pkg/clusterresources/clusterresources.go` `generateOcMirrorAnnotations`;
/// `createdBy`, the same each time, is kept.
const STAMPS: [&str; 2] = ["createdAt", "oc-mirror_version"];

/// The result of uniting mirror sets. Where it would be a guess, there are problems and no documents.
#[derive(Debug, Clone, PartialEq)]
pub struct Merging {
    /// One object of each kind and name, by kind and name, entries by source.
    pub documents: Vec<Document>,
    /// What is not copied.
    pub notes: Vec<String>,
    /// The contradictions.
    pub problems: Vec<Problem>,
}

/// Unites mirror sets. The result does not depend on the order of the documents, and stays the same when it
/// is united with any of them again.
pub fn merge(documents: &[Document]) -> Merging {
    let mut groups: BTreeMap<(SetKind, &str), Vec<&Document>> = BTreeMap::new();
    for document in documents {
        groups.entry((document.set.kind, &document.set.name)).or_default().push(document);
    }
    let mut problems: Vec<_> = documents.iter().filter_map(Document::name_problem).collect();
    problems.extend(policy_conflicts(documents));
    problems.extend(order_conflicts(documents));
    let mut united = Vec::new();
    let mut notes = Vec::new();
    for group in groups.values() {
        let labels = unite_values("label", group, |document| document.labels.iter().collect(), &mut problems);
        let annotations = unite_values("annotation", group, annotations_without_stamps, &mut problems);
        notes.extend(group.iter().flat_map(|document| document.left_behind_notes()));
        notes.extend(group.iter().filter_map(|document| document.unqualified_mirrors_note()));
        let set = unite(group);
        united.push(Document { set, labels, annotations, left_behind: Vec::new(), origin: Origin::New });
    }
    if !problems.is_empty() {
        united.clear();
    }
    Merging { documents: united, notes, problems }
}

/// All entries of objects of one kind and name as one set.
fn unite(group: &[&Document]) -> MirrorSet {
    let mut by_source: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in group.iter().flat_map(|document| &document.set.entries) {
        by_source.entry(&entry.source).or_default().push(entry);
    }
    let mut entries = Vec::new();
    for (source, of_source) in by_source {
        entries.push(Entry {
            source: source.into(),
            mirrors: united_mirrors(source, &of_source),
            // The first that is set holds for all: with two different ones there is a problem, and no result.
            mirror_source_policy: of_source.iter().find_map(|entry| entry.mirror_source_policy),
        });
    }
    let first = &group[0].set;
    MirrorSet::new(first.kind, &first.name, entries)
}

/// The mirrors as the nodes try them. Nodes drop an entry without a mirror other than the source; where all
/// entries are like that, the result is too: it lists the source once if one of them does, otherwise nothing.
pub(super) fn united_mirrors(source: &str, entries: &[&Entry]) -> Mirrors {
    let lists: Vec<&[Box<str>]> =
        entries.iter().filter(|entry| entry.is_effective()).map(|entry| &*entry.mirrors).collect();
    if lists.is_empty() {
        // Where one of them has a mirror, it is the source.
        return entries.iter().find_map(|entry| entry.mirrors.first()).cloned().into_iter().collect();
    }
    node::merge(source, &lists).mirrors.into_iter().map(Box::from).collect()
}

/// The annotations of an object without those of a run. No note says that they are left out: it would be there for
/// every object of oc-mirror, and there is nothing to do about it.
fn annotations_without_stamps(document: &Document) -> Vec<(&String, &Value)> {
    document.annotations.iter().filter(|(name, _)| !STAMPS.contains(&&***name)).collect()
}

/// Labels or annotations of all objects; two values for one name are a problem, which is added once to `problems`.
fn unite_values<'a>(
    what: &str,
    group: &[&'a Document],
    of: impl Fn(&'a Document) -> Vec<(&'a String, &'a Value)>,
    problems: &mut Vec<Problem>,
) -> Map<String, Value> {
    let mut first: BTreeMap<&str, (&Value, &Document)> = BTreeMap::new();
    let mut reported = BTreeSet::new();
    for document in group {
        for (name, value) in of(document) {
            let (known, place) = *first.entry(name).or_insert((value, document));
            if known != value && reported.insert(name) {
                problems.push(Problem {
                    what: format!(
                        "{what} \"{name}\" of {} has two values, {known} and {value}",
                        document.set.id()
                    ),
                    places: vec![place.place(), document.place()],
                    fix: format!("use the same value of the {what} everywhere, or remove it"),
                });
            }
        }
    }
    first.into_iter().map(|(name, (value, _))| (name.to_owned(), value.clone())).collect()
}
