//! Mirror sets and their findings, for the tests of the rules.

use super::{Finding, Level, Operation, Settings};
use crate::{
    objects::{Entry, MirrorSet, MirrorSourcePolicy, Object, SetKind},
    review::{Reviewer, State},
};

/// A set of these sources and mirrors.
pub(super) fn set(kind: SetKind, name: &str, entries: &[(&str, &[&str])]) -> MirrorSet {
    let entry = |(source, mirrors): &(&str, &[&str])| Entry {
        source: (*source).into(),
        mirrors: mirrors.iter().map(|mirror| (*mirror).into()).collect(),
        mirror_source_policy: None,
    };
    MirrorSet::new(kind, name, entries.iter().map(entry).collect())
}

/// The set with `NeverContactSource` on every entry.
pub(super) fn never(mut set: MirrorSet) -> MirrorSet {
    let policy = Some(MirrorSourcePolicy::NeverContactSource);
    set.entries.iter_mut().for_each(|entry| entry.mirror_source_policy = policy);
    set
}

/// What one rule says of a write next to other sets, the rule being on; without `old` it is a creation.
pub(super) fn findings(
    rule: &str,
    settings: &Settings,
    others: &[&MirrorSet],
    old: Option<&MirrorSet>,
    new: &MirrorSet,
) -> Vec<Finding> {
    let mut settings = settings.clone();
    settings.levels.entry(rule.to_owned()).or_insert(Level::Warn);
    let sets = others.iter().copied().chain(old);
    let state: State = sets.cloned().map(Object::MirrorSet).collect();
    let reviewer = Reviewer { state: &state, settings: &settings, today: jiff::civil::date(2026, 1, 1) };
    let operation = if old.is_some() { Operation::Update } else { Operation::Create };
    let verdict = reviewer.review_set(operation, old, Some(new));
    verdict.judged.into_iter().filter(|judged| judged.rule.id == rule).map(|judged| judged.finding).collect()
}
