//! Merges the mirror lists of one source.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use smallvec::SmallVec;

/// Mirrors of a source in the order they are tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged<'a> {
    /// The mirrors; the source itself is one of them only where a mirror follows it.
    pub mirrors: SmallVec<[&'a str; 4]>,
    /// The lists contradict each other (a before b here, b before a there), or one of them repeats a mirror before
    /// another: upstream calls the order unspecified, and even puts the source itself before mirrors.
    pub contradictory: bool,
}

/// Merges the lists of one source, each of which holds at least one mirror that is not the source. The order of the
/// lists makes no difference.
///
/// Follows `runtime-utils pkg/registries/registries.go` `mergedMirrors`: a topological sort that keeps
/// each list's order, ties broken by name, a cycle broken at the first name not yet used.
pub fn merge<'a>(source: &'a str, lists: &[&'a [Box<str>]]) -> Merged<'a> {
    let mut merged = match lists {
        // What nearly every source has: one list, or the same one several times. Sorting it would change nothing.
        [list, others @ ..] if others.iter().all(|other| other == list) && has_no_repeats(list) => {
            Merged { mirrors: list.iter().map(|m| &**m).collect(), contradictory: false }
        }
        // Any number of sets may have one mirror each, which says nothing of the order.
        _ if lists.iter().all(|list| list.len() == 1) => by_name(source, lists),
        _ => sort(&edges(source, lists)),
    };
    // It is tried last in any case.
    if merged.mirrors.last() == Some(&source) {
        merged.mirrors.pop();
    }
    merged
}

/// The mirrors of lists of one name each, sorted by name.
fn by_name<'a>(source: &str, lists: &[&'a [Box<str>]]) -> Merged<'a> {
    let mut mirrors: SmallVec<[&str; 4]> = lists.iter().flat_map(|list| list.iter()).map(|m| &**m).collect();
    mirrors.retain(|mirror| *mirror != source);
    mirrors.sort_unstable();
    mirrors.dedup();
    Merged { mirrors, contradictory: false }
}

fn has_no_repeats(list: &[Box<str>]) -> bool {
    // Few mirrors are compared faster with each other than through a set.
    if list.len() <= 8 {
        return list.iter().enumerate().all(|(at, mirror)| !list[..at].contains(mirror));
    }
    list.iter().collect::<BTreeSet<_>>().len() == list.len()
}

/// The names that directly follow a name in some list. Every name is a key.
pub(super) type Edges<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// What each list says about the order. A list without the source continues with it, since the source is tried last.
pub(super) fn edges<'a>(source: &'a str, lists: &[&'a [Box<str>]]) -> Edges<'a> {
    let mut edges = Edges::new();
    for list in lists {
        for pair in list.windows(2) {
            add_edge(&mut edges, &pair[0], &pair[1]);
        }
        if let Some(last) = list.last()
            && !list.iter().any(|mirror| **mirror == *source)
        {
            add_edge(&mut edges, last, source);
        }
    }
    edges
}

fn add_edge<'a>(edges: &mut Edges<'a>, from: &'a str, to: &'a str) {
    edges.entry(from).or_default().insert(to);
    edges.entry(to).or_default();
}

