//! ICSPs become the IDMSs that mean the same.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Document, Origin, Problem, Proof, conflict::order_conflicts, proof::prove};
use crate::{
    context::Context,
    node,
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
    if !icsps.is_empty() {
        let digest_sets = documents.iter().filter(|document| document.set.kind.is_digest());
        let note = |Problem { what, places, .. }| {
            format!("{what}; the migration leaves that as it is: {}", places.join("; "))
        };
        migration.notes.extend(order_conflicts(digest_sets).into_iter().map(note));
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
