//! Migrates ICSPs to equivalent IDMSs.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{
    Document, Origin, Problem, Proof, conflict::order_conflicts, merge::united_mirrors, proof::prove,
};
use crate::{
    context::{Context, EntryRef},
    objects::{MirrorSet, MirrorSourcePolicy, SetKind, grammar},
    rules::icsp_to_never::steps,
};

/// The steps of a migration. If it would change something, it has the reasons, and nothing to write.
#[derive(Debug, Clone, PartialEq)]
pub struct Migration {
    /// The IDMSs to apply, by name.
    pub idms: Vec<Document>,
    /// Places of the IDMSs that exist already, with the entries of an ICSP of the same name.
    pub there: Vec<String>,
    /// Names of the ICSPs to delete once all IDMSs exist.
    pub icsps: Vec<String>,
    /// What is not copied, and what is written in another way.
    pub notes: Vec<String>,
    /// Why nothing is written, apart from the proof.
    pub problems: Vec<Problem>,
    /// Whether the nodes' file stays the same; `None` where there are problems, or no ICSPs.
    pub proof: Option<Proof>,
}

impl Migration {
    /// Whether it may be carried out.
    pub fn is_right(&self) -> bool {
        self.problems.is_empty() && matches!(self.proof, None | Some(Proof::Same))
    }
}

/// Migrates every ICSP among the mirror sets; `context` has the settings that affect the same file.
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
    // Of two with the same name one is enough: if they differ, `clashes` has reported it.
    let icsps: BTreeMap<&str, &Document> = documents
        .iter()
        .filter(|document| document.set.kind == SetKind::Icsp)
        .map(|document| (&*document.set.name, document))
        .collect();
    // Of two with the same name, the first.
    let existing: HashMap<&str, &Document> = documents
        .iter()
        .rev()
        .filter(|document| document.set.kind == SetKind::Idms)
        .map(|document| (&*document.set.name, document))
        .collect();
    let never_contacted = never_contacted(documents);
    for icsp in icsps.values() {
        migration.problems.extend(icsp.name_problem());
        migration.problems.extend(rejected_entries(icsp, &never_contacted));
        let idms = as_idms(icsp, &mut migration.notes);
        match existing.get(&*icsp.set.name) {
            None => migration.idms.push(idms),
            Some(there) if same_entries(&there.set, &idms.set) => migration.there.push(there.place()),
            Some(there) => migration.problems.push(namesake_problem(icsp, there, &idms)),
        }
        migration.icsps.push(icsp.set.name.to_string());
    }
    if !icsps.is_empty() {
        let digest_sets = documents.iter().filter(|document| document.set.kind.is_digest());
        for Problem { what, places, .. } in order_conflicts(digest_sets) {
            migration
                .notes
                .push(format!("{what}; the migration does not change that ({})", places.join("; ")));
        }
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

/// Objects of one kind and name with different contents. Metadata counts for ICSPs only, because only theirs is
/// copied.
fn clashes(documents: &[Document]) -> Vec<Problem> {
    let mut first: BTreeMap<(SetKind, &str), &Document> = BTreeMap::new();
    let mut problems = Vec::new();
    for this in documents {
        // The first of its kind and name is compared with itself.
        let before = *first.entry((this.set.kind, &this.set.name)).or_insert(this);
        let same_metadata = (&before.labels, &before.annotations) == (&this.labels, &this.annotations);
        let differing = if before.set.entries != this.set.entries {
            "entries"
        } else if this.set.kind == SetKind::Icsp && !same_metadata {
            "labels or annotations"
        } else {
            continue;
        };
        problems.push(Problem {
            what: format!("{} is defined twice with different {differing}", this.set.id()),
            places: vec![before.place(), this.place()],
            fix: "remove the outdated definition, or merge the two with mirrorguard merge".to_owned(),
        });
    }
    problems
}

/// The problem with an IDMS that exists under the name of an ICSP (`there`), but is not the one that the ICSP would
/// become (`wanted`).
fn namesake_problem(icsp: &Document, there: &Document, wanted: &Document) -> Problem {
    let (of_icsp, of_idms) = (sources_of(&wanted.set), sources_of(&there.set));
    let example = match (of_icsp.difference(&of_idms).next(), of_idms.difference(&of_icsp).next()) {
        (Some(source), _) => format!("\"{source}\" is only in the ICSP"),
        (None, Some(source)) => format!("\"{source}\" is only in the IDMS"),
        (None, None) => "the mirrors or policies of a source differ".to_owned(),
    };
    Problem {
        what: format!("{} already exists with other entries: {example}", there.set.id()),
        places: vec![icsp.place(), there.place()],
        fix: format!(
            "give both the same entries, or copy the ICSP to an unused name and migrate the copy; if the IDMS is \
             known to replace the ICSP, delete imagecontentsourcepolicy {}",
            icsp.set.name
        ),
    }
}

fn sources_of(set: &MirrorSet) -> BTreeSet<&str> {
    set.entries.iter().map(|entry| &*entry.source).collect()
}

/// An entry with `NeverContactSource`, and how its source gets one policy.
struct Never<'a> {
    document: &'a Document,
    index: usize,
    /// `None` if no ICSP has the source.
    steps: Option<String>,
}

