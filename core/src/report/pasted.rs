//! The YAML of fixes that are shown one after another, so that all of it can be pasted together.

use std::collections::{BTreeSet, HashSet};

use crate::{
    objects::{Change, MirrorSet, ObjectId, SetKind, scope::matching_scopes, to_flow},
    rules::{Finding, Fix},
};

/// What is shown below a finding that has a fix.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pasted {
    /// The YAML to paste, without what is shown with findings before.
    pub yaml: Option<String>,
    /// Why there is less of it than the fix has, a sentence without a full stop.
    pub note: Option<&'static str>,
}

const ABOVE: &str = "the YAML for this is already shown above";

const REST: &str = "the YAML for the rest of this is already shown above";

const LATER: &str =
    "apply the other fixes first and run the check again: they add sources that the new object needs too";

const REPEATED: &str =
    "a new object above has a source of this one: apply that first, and run the check again";

/// What to show below each of these findings, in their order.
///
/// What one fix adds may be what another one adds as well: it is shown once. A new object without the narrower sources
/// that other fixes add would be hidden by them, and two new ones with the same source would split it: these are not shown
/// yet. A fix by itself, as JSON has it, is complete.
pub fn pasted<'a>(findings: impl Iterator<Item = &'a Finding> + Clone) -> Vec<Pasted> {
    let mut page = Page { narrowed: narrowed_sources(findings.clone()), ..Page::default() };
    findings.map(|finding| page.show(&finding.fix)).collect()
}

/// What is shown so far.
#[derive(Default)]
struct Page<'a> {
    /// The scopes above the sources that any fix adds to mirror sets.
    narrowed: BTreeSet<String>,
    /// The sources of new objects.
    created: HashSet<(SetKind, &'a str)>,
    /// The added items: the object, the path of the list, and the item.
    shown: HashSet<(ObjectId, String, String)>,
}

impl<'a> Page<'a> {
    /// Shows what there is to paste of a fix.
    fn show(&mut self, fix: &'a Fix) -> Pasted {
        let sources: Vec<_> = fix.objects.iter().flat_map(sources_of).collect();
        if sources.iter().any(|(_, source)| self.narrowed.contains(*source)) {
            return Pasted { yaml: None, note: Some(LATER) };
        }
        if sources.iter().any(|source| self.created.contains(source)) {
            return Pasted { yaml: None, note: Some(REPEATED) };
        }
        self.created.extend(sources);
        let rest = without_shown(fix, &mut self.shown);
        let yaml = rest.yaml();
        let note = (rest != *fix).then_some(if yaml.is_some() { REST } else { ABOVE });
        Pasted { yaml, note }
    }
}

fn sources_of(set: &MirrorSet) -> impl Iterator<Item = (SetKind, &str)> {
    set.entries.iter().map(|entry| (set.kind, &*entry.source))
}

/// The scopes above the sources that fixes add to mirror sets.
fn narrowed_sources<'a>(findings: impl Iterator<Item = &'a Finding>) -> BTreeSet<String> {
    let changes = findings.flat_map(|finding| &finding.fix.changes);
    let sources = changes.filter(|(object, _)| is_set(object)).flat_map(|(_, change)| match change {
        Change::Append { items, .. } => items.iter().filter_map(|item| item["source"].as_str()).collect(),
        _ => Vec::new(),
    });
    let above = sources.flat_map(|source| {
        let scopes = matching_scopes(source).filter(|above| !above.is(source));
        scopes.map(|above| above.to_scope().into_owned()).collect::<Vec<_>>()
    });
    above.collect()
}

fn is_set(object: &ObjectId) -> bool {
    SetKind::ALL.iter().any(|kind| kind.name() == object.kind)
}

/// A fix without the items that were shown before. Its own are shown now.
fn without_shown(fix: &Fix, shown: &mut HashSet<(ObjectId, String, String)>) -> Fix {
    let mut fix = fix.clone();
    for (object, change) in &mut fix.changes {
        if let Change::Append { path, items } = change {
            items.retain(|item| shown.insert((object.clone(), path.clone(), to_flow(item, true))));
        }
    }
    fix.changes.retain(|(_, change)| !matches!(change, Change::Append { items, .. } if items.is_empty()));
    fix
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::{
        Entry,
        SetKind::{Idms, Itms},
    };

    fn entry(source: &str) -> Entry {
        Entry {
            source: source.into(),
            mirrors: [Box::from("m.lab")].into_iter().collect(),
            mirror_source_policy: None,
        }
    }

    /// Adds entries to an IDMS.
    fn append_entries(name: &str, sources: &[&str]) -> Fix {
        let set = MirrorSet::new(Idms, name, Vec::new());
        let items = sources.iter().map(|source| set.written_entry(&entry(source))).collect();
        let change = Change::Append { path: set.list_path(), items };
        Fix { changes: vec![(set.id(), change)], ..Fix::from("add") }
    }

    /// Adds an ITMS.
    fn create_tags(source: &str) -> Fix {
        Fix { objects: vec![MirrorSet::new(Itms, "tags", vec![entry(source)])], ..Fix::from("add") }
    }

    #[test]
    fn what_is_shown_can_be_pasted_together() {
        let narrow = || append_entries("q", &["quay.io/a"]);
        let both = || append_entries("q", &["quay.io/a", "quay.io/b"]);
        // The fixes, and of each the sources in its YAML and the note.
        let table = [
            (vec![narrow()], vec![("quay.io/a", None)], "one fix"),
            (vec![narrow(), narrow()], vec![("quay.io/a", None), ("", Some(ABOVE))], "the same twice"),
            (
                vec![narrow(), both()],
                vec![("quay.io/a", None), ("quay.io/b", Some(REST))],
                "one of two entries is shown above",
            ),
            (
                vec![narrow(), append_entries("r", &["quay.io/a"])],
                vec![("quay.io/a", None), ("quay.io/a", None)],
                "the same entry in another object",
            ),
            (
                vec![create_tags("quay.io"), narrow()],
                vec![("", Some(LATER)), ("quay.io/a", None)],
                "a new object without a narrower source",
            ),
            (
                vec![create_tags("*.io"), narrow()],
                vec![("", Some(LATER)), ("quay.io/a", None)],
                "the same of a wildcard",
            ),
            (
                vec![create_tags("quay.io"), create_tags("quay.io")],
                vec![("quay.io", None), ("", Some(REPEATED))],
                "two new objects with a source",
            ),
            (
                vec![create_tags("quay.io/a"), narrow()],
                vec![("quay.io/a", None), ("quay.io/a", None)],
                "the same source is no narrower one",
            ),
        ];
        for (fixes, expected, reason) in table {
            let findings =
                fixes.into_iter().map(|fix| Finding { fix, ..Finding::new("spec", "key", "what") });
            let findings: Vec<_> = findings.collect();
            let found = pasted(findings.iter());
            let found: Vec<_> = found.iter().map(|pasted| (sources(pasted), pasted.note)).collect();
            let expected: Vec<_> =
                expected.into_iter().map(|(source, note)| (source.to_owned(), note)).collect();
            assert_eq!(found, expected, "{reason}");
        }
    }

    /// The sources of the shown YAML.
    fn sources(pasted: &Pasted) -> String {
        let yaml = pasted.yaml.as_deref().unwrap_or_default();
        let found = yaml.split("source: ").skip(1).filter_map(|rest| rest.split([',', '\n']).next());
        found.collect::<Vec<_>>().join(" ")
    }
}
