//! Findings, for people and for programs: one file a form.

mod human;
mod json;
mod junit;
mod sarif;

use std::collections::HashMap;

use super::{
    input::{Input, Unread},
    object_ref::ObjectRef,
};
use crate::{
    objects::manifest::Located,
    review::{Exempted, Judged, Verdict},
    rules::{Level, Related},
};

pub(super) use human::human;
pub(super) use json::{ExemptedJson, FindingJson, exempted_json, json};
pub(super) use junit::junit;
pub(super) use sarif::sarif;

/// An object, its verdict, and its place where it has one.
#[derive(Debug)]
pub(super) struct Judgement<'a> {
    pub(super) object: ObjectRef<'a>,
    pub(super) place: Option<&'a Located>,
    pub(super) verdict: Verdict,
}

/// A whole run, as the forms for other programs tell it.
#[derive(Debug)]
pub(super) struct Run<'a> {
    pub(super) judgements: &'a [Judgement<'a>],
    pub(super) places: &'a Places<'a>,
    /// What could not be read.
    pub(super) unread: &'a [Unread],
    /// The lowest level that fails.
    pub(super) fails_from: Level,
}

impl Run<'_> {
    /// The exit code of the process.
    pub(super) fn exit_code(&self) -> u8 {
        let fails = || findings(self.judgements).any(|(_, judged)| judged.level >= self.fails_from);
        if self.unread.is_empty() { fails().into() } else { 2 }
    }
}

/// Where objects stand, judged ones and others.
#[derive(Debug, Default)]
pub(super) struct Places<'a>(HashMap<(&'static str, &'a str, &'a str), &'a Located>);

impl<'a> Places<'a> {
    /// Where the objects of an input stand.
    pub(super) fn of(input: &'a Input) -> Self {
        let mut places = Self::default();
        places.add(input);
        places
    }

    /// Adds objects; of two with one kind, namespace and name the later counts.
    pub(super) fn add(&mut self, input: &'a Input) {
        self.0.extend(input.located.iter().map(|at| {
            let ObjectRef { kind, namespace, name } = (&at.object).into();
            ((kind, namespace, name), at)
        }));
    }

    fn find(&self, related: &'a Related) -> Option<&'a Located> {
        self.0.get(&(related.kind, &*related.namespace, &*related.name)).copied()
    }
}

/// Every finding and the object it is in.
fn findings<'a>(judgements: &'a [Judgement<'a>]) -> impl Iterator<Item = (&'a Judgement<'a>, &'a Judged)> {
    judgements
        .iter()
        .flat_map(|judgement| judgement.verdict.judged.iter().map(move |judged| (judgement, judged)))
}

/// Every finding that is exempt, and the object it is in.
fn all_exempted<'a>(
    judgements: &'a [Judgement<'a>],
) -> impl Iterator<Item = (&'a Judgement<'a>, &'a Exempted)> {
    judgements
        .iter()
        .flat_map(|judgement| judgement.verdict.exempted.iter().map(move |exempted| (judgement, exempted)))
}

/// What would be denied if it were not exempt, a line each.
pub(super) fn exempted(judgements: &[Judgement<'_>]) -> String {
    let denied = all_exempted(judgements).filter(|(_, exempted)| exempted.level == Level::Deny);
    let line = |(judgement, Exempted { rule, reason, until, .. }): (&Judgement<'_>, &Exempted)| {
        format!("exempt until {until}: [{rule}] {}: {reason}\n", judgement.object)
    };
    denied.map(line).collect()
}

/// How many findings deny, and how many warn.
pub(super) fn counts(judgements: &[Judgement<'_>]) -> (usize, usize) {
    let count = |level| findings(judgements).filter(|(_, judged)| judged.level == level).count();
    (count(Level::Deny), count(Level::Warn))
}
