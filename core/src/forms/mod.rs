//! The other forms in which mirrors are configured, apart from registries.conf: documents made of the mirror sets,
//! and what they cannot express.
//!
//! Mirrors are merged per source as the nodes merge them, so that the same sets always give the same text.
//! The callers have checked that the nodes accept the mirror sets.

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

use crate::objects::{Pull, to_documents};

/// Documents, with comments and omissions.
#[derive(Debug, Default)]
pub struct Form {
    /// The comments at the head of the YAML, without the `#`.
    pub comments: Vec<String>,
    /// As text, because a [`Value`] would not keep the order in which the types declare their fields.
    documents: Vec<Box<RawValue>>,
    /// What the documents leave out, and what they have although it does not work.
    pub omissions: Vec<Omission>,
}

/// Something to say about the documents. A sentence without a full stop that names the entry, its object
/// and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Omission {
    /// It belongs there and cannot be expressed: an entry, a mirror, a policy.
    Lost(String),
    /// It does not belong there: another kind of pull, or an entry that the nodes drop too. Also an order of mirrors
    /// that is written, but that nodes may not use.
    Aside(String),
    /// It is there as in the mirror sets, and does not work: a mirror without a registry host.
    Kept(String),
}

/// Why there is no form: every reason, each a sentence without a full stop.
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

    /// Whether something that belongs there is lost.
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

/// Why there is no document where no source has mirrors for a kind of pull: applied, a document without entries would
/// remove those that are there. The reasons include everything that was left out.
fn without_sources(pull: Pull, omissions: Vec<Omission>) -> NoForm {
    let pulls = match pull {
        Pull::Digest => "digest",
        Pull::Tag => "tag",
    };
    let mut reasons = vec![format!("there is nothing to write: no mirror set has mirrors for {pulls} pulls")];
    reasons.extend(omissions.into_iter().map(|omission| match omission {
        Omission::Lost(what) | Omission::Aside(what) | Omission::Kept(what) => what,
    }));
    NoForm(reasons)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod texts;
