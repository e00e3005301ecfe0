use super::*;
use crate::{
    node::{render, validate},
    objects::{
        Kind, Object,
        SetKind::{Icsp, Idms, Itms},
    },
    rules::{
        IcspAlongsideIdms, Level, Settings,
        testing::{findings, found_in, never, review, set},
    },
    state::State,
};

const A: &str = "quay.io/a";
const IDMS: &str = "ImageDigestMirrorSet/i";
const ITMS: &str = "ImageTagMirrorSet/t";
const ICSP: &str = "ImageContentSourcePolicy/k";

fn of(kind: SetKind, name: &str) -> MirrorSet {
    set(kind, name, &[(A, &["m.lab/a"])])
}

fn empty(kind: SetKind, name: &str) -> MirrorSet {
    set(kind, name, &[])
}

/// A step: a set that is applied, or an ICSP that is deleted.
enum Step {
    Apply(MirrorSet),
    Delete(&'static str),
}

use Step::{Apply, Delete};

/// Carries out a step, which must be admitted.
fn take(state: &State, step: &Step) -> State {
    match step {
        Apply(new) => {
            let operation = match state.set(new.kind, &new.name) {
                Some(old) => Operation::Update { old: old.clone(), new: new.clone() },
                None => Operation::Create(new.clone()),
            };
            let verdict = review(state, &Settings::default(), operation);
            assert!(verdict.is_allowed(), "{}: {verdict:?}", new.id());
            state.changed(Kind::Set(new.kind), |context| context.insert(new.clone().into()))
        }
        Delete(name) => {
            let icsp = state.set(Icsp, name).unwrap().clone();
            assert!(review(state, &Settings::default(), Operation::Delete(icsp)).is_allowed());
            state.changed(Kind::Set(Icsp), |context| {
                context.remove_set(Icsp, name);
            })
        }
    }
}

fn renders(state: &State) -> bool {
    let view = state.context().view();
    validate(view).is_ok() && render(view).is_ok()
}

/// Whether digest pulls of the source have a mirror.
fn has_mirror(state: &State) -> bool {
    state.context().view().effective(A).any(|found| found.serves(Pull::Digest))
}

struct Case {
    there: Vec<MirrorSet>,
    /// The set that is written and denied; `None` if nothing is written.
    new: Option<MirrorSet>,
    /// What the steps name, in this order.
    names: &'static [&'static str],
    steps: Vec<Step>,
    reason: &'static str,
}

/// Nothing renders, and the source stays closed.
fn closed_cases() -> Vec<Case> {
    let k = || of(Icsp, "k");
    let wide = set(Icsp, "k", &[(A, &["m.lab/a", "m.lab/z"]), ("r.io/b", &["m.lab/b"])]);
    let wide_left = set(Icsp, "k", &[("r.io/b", &["m.lab/b"])]);
    let longer = never(set(Idms, "i", &[(A, &["m.lab/a", "m.lab/z"])]));
    let (digests, tags) = (of(Idms, "i"), of(Itms, "t"));
    vec![
        Case {
            there: vec![k(), never(digests.clone()), never(tags.clone())],
            new: None,
            names: &["imagecontentsourcepolicy k"],
            steps: vec![Delete("k")],
            reason: "the IDMS has all, and the ITMS stays as it is",
        },
        Case {
            there: vec![wide.clone(), never(digests.clone()), never(tags.clone())],
            new: None,
            names: &["m.lab/a, m.lab/z", IDMS, ICSP],
            steps: vec![Apply(longer.clone()), Apply(wide_left.clone())],
            reason: "the IDMS lacks a mirror, and the ICSP has another source",
        },
        Case {
            there: vec![k(), never(tags.clone())],
            new: None,
            names: &["m.lab/a", "imagecontentsourcepolicy k"],
            steps: vec![Apply(never(digests.clone())), Delete("k")],
            reason: "only an ITMS",
        },
        Case {
            there: vec![k(), never(tags.clone())],
            new: Some(never(digests.clone())),
            names: &[IDMS, "imagecontentsourcepolicy k"],
            steps: vec![Apply(never(digests.clone())), Delete("k")],
            reason: "nothing renders before the IDMS is written",
        },
        Case {
            there: vec![wide, never(tags.clone())],
            new: Some(never(digests)),
            names: &[IDMS, "m.lab/a, m.lab/z", ICSP],
            steps: vec![Apply(longer), Apply(wide_left)],
            reason: "the same, and the IDMS lacks a mirror",
        },
    ]
}

