//! Whether the nodes' file stays the same through a migration.

use serde::Serialize;

use super::Document;
use crate::{
    context::{Context, View},
    node::{self, RegistriesConf},
    objects::SetKind,
};

/// What the three states of a migration mean for the nodes: before, with both kinds, and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// One file in all three.
    Same,
    /// Another file.
    Differs(Vec<Difference>),
    /// No file at all in one of them: the stage, and the operator's words.
    NotRendered(Stage, String),
}

/// A state of a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// As things are.
    Before,
    /// With the IDMSs next to the ICSPs.
    During,
    /// With the IDMSs alone.
    After,
}

/// One thing that would be different on the nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// From which state on.
    pub stage: Stage,
    /// Scope of the registry.
    pub registry: String,
    /// What happens to it.
    pub what: String,
    /// `reload` or `drain`.
    pub impact: String,
    /// Entries with this source.
    pub places: Vec<String>,
}

/// Renders the three states, each with everything that `context` has beside the mirror sets.
pub(super) fn prove(documents: &[Document], idms: &[Document], context: &Context) -> Proof {
    let mut before = context.clone();
    let insert = |into: &mut Context, sets: &[Document]| {
        for document in sets {
            into.insert_set(document.set.clone().into());
        }
    };
    insert(&mut before, documents);
    let mut during = before.clone();
    insert(&mut during, idms);
    let mut after = during.clone();
    for document in documents.iter().filter(|document| document.set.kind == SetKind::Icsp) {
        after.remove_set(SetKind::Icsp, &document.set.name);
    }
    let stages = [(Stage::Before, &before), (Stage::During, &during), (Stage::After, &after)];
    let mut files = Vec::new();
    for (stage, context) in stages {
        match rendered(context.view()) {
            Ok(file) => files.push((stage, file)),
            Err(refusal) => return Proof::NotRendered(stage, refusal),
        }
    }
    let pairs = files.windows(2);
    let differences: Vec<_> =
        pairs.flat_map(|pair| differences(pair[1].0, &pair[0].1, &pair[1].1, documents)).collect();
    if differences.is_empty() { Proof::Same } else { Proof::Differs(differences) }
}

fn rendered(view: View<'_>) -> Result<RegistriesConf<'_>, String> {
    node::validate(view).map_err(|refusal| refusal.to_string())?;
    node::render(view).map_err(|error| error.to_string())
}

fn differences(
    stage: Stage,
    old: &RegistriesConf<'_>,
    new: &RegistriesConf<'_>,
    documents: &[Document],
) -> Vec<Difference> {
    let change = node::change_between(old, new);
    let difference = |reason: node::Reason<'_>| Difference {
        stage,
        registry: reason.registry.to_owned(),
        what: reason.what.to_string(),
        impact: reason.impact.to_string(),
        places: places_of(reason.registry, documents),
    };
    change.reasons.into_iter().map(difference).collect()
}

fn places_of(source: &str, documents: &[Document]) -> Vec<String> {
    let places = |document: &Document| {
        let matching = document.set.entries.iter().enumerate().filter(|(_, entry)| *entry.source == *source);
        matching.map(|(at, _)| document.entry_place(at)).collect::<Vec<_>>()
    };
    documents.iter().flat_map(places).collect()
}
