//! What a rule finds.

use std::fmt::Display;

use serde::{Deserialize, Serialize};

use super::{Fix, RelatedFields};
use crate::{
    context::EntryRef,
    hypershift::Releases,
    objects::{HostedCluster, MirrorSet, ObjectId},
};

/// The number of names in a sentence.
const LISTED: usize = 3;

/// How severe a finding is: what it does to a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing: the rule is not run. YAML 1.1 readers make `false` of `off`.
    #[serde(alias = "false")]
    Off,
    /// The write is admitted with a warning.
    Warn,
    /// The write is rejected.
    Deny,
}

/// One thing found in the object a rule was given.
///
/// `what` and `effect` each begin in lower case and have no full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The highest level that this finding may have, whatever the rule's level.
    pub at_most: Level,
    /// Its level if the configuration sets none for the rule; `None` is the rule's own level.
    pub by_default: Option<Level>,
    /// The field, `spec.imageDigestMirrors[0].source`.
    pub path: String,
    /// What is wrong, with the values and objects concerned.
    pub what: String,
    /// What happens because of it.
    pub effect: String,
    /// How to fix it.
    pub fix: Fix,
    /// Other fields concerned, never its own.
    pub related: RelatedFields,
    /// What makes it the same finding in another state of the object: values and the kind of problem, but no words
    /// and no indexes, because both may have changed. It has a line for each of its faults; see
    /// [`Finding::of_faults`].
    pub key: String,
}

impl Finding {
    /// A finding of one fault and of any level, still without effect, fix and related objects. Another state of the
    /// object has the same finding if the rule finds one with the same [`Finding::key`] there.
    pub fn new(path: impl Into<String>, key: impl Display, what: impl Into<String>) -> Self {
        Self::of_faults(path, [key], what)
    }

    /// The same for a finding of several faults, each with a key of its own: a state of the object with only some of
    /// them is no worse, and one with another fault is. A key made of all of them would be a new one in both.
    pub fn of_faults<K: Display>(
        path: impl Into<String>,
        keys: impl IntoIterator<Item = K>,
        what: impl Into<String>,
    ) -> Self {
        // A value with a line break in it is still one fault.
        let keys: Vec<_> = keys.into_iter().map(|key| key.to_string().replace('\n', " ")).collect();
        Self {
            at_most: Level::Deny,
            by_default: None,
            path: path.into(),
            key: keys.join("\n"),
            what: what.into(),
            effect: String::new(),
            fix: Fix::default(),
            related: RelatedFields::default(),
        }
    }

    /// The keys of its faults.
    pub fn faults(&self) -> impl Iterator<Item = &str> {
        self.key.split('\n')
    }

    /// What is wrong, and in a second sentence what happens because of it.
    pub fn message(&self) -> String {
        let Self { what, effect, .. } = self;
        let mut rest = effect.chars();
        match rest.next() {
            Some(first) => format!("{what}. {}{}", first.to_uppercase(), rest.as_str()),
            None => what.clone(),
        }
    }
}

/// A finding, and the object it is about.
#[derive(Debug, Clone)]
pub struct Found {
    /// The object.
    pub object: ObjectId,
    /// What was found.
    pub finding: Finding,
}

/// ` for RELEASES` in a sentence, or nothing for every release.
pub(super) fn of_releases(releases: &Releases) -> String {
    if releases.is_every() { String::new() } else { format!(" for {releases}") }
}

/// HostedClusters in a sentence: the first with its kind and name, and how many more.
pub(super) fn some_hosted(hosted: &[&HostedCluster]) -> String {
    let first: Vec<_> =
        hosted.iter().take(1).map(|first| format!("HostedCluster {}", first.namespaced_name())).collect();
    list_names(&first, hosted.len().saturating_sub(1))
}

/// The sets of entries that are sorted by kind and name, each once.
pub(super) fn each_set<'a>(entries: &[EntryRef<'a>]) -> impl Iterator<Item = &'a MirrorSet> {
    entries.chunk_by(|one, next| std::ptr::eq(one.set, next.set)).map(|found| found[0].set)
}

/// The sets of such entries: the first three and how many more.
pub(super) fn some_sets(entries: &[EntryRef<'_>]) -> String {
    let first: Vec<_> = each_set(entries).take(LISTED).map(|set| set.id().to_string()).collect();
    list_names(&first, each_set(entries).skip(LISTED).count())
}

/// Sets in the order in which they are given: the first three and how many more.
pub(super) fn some_of_sets(sets: &[&MirrorSet]) -> String {
    let first: Vec<_> = sets.iter().take(LISTED).map(|set| set.id().to_string()).collect();
    list_names(&first, sets.len().saturating_sub(LISTED))
}

/// Names in sorted order, each once: the first three, and how many more.
pub(super) fn some_names<T: ToString>(names: impl IntoIterator<Item = T>) -> String {
    let mut names: Vec<_> = names.into_iter().map(|name| name.to_string()).collect();
    names.sort_unstable();
    names.dedup();
    let more = names.len().saturating_sub(LISTED);
    names.truncate(LISTED);
    list_names(&names, more)
}

/// The number of sources, and the first three of them.
pub(super) fn some_sources(sources: &[&str]) -> String {
    let quoted = sources.iter().map(|source| format!("\"{source}\""));
    format!("{} sources ({})", sources.len(), some_names(quoted))
}

/// These names, and how many more there are that are not among them.
pub(super) fn list_names(names: &[String], more: usize) -> String {
    let listed = names.join(", ");
    if more == 0 { listed } else { format!("{listed} and {more} more") }
}
