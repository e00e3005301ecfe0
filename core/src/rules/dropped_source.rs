//! An update that leaves sources without the mirrors they had.

use super::{Check, Finding, Level, Rule, SetWrite, finding::some_names};
use crate::{
    context::EntryRef,
    objects::{Entry, MirrorSet, scope::matching_prefix},
    write::Operation,
};

pub(super) const RULE: Rule = Rule {
    id: "dropped-source",
    level: Level::Warn,
    summary: "an update removes sources that no other mirror set has",
    page: include_str!("dropped_source.md"),
    check: Check::MirrorSet(check),
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Operation::Update { old, new } = write.operation else { return };
    let mut gone: Vec<_> = old
        .effective_entries()
        .map(|(_, entry)| entry)
        .filter(|entry| is_dropped(write, old, entry))
        .map(|entry| &*entry.source)
        .collect();
    gone.sort_unstable();
    gone.dedup();
    let (what, effect, fix) = match gone.len() {
        0 => return,
        1 => (
            "this update drops the source",
            "its images are no longer pulled from the mirrors it had",
            "keep its entry",
        ),
        _ => (
            "this update drops the sources",
            "their images are no longer pulled from the mirrors they had",
            "keep their entries",
        ),
    };
    let names = some_names(gone.into_iter().map(|source| format!("\"{source}\"")));
    findings.push(Finding::new(
        format!("spec.{}", new.kind.list_field()),
        format!("{what} {names}"),
        effect,
        format!("{fix}, or give the new run of a tool an object name of its own"),
    ));
}

/// Whether no entry is left for the pulls that an entry of the old set served: neither one with its source,
/// nor a wider one that leads to the same places.
fn is_dropped(write: &SetWrite<'_>, old: &MirrorSet, entry: &Entry) -> bool {
    let source = &*entry.source;
    let serves_them = |found: &EntryRef<'_>| found.set.kind.pull() == old.kind.pull();
    let stays = |found: EntryRef<'_>| serves_them(&found) && found.entry().is_effective();
    if write.cluster.after.entries(source).any(stays) {
        return false;
    }
    let Some((scope, found)) = write.cluster.after.nearest(source, |_| true) else { return true };
    let Some(end) = matching_prefix(source, scope) else { return true };
    let leads: Vec<_> =
        found.iter().filter(|found| serves_them(found)).flat_map(|found| &found.entry().mirrors).collect();
    let same_place =
        |mirror: &str| leads.iter().any(|place| mirror.strip_suffix(&source[end..]) == Some(place));
    !entry.real_mirrors().all(|(_, mirror)| same_place(mirror))
}

#[cfg(test)]
mod tests {
    use super::super::{
        Settings,
        testing::{findings, set},
    };
    use crate::objects::SetKind::{Icsp, Idms, Itms};

    #[test]
    fn a_source_is_dropped_where_nothing_leads_to_its_mirrors_any_more() {
        let old = set(Idms, "a", &[("quay.io/a", &["m/a"]), ("quay.io/b", &["m/b", "n/b"])]);
        let only_a = set(Idms, "a", &[("quay.io/a", &["m/a"])]);
        let wider = |mirrors| set(Idms, "a", &[("quay.io/a", &["m/a"]), ("quay.io", mirrors)]);
        let there = |kind, mirrors| set(kind, "there", &[("quay.io/b", mirrors)]);
        let other = set(Idms, "there", &[("quay.io/z", &["m/z"])]);
        let emptied = set(Idms, "a", &[("quay.io/a", &["m/a"]), ("quay.io/b", &[])]);
        let hidden = set(Itms, "there", &[("quay.io/b", &["m/b"])]);
        let table = [
            (&only_a, &other, true, "gone"),
            (&only_a, &there(Idms, &["x/b"]), false, "another set has it"),
            (&only_a, &there(Icsp, &["x/b"]), false, "an ICSP serves pulls by digest as well"),
            (&only_a, &there(Itms, &["x/b"]), true, "an ITMS serves other pulls"),
            (&only_a, &there(Idms, &[]), true, "an entry without a mirror does not count"),
            (&emptied, &other, true, "it stays, without a mirror"),
            (&wider(&["m", "n"]), &other, false, "a wider source leads to both places"),
            (&wider(&["m"]), &other, true, "a wider source leads to one of two"),
            (&wider(&["m/quay"]), &other, true, "a wider source leads elsewhere"),
            (&wider(&["m", "n"]), &hidden, true, "the wider source is hidden by an ITMS for it"),
        ];
        for (new, there, expected, reason) in table {
            let found = findings("dropped-source", &Settings::default(), &[there], Some(&old), new);
            let whats: Vec<_> = found.iter().map(|finding| &*finding.what).collect();
            let dropped = "this update drops the source \"quay.io/b\"";
            assert_eq!(whats, if expected { vec![dropped] } else { vec![] }, "{reason}");
        }
    }

    #[test]
    fn many_sources_are_told_at_once() {
        let sources: Vec<_> = (0..5).map(|at| format!("quay.io/{at}")).collect();
        let mirrors: &[&str] = &["m/x"];
        let entries: Vec<_> = sources.iter().map(|source| (&**source, mirrors)).collect();
        let (old, new) = (set(Idms, "a", &entries), set(Idms, "a", &[("quay.io/new", &["m/x"])]));
        let [found] =
            findings("dropped-source", &Settings::default(), &[], Some(&old), &new).try_into().unwrap();
        let expected = "this update drops the sources \"quay.io/0\", \"quay.io/1\", \"quay.io/2\" and 2 more";
        assert_eq!((&*found.what, &*found.path), (expected, "spec.imageDigestMirrors"));
    }

    #[test]
    fn only_updates_drop_sources() {
        let new = set(Idms, "a", &[("quay.io/a", &["m/a"])]);
        assert_eq!(findings("dropped-source", &Settings::default(), &[], None, &new), []);
    }
}
