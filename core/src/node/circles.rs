//! Mirrors that the lists of one source order in a circle: a before b here, b before a there.

use hashbrown::{HashMap, HashSet};

use super::merge::{Edges, edges};

/// The mirrors of a source that are in circles, each with the number of its circle; circles that share a mirror are
/// one. Found in one pass over the lists, however many there are.
#[derive(Debug, Default)]
pub struct Circles {
    source: Box<str>,
    of_mirror: HashMap<Box<str>, usize>,
}

impl Circles {
    /// The circles in the lists of one source.
    pub fn of(source: &str, lists: &[&[Box<str>]]) -> Self {
        let Some((first, others)) = lists.split_first() else { return Self::default() };
        // What nearly every source has. A single list can contradict only itself, and a single mirror nothing.
        if others.iter().all(|other| other == first) || lists.iter().all(|list| list.len() == 1) {
            return Self::default();
        }
        let edges = edges(source, lists);
        let mut of_mirror = HashMap::new();
        for (number, names) in components(&edges).into_iter().filter(|names| names.len() > 1).enumerate() {
            of_mirror.extend(names.into_iter().map(|name| (name.into(), number)));
        }
        Self { source: source.into(), of_mirror }
    }

    /// Whether there is none: the lists have a common order, or all are the same list.
    pub fn is_empty(&self) -> bool {
        self.of_mirror.is_empty()
    }

    /// The circle that a list is part of: two mirrors that follow one another in it are in that circle. A list without
    /// the source continues with it.
    pub fn with(&self, list: &[Box<str>]) -> Option<usize> {
        if self.is_empty() {
            return None;
        }
        let circle_of = |name: &str| self.of_mirror.get(name).copied();
        // A mirror that is repeated follows itself, which says nothing of the order.
        let pair = |one: &str, next: &str| {
            circle_of(one).filter(|circle| one != next && circle_of(next) == Some(*circle))
        };
        let within = list.windows(2).find_map(|two| pair(&two[0], &two[1]));
        within.or_else(|| {
            let end = list.last().filter(|_| list.iter().all(|mirror| *mirror != self.source))?;
            pair(end, &self.source)
        })
    }
}

/// The strongly connected components of the names: two names are in one if each leads to the other.
///
/// Kosaraju's algorithm, with stacks of its own because a list may be long.
fn components<'a>(edges: &Edges<'a>) -> Vec<Vec<&'a str>> {
    let mut before: HashMap<&str, Vec<&'a str>> = HashMap::with_capacity(edges.len());
    for (name, followers) in edges {
        for follower in followers {
            before.entry(follower).or_default().push(name);
        }
    }
    let mut seen = HashSet::with_capacity(edges.len());
    let mut components = Vec::new();
    for root in finished_last_first(edges) {
        let (mut component, mut pending) = (Vec::new(), vec![root]);
        while let Some(name) = pending.pop() {
            if seen.insert(name) {
                component.push(name);
                pending.extend(before.get(name).into_iter().flatten());
            }
        }
        if !component.is_empty() {
            components.push(component);
        }
    }
    components
}

/// All names, in the reverse of the order in which a depth-first search returns from them.
fn finished_last_first<'a>(edges: &Edges<'a>) -> Vec<&'a str> {
    let mut seen = HashSet::with_capacity(edges.len());
    let mut finished = Vec::with_capacity(edges.len());
    for root in edges.keys() {
        // A name, and whether the search returns from it.
        let mut pending = vec![(*root, false)];
        while let Some((name, is_done)) = pending.pop() {
            if is_done {
                finished.push(name);
            } else if seen.insert(name) {
                pending.push((name, true));
                pending.extend(edges.get(name).into_iter().flatten().map(|follower| (*follower, false)));
            }
        }
    }
    finished.reverse();
    finished
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::merge;

    fn lists(texts: &[&str]) -> Vec<Vec<Box<str>>> {
        texts.iter().map(|text| text.split(' ').map(Box::from).collect()).collect()
    }

    #[test]
    fn the_lists_that_make_a_circle_are_part_of_it() {
        let table: [(&[&str], &[bool], &str); 9] = [
            (&["a b", "b c"], &[false, false], "they chain"),
            (&["a b", "a b"], &[false, false], "one list twice"),
            (&["a b", "b a"], &[true, true], "the other way round"),
            (&["a b", "b a", "c"], &[true, true, false], "a third list"),
            (&["a b", "b c", "c a"], &[true, true, true], "only all three together"),
            (&["src b", "b"], &[true, true], "the source is last where it is not listed"),
            (&["a b", "b a", "a c", "b c"], &[true, true, false, false], "what follows a circle"),
            (&["a a b", "b"], &[false, false], "a mirror that is repeated follows only itself"),
            (&["a b", "b a", "a a c"], &[true, true, false], "the same in a circle of others"),
        ];
        for (texts, expected, reason) in table {
            let lists = lists(texts);
            let lists: Vec<&[Box<str>]> = lists.iter().map(Vec::as_slice).collect();
            let circles = Circles::of("src", &lists);
            let found: Vec<_> = lists.iter().map(|list| circles.with(list).is_some()).collect();
            assert_eq!(found, expected, "{reason}");
            assert_eq!(circles.is_empty(), !found.contains(&true), "{reason}");
            // Not the other way round: without a circle, a list that repeats a mirror has no certain order either.
            assert!(circles.is_empty() || merge("src", &lists).contradictory, "{reason}");
        }
    }

    #[test]
    fn circles_without_a_common_mirror_are_told_apart() {
        let lists = lists(&["a b", "b a", "c d", "d c"]);
        let lists: Vec<&[Box<str>]> = lists.iter().map(Vec::as_slice).collect();
        let circles = Circles::of("src", &lists);
        let [first, second, third, fourth] = [0, 1, 2, 3].map(|at| circles.with(lists[at]));
        assert_eq!((first, third), (second, fourth));
        assert_ne!(first, third);
    }

    #[test]
    fn a_list_of_any_length_is_searched() {
        let forth: Vec<Box<str>> = (0..100_000).map(|number| number.to_string().into()).collect();
        let back: Vec<Box<str>> = forth.iter().rev().cloned().collect();
        let circles = Circles::of("src", &[&forth, &back]);
        assert!(circles.with(&forth).is_some() && circles.with(&back) == circles.with(&forth));
    }
}
