//! Which existing object a write changes, and what applying one over the other results in.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use crate::objects::{HostedCluster, Kind, Object, annotation};

/// The existing objects, by kind, namespace and name.
#[derive(Debug, Default)]
pub struct Existing<'a> {
    objects: HashMap<(Kind, &'a str, &'a str), Found<'a>>,
}

/// An existing object.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// The object.
    pub object: &'a Object,
    /// Whether it is in a cluster, not in a file.
    pub live: bool,
}

impl<'a> FromIterator<Found<'a>> for Existing<'a> {
    /// Of two objects with the same name, the later one counts.
    fn from_iter<I: IntoIterator<Item = Found<'a>>>(found: I) -> Self {
        let mut existing = Self::default();
        for found in found {
            existing.insert(found);
        }
        existing
    }
}

impl<'a> Existing<'a> {
    /// Adds an object, or replaces the one of its name.
    pub fn insert(&mut self, found: Found<'a>) {
        let object = found.object;
        self.objects.insert((object.kind(), object.namespace(), object.name()), found);
    }

    /// The object that `new` would change. If `new` has no namespace, it is the only one of its name.
    pub fn met_by(&self, new: &Object) -> Option<Found<'a>> {
        let (kind, namespace, name) = (new.kind(), new.namespace(), new.name());
        if let Some(found) = self.objects.get(&(kind, namespace, name)) {
            return Some(*found);
        }
        if kind != Kind::HostedCluster || !namespace.is_empty() {
            return None;
        }
        let mut same = self.objects.iter().filter(|((k, _, n), _)| (*k, *n) == (kind, name));
        same.next().filter(|_| same.next().is_none()).map(|(_, found)| *found)
    }
}

/// A HostedCluster after applying `new`: annotations that other clients set on a live one are kept.
///
/// Annotations that `kubectl apply` set before and that `new` no longer has are removed. Without its record of what it
/// applied, the object was not written by `apply`.
pub fn applied(old: Found<'_>, new: &HostedCluster) -> HostedCluster {
    let mut applied = new.clone();
    let Object::HostedCluster(was) = old.object else { return applied };
    applied.metadata.namespace.clone_from(&was.metadata.namespace);
    applied.metadata.deletion_timestamp.clone_from(&was.metadata.deletion_timestamp);
    let annotations = &was.metadata.annotations;
    let recorded = annotations.get(annotation::LAST_APPLIED).map(|json| names_of(json));
    if old.live || recorded.is_some() {
        let ours = recorded.unwrap_or_default();
        for (name, value) in annotations.iter().filter(|(name, _)| !ours.contains_key(*name)) {
            applied.metadata.annotations.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    applied
}

/// The annotations of an object in JSON.
fn names_of(json: &str) -> BTreeMap<String, String> {
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
            let existing: Existing<'_> = objects.iter().map(|object| Found { object, live: true }).collect();
            let new = object(namespace);
            let met = existing.met_by(&new).map(|found| found.object.namespace());
            assert_eq!(met, expected, "{reason}");
        }
    }

    type Annotations<'a> = &'a [(&'a str, &'a str)];

    /// An object that is applied over another one.
    struct Case<'a> {
        old: Annotations<'a>,
        live: bool,
        new: Annotations<'a>,
        /// The annotation `x` after it.
        expected: Option<&'a str>,
        reason: &'static str,
    }

    const BASE: Case<'_> =
        Case { old: &[("x", "1")], live: true, new: &[], expected: Some("1"), reason: "another owner's" };

    #[test]
    fn annotations_of_other_owners_are_kept() {
        let applied_before = r#"{"metadata":{"annotations":{"x":"1"}}}"#;
        let applied = [("x", "1"), (annotation::LAST_APPLIED, applied_before)];
        let exported = [("x", "1"), (annotation::LAST_APPLIED, "{}")];
        let table = [
            BASE,
            Case { new: &[("x", "2")], expected: Some("2"), reason: "a new value", ..BASE },
            Case { old: &applied, expected: None, reason: "applied before, and removed", ..BASE },
            Case { old: &exported, live: false, reason: "a cluster's object in a file", ..BASE },
            Case { live: false, expected: None, reason: "the file as it was", ..BASE },
        ];
        for Case { old, live, new, expected, reason } in table {
            let object = Object::HostedCluster(hosted("n", old).into());
            let after = super::applied(Found { object: &object, live }, &hosted("", new));
            assert_eq!(after.annotation("x"), expected, "{reason}");
            assert_eq!(after.metadata.namespace, "n", "{reason}");
        }
    }
}
