//! One source in several entries, whose mirrors are merged.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashSet;

use super::{
    Check, Finding, Fix, Level, Related, RelatedFields, Rule, SetWrite, SharedSource,
    explicit::{is_beside_icsp, may_extend},
    finding::{some_names, some_sets},
    fix::entry_text,
    mirror_order_conflict::{ORDER_UNSPECIFIED, contradiction, in_order},
    shared::offers_fix_of,
};
use crate::{
    context::{EntryRef, View},
    node::merge,
    objects::{
        Entry,
        MirrorSourcePolicy::{AllowContactingSource, NeverContactSource},
        Mirrors, SetKind,
    },
};

pub(super) const RULE: Rule = Rule {
    id: "split-source",
    level: Level::Warn,
    summary: "one source in several objects, or twice in one object",
    page: include_str!("split_source.md"),
    check: Check::MirrorSet(check),
    ..Rule::BASE
};

/// The number of mirrors up to which they are named in a sentence.
const NAMED: usize = 10;

/// One finding for all sources that are split in the same way, so that a file of repeats has one.
fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let mut groups: BTreeMap<Split, Vec<Sharing<'_>>> = BTreeMap::new();
    for sharing in write.shared_sources().iter().flat_map(sharing) {
        groups.entry(sharing.split()).or_default().push(sharing);
    }
    let mut grouped: Vec<_> = groups.into_iter().collect();
    grouped.sort_by_key(|(_, sharing)| sharing[0].reported().index);
    findings.extend(grouped.iter().map(|(split, sharing)| finding(write.cluster.after, split, sharing)));
}

/// How a source is split.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Split {
    /// The other sets with the source, in words; empty for other entries of the same set.
    elsewhere: String,
    /// Whether all entries list the same mirrors in the same order.
    same_mirrors: bool,
    /// Whether the merged order is the only possible one.
    only_order: bool,
}

/// The entries of a source whose mirrors are merged.
struct Sharing<'a> {
    /// Those of the set under review by index, then the others by kind, name and index.
    entries: Vec<EntryRef<'a>>,
    /// The number of those of the set under review.
    own: usize,
    /// The mirrors of all of them.
    merged: Mirrors,
    /// Whether a list contradicts itself: its mirrors have no order that could be kept.
    contradictory: bool,
    /// Whether all entries list the same mirrors in the same order.
    same_mirrors: bool,
    /// Whether no other order of them is possible; see [`is_only_order`].
    only_order: bool,
}

/// What this rule reports of a source: for each policy, its entries. Nothing if mirror-order-conflict reports it.
fn sharing<'a>(shared: &SharedSource<'a>) -> Vec<Sharing<'a>> {
    if contradiction(shared).is_some() {
        return Vec::new();
    }
    let (own, mut elsewhere) = shared.merged();
    // icsp-alongside-idms reports an ICSP next to an IDMS, and conflicting-source-policy two policies for one source.
    elsewhere.retain(|other| (other.set.kind == SetKind::Icsp) == (shared.own[0].set.kind == SetKind::Icsp));
    let mut found = Vec::new();
    for policy in [AllowContactingSource, NeverContactSource] {
        let of_policy = |found: &&EntryRef<'_>| found.entry().policy() == policy;
        let mut entries: Vec<_> = own.iter().filter(of_policy).copied().collect();
        let count = entries.len();
        entries.extend(elsewhere.iter().filter(of_policy));
        if count > 0 && entries.len() > 1 {
            found.push(Sharing::of(entries, count));
        }
    }
    found
}

impl<'a> Sharing<'a> {
    fn of(entries: Vec<EntryRef<'a>>, own: usize) -> Self {
        let mut lists: Vec<_> = entries.iter().map(|entry| &*entry.entry().mirrors).collect();
        lists.dedup();
        let same_mirrors = lists.len() == 1;
        let merged = merge(&entries[0].entry().source, &lists);
        let only_order = same_mirrors || !merged.contradictory && is_only_order(&merged.mirrors, &entries);
        let contradictory = merged.contradictory;
        let merged = merged.mirrors.into_iter().map(Box::from).collect();
        Self { entries, own, merged, contradictory, same_mirrors, only_order }
    }

