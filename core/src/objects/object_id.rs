//! Identifies an object of any kind.

use std::fmt;

use serde::Serialize;

/// Kind, namespace and name. Displayed as in findings: `Kind/name` or `Kind/namespace/name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ObjectId {
    /// The `kind` field.
    pub kind: &'static str,
    /// `metadata.namespace`; empty if the kind has none.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub namespace: Box<str>,
    /// `metadata.name`.
    pub name: Box<str>,
}

impl ObjectId {
    /// The id of an object. The namespace is empty if it has none.
    pub fn new(kind: &'static str, namespace: &str, name: &str) -> Self {
        Self { kind, namespace: namespace.into(), name: name.into() }
    }

    /// `namespace/name`, or only the name if there is no namespace.
    pub fn namespaced_name(&self) -> String {
        namespaced_name(&self.namespace, &self.name)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.namespaced_name())
    }
}

/// `namespace/name`, or only the name if there is no namespace.
pub fn namespaced_name(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") }
}
