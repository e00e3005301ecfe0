//! The places a set of mirror sets has to be written down, other than registries.conf: from what is seen
//! to documents, and what they cannot say.
//!
//! Mirrors are merged per source as the nodes merge them, so that the same sets always give the same text.
//! The callers have made sure that the nodes accept what is seen.

mod admission_policy;
mod catalog_annotation;
mod cel;
mod hosted_cluster;
mod install_config;
mod mirror_set;
mod sources;

use serde::Serialize;
use serde_json::{Value, json, value::RawValue};
use thiserror::Error;

pub use admission_policy::admission_policies;
pub use catalog_annotation::catalog_annotation;
pub use hosted_cluster::hosted_cluster;
pub use install_config::install_config;
pub use mirror_set::{digest_mirror_set, tag_mirror_set};

use crate::objects::to_documents;

/// Documents, and what has to be said about them.
#[derive(Debug, Default)]
pub struct Form {
    /// Stand at the head of the YAML as comments, without the `#`.
    pub comments: Vec<String>,
    documents: Vec<Box<RawValue>>,
    /// What the documents do not say.
    pub omissions: Vec<Omission>,
}

/// Something that the documents do not say. A sentence without a full stop that names the entry, its object
/// and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Omission {
    /// It belongs there and cannot be said: an entry, a mirror, a policy.
    Lost(String),
    /// It does not belong there: another kind of pull, an entry that the nodes drop too.
    Aside(String),
}

/// Why there is no form; every reason, each a sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", .0.join("\n"))]
pub struct NoForm(pub Vec<String>);

impl Form {
    fn of(document: &impl Serialize) -> Self {
        let mut form = Self::default();
        form.push(document);
        form
    }

    fn push(&mut self, document: &impl Serialize) {
        self.documents.push(serde_json::value::to_raw_value(document).unwrap_or_default());
    }

    /// Whether something that belongs into the documents is missing.
    pub fn is_lossy(&self) -> bool {
        self.omissions.iter().any(|omission| matches!(omission, Omission::Lost(_)))
    }

    /// The comments and documents as YAML.
    pub fn yaml(&self) -> String {
        let comments = self.comments.iter().map(|line| format!("# {line}\n"));
        comments.collect::<String>() + &to_documents(&self.documents)
    }

    /// The document as JSON; several as a `List`.
    pub fn json(&self) -> Value {
        let values = self.documents.iter().map(|raw| serde_json::from_str(raw.get()).unwrap_or_default());
        let mut values: Vec<Value> = values.collect();
        if values.len() == 1 {
            return values.remove(0);
        }
        json!({ "apiVersion": "v1", "kind": "List", "items": values })
    }
}

#[cfg(test)]
mod tests;
