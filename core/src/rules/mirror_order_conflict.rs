//! Mirror lists of one source that contradict each other.

use super::{Check, Finding, Level, Related, Rule, SetWrite, finding::some_names};
use crate::{context::EntryRef, node::merge};

pub(super) const RULE: Rule = Rule {
    id: "mirror-order-conflict",
    level: Level::Warn,
    summary: "mirror lists of one source in contradicting orders",
    page: include_str!("mirror_order_conflict.md"),
    check: Check::MirrorSet(check),
    ..Rule::BASE
};

/// The effect of lists whose mirrors have no common order.
pub(super) const ORDER_UNSPECIFIED: &str =
    "the lists are merged, and the order of their mirrors is unspecified";

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    for shared in write.shared_sources() {
        let others = contradicted(shared.own, &shared.merged_with());
        if let Some(first) = others.first() {
            findings.push(finding(shared.own, *first, &others));
        }
    }
}

fn finding(own: EntryRef<'_>, first: EntryRef<'_>, others: &[EntryRef<'_>]) -> Finding {
    let entry = own.entry();
    let elsewhere: Vec<_> = others.iter().filter(|other| !std::ptr::eq(other.set, own.set)).collect();
    let other = if elsewhere.is_empty() {
        "an earlier entry".to_owned()
    } else {
        some_names(elsewhere.iter().map(|other| other.set.id()))
    };
    let fix = match reversed(own, first) {
        Some((first, second)) => format!("list \"{first}\" and \"{second}\" in the same order everywhere"),
        None => "list the mirrors in the same order everywhere".to_owned(),
    };
    let path = own.set.field_path(own.index, "mirrors");
    let key = format!("{} {}", entry.source, entry.mirrors.join(" "));
    let what = format!("the mirror order of source \"{}\" contradicts that of {other}", entry.source);
    Finding {
        effect: ORDER_UNSPECIFIED.to_owned(),
        fix: fix.into(),
        related: others.iter().map(|other| Related::to_entry(other, "mirrors")).collect(),
        ..Finding::new(path, key, what)
    }
}

/// The other entries whose mirror lists cannot be merged with this one's into one order. If no two lists contradict
/// each other, but all of them together have no order, all others are returned; none if they have no order even
/// without this one.
pub(super) fn contradicted<'a>(own: EntryRef<'a>, others: &[EntryRef<'a>]) -> Vec<EntryRef<'a>> {
    let found: Vec<_> = others.iter().copied().filter(|other| contradict(&[own, *other])).collect();
    if !found.is_empty() || others.len() < 2 {
        return found;
    }
    if contradict(&[&[own], others].concat()) && !contradict(others) {
        return others.to_vec();
    }
    Vec::new()
}

/// Whether the mirror lists of these entries, which have one source, cannot be merged into one order.
fn contradict(entries: &[EntryRef<'_>]) -> bool {
    let Some(first) = entries.first() else { return false };
    let lists: Vec<_> = entries.iter().map(|entry| &*entry.entry().mirrors).collect();
    merge(&first.entry().source, &lists).contradictory
}

/// Two mirrors in the order of this entry that the other entry lists the other way round.
fn reversed<'a>(own: EntryRef<'a>, other: EntryRef<'a>) -> Option<(&'a str, &'a str)> {
    let (own, other) = (in_order(own), in_order(other));
    for (index, first) in own.iter().enumerate() {
        let Some(at) = other.iter().position(|mirror| mirror == first) else { continue };
        if let Some(second) = own[index + 1..].iter().find(|second| other[..at].contains(second)) {
            return Some((first, second));
        }
    }
    None
}

/// The places that nodes try because of an entry, in order. Its source comes last, unless it is listed.
pub(super) fn in_order(entry: EntryRef<'_>) -> Vec<&str> {
    let entry = entry.entry();
    let source = (!entry.mirrors.contains(&entry.source)).then_some(&entry.source);
    entry.mirrors.iter().chain(source).map(|mirror| &**mirror).collect()
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
        let table: [(&[&str], &str, &[&str], &str); 8] = [
            (&["IDMS a b"], "IDMS b a", &["0"], "the other way round"),
            (&["ICSP a b"], "IDMS b a", &["0"], "an ICSP is merged with an IDMS"),
            (&["ITMS a b"], "IDMS b a", &[], "tag mirrors are merged separately"),
            (&["IDMS a b"], "IDMS b c", &[], "they chain"),
            (&["IDMS b"], "IDMS quay.io/x b", &["0"], "a source that is not listed is last"),
            (&["IDMS a b", "IDMS b c"], "IDMS c a", &["0", "1"], "only all three together"),
            (&["IDMS a b", "IDMS b a"], "IDMS c", &[], "the two contradict each other, not this one"),
            (&["IDMS a b", "IDMS b a"], "IDMS b a", &["0"], "it agrees with one of them"),
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
    fn a_pair_within_one_set_is_reported_once() {
        let new = set(Idms, "new", &[("quay.io/x", &["a", "b"]), ("quay.io/x", &["b", "a"])]);
        let found = find(&[], &new);
        let paths: Vec<_> = found.iter().map(|finding| &*finding.path).collect();
        assert_eq!(paths, ["spec.imageDigestMirrors[1].mirrors"]);
    }
}
