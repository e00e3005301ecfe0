//! An update that leaves sources without the mirrors they had.

use std::collections::HashSet;

use super::{
    Check, DependsOn, Finding, Fix, Level, Rule, SetWrite, explicit::may_extend, finding::some_names,
};
use crate::{
    objects::{Entry, MirrorSet, scope::matching_prefix},
    write::Operation,
};

pub(super) const RULE: Rule = Rule {
    id: "dropped-source",
    level: Level::Warn,
    summary: "an update removes sources that no other mirror set has",
    page: include_str!("dropped_source.md"),
    check: Check::MirrorSet(check),
    depends_on: DependsOn::Entries,
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Operation::Update { old, new } = write.operation else { return };
    // An entry may be missing from `new` only because its mirrors are invalid: it does not count as removed. One that
    // is valid but has no mirror left does.
    let invalid = write.written().map(invalid_sources).unwrap_or_default();
    let lost: Vec<_> = old
        .usable_entries()
        .map(|(_, entry)| entry.clone())
        .filter(|entry| !invalid.contains(&*entry.source))
        .filter(|entry| is_dropped(write, old, entry))
        .collect();
    let mut dropped: Vec<_> = lost.iter().map(|entry| &*entry.source).collect();
    dropped.sort_unstable();
    dropped.dedup();
    let (sources, its, entries) = match dropped.len() {
        0 => return,
        1 => ("source", "its", "entry"),
        _ => ("sources", "their", "entries"),
    };
    let names = some_names(dropped.iter().map(|source| format!("\"{source}\"")));
    let title = format!("keep the {entries}, or put the new entries into a new object");
    let fix = if may_extend(write.cluster.after, new) {
        Fix::safe(title).add_entries(new, &lost)
    } else {
        title.into()
    };
    findings.push(Finding {
        effect: format!("{its} images are no longer pulled from the mirrors"),
        fix,
        ..Finding::of_faults(new.list_path(), &dropped, format!("this update removes {sources} {names}"))
    });
}

/// The sources of a set's entries with an invalid value.
fn invalid_sources(set: &MirrorSet) -> HashSet<&str> {
    let entries = set.entries.iter().enumerate();
    entries.filter(|(at, _)| !set.is_valid_entry(*at)).map(|(_, entry)| &*entry.source).collect()
}

/// Whether no entry is left for the pulls that an entry of the old set served: neither one with its source,
/// nor a broader one that redirects to the same places.
fn is_dropped(write: &SetWrite<'_>, old: &MirrorSet, entry: &Entry) -> bool {
    let source = &*entry.source;
    let view = write.cluster.after;
    let pull = old.kind.pull();
    if view.entries(source).any(|found| found.serves(pull)) {
        return false;
    }
    // Digest and tag pulls have the same nearest source: one that serves only the other pulls hides a broader one.
    let Some((scope, found)) = view.nearest(source, |_| true) else { return true };
    let Some(end) = matching_prefix(source, scope) else { return true };
    let broader = found.iter().filter(|found| found.set.kind.pull() == pull);
    let places: Vec<_> = broader.flat_map(|found| &found.entry().mirrors).collect();
    let rest = &source[end..];
    let mut mirrors = entry.mirrors.iter().filter(|mirror| **mirror != entry.source);
    !mirrors.all(|mirror| places.iter().any(|place| mirror.strip_suffix(rest) == Some(place)))
}

#[cfg(test)]
mod tests {
    use SetKind::{Icsp, Idms, Itms};

    use super::*;
    use crate::{
        objects::SetKind,
        rules::{
            Settings,
            testing::{assert_texts, findings, set},
        },
    };

    const PATH: &str = "spec.imageDigestMirrors";

    /// What is found in an update next to another set: the path and the key.
    fn found(old: &MirrorSet, new: &MirrorSet, there: &MirrorSet) -> Vec<(String, String)> {
        let found = findings(RULE.id, &Settings::default(), &[there], Some(old), new);
        found.into_iter().map(|finding| (finding.path, finding.key)).collect()
    }

