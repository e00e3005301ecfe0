//! What the tests of the rules share.

#![expect(clippy::disallowed_methods, reason = "the texts of findings are files")]

use std::{collections::BTreeSet, fs, sync::Arc};

use super::{FileObject, Finding, Level, Settings};
use crate::{
    objects::{Entry, MirrorSet, MirrorSourcePolicy, Object, SetKind, manifest},
    review::{Reviewer, Verdict},
    state::State,
    write::{Operation, Write},
};

/// A day before any exemption ends.
const TODAY: jiff::civil::Date = jiff::civil::date(2026, 1, 1);

/// A set of sources and their mirrors, without policies.
pub(super) fn set(kind: SetKind, name: &str, entries: &[(&str, &[&str])]) -> MirrorSet {
    let entries = entries.iter().map(|(source, mirrors)| entry(source, mirrors));
    MirrorSet::new(kind, name, entries.collect())
}

fn entry(source: &str, mirrors: &[&str]) -> Entry {
    let mirrors = mirrors.iter().map(|mirror| (*mirror).into()).collect();
    Entry { source: source.into(), mirrors, mirror_source_policy: None }
}

/// The set with `NeverContactSource` on every entry.
pub(super) fn never(mut set: MirrorSet) -> MirrorSet {
    let policy = Some(MirrorSourcePolicy::NeverContactSource);
    set.entries.iter_mut().for_each(|entry| entry.mirror_source_policy = policy);
    set
}

/// Reviews a write of a set in a cluster.
pub(super) fn review(state: &State, settings: &Settings, operation: Operation<MirrorSet>) -> Verdict {
    let write = match operation {
        Operation::Create(new) => Operation::Create(Arc::new(new)),
        Operation::Update { old, new } => Operation::Update { old: Arc::new(old), new: Arc::new(new) },
        Operation::Delete(old) => Operation::Delete(Arc::new(old)),
        Operation::Existing(set) => Operation::Existing(Arc::new(set)),
    };
    Reviewer::new(state, settings, TODAY).review(&Write::MirrorSet(write))
}

/// What a rule about files finds in the objects of a file.
pub(super) fn find_in_file(rule: &str, text: &str) -> Vec<Finding> {
    let reading = manifest::read("test", text.to_owned());
    let (state, settings) = (State::default(), Settings::default());
    let reviewer = Reviewer::new(&state, &settings, TODAY);
    let mut findings = Vec::new();
    for located in reading.objects.iter().chain(&reading.misnamed) {
        let verdict = reviewer.review_file(&FileObject { written: &located.written, earlier: None }, "");
        let found = verdict.diagnostics.into_iter().filter(|diagnostic| diagnostic.rule.id == rule);
        findings.extend(found.map(|diagnostic| diagnostic.finding));
    }
    findings
}

/// What one rule finds in a write next to other sets; without `old`, the write is a creation. A rule that `settings`
/// has no level for is a warning here, so that a rule that is off by default runs as well.
pub(super) fn findings(
    rule: &str,
    settings: &Settings,
    others: &[&MirrorSet],
    old: Option<&MirrorSet>,
    new: &MirrorSet,
) -> Vec<Finding> {
    let mut settings = settings.clone();
    settings.levels.entry(rule.to_owned()).or_insert(Level::Warn);
    let state: State = others.iter().copied().chain(old).map(|set| Object::from(set.clone())).collect();
    let operation = match old {
        Some(old) => Operation::Update { old: old.clone(), new: new.clone() },
        None => Operation::Create(new.clone()),
    };
    of_rule(rule, review(&state, &settings, operation))
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

/// What one rule finds in an existing set next to other objects: nothing is written. See [`findings`] for a write.
pub(super) fn found_in(
    rule: &str,
    set: &MirrorSet,
    others: impl IntoIterator<Item = Object>,
    settings: &Settings,
) -> Vec<Finding> {
    let state: State = others.into_iter().chain([Object::from(set.clone())]).collect();
    of_rule(rule, review(&state, settings, Operation::Existing(set.clone())))
}

/// The findings of one rule.
pub(super) fn of_rule(rule: &str, verdict: Verdict) -> Vec<Finding> {
    let own = verdict.diagnostics.into_iter().filter(|diagnostic| diagnostic.rule.id == rule);
    own.map(|diagnostic| diagnostic.finding).collect()
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

/// Compares the texts of a rule's findings with `texts/RULE.txt`, which has each of them once, so that no other test
/// has to repeat them; `make generate` writes the file.
pub(super) fn assert_texts(rule: &str, findings: &[Finding]) {
    let mut texts: Vec<_> = findings.iter().map(text).collect();
    let mut seen = BTreeSet::new();
    texts.retain(|text| seen.insert(text.clone()));
    let path = format!("{}/src/rules/texts/{}.txt", env!("CARGO_MANIFEST_DIR"), rule.replace('-', "_"));
    if std::env::var_os("MIRRORGUARD_UPDATE").is_some() {
        fs::write(&path, texts.join("\n")).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(texts.join("\n"), expected, "{path} is out of date: run make generate");
}

fn text(finding: &Finding) -> String {
    let fix = if finding.fix.is_empty() { String::new() } else { format!("  fix: {}\n", finding.fix.title) };
    format!("{}\n{fix}", finding.message())
}