    fn source(&self) -> &'a str {
        &self.entries[0].entry().source
    }

    fn own(&self) -> &[EntryRef<'a>] {
        &self.entries[..self.own]
    }

    fn elsewhere(&self) -> &[EntryRef<'a>] {
        &self.entries[self.own..]
    }

    /// The entry that is reported: the first, or the one that repeats the source where no other set has it.
    fn reported(&self) -> EntryRef<'a> {
        self.entries[usize::from(self.elsewhere().is_empty())]
    }

    fn split(&self) -> Split {
        let Self { same_mirrors, only_order, .. } = *self;
        Split { elsewhere: some_sets(self.elsewhere()), same_mirrors, only_order }
    }

    /// Whether one entry with all mirrors is merged as the entries are now, and the webhook admits it.
    fn can_be_united(&self, view: View<'_>) -> bool {
        let (first, source) = (self.first(), self.source());
        let pull = first.set.kind.pull();
        let is_complete =
            view.entries(source).filter(|found| found.serves(pull)).count() == self.entries.len();
        let keeps_mirrors = first.entry().mirrors == self.merged;
        let is_admitted =
            keeps_mirrors || (may_extend(view, first.set) && !is_beside_icsp(view, first.set, source));
        is_complete && is_admitted && !self.contradictory
    }

    /// Whether HyperShift, which tries the lists one after the other, also tries the mirrors in the merged order.
    fn keeps_listed_order(&self) -> bool {
        let mut entries = self.entries.clone();
        entries.sort_by_key(EntryRef::order);
        if self.same_mirrors {
            entries.truncate(1);
        }
        let listed = entries.iter().flat_map(|found| found.entry().real_mirrors());
        let mut seen = HashSet::new();
        let listed = listed.map(|(_, mirror)| mirror).filter(|mirror| seen.insert(*mirror));
        self.merged.iter().map(|mirror| &**mirror).eq(listed)
    }

    /// The first of the entries, which keeps the source.
    fn first(&self) -> EntryRef<'a> {
        let own = self.entries[0];
        self.elsewhere().first().copied().filter(|other| other.order() < own.order()).unwrap_or(own)
    }

    /// The entries to remove: all but the first, or where those of many other sets are left to the findings there,
    /// those of this set. `None` if only all of them can be removed at once.
    fn removed(&self) -> Option<Vec<EntryRef<'a>>> {
        let first = self.first();
        let mut removed = self.entries.clone();
        if !offers_fix_of(self.entries[0].set, first, self.entries.len()) {
            if first.entry().mirrors != self.merged {
                return None;
            }
            removed.truncate(self.own);
        }
        removed.retain(|entry| !entry.is(first));
        Some(removed)
    }
}

fn finding(view: View<'_>, split: &Split, found: &[Sharing<'_>]) -> Finding {
    let reported = found[0].reported();
    let mut sources: Vec<_> = found.iter().map(Sharing::source).collect();
    sources.dedup();
    let what = match (&*sources, &*split.elsewhere) {
        ([source], "") => format!("source \"{source}\" is in {} entries of this object", found[0].own),
        ([source], sets) => format!("source \"{source}\" is also in {sets}"),
        (sources, "") => format!("{} are in several entries of this object", describe(sources)),
        (sources, sets) => format!("{} are also in {sets}", describe(sources)),
    };
    let effect = match (split.only_order, sources.len()) {
        (false, _) => ORDER_UNSPECIFIED,
        (true, 1) => "if the source is removed here, the mirrors there stay in effect",
        (true, _) => "if a source is removed here, the mirrors there stay in effect",
    };
    let keys = found.iter().flat_map(|sharing| &sharing.entries[..sharing.own]).map(|own| {
        let Entry { source, mirrors, .. } = own.entry();
        format!("{source} {}", mirrors.join(" "))
    });
    // Equal entries are one fault.
    let keys: BTreeSet<_> = keys.collect();
    let others = found.iter().flat_map(|sharing| sharing.elsewhere().iter().chain(sharing.own()));
    let others = others.filter(|other| !other.is(reported));
    Finding {
        at_most: if split.same_mirrors { Level::Warn } else { Level::Deny },
        effect: effect.to_owned(),
        fix: fix(view, split, found),
        related: RelatedFields::of(others, |other| Related::to_entry(other, "source")),
        ..Finding::new(
            reported.set.field_path(reported.index, "source"),
            Vec::from_iter(keys).join("\n"),
            what,
        )
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
        (false, [sharing]) if !sharing.contradictory && sharing.merged.len() <= NAMED => {
            let entry = Entry { mirrors: sharing.merged.clone(), ..sharing.entries[0].entry().clone() };
            format!("put all mirrors into one entry: {}", entry_text(&entry))
        }
        (false, [sharing]) => {
            format!(
                "put all {} mirrors into one entry, each once and in the order to try",
                sharing.merged.len()
            )
        }
        (false, _) => "put all mirrors of each source into one entry, in the order to try".to_owned(),
    };
    if found.iter().any(|sharing| !sharing.can_be_united(view)) {
        return title.into();
    }
    let removed: Option<Vec<_>> = found.iter().map(Sharing::removed).collect();
    let Some(removed) = removed else { return title.into() };
    let is_safe = found.iter().all(Sharing::keeps_listed_order);
    let fix = if is_safe { Fix::safe(title) } else { Fix::changing_pulls(title) };
    let fix = found.iter().fold(fix, complete_first);
    let removed = removed.into_iter().flatten();
    removed.fold(fix, |fix, extra| fix.remove(extra.set.id(), extra.set.entry_path(extra.index)))
}

