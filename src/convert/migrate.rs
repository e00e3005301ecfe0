//! ICSPs become the IDMSs that mean the same.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::{Document, Origin, Problem};
use crate::{
    context::{Context, View},
    node::{self, RegistriesConf},
    objects::{Entry, MirrorSet, MirrorSourcePolicy, SetKind, grammar},
};

/// What a migration would do, or why it would not be right. Where it would not, there is nothing to write.
#[derive(Debug, Clone, PartialEq)]
pub struct Migration {
    /// The IDMSs to apply, by name.
    pub idms: Vec<Document>,
    /// Places of the IDMSs that are there already.
    pub there: Vec<String>,
    /// Names of the ICSPs to delete once all IDMSs are there.
    pub icsps: Vec<String>,
    /// What is not taken along, and what is written in another way.
    pub notes: Vec<String>,
    /// Why nothing is to be written, apart from the proof.
    pub problems: Vec<Problem>,
    /// Whether the nodes' file stays the same; not asked where there are problems.
    pub proof: Option<Proof>,
}

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

impl Migration {
    /// Whether it may be carried out.
    pub fn is_right(&self) -> bool {
        self.problems.is_empty() && matches!(self.proof, None | Some(Proof::Same))
    }
}

/// Migrates every ICSP among the mirror sets; `context` has the settings that meet them on the nodes.
pub fn migrate(documents: &[Document], context: &Context) -> Migration {
    let mut migration = Migration {
        idms: Vec::new(),
        there: Vec::new(),
        icsps: Vec::new(),
        notes: Vec::new(),
        problems: Vec::new(),
        proof: None,
    };
    migration.problems.extend(clashes(documents));
    let icsps: BTreeMap<&str, &Document> = documents
        .iter()
        .filter(|document| document.set.kind == SetKind::Icsp)
        .map(|document| (&*document.set.name, document))
        .collect();
    let blocked = never_contacted(documents);
    for icsp in icsps.values() {
        migration.problems.extend(icsp.name_problem());
        migration.problems.extend(refused_entries(icsp, &blocked));
        let idms = as_idms(icsp, &mut migration.notes);
        let namesake = |d: &&Document| d.set.kind == SetKind::Idms && d.set.name == icsp.set.name;
        match documents.iter().find(namesake) {
            None => migration.idms.push(idms),
            Some(there) if same_entries(&there.set, &idms.set) => migration.there.push(there.place()),
            Some(there) => migration.problems.push(namesake_problem(icsp, there, &idms)),
        }
        migration.icsps.push(icsp.set.name.to_string());
    }
    if migration.problems.is_empty() && !icsps.is_empty() {
        migration.proof = Some(prove(documents, &migration.idms, context));
    }
    if !migration.is_right() {
        migration.idms.clear();
        migration.icsps.clear();
    }
    migration
}

/// Objects of one kind and name that say different things.
fn clashes(documents: &[Document]) -> Vec<Problem> {
    let mut first: BTreeMap<(SetKind, &str), &Document> = BTreeMap::new();
    let mut problems = Vec::new();
    for this in documents {
        let before = *first.entry((this.set.kind, &this.set.name)).or_insert(this);
        let same_metadata = (&before.labels, &before.annotations) == (&this.labels, &this.annotations);
        let told = if before.set.entries != this.set.entries {
            "entries"
        } else if this.set.kind == SetKind::Icsp && !same_metadata {
            "labels or annotations"
        } else {
            continue;
        };
        problems.push(Problem {
            what: format!("{} stands here twice with different {told}", this.set.id()),
            places: vec![before.place(), this.place()],
            fix: "leave the outdated one out, or unite the two with mirrorguard merge".to_owned(),
        });
    }
    problems
}

fn namesake_problem(icsp: &Document, there: &Document, wanted: &Document) -> Problem {
    let sources = |set: &MirrorSet| set.entries.iter().map(|e| e.source.clone()).collect::<BTreeSet<_>>();
    let (old, new) = (sources(&wanted.set), sources(&there.set));
    let example = match (old.difference(&new).next(), new.difference(&old).next()) {
        (Some(source), _) => format!("\"{source}\" is only in the ICSP"),
        (None, Some(source)) => format!("\"{source}\" is only in the IDMS"),
        (None, None) => "the mirrors or policies of a source are others".to_owned(),
    };
    Problem {
        what: format!("{} is there already with other entries: {example}", there.set.id()),
        places: vec![icsp.place(), there.place()],
        fix: format!(
            "give the two the same entries, or save the ICSP under a name that is free and migrate that; \
             where the IDMS is known to replace the ICSP, delete imagecontentsourcepolicy {}",
            icsp.set.name
        ),
    }
}

