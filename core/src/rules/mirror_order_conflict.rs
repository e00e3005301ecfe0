//! Mirror lists of one source that contradict each other.

use hashbrown::{HashMap, HashSet};

use super::{
    Check, DependsOn, Finding, Level, Related, RelatedFields, Rule, SetWrite, SharedSource,
    finding::some_sets,
};
use crate::{
    context::EntryRef,
    node::{self, Circles},
};

pub(super) const RULE: Rule = Rule {
    id: "mirror-order-conflict",
    level: Level::Warn,
    summary: "mirror lists of one source in contradicting orders",
    page: include_str!("mirror_order_conflict.md"),
    check: Check::Entries(check),
    depends_on: DependsOn::Nothing,
    ..Rule::BASE
};

/// The effect of lists whose mirrors have no common order.
pub(super) const ORDER_UNSPECIFIED: &str =
    "the lists are merged, and the order of their mirrors is unspecified";

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    findings.extend(write.shared_sources().iter().filter_map(contradiction).map(finding));
}

/// An entry, and the others whose mirror order contradicts its own.
#[derive(Debug, Clone)]
pub(super) struct Contradiction<'a> {
    pub(super) own: EntryRef<'a>,
    pub(super) others: Vec<EntryRef<'a>>,
}

/// The contradiction that is reported of a source: between the set and others, or else within the set, at the later of
/// two entries. One is enough: all lists of a source are put in order together.
pub(super) fn contradiction<'s, 'a>(shared: &'s SharedSource<'a>) -> Option<&'s Contradiction<'a>> {
    shared.contradiction.get_or_init(|| find_contradiction(shared)).as_ref()
}

fn find_contradiction<'a>(shared: &SharedSource<'a>) -> Option<Contradiction<'a>> {
    let (own, elsewhere) = shared.merged();
    first_contradiction(shared.circles(), &own, &elsewhere).or_else(|| within(shared.circles(), &own))
}

/// The number of lists of a set that are compared with those of the others one by one.
const COMPARED: usize = 10;

/// The first own entry whose order contradicts that of others: that of some of them by itself (`a b` and `b a`), or
/// else that of all in its circle together (`a b`, and `b c` with `c a`).
pub(super) fn first_contradiction<'a>(
    circles: &Circles,
    own: &[EntryRef<'a>],
    others: &[EntryRef<'a>],
) -> Option<Contradiction<'a>> {
    if circles.is_empty() {
        return None;
    }
    let (own, others) = (in_circles(circles, own), in_circles(circles, others));
    if others.is_empty() {
        return None;
    }
    let mut compared = HashSet::new();
    for (_, own) in own.iter().filter(|(_, own)| compared.insert(&*own.entry().mirrors)).take(COMPARED) {
        let found = contradicted(*own, &others);
        if !found.is_empty() {
            return Some(Contradiction { own: *own, others: found });
        }
    }
    own.iter().find_map(|(circle, own)| {
        let found: Vec<_> = of_circle(*circle, &others).collect();
        (!found.is_empty()).then_some(Contradiction { own: *own, others: found })
    })
}

/// A contradiction between entries of one set.
fn within<'a>(circles: &Circles, own: &[EntryRef<'a>]) -> Option<Contradiction<'a>> {
    let entries = in_circles(circles, own);
    let (circle, first) = entries.first()?;
    if let Some(second) = contradicted(*first, &entries).first() {
        return Some(Contradiction { own: *second, others: contradicted(*second, &entries) });
    }
    let mut all: Vec<_> = of_circle(*circle, &entries).collect();
    let last = all.pop()?;
    (!all.is_empty()).then_some(Contradiction { own: last, others: all })
}

/// The entries whose lists are part of a circle, with its number.
fn in_circles<'a>(circles: &Circles, entries: &[EntryRef<'a>]) -> Vec<(usize, EntryRef<'a>)> {
    let circle = |found: &EntryRef<'a>| Some((circles.with(&found.entry().mirrors)?, *found));
    entries.iter().filter_map(circle).collect()
}

