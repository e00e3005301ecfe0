//! The orders of the mirrors of one source that is in many sets of a cluster: the same for each of the sets.

use std::{
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use hashbrown::{HashMap, HashSet};

use super::{Circles, merge};
use crate::objects::{MirrorSourcePolicy, Mirrors, Pull, SetKind};

/// The order of the mirrors of entries of one source.
#[derive(Debug)]
pub struct Order {
    /// The mirrors of all entries, as [`merge`] orders them.
    pub mirrors: Mirrors,
    /// Whether the lists contradict each other; see [`super::Merged`].
    pub contradictory: bool,
    /// Whether all entries list the same mirrors in the same order.
    pub same_mirrors: bool,
    /// Whether no other order of them is possible: each mirror directly precedes the next in some entry.
    pub is_only_one: bool,
}

impl Order {
    /// The order of the lists of entries of one source, each of which has at least one mirror that is not the source.
    pub fn of(source: &str, lists: &[&[Box<str>]]) -> Self {
        let same_mirrors = lists.windows(2).all(|pair| pair[0] == pair[1]);
        let merged = merge(source, lists);
        let is_only_one =
            same_mirrors || !merged.contradictory && is_only_order(&merged.mirrors, source, lists);
        Self {
            contradictory: merged.contradictory,
            same_mirrors,
            is_only_one,
            mirrors: merged.mirrors.into_iter().map(Box::from).collect(),
        }
    }
}

fn is_only_order(mirrors: &[&str], source: &str, lists: &[&[Box<str>]]) -> bool {
    let mut neighbours = HashSet::new();
    for list in lists {
        neighbours.extend(in_order(source, list).windows(2).map(|pair| (pair[0], pair[1])));
    }
    mirrors.windows(2).all(|pair| neighbours.contains(&(pair[0], pair[1])))
}

/// The places that nodes try because of a list, in order. The source comes last, unless it is listed.
pub fn in_order<'a>(source: &'a str, list: &'a [Box<str>]) -> Vec<&'a str> {
    let source = (!list.iter().any(|mirror| **mirror == *source)).then_some(source);
    list.iter().map(|mirror| &**mirror).chain(source).collect()
}

/// What is known of the sources of one state of a cluster. It is filled by what asks first: the review of the first of
/// n sets with one source reads the entries of all of them, and those of the others read only the result.
#[derive(Debug, Default)]
pub struct Orders {
    circles: Known<(Box<str>, Pull), Circles>,
    orders: Known<(Box<str>, SetKind, MirrorSourcePolicy), Order>,
}

type Known<K, V> = Mutex<HashMap<K, Arc<V>>>;

impl Orders {
    /// The circles in the lists of all effective entries of a source for one kind of pull; `lists` is called for the
    /// first that asks.
    pub fn circles<'l>(
        &self,
        source: &str,
        pull: Pull,
        lists: impl FnOnce() -> Vec<&'l [Box<str>]>,
    ) -> Arc<Circles> {
        find_or_make(&self.circles, (source.into(), pull), || Circles::of(source, &lists()))
    }

    /// The order of the lists of all effective entries of a source in sets of one kind, with one policy; `lists` is
    /// called for the first that asks.
    pub fn order<'l>(
        &self,
        source: &str,
        (kind, policy): (SetKind, MirrorSourcePolicy),
        lists: impl FnOnce() -> Vec<&'l [Box<str>]>,
    ) -> Arc<Order> {
        find_or_make(&self.orders, (source.into(), kind, policy), || Order::of(source, &lists()))
    }
}

fn find_or_make<K: Eq + Hash, V>(known: &Known<K, V>, key: K, make: impl FnOnce() -> V) -> Arc<V> {
    // What a thread that panicked had put there is whole.
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(known.entry(key).or_insert_with(|| make().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_of_a_source_are_read_once() {
        let orders = Orders::default();
        let list: [Box<str>; 1] = ["m.lab/a".into()];
        let mut reads = 0;
        let kinds = [SetKind::Idms, SetKind::Idms, SetKind::Itms, SetKind::Idms];
        for (source, kind) in ["quay.io/a", "quay.io/a", "quay.io/a", "quay.io/b"].into_iter().zip(kinds) {
            let order = orders.order(source, (kind, MirrorSourcePolicy::AllowContactingSource), || {
                reads += 1;
                vec![&list[..]; 3]
            });
            assert_eq!((&*order.mirrors, order.same_mirrors), (&list[..], true));
        }
        assert_eq!(reads, 3, "another kind and another source are read, and nothing twice");
    }

    #[test]
    fn an_order_is_the_only_one_if_each_mirror_precedes_the_next_in_a_list() {
        let table: [(&[&str], bool, bool, &str); 4] = [
            (&["a b", "b c"], false, true, "they chain"),
            (&["a", "b"], false, false, "unrelated"),
            (&["a b", "a b"], true, true, "the same"),
            (&["a b", "b a"], false, false, "they contradict each other"),
        ];
        for (texts, same_mirrors, is_only_one, reason) in table {
            let lists: Vec<Vec<Box<str>>> =
                texts.iter().map(|text| text.split(' ').map(Box::from).collect()).collect();
            let lists: Vec<&[Box<str>]> = lists.iter().map(Vec::as_slice).collect();
            let order = Order::of("src", &lists);
            assert_eq!((order.same_mirrors, order.is_only_one), (same_mirrors, is_only_one), "{reason}");
        }
    }
}
