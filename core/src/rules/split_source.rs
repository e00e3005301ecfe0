//! One source in several entries, whose mirrors are merged.

use std::collections::BTreeMap;

use super::{
    Check, Finding, Fix, Level, Related, Rule, SetWrite, SharedSource,
    explicit::{is_beside_icsp, may_extend},
    finding::some_names,
    fix::entry_text,
    mirror_order_conflict::{ORDER_UNSPECIFIED, contradicted, in_order},
};
use crate::{
    context::{EntryRef, View},
    node::merge,
    objects::{Entry, Mirrors, SetKind},
};

pub(super) const RULE: Rule = Rule {
    id: "split-source",
    level: Level::Warn,
    summary: "one source in several objects, or twice in one object",
    page: include_str!("split_source.md"),
    check: Check::MirrorSet(check),
    ..Rule::BASE
};

/// One finding for all sources that are split in the same way, so that a file of repeats has one.
fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let mut groups: BTreeMap<Split, Vec<Sharing<'_>>> = BTreeMap::new();
    for sharing in write.shared_sources().iter().filter_map(sharing) {
        groups.entry(sharing.split()).or_default().push(sharing);
    }
    let mut grouped: Vec<_> = groups.into_iter().collect();
    grouped.sort_by_key(|(_, sharing)| sharing[0].own.index);
    findings.extend(grouped.iter().map(|(split, sharing)| finding(write.cluster.after, split, sharing)));
}

/// How a source is split.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Split {
    /// The other sets with the source, in words; empty for another entry of the same set.
    elsewhere: String,
    /// Whether all entries list the same mirrors in the same order.
    same_mirrors: bool,
    /// Whether the merged order is the only possible one.
    only_order: bool,
}

/// An entry, and the others with its source whose mirrors are merged with it.
struct Sharing<'a> {
    own: EntryRef<'a>,
    others: Vec<EntryRef<'a>>,
    /// The mirrors of all of them.
    merged: Mirrors,
    /// Whether no other order of them is possible; see [`is_only_order`].
    only_order: bool,
}

/// What this rule reports of an entry; `None` if that is nothing, or if mirror-order-conflict reports it.
fn sharing<'a>(shared: &SharedSource<'a>) -> Option<Sharing<'a>> {
    let own = shared.own;
    let mut others = shared.merged_with();
    if !contradicted(own, &others).is_empty() {
        return None;
    }
    others.retain(|other| is_alike(own, *other));
    if others.is_empty() {
        return None;
    }
    let entries: Vec<_> = std::iter::once(own).chain(others.iter().copied()).collect();
    let lists: Vec<_> = entries.iter().map(|entry| &*entry.entry().mirrors).collect();
    let merged = merge(&own.entry().source, &lists);
    let only_order = !merged.contradictory && is_only_order(&merged.mirrors, &entries);
    let merged = merged.mirrors.into_iter().map(Box::from).collect();
    Some(Sharing { own, others, merged, only_order })
}

impl Sharing<'_> {
    fn split(&self) -> Split {
        let sets = self.others.iter().filter(|other| !std::ptr::eq(other.set, self.own.set));
        let elsewhere: Vec<_> = sets.map(|other| other.set.id()).collect();
        let elsewhere = if elsewhere.is_empty() { String::new() } else { some_names(elsewhere) };
        let same_mirrors = self.others.iter().all(|other| other.entry().mirrors == self.own.entry().mirrors);
        // Equal lists have one order, theirs, even if a mirror in them is repeated.
        Split { elsewhere, same_mirrors, only_order: same_mirrors || self.only_order }
    }

    /// Whether one entry with all mirrors is merged as the entries are now, and the webhook admits it.
    fn can_be_united(&self, view: View<'_>) -> bool {
        let (first, source) = (self.first(), &*self.own.entry().source);
        let pull = self.own.set.kind.pull();
        // `others` lacks the entries that come later in the set, and those that other rules report.
        let is_complete =
            view.entries(source).filter(|found| found.serves(pull)).count() == self.others.len() + 1;
        // If the first entry has all mirrors already, entries are only removed, which is always admitted.
        let keeps_mirrors = first.entry().mirrors == self.merged;
        let is_admitted =
            keeps_mirrors || (may_extend(view, first.set) && !is_beside_icsp(view, first.set, source));
        is_complete && is_admitted
    }

    /// Whether HyperShift, which tries the lists one after the other, also tries the mirrors in the merged order.
    fn keeps_listed_order(&self) -> bool {
        let mut entries: Vec<_> = self.others.iter().chain([&self.own]).collect();
        entries.sort_by_key(|entry| entry.order());
        let mut listed: Vec<&str> = Vec::new();
        for (_, mirror) in entries.into_iter().flat_map(|found| found.entry().real_mirrors()) {
            if !listed.contains(&mirror) {
                listed.push(mirror);
            }
        }
        self.merged.iter().map(|mirror| &**mirror).eq(listed)
    }

    /// The first of the entries by kind, name and index: the one that is kept.
    fn first(&self) -> EntryRef<'_> {
        self.others.iter().copied().chain([self.own]).min_by_key(EntryRef::order).unwrap_or(self.own)
    }
}

