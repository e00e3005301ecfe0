//! Which object is meant, of whatever kind.

use std::fmt;

use crate::{audit::ObjectId, objects::Object};

/// Kind, namespace and name; printed as findings name objects, `Kind/name` or `Kind/namespace/name`.
#[derive(Debug, Clone, Copy)]
pub(super) struct ObjectRef<'a> {
    pub(super) kind: &'static str,
    /// Empty where it has none.
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
}

impl fmt::Display for ObjectRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, namespace, name } = self;
        let slash = if namespace.is_empty() { "" } else { "/" };
        write!(f, "{kind}/{namespace}{slash}{name}")
    }
}

impl<'a> From<&'a Object> for ObjectRef<'a> {
    fn from(object: &'a Object) -> Self {
        let namespace = match object {
            Object::HostedCluster(hosted) => &*hosted.metadata.namespace,
            _ => "",
        };
        Self { kind: object.kind().name(), namespace, name: object.name() }
    }
}

impl<'a> From<&'a ObjectId> for ObjectRef<'a> {
    fn from(ObjectId { kind, namespace, name }: &'a ObjectId) -> Self {
        Self { kind, namespace, name }
    }
}