/// Sorts the names so that each comes before those that follow it.
fn sort<'a>(edges: &Edges<'a>) -> Merged<'a> {
    // The names that must still come before a name.
    let mut waits_for: BTreeMap<&str, BTreeSet<&str>> =
        edges.keys().map(|name| (*name, BTreeSet::new())).collect();
    for (from, followers) in edges {
        for to in followers {
            waits_for.entry(to).or_default().insert(from);
        }
    }
    let mut ready: VecDeque<&str> =
        waits_for.iter().filter(|(_, others)| others.is_empty()).map(|(name, _)| *name).collect();
    let mut unused = edges.keys();
    let mut used = BTreeSet::new();
    let mut merged = Merged { mirrors: SmallVec::with_capacity(edges.len()), contradictory: false };
    loop {
        let name = match ready.pop_front() {
            Some(name) => name,
            None => match unused.find(|name| !used.contains(*name)) {
                Some(name) => {
                    // A name that only waits for itself was repeated, not contradicted.
                    merged.contradictory |=
                        waits_for.get(name).is_some_and(|others| others.iter().any(|other| other != name));
                    name
                }
                None => return merged,
            },
        };
        used.insert(name);
        merged.mirrors.push(name);
        for follower in edges.get(name).into_iter().flatten() {
            let Some(others) = waits_for.get_mut(follower) else { continue };
            // A name that broke a cycle is used already, before those that it waits for.
            if others.remove(name) && others.is_empty() && !used.contains(follower) {
                ready.push_back(follower);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_merged_in_their_common_order() {
        type Case<'a> = (&'a [&'a [&'a str]], &'a [&'a str], &'a str);
        let table: [Case<'_>; 11] = [
            (&[&["b", "a"], &["b", "a"]], &["b", "a"], "one list twice is that list"),
            (&[&["src", "b", "a"], &["src", "b", "a"]], &["src", "b", "a"], "wherever the source is"),
            (&[&["a", "b"], &["b", "c"]], &["a", "b", "c"], "overlapping lists chain"),
            (&[&["b", "c"], &["a", "b"]], &["a", "b", "c"], "in either order"),
            (&[&["a"], &["b"]], &["a", "b"], "unrelated lists are sorted by name"),
            (&[&["b"], &["a"], &["b"]], &["a", "b"], "one of them twice"),
            (&[&["z"], &["a"], &["a", "z"]], &["a", "z"], "one list says more"),
            (&[&["a", "src"]], &["a"], "the source at the end is left out"),
            (&[&["src", "a"]], &["src", "a"], "the source before a mirror stays"),
            (&[&["a", "a"]], &["a"], "a repeated mirror counts once"),
            (&[&["a", "src"], &["src", "b"]], &["a", "src", "b"], "the source between two lists"),
        ];
        for (lists, expected, reason) in table {
            assert_eq!(merged(lists), (strings(expected), false), "{reason}");
        }
    }

    #[test]
    fn a_contradiction_is_broken_at_the_first_name() {
        assert_eq!(merged(&[&["a", "b"], &["b", "a"]]), (strings(&["a", "b"]), true));
    }

    /// The answers are those of runtime-utils.
    #[test]
    fn a_mirror_that_is_repeated_may_change_the_order_of_the_others() {
        type Case<'a> = (&'a [&'a [&'a str]], &'a [&'a str], bool, &'a str);
        let table: [Case<'_>; 5] = [
            (
                &[&["b", "a", "a"]],
                &["b", "a"],
                false,
                "the last one waits for itself, and nothing else for it",
            ),
            (&[&["b", "b", "a"]], &["a", "src", "b"], true, "it waits for itself, and the others for it"),
            (&[&["c", "b", "b", "a"]], &["c", "a", "src", "b"], true, "those before it keep their places"),
            (&[&["b", "a", "b"]], &["a", "b"], true, "before and after another one"),
            (&[&["a", "b", "b"], &["c", "a"]], &["c", "a", "b"], false, "at the end of one of two lists"),
        ];
        for (lists, expected, contradictory, reason) in table {
            assert_eq!(merged(lists), (strings(expected), contradictory), "{reason}");
        }
    }

    /// The mirrors of the source `src`, and whether the lists contradict each other.
    fn merged(lists: &[&[&str]]) -> (Vec<String>, bool) {
        let lists: Vec<Vec<Box<str>>> =
            lists.iter().map(|list| list.iter().map(|mirror| Box::from(*mirror)).collect()).collect();
        let lists: Vec<&[Box<str>]> = lists.iter().map(Vec::as_slice).collect();
        let merged = merge("src", &lists);
        (strings(&merged.mirrors), merged.contradictory)
    }

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(ToString::to_string).collect()
    }
}