/// The finding for the entries of a set, `found`, whose sources are split in one way.
fn finding(view: View<'_>, split: &Split, found: &[Sharing<'_>]) -> Finding {
    let own = found[0].own;
    let mut sources: Vec<_> = found.iter().map(|sharing| &*sharing.own.entry().source).collect();
    // In any order, since the entries of several sources may alternate.
    sources.sort_unstable();
    sources.dedup();
    let what = match (&*sources, &*split.elsewhere) {
        ([source], "") => format!("source \"{source}\" is in {} entries of this object", found.len() + 1),
        ([source], sets) => format!("source \"{source}\" is also in {sets}"),
        (sources, "") => format!("{} are in several entries of this object", describe(sources)),
        (sources, sets) => format!("{} are also in {sets}", describe(sources)),
    };
    let effect = match (split.only_order, sources.len()) {
        (false, _) => ORDER_UNSPECIFIED,
        (true, 1) => "if the source is removed here, the mirrors there stay in effect",
        (true, _) => "if a source is removed here, the mirrors there stay in effect",
    };
    let keys = found.iter().map(|sharing| {
        let Entry { source, mirrors, .. } = sharing.own.entry();
        format!("{source} {}", mirrors.join(" "))
    });
    let related = found.iter().flat_map(|sharing| &sharing.others);
    Finding {
        at_most: if split.same_mirrors { Level::Warn } else { Level::Deny },
        effect: effect.to_owned(),
        fix: fix(view, split, found),
        related: related.map(|other| Related::to_entry(other, "source")).collect(),
        ..Finding::of_faults(own.set.field_path(own.index, "source"), keys, what)
    }
}

fn describe(sources: &[&str]) -> String {
    format!(
        "{} sources ({})",
        sources.len(),
        some_names(sources.iter().map(|source| format!("\"{source}\"")))
    )
}

/// Keeps the first entry of each source, with the mirrors of all of them in the order in which nodes try them.
fn fix(view: View<'_>, split: &Split, found: &[Sharing<'_>]) -> Fix {
    let title = match (split.same_mirrors, found) {
        (true, [_]) => "keep the source in only one entry".to_owned(),
        (true, _) => "keep each source in only one entry".to_owned(),
        (false, [sharing]) => {
            let entry = Entry { mirrors: sharing.merged.clone(), ..sharing.own.entry().clone() };
            format!("put all mirrors into one entry: {}", entry_text(&entry))
        }
        (false, _) => "put all mirrors of each source into one entry, in the order to try".to_owned(),
    };
    // If the set has a source several times, only its last entry is compared with all others, and replaces the earlier
    // ones in the map.
    let last: BTreeMap<_, _> = found.iter().map(|sharing| (&*sharing.own.entry().source, sharing)).collect();
    if last.values().any(|sharing| !sharing.can_be_united(view)) {
        return title.into();
    }
    let is_safe = last.values().all(|sharing| sharing.keeps_listed_order());
    let fix = if is_safe { Fix::safe(title) } else { Fix::changing_pulls(title) };
    last.into_values().fold(fix, keep_first)
}

/// Gives the first entry all mirrors, and removes the others.
fn keep_first(fix: Fix, sharing: &Sharing<'_>) -> Fix {
    let first = sharing.first();
    let mut fix = if first.entry().mirrors == sharing.merged {
        fix
    } else {
        let mirrors: Vec<_> = sharing.merged.iter().map(|mirror| (**mirror).to_owned()).collect();
        fix.set(first.set.id(), first.set.field_path(first.index, "mirrors"), mirrors)
    };
    for extra in sharing.others.iter().chain([&sharing.own]).filter(|entry| !entry.is(first)) {
        fix = fix.remove(extra.set.id(), extra.set.entry_path(extra.index));
    }
    fix
}

