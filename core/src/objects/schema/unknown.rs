//! A field that a kind does not have, and the one that was meant.

use std::sync::Arc;

use serde_json::Value;
use strsim::osa_distance;

use super::{Fields, Scalar, Schema};
use crate::{
    objects::tree::{Data, Node},
    suggest::closest,
};

/// A field that a kind does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownField {
    /// Its path, `spec.repositoryDigestMirrors`.
    pub path: String,
    /// Its name.
    pub name: String,
    /// Whether its value is a list.
    pub is_list: bool,
    /// The names that its map may have and does not have yet.
    pub free: Arc<[&'static str]>,
    /// The one of them that it is a misspelling of.
    pub meant: Option<&'static str>,
    /// A field of its map that the kind has, and whose name it is a misspelling of.
    pub twin: Option<String>,
    /// The value that this one needs, if it is a single string and the needed one a list, or the other way round.
    pub meant_value: Option<Value>,
    /// Why the value, which is not rewritten, cannot be that of `meant`: `expected a list, found a map`.
    pub misfit: Option<String>,
    /// The path where the kind has a field of this name, directly below another field of the same map:
    /// `spec.imageDigestMirrors` for `imageDigestMirrors`.
    pub belongs_to: Option<String>,
}

impl UnknownField {
    /// A field in a map of which these names are free.
    pub(in crate::objects) fn new(
        path: String,
        name: String,
        is_list: bool,
        free: Arc<[&'static str]>,
    ) -> Self {
        let meant = misspelling_of(&name, &free);
        Self {
            path,
            name,
            is_list,
            free,
            meant,
            twin: None,
            meant_value: None,
            misfit: None,
            belongs_to: None,
        }
    }

    /// With the field that it is a misspelling of, if that is one of these, which its map has already.
    pub(in crate::objects) fn beside<'n>(self, there: impl IntoIterator<Item = &'n str>) -> Self {
        let twin = closest(&self.name, there).filter(|twin| is_misspelt(&self.name, twin));
        let twin = twin.filter(|_| self.meant.is_none()).map(str::to_owned);
        Self { twin, ..self }
    }

    /// The path of the source or mirrors that it is a misspelling of: their value is not known, and that they are
    /// missing is no other fault. `None` for a misspelt policy: the entry still has its mirrors, and they count.
    pub(in crate::objects) fn meant_path(&self) -> Option<String> {
        let meant = self.meant.filter(|meant| ["source", "mirrors"].contains(meant))?;
        let parent = self.path.strip_suffix(&*self.name)?;
        Some(format!("{parent}{meant}"))
    }
}

/// A single string as a list, of several items if it has commas, or the only string of a list, where a field of this type
/// needs it.
pub(super) fn converted(node: &Node, schema: &Schema) -> Option<Value> {
    match (schema, &node.data) {
        (Schema::List([item]), Data::Scalar(value)) if accepts(item, value) => {
            Some(Value::Array(items_of(value)))
        }
        (Schema::Scalar(_), Data::List(items)) => match &**items {
            [Node { data: Data::Scalar(value), .. }] if accepts(schema, value) => Some(value.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// The items that a string in the place of a list was meant to have: those between its commas.
fn items_of(value: &Value) -> Vec<Value> {
    let parts = value.as_str().unwrap_or_default().split(',').map(str::trim);
    let parts: Vec<_> = parts.filter(|part| !part.is_empty()).map(Value::from).collect();
    if parts.is_empty() { vec![value.clone()] } else { parts }
}

fn accepts(schema: &Schema, value: &Value) -> bool {
    matches!(schema, Schema::Scalar(scalar @ (Scalar::String | Scalar::OneOf(_))) if scalar.accepts(value))
}

/// Whether at most a third of the letters differ: names of fields have words in common, which [`closest`] alone would
/// take for misspellings of each other.
fn is_misspelt(name: &str, meant: &str) -> bool {
    let letters = osa_distance(&name.to_ascii_lowercase(), &meant.to_ascii_lowercase());
    3 * letters <= name.len().max(meant.len())
}

fn misspelling_of(name: &str, free: &[&'static str]) -> Option<&'static str> {
    closest(name, free.iter().copied()).filter(|meant| is_misspelt(name, meant))
}

/// The path of a field of this name below one of the fields of a map.
pub(super) fn place_below(known: &'static Fields, path: &str, name: &str) -> Option<String> {
    let has_field =
        |(_, below): &(&String, &Schema)| matches!(below, Schema::Map(fields) if fields.contains_key(name));
    let (parent, _) = known.iter().find(has_field)?;
    Some(join(&join(path, parent), name))
}

/// The path of a field of a map. A name with other characters than those of a field is in brackets.
pub(in crate::objects) fn join(path: &str, name: &str) -> String {
    match path {
        _ if name.contains(['.', '[', ']', '/']) => format!("{path}[{name}]"),
        "" => name.to_owned(),
        _ => format!("{path}.{name}"),
    }
}
