//! Tests about what is handed on.

use SetKind::{Icsp, Idms, Itms};

use super::*;
use crate::{
    context::Context,
    objects::{Entry, MirrorSet, Object},
};

type Sets<'a> = &'a [(SetKind, &'a str, &'a [&'a str])];

/// Each set has one entry; sets of a kind are named in the order given.
fn context(sets: Sets<'_>) -> Context {
    let set = |(at, (kind, source, mirrors)): (usize, &(SetKind, &str, &[&str]))| {
        let entry = Entry {
            source: (*source).into(),
            mirrors: mirrors.iter().map(|m| (*m).into()).collect(),
            mirror_source_policy: None,
        };
        Object::from(MirrorSet::new(*kind, &format!("set-{at}"), vec![entry]))
    };
    sets.iter().enumerate().map(set).collect()
}

fn told(sets: Sets<'_>, handed: &str, own: &str) -> String {
    let context = context(sets);
    match handed_on(context.view(), &parse_overrides(handed), &parse_overrides(own)) {
        HandedOn::AsNow => "as now".to_owned(),
        HandedOn::WithoutIcsps => "without ICSPs".to_owned(),
        HandedOn::Otherwise(found) => found.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// Sets, what was handed on, the own overrides, what is told, and why.
type Row<'a> = (Sets<'a>, &'a str, &'a str, &'a str, &'a str);

fn each(table: &[Row<'_>]) {
    for (sets, handed, own, expected, reason) in table {
        assert_eq!(told(sets, handed, own), *expected, "{handed}: {reason}");
    }
}

#[test]
fn what_some_release_hands_on_is_as_now() {
    each(&[
        (&[], "=", "", "as now", "nothing is written as ="),
        (&[(Itms, "q/a", &["m/a"])], "=", "", "as now", "ITMS are never handed on"),
        (&[(Idms, "q/a", &["m/a", "n/a"])], "q/a=m/a,q/a=n/a", "", "as now", "as it stands"),
        (&[(Idms, "q/a", &["z/a", "b/a"])], "q/a=b/a,q/a=z/a", "", "as now", "sorted after 4.22"),
        (
            &[(Idms, "q/a", &["y/a"]), (Idms, "q/a", &["x/a", "m/a"])],
            "q/a=x/a,q/a=m/a,q/a=y/a",
            "",
            "as now",
            "objects come in any order",
        ),
        (&[(Icsp, "q/a", &["a/a"]), (Idms, "q/a", &["m/a"])], "q/a=m/a,q/a=a/a", "", "as now", "IDMS first"),
        (
            &[(Icsp, "q/a", &["m/a"]), (Idms, "q/a", &["m/a"])],
            "q/a=m/a,q/a=m/a",
            "",
            "as now",
            "an entry that is in two kinds comes twice",
        ),
        (&[(Idms, "q/a", &["m/a"])], "q/a=m/a,q/a=o/a", "q/a=o/a", "as now", "its own, from 4.18 on"),
        (&[(Idms, "q/a", &["m/a"])], "q/a=m/a", "q/a=o/a", "as now", "not its own, before"),
    ]);
}

#[test]
fn what_no_release_hands_on_is_told() {
    each(&[
        (
            &[(Idms, "q/a", &["m/a", "k/a"])],
            "q/a=n/a",
            "",
            "lacks q/a=m/a, lacks q/a=k/a, has q/a=n/a",
            "another mirror",
        ),
        (
            &[(Idms, "q/a", &["b/a", "z/a"])],
            "q/a=z/a,q/a=b/a",
            "",
            "has the mirrors of q/a in another order",
            "neither as it stands nor sorted",
        ),
        (
            &[(Icsp, "q/a", &["z/a"]), (Idms, "q/a", &["m/a"])],
            "q/a=z/a,q/a=m/a",
            "",
            "has the mirrors of q/a in another order",
            "ICSPs come last",
        ),
        (&[], "q/a=m/a", "", "has q/a=m/a", "the set is gone"),
        (&[(Icsp, "q/b", &["m/b"])], "=", "", "lacks q/b=m/b", "alone, ICSPs were always read"),
        (&[(Idms, "q/a", &["m/a"])], "q/a=o/a", "q/a=o/a", "lacks q/a=m/a", "its own alone"),
        (
            &[(Icsp, "q/b", &["m/b"]), (Idms, "q/a", &["m/a"])],
            "q/a=m/a",
            "",
            "without ICSPs",
            "older z-streams",
        ),
        (
            &[(Icsp, "q/b", &["m/b"]), (Idms, "q/a", &["m/a"])],
            "q/b=m/b",
            "",
            "lacks q/a=m/a",
            "never without IDMS",
        ),
    ]);
}

#[test]
fn many_objects_of_one_source_are_compared_without_their_order() {
    let names: Vec<_> = (0..9).map(|at| format!("m{at}/a")).collect();
    let lists: Vec<_> = names.iter().map(|name| vec![&**name]).collect();
    let sets: Vec<_> = lists.iter().map(|list| (Idms, "q/a", &**list)).collect();
    let pairs: Vec<_> = names.iter().rev().map(|name| format!("q/a={name}")).collect();
    assert_eq!(told(&sets, &pairs.join(","), ""), "as now");
    assert_eq!(told(&sets, &pairs[1..].join(","), ""), "lacks q/a=m8/a");
}

#[test]
fn what_is_handed_further_may_have_the_own_overrides_behind_it() {
    let differ = |from, handed, own| {
        let [from, handed, own] = [from, handed, own].map(parse_overrides);
        handed_further(&from, &handed, &own).len()
    };
    assert_eq!(differ("q/a=m/a", "q/a=m/a", "q/a=o/a"), 0);
    assert_eq!(differ("q/a=m/a", "q/a=m/a,q/a=o/a,q/b=o/b", "q/a=o/a,q/b=o/b"), 0);
    assert_eq!(differ("q/a=m/a", "q/a=n/a", "q/a=o/a"), 2);
}
