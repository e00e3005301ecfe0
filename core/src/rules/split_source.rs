//! One source in several entries, whose mirrors are merged.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use hashbrown::HashSet;

use super::{
    Check, DependsOn, Finding, Fix, Level, Related, RelatedFields, Rule, SetWrite, SharedSource,
    explicit::{is_beside_icsp, may_extend},
    finding::{some_names, some_sets, some_sources},
    fix::{NAMED_MIRRORS, entry_text},
    mirror_order_conflict::{ORDER_UNSPECIFIED, contradiction},
    shared::offers_fix_of,
};
use crate::{
    context::{EntryRef, View},
    node::Order,
    objects::{
        Entry, MirrorSet,
        MirrorSourcePolicy::{AllowContactingSource, NeverContactSource},
        Origin, SetKind,
    },
};

pub(super) const RULE: Rule = Rule {
    id: "split-source",
    level: Level::Warn,
    summary: "one source in several objects, or twice in one object",
    page: include_str!("split_source.md"),
    check: Check::Entries(check),
    depends_on: DependsOn::Nothing,
    ..Rule::BASE
};

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
    /// The order of the mirrors of all of them. It is contradictory if a list contradicts itself: its mirrors have no
    /// order that could be kept.
    order: Arc<Order>,
    /// Whether every entry of the source has its mirrors as they were written. Otherwise the order of all of them is not
    /// known, and an entry that is written again may lose some.
    are_known: bool,
}

/// What this rule reports of a source: for each policy, its entries. Nothing if mirror-order-conflict reports it.
fn sharing<'a>(shared: &SharedSource<'a>) -> Vec<Sharing<'a>> {
    if contradiction(shared).is_some() {
        return Vec::new();
    }
    let (own, mut elsewhere) = shared.merged();
    // icsp-alongside-idms reports an ICSP next to an IDMS, and conflicting-source-policy two policies for one source.
    elsewhere.retain(|other| (other.set.kind == SetKind::Icsp) == (shared.own[0].set.kind == SetKind::Icsp));
    let mut all = shared.own.iter().chain(&shared.elsewhere);
    let are_known = all.all(|found| found.set.has_mirrors_as_written(found.index));
    let mut found = Vec::new();
    for policy in [AllowContactingSource, NeverContactSource] {
        let of_policy = |found: &&EntryRef<'_>| found.entry().policy() == policy;
        let mut entries: Vec<_> = own.iter().filter(of_policy).copied().collect();
        let count = entries.len();
        entries.extend(elsewhere.iter().filter(of_policy));
        if count > 0 && entries.len() > 1 {
            found.push(Sharing { order: shared.order_of(&entries), entries, own: count, are_known });
        }
    }
    found
}

impl<'a> Sharing<'a> {
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
        let Order { same_mirrors, is_only_one, .. } = *self.order;
        Split { elsewhere: some_sets(self.elsewhere()), same_mirrors, only_order: is_only_one }
    }

    /// Whether every mirror names its registry: one that does not must not get into another entry.
    fn is_usable(&self) -> bool {
        self.entries.iter().all(|found| found.entry().is_usable())
    }

    /// Whether never-contact-source-lists-source reports one of the entries. Without it, nothing is left of that error,
    /// and whether the source or its policy has to go is not for this rule to say.
    fn lists_never_contacted_source(&self) -> bool {
        self.entries.iter().any(|found| {
            let entry = found.entry();
            entry.policy() == NeverContactSource && entry.mirrors.contains(&entry.source)
        })
    }

    /// Whether the mirrors of the one entry, and their order, can be told from the entries.
    fn has_an_order(&self) -> bool {
        !self.order.contradictory
            && self.are_known
            && self.is_usable()
            && !self.lists_never_contacted_source()
    }

    /// Whether an entry with all mirrors can be shown in a sentence.
    fn can_be_named(&self) -> bool {
        self.order.mirrors.len() <= NAMED_MIRRORS && self.has_an_order()
    }

    /// Whether one entry with all mirrors is merged as the entries are now, and the webhook admits it.
    fn can_be_united(&self, view: View<'_>) -> bool {
        let (first, source) = (self.first(), self.source());
        let pull = first.set.kind.pull();
        // `entries` lacks those that other rules report.
        let is_complete =
            view.entries(source).filter(|found| found.serves(pull)).count() == self.entries.len();
        // If the first entry has all mirrors already, entries are only removed. An ICSP may have them removed; next to
        // one, icsp-alongside-idms reports an entry that is the only one of its source.
        let keeps_mirrors = first.entry().mirrors == self.order.mirrors;
        let is_admitted =
            (keeps_mirrors || may_extend(view, first.set)) && !is_beside_icsp(view, first.set, source);
        is_complete && is_admitted && self.has_an_order()
    }

    /// Whether HyperShift, which tries the lists one after the other, also tries the mirrors in the merged order.
    fn keeps_listed_order(&self) -> bool {
        let mut entries = if self.order.same_mirrors { vec![self.first()] } else { self.entries.clone() };
        entries.sort_by_key(EntryRef::order);
        let listed = entries.iter().flat_map(|found| found.entry().real_mirrors());
        let mut seen = HashSet::new();
        let listed = listed.map(|(_, mirror)| mirror).filter(|mirror| seen.insert(*mirror));
        self.order.mirrors.iter().map(|mirror| &**mirror).eq(listed)
    }

    /// The first of the entries by kind, name and index: the one that is kept.
    fn first(&self) -> EntryRef<'a> {
        let own = self.entries[0];
        self.elsewhere().first().copied().filter(|other| other.order() < own.order()).unwrap_or(own)
    }

    /// The entries to remove: all but the first, or where those of many other sets are left to the findings there,
    /// those of this set. `None` if these cannot go alone, because the first entry lacks mirrors: the finding of its
    /// set adds them, and removes all others.
    fn removed(&self) -> Option<Vec<EntryRef<'a>>> {
        let first = self.first();
        let mut removed = self.entries.clone();
        if !offers_fix_of(self.entries[0].set, first, self.entries.len()) {
            if first.entry().mirrors != self.order.mirrors {
                return None;
            }
            removed.truncate(self.own);
        }
        removed.retain(|entry| !entry.is(first));
        Some(removed)
    }
}

