//! Patches of Kustomize: parts of objects, which only `kustomize build` makes whole.

use serde_json::Value;

use super::{Position, Reading};
use crate::objects::tree::{self, Data, Node};

/// What a patch is called where it is passed over.
pub(super) const PATCH: &str = "a Kustomize patch";

/// Whether an object has a directive of a strategic merge, as only patches have.
pub(super) fn is_patch(object: &Node) -> bool {
    match &object.data {
        Data::Scalar(_) => false,
        Data::List(items) => items.iter().any(is_patch),
        Data::Map(fields) => fields.iter().any(|field| field.name == "$patch" || is_patch(&field.value)),
    }
}

/// The files that a `kustomization.yaml` lists as patches, relative to its folder. None if the text is no YAML.
///
/// Follows `kustomize api/types/kustomization.go` `Kustomization`: `patches`, and before them `patchesJson6902` and
/// `patchesStrategicMerge`, whose items are paths or patches in place.
pub fn patches_of(kustomization: &str) -> Vec<String> {
    let (documents, _) = tree::documents(kustomization);
    let mut paths = Vec::new();
    for document in &documents {
        for list in ["patches", "patchesJson6902", "patchesStrategicMerge"] {
            let Some(Data::List(items)) = document.get(list).map(|list| &list.data) else { continue };
            paths.extend(items.iter().filter_map(path_of).map(str::to_owned));
        }
    }
    paths
}

fn path_of(item: &Node) -> Option<&str> {
    // A patch in place has several lines.
    let path = match &item.data {
        Data::Scalar(Value::String(path)) => path,
        _ => item.text("path")?,
    };
    (!path.contains('\n')).then_some(path)
}

impl Reading {
    /// What is read of a file that is listed as a patch.
    pub fn of_patch(file: &str) -> Self {
        let mut reading = Self { files: 1, ..Self::default() };
        reading.pass_over(file, Position { line: 1, column: 1 }, PATCH);
        reading
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_are_listed_in_three_ways() {
        let table: [(&str, &[&str], &str); 6] = [
            ("resources: [a.yaml]", &[], "resources are objects"),
            ("patches: [{path: p.yaml, target: {kind: Deployment}}]", &["p.yaml"], "by path"),
            ("patches: [{patch: \"- op: remove\\n  path: /spec\"}]", &[], "in place"),
            ("patchesStrategicMerge: [p.yaml, \"spec:\\n  a: b\"]", &["p.yaml"], "by path, and in place"),
            ("patchesJson6902: [{target: {name: a}, path: ../q.yaml}]", &["../q.yaml"], "of JSON"),
            ("patches: {{ x }}", &[], "a template"),
        ];
        for (text, expected, reason) in table {
            assert_eq!(patches_of(text), expected, "{reason}");
        }
    }
}
