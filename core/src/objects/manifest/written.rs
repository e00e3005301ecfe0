//! What a file says of an object beyond the fields that are read.

use super::placeholder::is_placeholder;
use crate::objects::{
    Kind, Object, ObjectId, Origin, UnknownField,
    tree::{Data, Node},
};

/// An object as it is written in a file, for the rules about files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The object, with the kind that was meant.
    pub id: ObjectId,
    /// The kind that was meant.
    pub kind: Kind,
    /// What it was read from.
    pub origin: Origin,
    /// `apiVersion`; empty if it is missing.
    pub api_version: String,
    /// `kind`; it differs from that of `id` if it is misspelt.
    pub kind_name: String,
    /// Whether no API server has this `apiVersion` and `kind`.
    pub is_misnamed: bool,
    /// `metadata.name`.
    pub name: Text,
    /// `metadata.generateName`.
    pub generate_name: Text,
    /// `metadata.namespace`.
    pub namespace: Text,
    /// The fields that the kind does not have, in the order of the document.
    pub unknown_fields: Vec<UnknownField>,
    /// The paths of the values that rules would read, but that are placeholders, in the order of the document.
    pub placeholders: Vec<String>,
    /// Whether it is of an install-config with both lists of mirrors, of which the installer makes no object at all.
    pub has_both_lists: bool,
}

/// A string in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// There is none.
    Missing,
    /// Something else is there, which is an error of its own, or a placeholder.
    Unreadable,
    /// The string.
    Is(String),
}

/// `apiVersion` and `kind` of an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) api_version: &'a str,
    pub(super) kind: &'a str,
    pub(super) is_misnamed: bool,
}

impl Written {
    pub(super) fn new(object: &Object, names: &Names<'_>, node: &Node, unknown: Vec<UnknownField>) -> Self {
        let text = |field: &str| text_of(node, field);
        Self {
            id: object.id(),
            kind: object.kind(),
            origin: Origin::Object,
            api_version: names.api_version.to_owned(),
            kind_name: names.kind.to_owned(),
            name: text("name"),
            is_misnamed: names.is_misnamed,
            generate_name: text("generateName"),
            namespace: text("namespace"),
            unknown_fields: unknown,
            placeholders: Vec::new(),
            has_both_lists: false,
        }
    }
}

/// A string of `metadata`. `null` and the empty string are the same as none, as for an API server.
fn text_of(node: &Node, field: &str) -> Text {
    let Some(metadata) = node.get("metadata").filter(|metadata| !metadata.is_null()) else {
        return Text::Missing;
    };
    if !matches!(metadata.data, Data::Map(_)) {
        return Text::Unreadable;
    }
    match metadata.get(field) {
        Some(value) if !value.is_null() => match metadata.text(field) {
            Some("") => Text::Missing,
            Some(text) if is_placeholder(text) => Text::Unreadable,
            Some(text) => Text::Is(text.to_owned()),
            None => Text::Unreadable,
        },
        _ => Text::Missing,
    }
}