/// Places of the entries that forbid their source, by source.
fn never_contacted(documents: &[Document]) -> HashMap<&str, (&Document, usize)> {
    let entries =
        documents.iter().flat_map(|d| d.set.entries.iter().enumerate().map(move |(at, e)| (d, at, e)));
    let never = entries.filter(|(.., entry)| entry.policy() == MirrorSourcePolicy::NeverContactSource);
    never.map(|(document, at, entry)| (&*entry.source, (document, at))).collect()
}

/// Entries that no IDMS can carry, and those that another object contradicts.
fn refused_entries(icsp: &Document, blocked: &HashMap<&str, (&Document, usize)>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (at, entry) in icsp.set.entries.iter().enumerate() {
        let place = icsp.entry_place(at);
        if !grammar::is_valid_source(&entry.source) {
            problems.push(refused_value("source", &entry.source, place.clone()));
        }
        let invalid = entry.mirrors.iter().filter(|mirror| !grammar::is_valid_mirror(mirror));
        problems.extend(invalid.map(|mirror| refused_value("mirror", mirror, place.clone())));
        if let Some((other, index)) = blocked.get(&*entry.source) {
            problems.push(Problem {
                what: format!(
                    "source \"{}\" is NeverContactSource in {}, while an ICSP always means AllowContactingSource: \
                     no node gets a new configuration",
                    entry.source,
                    other.set.id()
                ),
                places: vec![place, other.entry_place(*index)],
                fix: format!("take the entry out of the ICSP, or the policy out of {}", other.set.id()),
            });
        }
    }
    problems
}

fn refused_value(field: &str, value: &str, place: String) -> Problem {
    let (problem, meant) = grammar::diagnose(value, field == "source");
    let fix = match meant {
        Some(meant) => format!("write \"{meant}\" in the ICSP first"),
        None => "correct it in the ICSP first, or take the entry out".to_owned(),
    };
    Problem {
        what: format!(
            "{field} \"{value}\" {problem}: an ICSP can carry that, an ImageDigestMirrorSet cannot, and no node \
             gets a new configuration from either"
        ),
        places: vec![place],
        fix,
    }
}

/// The IDMS that means the same as an ICSP.
fn as_idms(icsp: &Document, notes: &mut Vec<String>) -> Document {
    for (field, why) in &icsp.left_behind {
        notes.push(format!("metadata.{field} of {} is not taken along: {why}", icsp.place()));
    }
    let mut idms = Document { left_behind: Vec::new(), origin: Origin::New, ..icsp.clone() };
    idms.set.kind = SetKind::Idms;
    idms.set.resource_version = Box::default();
    for (at, Entry { source, mirrors, .. }) in idms.set.entries.iter_mut().enumerate() {
        let mut seen = BTreeSet::new();
        if mirrors.iter().all(|mirror| seen.insert(mirror)) {
            continue;
        }
        // In an IDMS the list is a set. This is the order in which the nodes try them.
        let tried: Vec<Box<str>> =
            node::merge(source, &[&*mirrors]).mirrors.into_iter().map(Box::from).collect();
        notes.push(format!("a mirror is listed twice in {}; the IDMS has it once", icsp.entry_place(at)));
        *mirrors = tried.into();
    }
    idms
}

/// Whether two sets have the same entries, in whatever order.
fn same_entries(one: &MirrorSet, other: &MirrorSet) -> bool {
    let sorted = |set: &MirrorSet| {
        let mut entries: Vec<_> = set
            .entries
            .iter()
            .map(|e| {
                (e.source.clone(), e.mirrors.clone(), e.policy() == MirrorSourcePolicy::NeverContactSource)
            })
            .collect();
        entries.sort();
        entries
    };
    sorted(one) == sorted(other)
}

fn prove(documents: &[Document], idms: &[Document], context: &Context) -> Proof {
    let mut before = context.clone();
    let insert = |into: &mut Context, sets: &[Document]| {
        sets.iter().for_each(|document| into.insert_set(document.set.clone().into()));
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
