//! A mirror set with everything its author wrote, and where.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::objects::{Entry, MirrorSet, Object, annotation, manifest::Located};

/// Metadata that has a meaning and cannot be taken along, and why.
const LEFT_BEHIND: [(&str, &str); 2] = [
    ("ownerReferences", "they are about the old object; its owner has to own the new one by itself"),
    ("finalizers", "they hold the old object, and who set them knows nothing of the new one"),
];

/// A mirror set as its author meant it: without what the server adds to an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Kind, name and entries.
    pub set: MirrorSet,
    /// `metadata.labels`.
    pub labels: Map<String, Value>,
    /// `metadata.annotations`, without what `kubectl apply` remembers there.
    pub annotations: Map<String, Value>,
    /// Metadata that is not taken along although it has a meaning, and why.
    pub left_behind: Vec<(&'static str, &'static str)>,
    /// Where it stands.
    pub origin: Origin,
}

/// Where an object and its entries stand.
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
    /// In the cluster that was asked.
    Cluster,
    /// Nowhere yet.
    New,
}

impl Document {
    /// A mirror set of a file; `None` for an object of another kind.
    pub fn of_file(located: &Located) -> Option<Self> {
        let Object::MirrorSet(set) = &located.object else { return None };
        let line = |path: &str| located.position(path).line;
        let entries = (0..set.entries.len()).map(|at| line(&set.field_path(at, "source"))).collect();
        let origin = Origin::File { name: located.source.name.clone(), line: line("metadata.name"), entries };
        Some(Self::new(MirrorSet::clone(set), &located.metadata(), origin))
    }

    /// A mirror set with its metadata as it was read. What is not known to be the author's is dropped.
    pub fn new(set: MirrorSet, metadata: &Map<String, Value>, origin: Origin) -> Self {
        let map = |field| metadata.get(field).and_then(Value::as_object).cloned().unwrap_or_default();
        let mut annotations = map("annotations");
        annotations.remove(annotation::LAST_APPLIED);
        let is_there =
            |field: &str| metadata.get(field).and_then(Value::as_array).is_some_and(|l| !l.is_empty());
        let left_behind = LEFT_BEHIND.into_iter().filter(|(field, _)| is_there(field)).collect();
        Self { set, labels: map("labels"), annotations, left_behind, origin }
    }

    /// The object to be written.
    pub fn to_json(&self) -> Value {
        let (group, version, _) = self.set.kind.api();
        let mut metadata = Map::from_iter([("name".to_owned(), Value::from(&*self.set.name))]);
        for (field, values) in [("labels", &self.labels), ("annotations", &self.annotations)] {
            if !values.is_empty() {
                metadata.insert(field.to_owned(), Value::Object(values.clone()));
            }
        }
        let entries: Vec<_> = self.set.entries.iter().map(entry_json).collect();
        json!({
            "apiVersion": format!("{group}/{version}"),
            "kind": self.set.kind.name(),
            "metadata": metadata,
            "spec": {self.set.kind.list_field(): entries},
        })
    }

    /// Name of a file that holds this object alone: the same each time.
    pub fn file_name(&self) -> String {
        format!("{}-{}.yaml", self.set.kind.name().to_lowercase(), self.set.name)
    }

    /// `Kind/name in file:line`.
    pub fn place(&self) -> String {
        format!("{} in {}", self.set.id(), self.origin.object())
    }

    /// `Kind/name in file:line` for one of its entries.
    pub fn entry_place(&self, entry: usize) -> String {
        format!("{} in {}", self.set.id(), self.origin.entry(entry))
    }

    /// What is wrong with its name, where the apiserver would refuse it: a name is also part of a file's
    /// name and of a command.
    pub(super) fn name_problem(&self) -> Option<Problem> {
        let name = &*self.set.name;
        if is_object_name(name) {
            return None;
        }
        let kind = self.set.kind.name();
        Some(Problem {
            what: format!("\"{name}\" is no name that the apiserver accepts for an {kind}"),
            places: vec![self.place()],
            fix:
                "give it a metadata.name of lower-case letters, digits, \"-\" and \".\"; generateName is none"
                    .to_owned(),
        })
    }
}

fn entry_json(entry: &Entry) -> Value {
    let mut json = Map::from_iter([("source".to_owned(), Value::from(&*entry.source))]);
    if !entry.mirrors.is_empty() {
        json.insert("mirrors".to_owned(), entry.mirrors.iter().map(|mirror| &**mirror).collect());
    }
    if let Some(policy) = entry.mirror_source_policy {
        json.insert("mirrorSourcePolicy".to_owned(), policy.name().into());
    }
    Value::Object(json)
}

/// Whether it is a DNS subdomain, as the names of most objects are.
fn is_object_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

impl Origin {
    /// The place of the object.
    pub fn object(&self) -> String {
        match self {
            Self::File { name, line, .. } => format!("{name}:{line}"),
            Self::Cluster => "the cluster".to_owned(),
            Self::New => "the result".to_owned(),
        }
    }

    /// The place of one of its entries.
    pub fn entry(&self, entry: usize) -> String {
        match self {
            Self::File { name, line, entries } => format!("{name}:{}", entries.get(entry).unwrap_or(line)),
            Self::Cluster | Self::New => format!("{}, entry {entry}", self.object()),
        }
    }
}

/// Why nothing is written: something that could mean two things, or that cannot be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What is wrong.
    pub what: String,
    /// Every place that has to do with it, `Kind/name in file:line`.
    pub places: Vec<String>,
    /// How to mend it.
    pub fix: String,
}

#[cfg(test)]
mod tests {
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
    fn what_the_server_added_is_gone_and_the_rest_is_kept_in_its_order() {
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
    fn what_had_a_meaning_is_told() {
        let fields: Vec<_> = document().left_behind.into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["ownerReferences", "finalizers"]);
    }

    #[test]
    fn objects_and_entries_know_their_lines() {
        let document = document();
        assert_eq!(document.place(), "ImageContentSourcePolicy/a in a.yaml:13");
        assert_eq!(document.entry_place(1), "ImageContentSourcePolicy/a in a.yaml:22");
    }

    #[test]
    fn a_name_that_is_no_name_never_becomes_a_path() {
        let table = [
            ("release-0", true, "as oc-mirror names them"),
            ("a.b", true, "a subdomain"),
            ("", false, "no name"),
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
