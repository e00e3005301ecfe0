//! A mirror set with everything that its author wrote, and where.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::objects::{MirrorSet, Object, annotation, manifest::Located, scope::names_registry};

/// Metadata that has a meaning and cannot be copied, and why.
const LEFT_BEHIND: [(&str, &str); 2] = [
    ("ownerReferences", "set the owner of the new object yourself"),
    ("finalizers", "the controller that set it does not know the new object"),
];

/// A mirror set as its author wrote it: without what the API server adds to an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Kind, name and entries.
    pub set: MirrorSet,
    /// `metadata.labels`.
    pub labels: Map<String, Value>,
    /// `metadata.annotations`, without the one that `kubectl apply` keeps there.
    pub annotations: Map<String, Value>,
    /// Metadata that is not copied although it has a meaning, and why.
    pub left_behind: Vec<(&'static str, &'static str)>,
    /// Where it was read.
    pub origin: Origin,
}

/// Where an object and its entries were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In a file.
    File {
        /// As the user named it.
        name: String,
        /// Line of the object's name.
        line: usize,
        /// Line of each entry.
        entries: Vec<usize>,
    },
    /// In the cluster.
    Cluster,
    /// Nowhere: it is a result.
    New,
}

impl Document {
    /// A mirror set of a file; `None` for an object of another kind.
    pub fn of_file(located: &Located) -> Option<Self> {
        let Object::MirrorSet(set) = &located.object else { return None };
        let entries =
            (0..set.entries.len()).map(|at| located.position(&set.field_path(at, "source")).line).collect();
        let line = located.position("metadata.name").line;
        let origin = Origin::File { name: located.source.name.clone(), line, entries };
        Some(Self::new(MirrorSet::clone(set), &located.metadata(), origin))
    }

    /// A mirror set with its metadata as it was read. What is not known to be the author's is dropped.
    pub fn new(set: MirrorSet, metadata: &Map<String, Value>, origin: Origin) -> Self {
        let mut annotations = map_of(metadata, "annotations");
        annotations.remove(annotation::LAST_APPLIED);
        let left_behind = LEFT_BEHIND.into_iter().filter(|(field, _)| has_values(metadata, field)).collect();
        Self { set, labels: map_of(metadata, "labels"), annotations, left_behind, origin }
    }

    /// The object to write.
    pub fn to_json(&self) -> Value {
        let mut object = serde_json::to_value(&self.set).unwrap_or_default();
        for (field, values) in [("labels", &self.labels), ("annotations", &self.annotations)] {
            if !values.is_empty() {
                object["metadata"][field] = Value::Object(values.clone());
            }
        }
        object
    }

    /// The notes about the metadata that is not copied.
    pub(super) fn left_behind_notes(&self) -> impl Iterator<Item = String> {
        self.left_behind
            .iter()
            .map(|(field, why)| format!("metadata.{field} of {} is not copied: {why}", self.place()))
    }

    /// The note about the mirrors that have no registry host, which are written as they are: the first one, and the
    /// number of the others.
    pub(super) fn unqualified_mirrors_note(&self) -> Option<String> {
        let mirrors = self
            .set
            .entries
            .iter()
            .enumerate()
            .flat_map(|(at, entry)| entry.real_mirrors().map(move |(_, mirror)| (at, mirror)));
        let mut unqualified = mirrors.filter(|(_, mirror)| !names_registry(mirror));
        let (at, mirror) = unqualified.next()?;
        let have = match unqualified.count() {
            0 => "has".to_owned(),
            more => format!("and {more} more of the set have"),
        };
        Some(format!(
            "mirror \"{mirror}\" in {} {have} no registry host: every pull of such a source fails",
            self.entry_place(at)
        ))
    }

    /// Name of a file that holds this object alone. It depends on kind and name only, so that a second run names the
    /// same files.
    pub fn file_name(&self) -> String {
        format!("{}-{}.yaml", self.set.kind.name().to_lowercase(), self.set.name)
    }

    /// `Kind/name in file:line`.
    pub fn place(&self) -> String {
        format!("{} in {}", self.set.id(), self.origin.place())
    }

    /// `Kind/name in file:line` for one of its entries.
    pub fn entry_place(&self, entry: usize) -> String {
        format!("{} in {}", self.set.id(), self.origin.entry_place(entry))
    }

