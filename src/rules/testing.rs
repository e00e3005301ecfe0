//! What the rules' own tests build.

use super::{Finding, Level, Operation, Settings};
use crate::{
    objects::{Entry, MirrorSet, MirrorSourcePolicy, Object, SetKind, manifest},
    review::{Reviewer, State, Verdict},
};

/// A day before any exemption ends.
const TODAY: jiff::civil::Date = jiff::civil::date(2026, 1, 1);

/// A set of sources and their mirrors, without policies.
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
    let reviewer = Reviewer { state: &state, settings: &settings, today: TODAY };
    let operation = if old.is_some() { Operation::Update } else { Operation::Create };
    of_rule(rule, reviewer.review_set(operation, old, Some(new)))
}

/// A HostedCluster of the namespace `clusters`, with annotations as YAML in one line.
pub(super) fn hosted(name: &str, image: &str, annotations: &str) -> Object {
    let yaml = format!(
        "apiVersion: hypershift.openshift.io/v1beta1\nkind: HostedCluster\n\
         metadata: {{name: {name}, namespace: clusters, annotations: {{{annotations}}}}}\n\
         spec: {{release: {{image: \"{image}\"}}}}\n"
    );
    manifest::read("hosted", yaml).objects.remove(0).object
}

/// Settings for hosted clusters of these releases, with spaces between.
pub(super) fn for_releases(releases: &str) -> Settings {
    let releases = releases.split_whitespace().map(|release| release.parse().unwrap()).collect();
    Settings { releases, ..Settings::default() }
}

/// What a rule finds in a set as it stands among others.
pub(super) fn found_in(
    rule: &str,
    set: &MirrorSet,
    others: impl IntoIterator<Item = Object>,
    settings: &Settings,
) -> Vec<Finding> {
    let state: State = others.into_iter().chain([Object::MirrorSet(set.clone())]).collect();
    let reviewer = Reviewer { state: &state, settings, today: TODAY };
    of_rule(rule, reviewer.review_set(Operation::Existing, None, Some(set)))
}

fn of_rule(rule: &str, verdict: Verdict) -> Vec<Finding> {
    let own = verdict.judged.into_iter().filter(|judged| judged.rule.id == rule);
    own.map(|judged| judged.finding).collect()
}

/// A set with one entry, in words: `IDMS source mirror…`.
pub(super) fn in_words(name: &str, text: &str) -> MirrorSet {
    let mut words = text.split(' ');
    let kind = match words.next() {
        Some("ICSP") => SetKind::Icsp,
        Some("IDMS") => SetKind::Idms,
        _ => SetKind::Itms,
    };
    let source = words.next().unwrap();
    set(kind, name, &[(source, &words.collect::<Vec<_>>())])
}