/// For each source with `NeverContactSource` anywhere, the first such entry by kind and name.
fn never_contacted(documents: &[Document]) -> HashMap<&str, Never<'_>> {
    let mut sources: HashMap<&str, Vec<(&Document, EntryRef<'_>)>> = HashMap::new();
    for document in documents {
        for (index, entry) in document.set.entries.iter().enumerate() {
            let found = EntryRef { set: &document.set, index };
            sources.entry(&*entry.source).or_default().push((document, found));
        }
    }
    sources.into_iter().filter_map(|(source, found)| Some((source, first_never(found)?))).collect()
}

/// The first entry with `NeverContactSource` of all entries of a source.
fn first_never<'a>(mut found: Vec<(&'a Document, EntryRef<'a>)>) -> Option<Never<'a>> {
    found.sort_by(|(_, one), (_, other)| one.order().cmp(&other.order()));
    let mut all = found.iter();
    let (document, first) =
        all.find(|(_, found)| found.entry().policy() == MirrorSourcePolicy::NeverContactSource)?;
    let entries: Vec<_> = found.iter().map(|(_, found)| *found).collect();
    // Nothing renders now: with an ICSP the source has both policies. Without one there are no steps.
    Some(Never { document, index: first.index, steps: steps(&entries, true, None) })
}

/// Problems with the entries of an ICSP: values that the schema of an IDMS rejects, and sources that another object
/// never contacts.
fn rejected_entries(icsp: &Document, never_contacted: &HashMap<&str, Never<'_>>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (at, entry) in icsp.set.entries.iter().enumerate() {
        let place = icsp.entry_place(at);
        if !grammar::is_valid_source(&entry.source) {
            problems.push(rejected_value("source", &entry.source, place.clone()));
        }
        let invalid = entry.mirrors.iter().filter(|mirror| !grammar::is_valid_mirror(mirror));
        problems.extend(invalid.map(|mirror| rejected_value("mirror", mirror, place.clone())));
        if let Some(Never { document: other, index, steps }) = never_contacted.get(&*entry.source) {
            problems.push(Problem {
                what: format!(
                    "source \"{}\" has NeverContactSource in {}, but an ICSP always means AllowContactingSource: \
                     nodes get no new configuration",
                    entry.source,
                    other.set.id()
                ),
                places: vec![place, other.entry_place(*index)],
                fix: steps.clone().unwrap_or_default(),
            });
        }
    }
    problems
}

fn rejected_value(field: &str, value: &str, place: String) -> Problem {
    let (problem, meant) = grammar::diagnose(value, field == "source");
    let fix = match meant {
        Some(meant) => format!("write \"{meant}\" in the ICSP first"),
        None => "correct it in the ICSP first, or remove the entry".to_owned(),
    };
    Problem {
        what: format!(
            "{field} \"{value}\" {problem}: the API server rejects it in an ImageDigestMirrorSet, and nodes get no new \
             configuration with either kind"
        ),
        places: vec![place],
        fix,
    }
}

/// The IDMS that is equivalent to an ICSP. What is not copied, or written in another way, is added to `notes`.
fn as_idms(icsp: &Document, notes: &mut Vec<String>) -> Document {
    notes.extend(icsp.left_behind_notes());
    notes.extend(icsp.unqualified_mirrors_note());
    let mut idms = Document { left_behind: Vec::new(), origin: Origin::New, ..icsp.clone() };
    idms.set.kind = SetKind::Idms;
    idms.set.resource_version = Box::default();
    let entries = std::mem::take(&mut idms.set.entries);
    let (count, mut seen) = (entries.len(), HashSet::new());
    for (at, mut entry) in entries.into_iter().enumerate() {
        // In an IDMS each mirror may be listed once.
        let lists_twice = !icsp.set.repeated_mirrors(at).is_empty();
        if lists_twice {
            entry.mirrors = united_mirrors(&entry.source, &[&entry]);
        }
        if !seen.insert(entry.clone()) {
            continue;
        }
        if lists_twice {
            notes.push(format!(
                "a mirror is listed twice in {}; the IDMS lists it once",
                icsp.entry_place(at)
            ));
        }
        idms.set.entries.push(entry);
    }
    notes.extend(repeats_note(icsp, count - idms.set.entries.len()));
    idms
}

fn repeats_note(icsp: &Document, repeats: usize) -> Option<String> {
    let (entries, them) = match repeats {
        0 => return None,
        1 => ("an entry repeats an earlier one".to_owned(), "it"),
        repeats => (format!("{repeats} entries repeat earlier ones"), "each"),
    };
    Some(format!("{entries} in {}; the IDMS has {them} once", icsp.place()))
}

/// Whether two sets have the same entries, in any order and number.
fn same_entries(one: &MirrorSet, other: &MirrorSet) -> bool {
    sorted_entries(one) == sorted_entries(other)
}

/// The entries of a set, sorted. A policy that is not set is the default one.
fn sorted_entries(set: &MirrorSet) -> Vec<(&str, &[Box<str>], MirrorSourcePolicy)> {
    let entries = set.entries.iter().map(|entry| (&*entry.source, &*entry.mirrors, entry.policy()));
    let mut entries: Vec<_> = entries.collect();
    entries.sort_unstable_by_key(|(source, mirrors, policy)| (*source, *mirrors, policy.name()));
    entries.dedup();
    entries
}
