//! Which existing HostedCluster a write changes, and what applying one over the other results in.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
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

/// The existing HostedClusters, by name and namespace.
#[derive(Debug, Default)]
pub(super) struct ExistingHosted(HashMap<String, BTreeMap<String, FoundHosted>>);

#[derive(Debug)]
struct FoundHosted {
    hosted: Arc<HostedCluster>,
    /// The annotations that `kubectl apply` set, where other clients may have set more. `None` if only the author of its
    /// file has set any: then the next write replaces all of them.
    applied: Option<BTreeSet<String>>,
}

impl<'a> FromIterator<Found<'a>> for ExistingHosted {
    /// Of two objects with the same name, the later one counts; objects of other kinds are ignored.
    fn from_iter<I: IntoIterator<Item = Found<'a>>>(found: I) -> Self {
        let mut existing = Self::default();
        for Found { object, live } in found {
            if let Object::HostedCluster(hosted) = object {
                existing.insert(FoundHosted {
                    hosted: Arc::clone(hosted),
                    applied: applied_annotations(hosted, live),
                });
            }
        }
        existing
    }
}

impl ExistingHosted {
    fn insert(&mut self, found: FoundHosted) {
        let metadata = &found.hosted.metadata;
        let (namespace, name) = (metadata.namespace.clone(), metadata.name.clone());
        self.0.entry(name).or_default().insert(namespace, found);
    }

    /// What applying `new` does: it changes the HostedCluster of its name, or creates one.
    pub(super) fn operation(&self, new: &Arc<HostedCluster>) -> Operation<Arc<HostedCluster>> {
        match self.find(&new.metadata.namespace, &new.metadata.name) {
            Some(found) => Operation::Update { old: Arc::clone(&found.hosted), new: found.apply(new).into() },
            None => Operation::Create(Arc::clone(new)),
        }
    }

    /// Records that a write of `new` was applied, and what it resulted in.
    pub(super) fn record(&mut self, new: &HostedCluster, result: Arc<HostedCluster>) {
        let before = self.find(&new.metadata.namespace, &new.metadata.name);
        let has_other_clients = before.is_some_and(|before| before.applied.is_some());
        let applied = has_other_clients.then(|| new.metadata.annotations.keys().cloned().collect());
        self.insert(FoundHosted { hosted: result, applied });
    }

    /// The HostedCluster of a namespace and name. A file may leave the namespace to `kubectl`: then it is the one of
    /// its name, if there is only one.
    fn find(&self, namespace: &str, name: &str) -> Option<&FoundHosted> {
        let namesakes = self.0.get(name)?;
        let only = || namesakes.values().next().filter(|_| namespace.is_empty() && namesakes.len() == 1);
        namesakes.get(namespace).or_else(only)
    }
}

impl FoundHosted {
    /// The HostedCluster after applying `new` over it: annotations that other clients set are kept, and those that
    /// `kubectl apply` set before and that `new` no longer has are removed. The spec is that of `new`: its other writers
    /// set nothing that rules read.
    fn apply(&self, new: &HostedCluster) -> HostedCluster {
        let old = &*self.hosted;
        let mut result = new.clone();
        result.metadata.namespace.clone_from(&old.metadata.namespace);
        result.metadata.deletion_timestamp.clone_from(&old.metadata.deletion_timestamp);
        result.status.clone_from(&old.status);
        let Some(applied) = &self.applied else { return result };
        for (name, value) in old.metadata.annotations.iter().filter(|(name, _)| !applied.contains(*name)) {
            result.metadata.annotations.entry(name.clone()).or_insert_with(|| value.clone());
        }
        result
    }
}

/// The annotations that `kubectl apply` set on an object, of which it keeps a record in another annotation. A live
/// object without that record was not written by `apply`, which then removes none. If an object of a file has no
/// record, only its author has set annotations: `None`.
fn applied_annotations(hosted: &HostedCluster, live: bool) -> Option<BTreeSet<String>> {
    match hosted.metadata.annotations.get(annotation::LAST_APPLIED) {
        Some(record) => Some(annotations_in(record).into_keys().collect()),
        None => live.then(BTreeSet::new),
    }
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
            let existing: ExistingHosted =
                objects.iter().map(|object| Found { object, live: true }).collect();
            let found = existing.find(namespace, "h").map(|found| &*found.hosted.metadata.namespace);
            assert_eq!(found, expected, "{reason}");
        }
    }

    #[test]
    fn an_annotation_of_an_earlier_write_is_removed_by_a_later_one() {
        let applied_before = r#"{"metadata":{"annotations":{}}}"#;
        let other = [("other", "1")];
        let recorded = [("other", "1"), (annotation::LAST_APPLIED, applied_before)];
        // What is there and whether it is live, and whether the annotation `other` is kept.
        let table = [
            (Some((&other[..], true)), true, "live"),
            (Some((&recorded, false)), true, "a cluster's object in a file"),
            (Some((&other, false)), false, "a file, which the first write replaces"),
            (None, false, "the first write creates it"),
        ];
        for (there, keeps_other, reason) in table {
            let there = there
                .map(|(annotations, live)| (Object::HostedCluster(hosted("n", annotations).into()), live));
            let found = there.iter().map(|(object, live)| Found { object, live: *live });
            let mut existing: ExistingHosted = found.collect();
            for (annotations, expected) in [(&[("x", "1")][..], Some("1")), (&[], None)] {
                let new = Arc::new(hosted("n", annotations));
                let operation = existing.operation(&new);
                let after = Arc::clone(operation.object());
                assert_eq!(after.annotation("x"), expected, "{reason}");
                assert_eq!(after.annotation("other").is_some(), keeps_other, "{reason}");
                existing.record(&new, after);
            }
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
            let old = Arc::new(hosted("n", old));
            let applied = applied_annotations(&old, live);
            let after = FoundHosted { hosted: old, applied }.apply(&hosted("", new));
            assert_eq!(after.annotation("x"), expected, "{reason}");
            assert_eq!(after.metadata.namespace, "n", "{reason}");
        }
    }
}
