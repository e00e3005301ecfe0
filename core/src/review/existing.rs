//! Which object a write meets in a cluster, and what applying the one over the other leaves.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use crate::objects::{HostedCluster, Kind, Object, annotation};

/// The objects that are there, found by kind, namespace and name.
#[derive(Debug, Default)]
pub struct Existing<'a> {
    objects: HashMap<(Kind, &'a str, &'a str), Found<'a>>,
}

/// An object that is there.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// The object.
    pub object: &'a Object,
    /// Whether a cluster has it, and not a file.
    pub live: bool,
}

impl<'a> FromIterator<Found<'a>> for Existing<'a> {
    /// Of two objects with one name the later counts.
    fn from_iter<I: IntoIterator<Item = Found<'a>>>(found: I) -> Self {
        let id = |object: &'a Object| (object.kind(), object.namespace(), object.name());
        Self { objects: found.into_iter().map(|found| (id(found.object), found)).collect() }
    }
}

impl<'a> Existing<'a> {
    /// Puts an object in, in place of one of its name.
    pub fn insert(&mut self, found: Found<'a>) {
        let object = found.object;
        self.objects.insert((object.kind(), object.namespace(), object.name()), found);
    }

    /// The object that `new` would change. One that does not say its namespace is taken for the only one
    /// of its name.
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

/// A HostedCluster as applying `new` leaves it: annotations that others have put on a live one stay on it.
///
/// What `kubectl apply` put on it before and `new` has no more goes away; where that was not written down,
/// `apply` was not the one who wrote the object.
pub fn applied(old: Found<'_>, new: &HostedCluster) -> HostedCluster {
    let mut applied = new.clone();
    let Object::HostedCluster(was) = old.object else { return applied };
    applied.metadata.namespace.clone_from(&was.metadata.namespace);
    applied.metadata.deletion_timestamp.clone_from(&was.metadata.deletion_timestamp);
    let annotations = &was.metadata.annotations;
    let written_down = annotations.get(annotation::LAST_APPLIED).map(|json| names_of(json));
    if old.live || written_down.is_some() {
        let ours = written_down.unwrap_or_default();
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
    fn an_object_is_met_by_its_namespace_or_by_its_name_alone() {
        let table: [(&[&str], &str, Option<&str>, &str); 5] = [
            (&["a", "b"], "b", Some("b"), "named"),
            (&["a"], "b", None, "another's"),
            (&["a"], "", Some("a"), "the only one"),
            (&["a", "b"], "", None, "one of two"),
            (&[], "a", None, "nothing is there"),
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

    #[test]
    fn annotations_of_others_stay() {
        let applied_before = r#"{"metadata":{"annotations":{"x":"1"}}}"#;
        let table: [(Annotations<'_>, bool, Annotations<'_>, Option<&str>, &str); 5] = [
            (&[("x", "1")], true, &[], Some("1"), "somebody's, for all that is known"),
            (&[("x", "1")], true, &[("x", "2")], Some("2"), "a new value"),
            (
                &[("x", "1"), (annotation::LAST_APPLIED, applied_before)],
                true,
                &[],
                None,
                "applied before, and no more",
            ),
            (
                &[("x", "1"), (annotation::LAST_APPLIED, "{}")],
                false,
                &[],
                Some("1"),
                "a cluster's object in a file",
            ),
            (&[("x", "1")], false, &[], None, "the file as it was"),
        ];
        for (old, live, new, expected, reason) in table {
            let object = Object::HostedCluster(hosted("n", old).into());
            let after = applied(Found { object: &object, live }, &hosted("", new));
            assert_eq!(after.annotation("x"), expected, "{reason}");
            assert_eq!(after.metadata.namespace, "n", "{reason}");
        }
    }
}
