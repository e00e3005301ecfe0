use HandedOn::{AsNow, WithoutIcsps};
use SetKind::{Icsp, Idms, Itms};

use super::*;
use crate::{
    context::Context,
    objects::{Entry, MirrorSet, Object},
};

/// Kind, source and mirrors of the one entry of each set; sets of a kind are named in the order given.
type Sets<'a> = &'a [(SetKind, &'a str, &'a [&'a str])];

fn context(sets: Sets<'_>) -> Context {
    let mut context = Context::default();
    for (at, (kind, source, mirrors)) in sets.iter().enumerate() {
        let entry = Entry {
            source: (*source).into(),
            mirrors: mirrors.iter().map(|m| (*m).into()).collect(),
            mirror_source_policy: None,
        };
        context.insert(Object::from(MirrorSet::new(*kind, &format!("set-{at}"), vec![entry])));
    }
    context
}

struct Case<'a> {
    sets: Sets<'a>,
    handed: &'a str,
    own: &'a str,
    expected: HandedOn,
    reason: &'a str,
}

fn assert_each(table: impl IntoIterator<Item = Case<'static>>) {
    for Case { sets, handed, own, expected, reason } in table {
        assert_eq!(compared(sets, handed, own), expected, "{handed}: {reason}");
    }
}

fn compared(sets: Sets<'_>, handed: &str, own: &str) -> HandedOn {
    let context = context(sets);
    compare_with_mirror_sets(context.view(), &parse_overrides(handed), &parse_overrides(own))
}

fn lacks(source: &str, mirror: &str) -> OverrideMismatch {
    OverrideMismatch::Lacks(source.to_owned(), mirror.to_owned())
}

fn still_has(source: &str, mirror: &str) -> OverrideMismatch {
    OverrideMismatch::StillHas(source.to_owned(), mirror.to_owned())
}

fn otherwise(mismatches: impl IntoIterator<Item = OverrideMismatch>) -> HandedOn {
    HandedOn::Otherwise(mismatches.into_iter().collect())
}

fn reordered(source: &str) -> HandedOn {
    otherwise([OverrideMismatch::Reordered(source.to_owned())])
}

#[test]
fn overrides_that_some_release_uses_are_as_now() {
    let table: [(Sets<'_>, &str, &str); 7] = [
        (&[], "=", "no entry is written as ="),
        (&[(Itms, "q/a", &["m/a"])], "=", "ITMS are not read"),
        (&[(Idms, "q/a", &["m/a", "n/a"])], "q/a=m/a,q/a=n/a", "in the order of the entry"),
        (&[(Idms, "q/a", &["z/a", "b/a"])], "q/a=b/a,q/a=z/a", "sorted from 5.1 on"),
        (
            &[(Idms, "q/a", &["y/a"]), (Idms, "q/a", &["x/a", "m/a"])],
            "q/a=x/a,q/a=m/a,q/a=y/a",
            "objects are read in any order",
        ),
        (&[(Icsp, "q/a", &["a/a"]), (Idms, "q/a", &["m/a"])], "q/a=m/a,q/a=a/a", "IDMS first"),
        (
            &[(Icsp, "q/a", &["m/a"]), (Idms, "q/a", &["m/a"])],
            "q/a=m/a,q/a=m/a",
            "an entry of two kinds is written twice",
        ),
    ];
    for (sets, handed, reason) in table {
        assert_eq!(compared(sets, handed, ""), AsNow, "{handed}: {reason}");
    }
}

#[test]
fn own_overrides_may_be_appended() {
    const SETS: Sets<'_> = &[(Idms, "q/a", &["m/a"])];
    assert_each([
        Case {
            sets: SETS,
            handed: "q/a=m/a,q/a=o/a",
            own: "q/a=o/a",
            expected: AsNow,
            reason: "from 4.18 on",
        },
        Case { sets: SETS, handed: "q/a=m/a", own: "q/a=o/a", expected: AsNow, reason: "up to 4.17" },
        Case {
            sets: SETS,
            handed: "q/a=o/a",
            own: "q/a=o/a",
            expected: otherwise([lacks("q/a", "m/a")]),
            reason: "but not alone",
        },
    ]);
}

#[test]
fn overrides_that_no_release_uses_are_reported() {
    let own = "";
    assert_each([
        Case {
            sets: &[(Idms, "q/a", &["m/a", "k/a"])],
            handed: "q/a=n/a",
            own,
            expected: otherwise([lacks("q/a", "m/a"), lacks("q/a", "k/a"), still_has("q/a", "n/a")]),
            reason: "another mirror",
        },
        Case {
            sets: &[(Idms, "q/a", &["b/a", "z/a"])],
            handed: "q/a=z/a,q/a=b/a",
            own,
            expected: reordered("q/a"),
            reason: "neither the order of the entry nor sorted",
        },
        Case {
            sets: &[(Icsp, "q/a", &["z/a"]), (Idms, "q/a", &["m/a"])],
            handed: "q/a=z/a,q/a=m/a",
            own,
            expected: reordered("q/a"),
            reason: "ICSPs come last",
        },
        Case {
            sets: &[(Idms, "q/a", &["m/a", "k/a"]), (Icsp, "q/a", &["m/a", "k/a"])],
            handed: "q/a=n/a,q/a=o/a,q/a=n/a,q/a=o/a",
            own,
            expected: otherwise([
                lacks("q/a", "m/a"),
                lacks("q/a", "k/a"),
                still_has("q/a", "n/a"),
                still_has("q/a", "o/a"),
            ]),
            reason: "mirrors that several objects have are named once",
        },
        Case {
            sets: &[],
            handed: "q/a=m/a",
            own,
            expected: otherwise([still_has("q/a", "m/a")]),
            reason: "the set was deleted",
        },
    ]);
}

#[test]
fn older_releases_ignore_icsps_next_to_an_idms() {
    const BOTH: Sets<'_> = &[(Icsp, "q/b", &["m/b"]), (Idms, "q/a", &["m/a"])];
    let own = "";
    assert_each([
        Case { sets: BOTH, handed: "q/a=m/a", own, expected: WithoutIcsps, reason: "without the ICSP" },
        Case {
            sets: BOTH,
            handed: "q/b=m/b",
            own,
            expected: otherwise([lacks("q/a", "m/a")]),
            reason: "no release ignores the IDMS",
        },
        Case {
            sets: &[(Icsp, "q/b", &["m/b"])],
            handed: "=",
            own,
            expected: otherwise([lacks("q/b", "m/b")]),
            reason: "alone, ICSPs were always read",
        },
    ]);
}

#[test]
fn many_objects_of_one_source_are_compared_without_their_order() {
    let names: Vec<_> = (0..9).map(|at| format!("m{at}/a")).collect();
    let lists: Vec<_> = names.iter().map(|name| vec![&**name]).collect();
    let sets: Vec<_> = lists.iter().map(|list| (Idms, "q/a", &**list)).collect();
    let pairs: Vec<_> = names.iter().rev().map(|name| format!("q/a={name}")).collect();
    assert_eq!(compared(&sets, &pairs.join(","), ""), AsNow);
    assert_eq!(compared(&sets, &pairs[1..].join(","), ""), otherwise([lacks("q/a", "m8/a")]));
}

#[test]
fn workloads_may_have_the_own_overrides_of_their_operator() {
    // The variable of the operator and of the workload, the option, the number of mismatches, the reason.
    let table = [
        ("q/a=m/a", "q/a=m/a", "q/a=o/a", 0, "the same overrides"),
        ("q/a=m/a", "q/a=m/a,q/a=o/a,q/b=o/b", "q/a=o/a,q/b=o/b", 0, "with the own ones appended"),
        ("q/a=m/a", "q/a=n/a", "q/a=o/a", 2, "another mirror"),
    ];
    for (from, handed, own, expected, reason) in table {
        let [from, handed, own] = [from, handed, own].map(parse_overrides);
        assert_eq!(compare_with_operator(&from, &handed, &own).len(), expected, "{reason}");
    }
}