/// The finding for the entries of a set, `found`, whose sources are split in one way.
fn finding(view: View<'_>, split: &Split, found: &[Sharing<'_>]) -> Finding {
    let reported = found[0].reported();
    let mut sources: Vec<_> = found.iter().map(Sharing::source).collect();
    sources.dedup();
    let what = match (&*sources, &*split.elsewhere) {
        ([source], "") => format!("source \"{source}\" is in {} entries of this object", found[0].own),
        ([source], sets) => format!("source \"{source}\" is also in {sets}"),
        (sources, "") => format!("{} are in several entries of this object", some_sources(sources)),
        (sources, sets) => format!("{} are also in {sets}", some_sources(sources)),
    };
    let effect = match (split.only_order, sources.len()) {
        (false, _) => ORDER_UNSPECIFIED,
        (true, 1) => "if the source is removed here, the mirrors there stay in effect",
        (true, _) => "if a source is removed here, the mirrors there stay in effect",
    };
    let keys = found.iter().flat_map(Sharing::own).map(|own| {
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
        ..Finding::of_faults(reported.set.field_path(reported.index, "source"), keys, what)
    }
}

/// Keeps the first entry of each source, with the mirrors of all of them in the order in which nodes try them.
fn fix(view: View<'_>, split: &Split, found: &[Sharing<'_>]) -> Fix {
    let title = match (split.same_mirrors, found) {
        (true, [_]) => "keep the source in only one entry".to_owned(),
        (true, _) => "keep each source in only one entry".to_owned(),
        (false, [sharing]) if sharing.can_be_named() => {
            let entry =
                Entry { mirrors: sharing.order.mirrors.clone(), ..sharing.entries[0].entry().clone() };
            format!("put all mirrors into one entry: {}", entry_text(&entry))
        }
        (false, [sharing]) if !sharing.are_known || sharing.lists_never_contacted_source() => {
            "put all mirrors into one entry, each once and in the order to try".to_owned()
        }
        (false, [sharing]) => {
            format!(
                "put all {} mirrors into one entry, each once and in the order to try",
                sharing.order.mirrors.len()
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
    let removed: Vec<_> = removed.into_iter().flatten().collect();
    let fix = name_emptied(found.iter().fold(fix, complete_first), &removed);
    removed.iter().fold(fix, |fix, extra| fix.remove(extra.set.id(), extra.set.entry_path(extra.index)))
}

/// Says which objects have no entry left without those that are removed: a person deletes them.
fn name_emptied(fix: Fix, removed: &[EntryRef<'_>]) -> Fix {
    let mut sets: BTreeMap<String, (&MirrorSet, usize)> = BTreeMap::new();
    for found in removed.iter().filter(|found| found.set.origin == Origin::Object) {
        sets.entry(found.set.id().to_string()).or_insert((found.set, 0)).1 += 1;
    }
    sets.retain(|_, (set, count)| *count == set.written_entries());
    if sets.is_empty() {
        return fix;
    }
    let have = if sets.len() == 1 { "has" } else { "have" };
    let emptied = some_names(sets.into_keys());
    Fix { title: format!("{}; delete {emptied}, which then {have} no entries", fix.title), ..fix }
}

/// Gives the first entry the mirrors of all.
fn complete_first(fix: Fix, sharing: &Sharing<'_>) -> Fix {
    let first = sharing.first();
    if first.entry().mirrors == sharing.order.mirrors {
        return fix;
    }
    let mirrors: Vec<_> = sharing.order.mirrors.iter().map(|mirror| (**mirror).to_owned()).collect();
    fix.set(first.set.id(), first.set.field_path(first.index, "mirrors"), mirrors)
}

#[cfg(test)]
mod tests;
