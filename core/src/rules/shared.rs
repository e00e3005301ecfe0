//! Sources that are in several entries. Each is looked at once, however many entries have it.

use std::{cell::OnceCell, sync::Arc};

use hashbrown::HashMap;
use smallvec::SmallVec;

use super::mirror_order_conflict::Contradiction;
use crate::{
    context::{EntryRef, View},
    node::{Circles, Order, Orders},
    objects::{Entry, MirrorSet, scope::names_registry},
};

/// The sources of a set in the order of their first entries, each with the indexes of all of its entries.
#[derive(Debug, Clone)]
pub(super) struct OwnSources(Vec<SmallVec<[usize; 1]>>);

impl OwnSources {
    pub(super) fn of(entries: &[Entry]) -> Self {
        let mut known: HashMap<&str, usize> = HashMap::with_capacity(entries.len());
        let mut sources: Vec<SmallVec<[usize; 1]>> = Vec::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            let at = *known.entry(&*entry.source).or_insert(sources.len());
            match sources.get_mut(at) {
                Some(indexes) => indexes.push(index),
                None => sources.push(SmallVec::from_elem(index, 1)),
            }
        }
        Self(sources)
    }

    /// The first entry of each source that counts.
    pub(super) fn first_where(&self, counts: impl Fn(usize) -> bool) -> impl Iterator<Item = usize> {
        self.0.iter().filter_map(move |indexes| indexes.iter().copied().find(|index| counts(*index)))
    }
}

/// A source that is in several entries of the cluster.
#[derive(Debug, Clone)]
pub struct SharedSource<'a> {
    /// Its entries in the set under review, by index; at least one.
    pub own: Vec<EntryRef<'a>>,
    /// Its entries in other sets, of all three kinds, by kind, name and index.
    pub elsewhere: Vec<EntryRef<'a>>,
    /// What mirror-order-conflict reports, which other rules leave to it.
    pub(super) contradiction: OnceCell<Option<Contradiction<'a>>>,
    circles: OnceCell<Arc<Circles>>,
    orders: Option<&'a Orders>,
}

impl<'a> SharedSource<'a> {
    /// The source.
    pub fn source(&self) -> &'a str {
        &self.own[0].entry().source
    }

    /// The own entries and the others whose mirrors are merged: those that serve the same pulls, digest or tag, and
    /// have mirrors. None if the source matches no image, for which there is `ineffective-entry`.
    pub fn merged(&self) -> (Vec<EntryRef<'a>>, Vec<EntryRef<'a>>) {
        if !names_registry(self.source()) {
            return (Vec::new(), Vec::new());
        }
        let pull = self.own[0].set.kind.pull();
        let serving = |entries: &[EntryRef<'a>]| {
            entries.iter().copied().filter(|found| found.serves(pull)).collect::<Vec<_>>()
        };
        (serving(&self.own), serving(&self.elsewhere))
    }

    /// The circles in the mirror lists of the entries of [`SharedSource::merged`].
    pub(super) fn circles(&self) -> &Circles {
        self.circles.get_or_init(|| {
            let pull = self.own[0].set.kind.pull();
            let serving = self.own.iter().chain(&self.elsewhere).filter(|found| found.serves(pull));
            let lists = || serving.map(|found| &*found.entry().mirrors).collect::<Vec<_>>();
            match self.orders.filter(|_| self.own.len() + self.elsewhere.len() > FEW) {
                Some(orders) => orders.circles(self.source(), pull, lists),
                None => Circles::of(self.source(), &lists()).into(),
            }
        })
    }

    /// The order of the mirrors of `entries`: all that [`SharedSource::merged`] returns in sets of one kind, with one
    /// policy. [`Orders`] keeps it by these two.
    pub(super) fn order_of(&self, entries: &[EntryRef<'a>]) -> Arc<Order> {
        let lists = || entries.iter().map(|found| &*found.entry().mirrors).collect::<Vec<_>>();
        let group = (entries[0].set.kind, entries[0].entry().policy());
        match self.orders.filter(|_| entries.len() > FEW) {
            Some(orders) => orders.order(self.source(), group, lists),
            None => Order::of(self.source(), &lists()).into(),
        }
    }
}