    /// The problem with its name, where the API server rejects it: such a name must not become part of a file name or
    /// of a command.
    pub(super) fn name_problem(&self) -> Option<Problem> {
        let name = &*self.set.name;
        if is_object_name(name) {
            return None;
        }
        let kind = self.set.kind.name();
        Some(Problem {
            what: format!("the API server rejects \"{name}\" as the name of an {kind}"),
            places: vec![self.place()],
            fix: "use only lower-case letters, digits, \"-\" and \".\" in metadata.name; generateName is not supported"
                .to_owned(),
        })
    }
}

fn map_of(metadata: &Map<String, Value>, field: &str) -> Map<String, Value> {
    metadata.get(field).and_then(Value::as_object).cloned().unwrap_or_default()
}

fn has_values(metadata: &Map<String, Value>, field: &str) -> bool {
    metadata.get(field).and_then(Value::as_array).is_some_and(|values| !values.is_empty())
}

/// Whether it is a DNS subdomain, as the names of most objects are.
fn is_object_name(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_dns_label)
}

fn is_dns_label(label: &str) -> bool {
    !label.is_empty()
        && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

impl Origin {
    /// The place of the object.
    pub fn place(&self) -> String {
        match self {
            Self::File { name, line, .. } => format!("{name}:{line}"),
            Self::Cluster => "the cluster".to_owned(),
            Self::New => "the result".to_owned(),
        }
    }

    /// The place of one of its entries.
    pub fn entry_place(&self, entry: usize) -> String {
        match self {
            Self::File { name, line, entries } => format!("{name}:{}", entries.get(entry).unwrap_or(line)),
            Self::Cluster | Self::New => format!("{}, entry {entry}", self.place()),
        }
    }
}

/// Why nothing is written: something that could mean two things, or that the result cannot express.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What is wrong.
    pub what: String,
    /// The places of it, `Kind/name in file:line`.
    pub places: Vec<String>,
    /// How to fix it.
    pub fix: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::objects::manifest;

    const FROM_A_CLUSTER: &str = r#"
apiVersion: operator.openshift.io/v1alpha1
kind: ImageContentSourcePolicy
metadata:
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: "{}"
    lab.example/why: tests
  creationTimestamp: "2026-04-14T09:30:12Z"
  finalizers: [lab.example/hold]
  generation: 3
  labels: {site: lab}
  managedFields: [{manager: kubectl, operation: Update}]
  name: a
  ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: o, uid: "1"}]
  resourceVersion: "17"
  selfLink: /apis/a
  uid: 5e0f
spec:
  repositoryDigestMirrors:
  - mirrors: [m.lab/b, m.lab/a]
    source: quay.io/b
  - source: quay.io/a
status: {}
"#;

    fn document() -> Document {
        Document::of_file(&manifest::read("a.yaml", FROM_A_CLUSTER.to_owned()).objects[0]).unwrap()
    }

    #[test]
    fn fields_of_the_server_are_dropped_and_the_rest_is_kept_in_order() {
        let expected = json!({
            "apiVersion": "operator.openshift.io/v1alpha1",
            "kind": "ImageContentSourcePolicy",
            "metadata": {"name": "a", "labels": {"site": "lab"}, "annotations": {"lab.example/why": "tests"}},
            "spec": {"repositoryDigestMirrors": [
                {"source": "quay.io/b", "mirrors": ["m.lab/b", "m.lab/a"]},
                {"source": "quay.io/a"},
            ]},
        });
        assert_eq!(document().to_json(), expected);
    }

    #[test]
    fn metadata_that_is_not_copied_is_listed() {
        let fields: Vec<_> = document().left_behind.into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["ownerReferences", "finalizers"]);
    }

    #[test]
    fn objects_and_entries_have_their_lines() {
        let document = document();
        assert_eq!(document.place(), "ImageContentSourcePolicy/a in a.yaml:13");
        assert_eq!(document.entry_place(1), "ImageContentSourcePolicy/a in a.yaml:22");
    }

    #[test]
    fn an_invalid_name_never_becomes_a_path() {
        let table = [
            ("release-0", true, "a name of oc-mirror"),
            ("a.b", true, "a subdomain"),
            ("", false, "an empty name"),
            ("a-", false, "generateName"),
            ("../a", false, "a path"),
            ("a/b", false, "a path"),
            ("A", false, "an upper-case letter"),
            ("a b", false, "two words of a command"),
            ("..", false, "the folder above"),
        ];
        for (name, expected, reason) in table {
            assert_eq!(is_object_name(name), expected, "{name}: {reason}");
        }
    }
}