/// Ways on which the source may be contacted until the last steps.
fn opening_cases() -> Vec<Case> {
    let k = || of(Icsp, "k");
    let (digests, tags) = (of(Idms, "i"), of(Itms, "t"));
    vec![
        Case {
            there: vec![k()],
            new: Some(never(digests.clone())),
            names: &[IDMS, ICSP, "imagecontentsourcepolicy k", IDMS],
            steps: vec![Apply(digests.clone()), Delete("k"), Apply(never(digests.clone()))],
            reason: "the ICSP alone",
        },
        Case {
            there: vec![k(), tags.clone()],
            new: Some(never(digests.clone())),
            names: &[IDMS, ICSP, "imagecontentsourcepolicy k", ITMS, IDMS, ITMS],
            steps: vec![
                Apply(digests.clone()),
                Delete("k"),
                Apply(empty(Itms, "t")),
                Apply(never(digests.clone())),
                Apply(never(tags.clone())),
            ],
            reason: "an ITMS that contacts the source",
        },
        Case {
            there: vec![k(), never(digests.clone()), tags.clone()],
            new: None,
            names: &[IDMS, ICSP, "imagecontentsourcepolicy k", ITMS, IDMS, ITMS],
            steps: vec![
                Apply(digests.clone()),
                Delete("k"),
                Apply(empty(Itms, "t")),
                Apply(never(digests)),
                Apply(never(tags)),
            ],
            reason: "the same where nothing renders",
        },
    ]
}

/// What rules say about the ICSP or the set that is written, with one of the settings.
fn fixes(case: &Case, icsp_alongside_idms: IcspAlongsideIdms) -> Vec<String> {
    let rules = ["conflicting-source-policy", "icsp-alongside-idms"];
    let (first, others) = case.there.split_first().unwrap();
    let settings = Settings { icsp_alongside_idms, ..Settings::default() };
    let found = rules.iter().flat_map(|rule| match &case.new {
        Some(new) => findings(rule, &settings, &case.there.iter().collect::<Vec<_>>(), None, new),
        None => found_in(rule, first, others.iter().cloned().map(Object::from), &settings),
    });
    found.map(|finding| finding.fix.title).collect()
}

#[test]
fn each_step_is_admitted_and_the_nodes_render_after_it() {
    for case in closed_cases().into_iter().chain(opening_cases()) {
        let settings = [IcspAlongsideIdms::Strict, IcspAlongsideIdms::Conflicts];
        let said: Vec<_> = settings.into_iter().flat_map(|setting| fixes(&case, setting)).collect();
        assert!(!said.is_empty() && said.iter().all(|fix| *fix == said[0]), "{}: {said:?}", case.reason);
        let mut rest = &*said[0];
        for name in case.names {
            let at = rest.find(name).unwrap_or_else(|| panic!("{}: {name}: {said:?}", case.reason));
            rest = &rest[at + name.len()..];
        }
        let mut state: State = case.there.iter().cloned().map(Object::from).collect();
        let was_standstill = !renders(&state);
        for (at, step) in case.steps.iter().enumerate() {
            state = take(&state, step);
            assert!(has_mirror(&state) || !renders(&state), "{}: no mirror after step {at}", case.reason);
            // A set that does not render yet may be prepared for the step after which it does.
            let is_prepared = was_standstill && at + 1 < case.steps.len() && state.set(Icsp, "k").is_some();
            assert!(renders(&state) || is_prepared, "{}: step {at}", case.reason);
        }
        assert!(
            state.context().view().entries(A).all(|found| { found.entry().policy() == NeverContactSource })
        );
    }
}