fn of_circle<'a>(circle: usize, entries: &[(usize, EntryRef<'a>)]) -> impl Iterator<Item = EntryRef<'a>> {
    entries.iter().filter(move |(of, _)| *of == circle).map(|(_, found)| *found)
}

fn finding(Contradiction { own, others }: &Contradiction<'_>) -> Finding {
    let entry = own.entry();
    let elsewhere = others.iter().any(|other| !std::ptr::eq(other.set, own.set));
    let other = if elsewhere { some_sets(others) } else { "another entry of this object".to_owned() };
    let fix = match others.first().and_then(|first| reversed(*own, *first)) {
        Some((first, second)) => format!("list \"{first}\" and \"{second}\" in the same order everywhere"),
        None => "list the mirrors in the same order everywhere".to_owned(),
    };
    let path = own.set.field_path(own.index, "mirrors");
    let key = format!("{} {}", entry.source, entry.mirrors.join(" "));
    let what = format!("the mirror order of source \"{}\" contradicts that of {other}", entry.source);
    Finding {
        effect: ORDER_UNSPECIFIED.to_owned(),
        fix: fix.into(),
        related: RelatedFields::of(others, |other| Related::to_entry(other, "mirrors")),
        ..Finding::new(path, key, what)
    }
}

/// The entries whose mirror lists cannot be merged with this one's into one order.
fn contradicted<'a>(own: EntryRef<'a>, others: &[(usize, EntryRef<'a>)]) -> Vec<EntryRef<'a>> {
    let mut known: HashMap<&[Box<str>], bool> = HashMap::new();
    let mut found = others.to_vec();
    found.retain(|(_, other)| {
        let list = &*other.entry().mirrors;
        *known.entry(list).or_insert_with(|| contradict(own, *other))
    });
    found.into_iter().map(|(_, other)| other).collect()
}

/// Whether the mirror lists of two entries, which have one source, cannot be merged into one order.
fn contradict(one: EntryRef<'_>, other: EntryRef<'_>) -> bool {
    let lists = [one, other].map(|found| &*found.entry().mirrors);
    !Circles::of(&one.entry().source, &lists).is_empty()
}

/// Two mirrors in the order of this entry that the other entry lists the other way round.
fn reversed<'a>(own: EntryRef<'a>, other: EntryRef<'a>) -> Option<(&'a str, &'a str)> {
    let places: HashMap<_, _> = in_order(other).into_iter().zip(0_usize..).collect();
    // Of two mirrors in another order, some neighbours among those that both list are, too.
    let common: Vec<_> = in_order(own).into_iter().filter(|mirror| places.contains_key(mirror)).collect();
    let pair = common.windows(2).find(|pair| places[pair[0]] > places[pair[1]])?;
    Some((pair[0], pair[1]))
}

/// The places that nodes try because of an entry, in order.
fn in_order(entry: EntryRef<'_>) -> Vec<&str> {
    let entry = entry.entry();
    node::in_order(&entry.source, &entry.mirrors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::{MirrorSet, SetKind::Idms},
        rules::{
            Settings,
            testing::{assert_texts, findings, in_words, set},
        },
    };

    /// A set for one source: kind and mirrors.
    fn read(name: &str, text: &str) -> MirrorSet {
        let (kind, mirrors) = text.split_once(' ').unwrap_or((text, ""));
        in_words(name, format!("{kind} quay.io/x {mirrors}").trim_end())
    }

    fn find(others: &[MirrorSet], new: &MirrorSet) -> Vec<Finding> {
        findings(RULE.id, &Settings::default(), &others.iter().collect::<Vec<_>>(), None, new)
    }

    #[test]
    fn only_lists_that_are_merged_can_contradict_each_other() {
        let table: [(&[&str], &str, &[&str], &str); 9] = [
            (&["IDMS a b"], "IDMS b a", &["0"], "the other way round"),
            (&["ICSP a b"], "IDMS b a", &["0"], "an ICSP is merged with an IDMS"),
            (&["ITMS a b"], "IDMS b a", &[], "tag mirrors are merged separately"),
            (&["IDMS a b"], "IDMS b c", &[], "they chain"),
            (&["IDMS b"], "IDMS quay.io/x b", &["0"], "a source that is not listed is last"),
            (&["IDMS a b", "IDMS b c"], "IDMS c a", &["0", "1"], "only all three together"),
            (&["IDMS a b", "IDMS b a"], "IDMS c", &[], "the two contradict each other, not this one"),
            (&["IDMS a b", "IDMS b a"], "IDMS b a", &["0"], "it agrees with one of them"),
            (&["IDMS a b", "IDMS b a", "IDMS c d"], "IDMS d c", &["2"], "others contradict each other too"),
        ];
        let mut all = Vec::new();
        // The other sets are called 0, 1, and so on; `contradicted` are the names of those that are reported.
        for (others, new, contradicted, reason) in table {
            let others: Vec<_> =
                others.iter().enumerate().map(|(at, text)| read(&at.to_string(), text)).collect();
            let found = find(&others, &read("new", new));
            let related = found.iter().flat_map(|finding| &finding.related);
            assert_eq!(
                related.map(|related| &*related.object.name).collect::<Vec<_>>(),
                contradicted,
                "{reason}"
            );
            all.extend(found);
        }
        let twice = set(Idms, "new", &[("quay.io/x", &["a", "b"]), ("quay.io/x", &["b", "a"])]);
        all.extend(find(&[], &twice));
        assert_texts(RULE.id, &all);
    }

    #[test]
    fn two_mirrors_in_another_order_are_named() {
        let table = [
            ("IDMS b a", "IDMS a b", Some(("b", "a")), "the other way round"),
            ("IDMS quay.io/x b", "IDMS b", Some(("quay.io/x", "b")), "a source that is not listed is last"),
            ("IDMS c a", "IDMS a b", None, "no two of them"),
        ];
        for (own, other, expected, reason) in table {
            let (own, other) = (read("own", own), read("other", other));
            let [own, other] = [&own, &other].map(|set| EntryRef { set, index: 0 });
            assert_eq!(reversed(own, other), expected, "{reason}");
        }
    }

    #[test]
    fn entries_of_one_set_that_contradict_each_other_are_reported_once() {
        type Case<'a> = (&'a [&'a [&'a str]], Option<usize>, &'a [usize], &'a str);
        let table: [Case<'_>; 6] = [
            (&[&["a", "b"], &["b", "a"]], Some(1), &[0], "at the later one"),
            (&[&["a", "b"], &["a", "b"], &["b", "a"]], Some(2), &[0, 1], "two say the same"),
            (&[&["c"], &["a", "b"], &["b", "a"]], Some(2), &[1], "one says nothing of it"),
            (&[&["a", "b"], &["b", "c"], &["c", "a"]], Some(2), &[0, 1], "only all three together"),
            (&[&["a", "b"], &["b", "c"]], None, &[], "they chain"),
            (&[&["a", "b", "a"], &["c"]], None, &[], "one list alone"),
        ];
        for (lists, expected, others, reason) in table {
            let entries: Vec<_> = lists.iter().map(|mirrors| ("quay.io/x", *mirrors)).collect();
            let found = find(&[], &set(Idms, "new", &entries));
            let path = |index: &usize| format!("spec.imageDigestMirrors[{index}].mirrors");
            let paths: Vec<_> = found.iter().map(|finding| finding.path.clone()).collect();
            assert_eq!(paths, Vec::from_iter(expected.as_ref().map(path)), "{reason}");
            let related = found.iter().flat_map(|finding| &finding.related);
            let expected: Vec<_> = others.iter().map(path).collect();
            assert_eq!(related.map(|related| related.path.clone()).collect::<Vec<_>>(), expected, "{reason}");
        }
    }
}
