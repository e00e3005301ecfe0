//! The mirror sets that the installer makes of an `install-config.yaml`.

use serde_json::Value;

use super::unfold::{Head, Part};
use crate::objects::{
    SetKind,
    tree::{Data, Field, Node, Repeat},
};

/// The lists of mirrors, and the set that each becomes.
///
/// Follows `installer pkg/types/installconfig.go` and `pkg/asset/manifests/imagedigestmirrorset.go`.
const LISTS: [(&str, SetKind, &str); 2] = [
    ("imageDigestSources", SetKind::Idms, "image-digest-mirror"),
    ("imageContentSources", SetKind::Icsp, "image-policy"),
];

/// Whether a document without a kind is an `install-config.yaml` with mirrors.
pub(super) fn is_one(api_version: &str, node: &Node) -> bool {
    let is_config = ["baseDomain", "platform"].iter().any(|name| node.get(name).is_some());
    api_version == "v1" && is_config && LISTS.iter().any(|(list, ..)| node.get(list).is_some())
}

/// The mirror sets, whose entries are where the installer's are written.
pub(super) fn sets(node: Node) -> Vec<Part> {
    let Data::Map(fields) = node.data else { return Vec::new() };
    let mut sets = Vec::new();
    for field in fields {
        let list = LISTS.iter().find(|(list, ..)| *list == field.name);
        if let Some((_, kind, name)) = list.filter(|_| !field.value.is_null()) {
            sets.push(Part { node: set(*kind, name, &field), default: Head::default(), is_editable: false });
        }
    }
    sets
}

fn set(kind: SetKind, name: &str, list: &Field) -> Node {
    let (group, version, _) = kind.api();
    let field = |name: &str, value: Node| Field { name: name.to_owned(), value, ..list.clone() };
    let node = |data: Data| Node {
        at: list.at,
        span: list.span.clone(),
        data,
        repeat: Repeat::None,
        has_merge_key: false,
    };
    let text = |text: &str| node(Data::Scalar(Value::from(text)));
    let entries = with_policies(list.value.clone());
    node(Data::Map(vec![
        field("apiVersion", text(&format!("{group}/{version}"))),
        field("kind", text(kind.name())),
        field("metadata", node(Data::Map(vec![field("name", text(name))]))),
        field("spec", node(Data::Map(vec![field(kind.list_field(), entries)]))),
    ]))
}

/// The entries with their policy under the name that it has in an IDMS; the installer calls it `sourcePolicy`.
fn with_policies(mut entries: Node) -> Node {
    let Data::List(items) = &mut entries.data else { return entries };
    for item in items {
        let Data::Map(fields) = &mut item.data else { continue };
        for field in fields.iter_mut().filter(|field| field.name == "sourcePolicy") {
            "mirrorSourcePolicy".clone_into(&mut field.name);
        }
    }
    entries
}
