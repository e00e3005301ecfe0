//! Which existing HostedCluster a write changes, and what applying one over the other results in.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde::Deserialize;

use crate::{
    objects::{HostedCluster, Object, annotation},
    write::Operation,
};

/// An existing object.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// The object.
    pub object: &'a Object,
    /// Whether it is in a cluster, not in a file.
    pub live: bool,
}

/// The existing HostedClusters, by namespace and name.
#[derive(Debug, Default)]
pub(super) struct ExistingHosted<'a>(HashMap<(&'a str, &'a str), FoundHosted<'a>>);

#[derive(Debug, Clone, Copy)]
struct FoundHosted<'a> {
    hosted: &'a Arc<HostedCluster>,
    live: bool,
}

impl<'a> FromIterator<Found<'a>> for ExistingHosted<'a> {
    /// Of two objects with the same name, the later one counts; objects of other kinds are ignored.
    fn from_iter<I: IntoIterator<Item = Found<'a>>>(found: I) -> Self {
        let mut existing = Self::default();
        for Found { object, live } in found {
            if let Object::HostedCluster(hosted) = object {
                existing.0.insert((object.namespace(), object.name()), FoundHosted { hosted, live });
            }
        }
        existing
    }
}

impl<'a> ExistingHosted<'a> {
    /// What applying `new` does: it changes the HostedCluster of its name, or creates one.
    pub(super) fn operation(&self, new: &Arc<HostedCluster>) -> Operation<Arc<HostedCluster>> {
        match self.find(&new.metadata.namespace, &new.metadata.name) {
            Some(found) => {
                let applied = applied(found.hosted, found.live, new);
                Operation::Update { old: Arc::clone(found.hosted), new: applied.into() }
            }
            None => Operation::Create(Arc::clone(new)),
        }
    }

    /// The HostedCluster of a namespace and name. A file may leave the namespace to `kubectl`: then it is the one of
    /// its name, if there is only one.
    fn find(&self, namespace: &str, name: &str) -> Option<FoundHosted<'a>> {
        if let Some(found) = self.0.get(&(namespace, name)) {
            return Some(*found);
        }
        if !namespace.is_empty() {
            return None;
        }
        let mut namesakes = self.0.iter().filter(|((_, other), _)| *other == name);
        namesakes.next().filter(|_| namesakes.next().is_none()).map(|(_, found)| *found)
    }
}

/// A HostedCluster after applying `new` over `old`: annotations that other clients set on a live one are kept.
///
/// Annotations that `kubectl apply` set before and that `new` no longer has are removed; `apply` records them in an
/// annotation. A live object without that record was not written by `apply`, and keeps all. An object of a file without
/// it is all that its author wrote, so `new` replaces it.
fn applied(old: &HostedCluster, live: bool, new: &HostedCluster) -> HostedCluster {
    let mut applied = new.clone();
    applied.metadata.namespace.clone_from(&old.metadata.namespace);
    applied.metadata.deletion_timestamp.clone_from(&old.metadata.deletion_timestamp);
    applied.status.clone_from(&old.status);
    let annotations = &old.metadata.annotations;
    let recorded = annotations.get(annotation::LAST_APPLIED).map(|json| annotations_in(json));
    if live || recorded.is_some() {
        let applied_before = recorded.unwrap_or_default();
        for (name, value) in annotations.iter().filter(|(name, _)| !applied_before.contains_key(*name)) {
            applied.metadata.annotations.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    applied
}

/// The annotations of an object in JSON; none if it cannot be read, so that all of the old ones are kept.
fn annotations_in(json: &str) -> BTreeMap<String, String> {
    #[derive(Deserialize, Default)]
    struct Head {
        metadata: Metadata,
    }
    #[derive(Deserialize, Default)]
    struct Metadata {
        #[serde(default)]
        annotations: BTreeMap<String, String>,
    }
    serde_json::from_str::<Head>(json).unwrap_or_default().metadata.annotations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosted(namespace: &str, annotations: &[(&str, &str)]) -> HostedCluster {
        let mut hosted = HostedCluster::default();
        hosted.metadata.name = "h".to_owned();
        hosted.metadata.namespace = namespace.to_owned();
        let annotations = annotations.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        hosted.metadata.annotations = annotations.collect();
        hosted
    }

    fn object(namespace: &str) -> Object {
        Object::HostedCluster(hosted(namespace, &[]).into())
    }

    #[test]
    fn an_object_is_found_by_its_namespace_or_by_its_name_alone() {
        let table: [(&[&str], &str, Option<&str>, &str); 5] = [
            (&["a", "b"], "b", Some("b"), "by its namespace"),
            (&["a"], "b", None, "another namespace"),
            (&["a"], "", Some("a"), "the only one"),
            (&["a", "b"], "", None, "one of two"),
            (&[], "a", None, "there is none"),
        ];
        for (there, namespace, expected, reason) in table {
            let objects: Vec<_> = there.iter().map(|namespace| object(namespace)).collect();
            let existing: ExistingHosted<'_> =
                objects.iter().map(|object| Found { object, live: true }).collect();
            let found = existing.find(namespace, "h").map(|found| &*found.hosted.metadata.namespace);
            assert_eq!(found, expected, "{reason}");
        }
    }

    type Annotations<'a> = &'a [(&'a str, &'a str)];

    /// Annotations of an object that is applied over another one.
    struct Case<'a> {
        old: Annotations<'a>,
        live: bool,
        new: Annotations<'a>,
        /// The value of the annotation `x` afterwards.
        expected: Option<&'a str>,
        reason: &'static str,
    }

    const BASE: Case<'_> =
        Case { old: &[("x", "1")], live: true, new: &[], expected: Some("1"), reason: "another owner's" };

    #[test]
    fn annotations_of_other_owners_are_kept() {
        let applied_before = r#"{"metadata":{"annotations":{"x":"1"}}}"#;
        let applied = [("x", "1"), (annotation::LAST_APPLIED, applied_before)];
        // Written by `apply`, without `x`.
        let exported = [("x", "1"), (annotation::LAST_APPLIED, "{}")];
        let table = [
            BASE,
            Case { new: &[("x", "2")], expected: Some("2"), reason: "a new value", ..BASE },
            Case { old: &applied, expected: None, reason: "applied before, and removed", ..BASE },
            Case { old: &exported, live: false, reason: "a cluster's object in a file", ..BASE },
            Case { live: false, expected: None, reason: "the file as it was", ..BASE },
        ];
        for Case { old, live, new, expected, reason } in table {
            let after = super::applied(&hosted("n", old), live, &hosted("", new));
            assert_eq!(after.annotation("x"), expected, "{reason}");
            assert_eq!(after.metadata.namespace, "n", "{reason}");
        }
    }
}
