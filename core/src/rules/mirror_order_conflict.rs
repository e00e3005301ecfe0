//! Mirror lists of one source that contradict each other.

use super::{Check, Finding, Level, Related, Rule, SetWrite, finding::some_names};
use crate::{context::EntryRef, node::merge};

pub(super) const RULE: Rule = Rule {
    id: "mirror-order-conflict",
    level: Level::Warn,
    summary: "mirror lists of one source that contradict each other, so that their order is unspecified",
    page: include_str!("mirror_order_conflict.md"),
    check: Check::MirrorSet(check),
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    for shared in write.shared_sources() {
        let (own, others) = (shared.own, contradicted(shared.own, &shared.merged_with()));
        let Some(first) = others.first() else { continue };
        let source = &own.entry().source;
        let elsewhere: Vec<_> = others.iter().filter(|other| !std::ptr::eq(other.set, own.set)).collect();
        let place = if elsewhere.is_empty() {
            "an entry above".to_owned()
        } else {
            some_names(elsewhere.iter().map(|other| other.set.id()))
        };
        let fix = reversed(own, *first).map_or_else(
            || "write the mirrors in one order in all of them".to_owned(),
            |(a, b)| format!("write \"{a}\" before \"{b}\" there, or after it here"),
        );
        findings.push(Finding {
            related: others.iter().map(|other| Related::to_entry(other, "mirrors")).collect(),
            key: format!("{source} {}", own.entry().mirrors.join(" ")),
            ..Finding::new(
                own.set.field_path(own.index, "mirrors"),
                format!("the mirrors of \"{source}\" stand in another order in {place}"),
                "which one nodes try first is unspecified",
                fix,
            )
        });
    }
}

/// Those of the others whose lists, merged with this one's, have no order that suits them all. Where no two
/// lists contradict each other but all of them together do, all are returned.
pub(super) fn contradicted<'a>(own: EntryRef<'a>, others: &[EntryRef<'a>]) -> Vec<EntryRef<'a>> {
    let source = &own.entry().source;
    let contradict = |entries: &[EntryRef<'a>]| {
        let lists: Vec<_> = entries.iter().map(|entry| &*entry.entry().mirrors).collect();
        merge(source, &lists).contradictory
    };
    let with: Vec<_> = others.iter().copied().filter(|other| contradict(&[own, *other])).collect();
    let all = || [&[own], others].concat();
    if with.is_empty() && others.len() > 1 && contradict(&all()) && !contradict(others) {
        return others.to_vec();
    }
    with
}

/// Two mirrors in the order of this entry that stand the other way round in the other. The source itself
/// comes last where a list does not name it.
fn reversed<'a>(own: EntryRef<'a>, other: EntryRef<'a>) -> Option<(&'a str, &'a str)> {
    let list = |entry: EntryRef<'a>| {
        let entry = entry.entry();
        let source = (!entry.mirrors.contains(&entry.source)).then_some(&entry.source);
        entry.mirrors.iter().chain(source).map(|mirror| &**mirror).collect::<Vec<&'a str>>()
    };
    let (own, other) = (list(own), list(other));
    let at = |mirror: &str| other.iter().position(|there| *there == mirror);
    let pairs = own.iter().enumerate().flat_map(|(from, a)| own[from + 1..].iter().map(move |b| (*a, *b)));
    pairs.into_iter().find(|(a, b)| at(a).zip(at(b)).is_some_and(|(a, b)| a > b))
}

#[cfg(test)]
mod tests {
    use super::super::{
        Settings,
        testing::{findings, in_words, set},
    };
    use crate::objects::{MirrorSet, SetKind::Idms};

    /// A set for one source: kind and mirrors.
    fn read(name: &str, text: &str) -> MirrorSet {
        let (kind, mirrors) = text.split_once(' ').unwrap_or((text, ""));
        in_words(name, format!("{kind} quay.io/x {mirrors}").trim_end())
    }

    #[test]
    fn only_lists_that_are_merged_can_contradict_each_other() {
        let pair = "write \"b\" before \"a\" there, or after it here";
        let all = "write the mirrors in one order in all of them";
        let source = "write \"quay.io/x\" before \"b\" there, or after it here";
        let table: [(&[&str], &str, Option<&str>, &str); 8] = [
            (&["IDMS a b"], "IDMS b a", Some(pair), "the other way round"),
            (&["ICSP a b"], "IDMS b a", Some(pair), "an ICSP is merged with an IDMS"),
            (&["ITMS a b"], "IDMS b a", None, "tags are merged by themselves"),
            (&["IDMS a b"], "IDMS b c", None, "they chain"),
            (&["IDMS b"], "IDMS quay.io/x b", Some(source), "the source is last where it is not named"),
            (&["IDMS a b", "IDMS b c"], "IDMS c a", Some(all), "only all three together"),
            (&["IDMS a b", "IDMS b a"], "IDMS c", None, "the two contradict each other, not this one"),
            (&["IDMS a b", "IDMS b a"], "IDMS b a", Some(pair), "it takes one side"),
        ];
        for (others, new, expected, reason) in table {
            let others: Vec<_> =
                others.iter().enumerate().map(|(at, text)| read(&format!("there-{at}"), text)).collect();
            let others: Vec<_> = others.iter().collect();
            let found =
                findings("mirror-order-conflict", &Settings::default(), &others, None, &read("new", new));
            assert_eq!(found.first().map(|finding| &*finding.fix), expected, "{reason}");
        }
    }

    #[test]
    fn a_pair_within_one_set_is_told_once() {
        let new = set(Idms, "new", &[("quay.io/x", &["a", "b"]), ("quay.io/x", &["b", "a"])]);
        let found = findings("mirror-order-conflict", &Settings::default(), &[], None, &new);
        let paths: Vec<_> = found.iter().map(|finding| &*finding.path).collect();
        assert_eq!(paths, ["spec.imageDigestMirrors[1].mirrors"]);
    }
}