/// Gives the first entry the mirrors of all.
fn complete_first(fix: Fix, sharing: &Sharing<'_>) -> Fix {
    let first = sharing.first();
    if first.entry().mirrors == sharing.merged {
        return fix;
    }
    let mirrors: Vec<_> = sharing.merged.iter().map(|mirror| (**mirror).to_owned()).collect();
    fix.set(first.set.id(), first.set.field_path(first.index, "mirrors"), mirrors)
}

/// Whether the entries leave no other order of their mirrors: each mirror directly precedes the next in some entry.
fn is_only_order(mirrors: &[&str], entries: &[EntryRef<'_>]) -> bool {
    let mut neighbours = HashSet::new();
    for entry in entries {
        neighbours.extend(in_order(*entry).windows(2).map(|pair| (pair[0], pair[1])));
    }
    mirrors.windows(2).all(|pair| neighbours.contains(&(pair[0], pair[1])))
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
            (of(Idms, "there", &["n/a", "o/a", "n/a"]), Some(Level::Deny), "it contradicts only itself"),
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
    fn lists_without_an_order_are_left_to_a_person() {
        let table: [(&[&str], bool, &str); 2] =
            [(&["n/a", "o/a"], true, "an order"), (&["n/a", "o/a", "n/a"], false, "it contradicts itself")];
        for (mirrors, expected, reason) in table {
            let found = find(&[&of(Idms, "there", mirrors)], &of(Idms, "new", &["m/a"]));
            assert_eq!(found[0].fix.is_applicable(), expected, "{reason}");
        }
    }

    /// The fields that a finding is about: its own, those that are listed, and how many more.
    fn fields(finding: &Finding) -> (&str, Vec<&str>, usize) {
        let related = finding.related.iter().map(|related| &*related.path);
        (&finding.path, related.collect(), finding.related.more())
    }

    #[test]
    fn each_other_entry_is_related_once() {
        let eight: [(&str, &[&str]); 8] = [("quay.io/a", &["m/a"]); 8];
        let found = find(&[], &set(Idms, "new", &eight));
        let others = [0, 2, 3, 4, 5, 6, 7].map(|index| format!("spec.imageDigestMirrors[{index}].source"));
        let others = others.iter().map(String::as_str).collect();
        let all: Vec<_> = found.iter().map(fields).collect();
        assert_eq!(all, [("spec.imageDigestMirrors[1].source", others, 0)]);
    }

    #[test]
    fn the_answer_for_one_set_grows_with_its_entries_alone() {
        let mirrors: Vec<_> = (0..1500).map(|number| format!("m{number}/a")).collect();
        let lists: Vec<[&str; 1]> = mirrors.iter().map(|mirror| [&**mirror]).collect();
        let table = [
            (vec![&["m/a"][..]; 1500], 1499, 1, "the same mirrors"),
            (lists.iter().map(|list| &list[..]).collect(), 1500, 1500, "all with another mirror"),
        ];
        for (lists, changes, keys, reason) in table {
            let entries: Vec<_> = lists.into_iter().map(|mirrors| ("quay.io/a", mirrors)).collect();
            let found = find(&[], &set(Idms, "new", &entries));
            let [finding] = &*found else { panic!("{reason}: {} findings", found.len()) };
            assert_eq!((finding.related.len(), finding.related.more()), (10, 1489), "{reason}");
            assert_eq!(finding.fix.changes.len(), changes, "{reason}");
            assert_eq!(finding.key.lines().count(), keys, "{reason}");
            assert!(finding.message().len() < 250 && finding.fix.title.len() < 250, "{reason}");
        }
    }

    #[test]
    fn the_changes_of_many_sets_are_offered_once() {
        let sets: Vec<_> = (0..50).map(|number| of(Idms, &format!("s{number:02}"), &["m/a"])).collect();
        let mut changes = Vec::new();
        for set in &sets {
            let others: Vec<_> = sets.iter().filter(|other| other.name != set.name).collect();
            let found = find(&others, set);
            assert_eq!((found.len(), found[0].related.len(), found[0].related.more()), (1, 10, 39));
            changes.push(found[0].fix.changes.len());
        }
        // The first set offers to remove all others, each of the others to remove itself.
        assert_eq!((changes[0], changes[1..].iter().sum::<usize>()), (49, 49));
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