/// The sources of a set that are in several entries; `others` is the cluster without the set, and `orders` what reviews
/// have found of the cluster with it.
pub(super) fn find_shared<'a>(
    set: &'a MirrorSet,
    sources: &OwnSources,
    others: View<'a>,
    orders: Option<&'a Orders>,
) -> Vec<SharedSource<'a>> {
    let mut shared = Vec::new();
    for indexes in &sources.0 {
        let mut elsewhere: Vec<_> = others.entries(&set.entries[indexes[0]].source).collect();
        if indexes.len() + elsewhere.len() > 1 {
            elsewhere.sort_by_key(EntryRef::order);
            let own = indexes.iter().map(|index| EntryRef { set, index: *index }).collect();
            let (contradiction, circles) = Default::default();
            shared.push(SharedSource { own, elsewhere, contradiction, circles, orders });
        }
    }
    shared
}

/// The number of entries up to which each set that has one of them offers the fix of all, and reads all of them itself
/// instead of sharing what it finds in [`Orders`].
const FEW: usize = 10;

/// Whether a set offers a fix that changes this many entries. One of many entries is offered once, for the set that
/// has the first of them: otherwise each of the sets would repeat the changes of all others.
pub(super) fn offers_fix_of(set: &MirrorSet, first: EntryRef<'_>, entries: usize) -> bool {
    entries <= FEW || std::ptr::eq(first.set, set)
}

/// Whether sources cover scopes with an effective entry that counts. A source above several scopes is looked up once.
pub(super) struct Covering<'a, F> {
    view: View<'a>,
    counts: F,
    known: HashMap<Box<str>, bool>,
}

impl<'a, F: Fn(&EntryRef<'a>) -> bool> Covering<'a, F> {
    pub(super) fn new(view: View<'a>, counts: F) -> Self {
        Self { view, counts, known: HashMap::new() }
    }

    /// Whether such an entry has the scope itself as its source, or one above it.
    pub(super) fn covers(&mut self, scope: &str) -> bool {
        let Self { view, counts, known } = self;
        view.scopes_at(scope).any(|above| {
            let above = above.to_scope();
            known.get(&*above).copied().unwrap_or_else(|| {
                let is_there = view.effective(&above).any(|found| counts(&found));
                known.insert(above.into(), is_there);
                is_there
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::{Object, SetKind::Idms},
        rules::testing::set,
        state::State,
    };

    #[test]
    fn a_source_is_shared_once_however_many_entries_have_it() {
        type Case<'a> = (&'a [&'a str], &'a [&'a str], &'a [(usize, usize)], &'a str);
        let table: [Case<'_>; 4] = [
            (&["a", "b"], &["c"], &[], "every source once"),
            (&["a", "b", "a", "a"], &[], &[(3, 0)], "three times in the set"),
            (&["b", "a"], &["a", "a"], &[(1, 2)], "twice elsewhere"),
            (&["b", "a", "b", "a"], &["a"], &[(2, 0), (2, 1)], "in the order of the first entries"),
        ];
        for (own, elsewhere, expected, reason) in table {
            let own = set(Idms, "own", &own.iter().map(|source| (*source, &["m/x"][..])).collect::<Vec<_>>());
            let there = elsewhere.iter().map(|source| (*source, &["m/x"][..])).collect::<Vec<_>>();
            let others: State = [Object::from(set(Idms, "there", &there))].into_iter().collect();
            let sources = OwnSources::of(&own.entries);
            let shared = find_shared(&own, &sources, others.context().view(), None);
            let counts: Vec<_> = shared.iter().map(|one| (one.own.len(), one.elsewhere.len())).collect();
            assert_eq!(counts, expected, "{reason}");
        }
    }

    #[test]
    fn a_fix_of_many_entries_is_offered_for_the_first_set_alone() {
        let sets: Vec<_> = (0..=FEW).map(|at| set(Idms, &format!("s{at:03}"), &[("a", &["m/x"])])).collect();
        let entries: Vec<_> = sets.iter().map(|set| EntryRef { set, index: 0 }).collect();
        let offering = |entries: &[EntryRef<'_>]| {
            entries.iter().filter(|found| offers_fix_of(found.set, entries[0], entries.len())).count()
        };
        assert_eq!((offering(&entries[..FEW]), offering(&entries)), (FEW, 1));
    }
}
