//! What a rule says.

use serde::{Deserialize, Serialize};

use crate::{
    context::EntryRef,
    objects::{HostedCluster, MirrorSet},
};

/// What a finding does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing; the rule is not asked.
    #[serde(alias = "false")]
    Off,
    /// The write goes through with a warning.
    Warn,
    /// The write is refused.
    Deny,
}

/// Another object that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Related {
    /// Kind.
    pub kind: &'static str,
    /// Namespace; empty where it has none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Field, `spec.imageTagMirrors[2].source`.
    pub path: String,
}

impl Related {
    /// A field of a mirror set.
    pub fn to_set(set: &MirrorSet, path: String) -> Self {
        Self { kind: set.kind.name(), namespace: String::new(), name: set.name.to_string(), path }
    }

    /// A field of an entry.
    pub fn to_entry(entry: &EntryRef<'_>, field: &str) -> Self {
        Self::to_set(entry.set, entry.set.field_path(entry.index, field))
    }

    /// What says the policy of an entry.
    pub fn to_policy(entry: &EntryRef<'_>) -> Self {
        Self::to_set(entry.set, entry.set.policy_path(entry.index))
    }

    /// A field of a HostedCluster.
    pub fn to_hosted(hosted: &HostedCluster, path: &str) -> Self {
        let (namespace, name) = (hosted.metadata.namespace.clone(), hosted.metadata.name.clone());
        Self { kind: "HostedCluster", namespace, name, path: path.to_owned() }
    }

    /// `Kind/name`, or `Kind/namespace/name`.
    pub fn id(&self) -> String {
        let Self { kind, namespace, name, .. } = self;
        let slash = if namespace.is_empty() { "" } else { "/" };
        format!("{kind}/{namespace}{slash}{name}")
    }
}

/// One thing found in the object a rule was given. Sentences begin in lower case and have no full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The most that this finding may do, whatever the rule's level.
    pub at_most: Level,
    /// What it does in place of the rule's own level, where the configuration sets none for the rule.
    pub by_default: Option<Level>,
    /// The field, `spec.imageDigestMirrors[0].source`.
    pub path: String,
    /// What is wrong, with the values and objects concerned.
    pub what: String,
    /// What it does, or would do, to the cluster.
    pub effect: String,
    /// How to mend it, in one line.
    pub fix: String,
    /// YAML to paste, where there is some.
    pub yaml: Option<String>,
    /// Other objects concerned.
    pub related: Vec<Related>,
    /// What makes it the same finding in an older state of the object, whose entries may have moved.
    pub key: String,
}

impl Finding {
    /// A finding without YAML and without other objects, the same as long as it says the same.
    pub fn new(path: impl Into<String>, what: String, effect: &str, fix: String) -> Self {
        let key = what.clone();
        Self {
            at_most: Level::Deny,
            by_default: None,
            path: path.into(),
            what,
            effect: effect.to_owned(),
            fix,
            yaml: None,
            related: Vec::new(),
            key,
        }
    }

    /// What is wrong and what it does.
    pub fn message(&self) -> String {
        if self.effect.is_empty() { self.what.clone() } else { format!("{}: {}", self.what, self.effect) }
    }
}

/// `namespace/name`.
pub(super) fn hosted_name(hosted: &HostedCluster) -> String {
    format!("{}/{}", hosted.metadata.namespace, hosted.metadata.name)
}

/// HostedClusters in a sentence: the first by name, and how many more.
pub(super) fn some_hosted(hosted: &[&HostedCluster]) -> String {
    let first: Vec<_> = hosted.iter().take(1).map(|first| hosted_name(first)).collect();
    list_names(&first, hosted.len().saturating_sub(1))
}

/// Names, the first three and how many more.
pub(crate) fn some_names(mut names: Vec<String>) -> String {
    names.sort_unstable();
    names.dedup();
    let more = names.len().saturating_sub(3);
    names.truncate(3);
    list_names(&names, more)
}

/// Names, and how many more there are.
pub(crate) fn list_names(names: &[String], more: usize) -> String {
    let listed = names.join(", ");
    if more == 0 { listed } else { format!("{listed} and {more} more") }
}
