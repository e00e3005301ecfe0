//! Whether the nodes' file stays the same through a migration.

use std::collections::HashMap;

use serde::Serialize;

use super::Document;
use crate::{
    context::{Context, View},
    node::{self, Disruptions, NodeFiles},
    objects::{Object, SetKind},
};

/// The nodes' file in the three states of a migration: before, with both kinds, and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// The same file in all three.
    Same,
    /// Another file.
    Differs(Vec<NodeDifference>),
    /// No file at all in one of them: the stage, and the operator's error.
    NotRendered(Stage, String),
}

/// The number of entries that are named for a difference: each mirror of a source may be one.
const MAX_PLACES: usize = 10;

/// A state of a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// As it is now.
    Before,
    /// With the IDMSs next to the ICSPs.
    During,
    /// With the IDMSs alone.
    After,
}

/// One difference on the nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeDifference {
    /// The state in which it appears.
    pub stage: Stage,
    /// Scope of the registry, or the path of the file if the difference is about no registry.
    pub registry: String,
    /// What changes.
    pub what: String,
    /// `reload` or `drain`.
    pub impact: String,
    /// The first ten entries with this source.
    pub places: Vec<String>,
}

/// Renders the three states: `context`, which has everything but the mirror sets, with those of each state.
pub(super) fn prove(documents: &[Document], idms: &[Document], context: &Context) -> Proof {
    let before = with_sets(context, documents);
    let during = with_sets(&before, idms);
    let mut after = during.clone();
    let icsps = documents.iter().map(|document| &document.set).filter(|set| set.kind == SetKind::Icsp);
    after.remove_sets(SetKind::Icsp, icsps.map(|icsp| &*icsp.name));
    let stages = [(Stage::Before, &before), (Stage::During, &during), (Stage::After, &after)];
    let mut files = Vec::new();
    for (stage, context) in stages {
        match rendered(context.view()) {
            Ok(file) => files.push((stage, file)),
            Err(refusal) => return Proof::NotRendered(stage, refusal),
        }
    }
    let mut found = Vec::new();
    // Each state and the next one.
    for pair in files.windows(2) {
        let [(_, old), (stage, new)] = pair else { continue };
        found.extend(differences(*stage, old, new, documents));
    }
    if found.is_empty() { Proof::Same } else { Proof::Differs(found) }
}

/// The context with these sets, which replace those of the same kind and name.
fn with_sets(context: &Context, documents: &[Document]) -> Context {
    let mut context = context.clone();
    context.extend(documents.iter().map(|document| Object::from(document.set.clone())));
    context
}

fn rendered(view: View<'_>) -> Result<NodeFiles<'_>, String> {
    node::files(view).map_err(|error| error.to_string())
}

/// What differs between two states, of which `stage` is the later one. Files without a reason to list are the same:
/// they could still have the same registries in another order, but an ICSP and an IDMS give the same order.
fn differences(
    stage: Stage,
    old: &NodeFiles<'_>,
    new: &NodeFiles<'_>,
    documents: &[Document],
) -> Vec<NodeDifference> {
    // The default impact is shown: the migration may change nothing, even if a custom policy makes a change cheap.
    let reasons = node::change_of_files(old, new, Disruptions::default()).reasons;
    if reasons.is_empty() {
        return Vec::new();
    }
    let mut differences = Vec::new();
    let by_source = places_by_source(documents);
    for reason in reasons {
        let places = by_source.get(reason.registry).into_iter().flatten().take(MAX_PLACES);
        differences.push(NodeDifference {
            stage,
            registry: reason.subject().to_owned(),
            what: reason.what.to_string(),
            impact: reason.impact.to_string(),
            places: places.map(|(document, at)| document.entry_place(*at)).collect(),
        });
    }
    differences
}

/// The places of the entries of each source.
fn places_by_source(documents: &[Document]) -> HashMap<&str, Vec<(&Document, usize)>> {
    let mut places: HashMap<&str, Vec<_>> = HashMap::new();
    for document in documents {
        for (at, entry) in document.set.entries.iter().enumerate() {
            places.entry(&entry.source).or_default().push((document, at));
        }
    }
    places
}