/// Whether the entries leave no other order of their mirrors: each mirror directly precedes the next in some entry.
fn is_only_order(mirrors: &[&str], entries: &[EntryRef<'_>]) -> bool {
    let lists: Vec<_> = entries.iter().map(|entry| in_order(*entry)).collect();
    mirrors.windows(2).all(|pair| lists.iter().any(|list| list.windows(2).any(|own| own == pair)))
}

/// Whether this rule reports two entries of one source: other rules report an ICSP next to an IDMS, and two
/// policies for one source.
fn is_alike(own: EntryRef<'_>, other: EntryRef<'_>) -> bool {
    (other.set.kind == SetKind::Icsp) == (own.set.kind == SetKind::Icsp)
        && other.entry().policy() == own.entry().policy()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        objects::{
            Change, MirrorSet, ObjectId,
            SetKind::{Icsp, Idms, Itms},
        },
        rules::{
            Settings,
            testing::{assert_texts, findings, never, set},
        },
    };

    /// A set with the source that every set has here.
    fn of(kind: SetKind, name: &str, mirrors: &[&str]) -> MirrorSet {
        set(kind, name, &[("quay.io/a", mirrors)])
    }

    fn find(others: &[&MirrorSet], new: &MirrorSet) -> Vec<Finding> {
        findings(RULE.id, &Settings::default(), others, None, new)
    }

    #[test]
    fn one_source_is_reported_where_its_mirrors_are_merged_and_no_other_rule_reports_it() {
        let new = of(Idms, "new", &["m/a"]);
        let table = [
            (of(Idms, "there", &["n/a"]), Some(Level::Deny), "another mirror"),
            (of(Idms, "there", &["m/a", "n/a"]), Some(Level::Deny), "another mirror, in the only order"),
            (of(Idms, "there", &["m/a"]), Some(Level::Warn), "the same mirror: one may be forgotten"),
            (of(Itms, "there", &["m/a"]), None, "an IDMS and an ITMS are the normal pair"),
            (of(Icsp, "there", &["n/a"]), None, "for icsp-alongside-idms"),
            (never(of(Idms, "there", &["n/a"])), None, "for conflicting-source-policy"),
            (of(Idms, "there", &["quay.io/a", "m/a"]), None, "for mirror-order-conflict"),
            (of(Idms, "there", &[]), None, "without a mirror there is nothing to merge"),
            (set(Idms, "there", &[("quay.io/a/b", &["n/a"])]), None, "another source"),
        ];
        let mut all = Vec::new();
        for (there, expected, reason) in table {
            let found = find(&[&there], &new);
            assert_eq!(found.first().map(|finding| finding.at_most), expected, "{reason}");
            all.extend(found);
        }
        let icsps = find(&[&of(Icsp, "there", &["n/a"])], &of(Icsp, "new", &["m/a"]));
        assert_eq!(icsps.len(), 1, "two ICSPs are merged as two IDMSs are");
        all.extend(icsps);
        all.extend(find(&[], &set(Idms, "new", &[("quay.io/a", &["m/a"]), ("quay.io/a", &["n/a"])])));
        // Two sources, whose entries alternate.
        let [a, b]: [(&str, &[&str]); 2] = [("quay.io/a", &["m/a"]), ("quay.io/b", &["m/b"])];
        all.extend(find(&[], &set(Idms, "new", &[a, a, b, b, a])));
        assert_texts(RULE.id, &all);
    }

    #[test]
    fn the_first_entry_keeps_every_mirror_in_the_merged_order() {
        let there = of(Idms, "there", &["b/a", "c/a"]);
        let found = find(&[&there], &of(Idms, "new", &["a/a", "b/a"]));
        let value = json!(["a/a", "b/a", "c/a"]);
        let set = Change::Set { path: "spec.imageDigestMirrors[0].mirrors".to_owned(), value };
        let remove = Change::Remove { path: "spec.imageDigestMirrors[0]".to_owned() };
        let new = ObjectId::new("ImageDigestMirrorSet", "", "new");
        assert_eq!(found[0].fix.changes, [(new, set), (there.id(), remove)]);
    }

    #[test]
    fn repeats_are_one_finding() {
        let repeated: [(&str, &[&str]); 4] = [("quay.io/a", &["m/a"]); 4];
        let found = find(&[], &set(Idms, "new", &repeated));
        let removed: Vec<_> = found.iter().map(|finding| finding.fix.changes.len()).collect();
        assert_eq!(removed, [3]);
    }

    #[test]
    fn a_source_that_is_twice_in_one_set_is_reported_at_the_second() {
        let new = set(Idms, "new", &[("quay.io/a", &["m/a"]), ("quay.io/a", &["n/a"])]);
        let found = find(&[], &new);
        let paths: Vec<_> = found.iter().map(|finding| &*finding.path).collect();
        assert_eq!(paths, ["spec.imageDigestMirrors[1].source"]);
    }
}