#[test]
fn a_write_during_a_standstill_is_admitted_only_if_it_prepares_the_end() {
    let (k, i, t) = (of(Icsp, "k"), of(Idms, "i"), of(Itms, "t"));
    let table = [
        (
            vec![k.clone(), never(t.clone())],
            never(i.clone()),
            true,
            "the IDMS that the ICSP leaves its place to",
        ),
        (vec![k.clone(), never(t.clone())], i.clone(), false, "it contacts the source"),
        (vec![k.clone()], never(i.clone()), false, "it would begin the standstill"),
        (vec![i.clone(), never(t.clone())], never(of(Idms, "j")), false, "an IDMS contacts the source"),
        (vec![never(i), k], of(Icsp, "l"), false, "another ICSP"),
    ];
    for (there, new, expected, reason) in table {
        let there: Vec<_> = there.iter().collect();
        let found = findings("conflicting-source-policy", &Settings::default(), &there, None, &new);
        let levels: Vec<_> = found.iter().map(|finding| finding.at_most).collect();
        assert_eq!(levels, [if expected { Level::Warn } else { Level::Deny }], "{reason}");
    }
}

#[test]
fn an_itms_that_overlaps_an_icsp_is_not_sent_to_a_migration_that_is_refused() {
    let (k, t) = (of(Icsp, "k"), never(of(Itms, "t")));
    for settings in [IcspAlongsideIdms::Strict, IcspAlongsideIdms::Conflicts] {
        let settings = Settings { icsp_alongside_idms: settings, ..Settings::default() };
        let said = ["conflicting-source-policy", "icsp-alongside-idms"].map(|rule| {
            let existing = found_in(rule, &t, [Object::from(k.clone())], &settings);
            let written = findings(rule, &settings, &[&k], None, &t);
            [existing, written].map(|found| found.into_iter().map(|one| one.fix.title).collect::<Vec<_>>())
        });
        assert_eq!(said[0], said[1], "both rules say the same");
    }
}

#[test]
fn an_icsp_is_printed_as_an_idms_that_renders_next_to_the_others() {
    let b: (&str, &[&str]) = ("r.io/b", &["m.lab/b"]);
    let table = [
        (of(Icsp, "k"), Some(never(of(Idms, "i"))), false, "the IDMS has it"),
        (of(Icsp, "k"), Some(never(set(Idms, "i", &[(A, &["n.lab/a"])]))), false, "with another mirror"),
        (of(Icsp, "k"), Some(never(of(Itms, "t"))), true, "an ITMS has the policy"),
        (of(Icsp, "k"), Some(of(Idms, "i")), false, "the twin without a policy"),
        (set(Icsp, "k", &[(A, &["m.lab/a"]), b]), Some(never(of(Idms, "i"))), true, "one of two sources"),
    ];
    for (icsp, there, is_printed, reason) in table {
        let there: Vec<_> = there.iter().collect();
        let found = findings("icsp-alongside-idms", &Settings::default(), &there, None, &icsp);
        let conflicts = findings("conflicting-source-policy", &Settings::default(), &there, None, &icsp);
        let [finding] = &*found else { panic!("{reason}: {found:?}") };
        assert_eq!(finding.fix.yaml().is_some(), is_printed, "{reason}");
        let is_removal = |title: &str| title.starts_with("remove");
        for conflict in &conflicts {
            assert_eq!(is_removal(&conflict.fix.title), is_removal(&finding.fix.title), "{reason}");
        }
        let Some(yaml) = finding.fix.yaml() else { continue };
        let pasted = crate::objects::manifest::read("pasted", yaml).objects.into_iter();
        let pasted = pasted.map(|located| located.object);
        let state: State = there.into_iter().cloned().map(Object::from).chain(pasted).collect();
        assert_eq!(state.context().view().entries(A).count(), 2, "{reason}");
        assert!(renders(&state), "{reason}");
    }
}