    fn there(kind: SetKind, mirrors: &[&str]) -> MirrorSet {
        set(kind, "there", &[("quay.io/b", mirrors)])
    }

    /// What is left of the old set, with a broader source.
    fn broader(mirrors: &[&str]) -> MirrorSet {
        set(Idms, "a", &[("quay.io/a", &["m.lab/a"]), ("quay.io", mirrors)])
    }

    #[test]
    fn a_source_is_dropped_where_nothing_redirects_to_its_mirrors_any_more() {
        let old = set(Idms, "a", &[("quay.io/a", &["m.lab/a"]), ("quay.io/b", &["m.lab/b", "n.lab/b"])]);
        let only_a = set(Idms, "a", &[("quay.io/a", &["m.lab/a"])]);
        let other = set(Idms, "there", &[("quay.io/z", &["m.lab/z"])]);
        let emptied = set(Idms, "a", &[("quay.io/a", &["m.lab/a"]), ("quay.io/b", &[])]);
        let hidden = there(Itms, &["m.lab/b"]);
        let broken = |mirrors: &[&str]| {
            set(Idms, "a", &[("quay.io/a", &["<m>"]), ("quay.io/b", mirrors), ("<q>", &["m.lab/b"])])
        };
        let table = [
            (&only_a, &other, true, "gone"),
            (&only_a, &there(Idms, &["x/b"]), false, "another set has it"),
            (&only_a, &there(Icsp, &["x/b"]), false, "an ICSP serves pulls by digest as well"),
            (&only_a, &there(Itms, &["x/b"]), true, "an ITMS serves other pulls"),
            (&only_a, &there(Idms, &[]), true, "an entry without a mirror does not count"),
            (&emptied, &other, true, "it stays, without a mirror"),
            (&broken(&[]), &other, true, "the same next to invalid values"),
            (&broken(&["<m/b>"]), &other, false, "its mirror is invalid, which has a finding of its own"),
            (&broken(&["<m/b>", "quay.io/b"]), &other, false, "so is the only one that is not the source"),
            (&broken(&["m.lab/b"]), &other, false, "it stays, next to invalid values"),
            (&broader(&["m.lab", "n.lab"]), &other, false, "a broader source redirects to both places"),
            (&broader(&["m.lab"]), &other, true, "a broader source redirects to one of two"),
            (&broader(&["m.lab/quay"]), &other, true, "a broader source redirects elsewhere"),
            (&broader(&["m.lab", "n.lab"]), &hidden, true, "the broader source is hidden by an ITMS for it"),
        ];
        for (new, there, expected, reason) in table {
            let dropped = [(PATH.to_owned(), "quay.io/b".to_owned())];
            assert_eq!(found(&old, new, there), if expected { &dropped[..] } else { &[] }, "{reason}");
        }
    }

    #[test]
    fn many_sources_are_one_finding() {
        let sources: Vec<_> = (0..5).map(|at| format!("quay.io/{at}")).collect();
        let mirrors: &[&str] = &["m.lab/x"];
        let entries: Vec<_> = sources.iter().map(|source| (&**source, mirrors)).collect();
        let new = set(Idms, "a", &[("quay.io/new", mirrors)]);
        let mut all = Vec::new();
        for entries in [&entries[..1], &entries] {
            let old = set(Idms, "a", entries);
            let found = findings(RULE.id, &Settings::default(), &[], Some(&old), &new);
            let [finding] = &*found else { panic!("{found:?}") };
            assert_eq!((&*finding.path, &*finding.key), (PATH, &*sources[..entries.len()].join("\n")));
            all.extend(found);
        }
        assert_texts(RULE.id, &all);
    }

    #[test]
    fn only_updates_drop_sources() {
        let new = set(Idms, "a", &[("quay.io/a", &["m.lab/a"])]);
        assert_eq!(findings(RULE.id, &Settings::default(), &[], None, &new), []);
    }
}
