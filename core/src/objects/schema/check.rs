//! Compares a document with the schema of its kind.

use std::{collections::HashSet, sync::Arc};

use serde_json::Value;

use super::{
    Fields, OTHERS, Scalar, Schema,
    unknown::{UnknownField, converted, join, place_below},
};
use crate::objects::tree::{Data, Field, Node, steps};

/// A value of another type than the schema has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::objects) struct Mistyped {
    /// Its path; empty for the whole document.
    pub(in crate::objects) path: String,
    /// `expected a list, found the number 7`.
    pub(in crate::objects) message: String,
}

/// What does not fit the schema, in the order of the document.
#[derive(Debug, Default)]
pub(in crate::objects) struct Shape {
    pub(in crate::objects) unknown: Vec<UnknownField>,
    pub(in crate::objects) mistyped: Vec<Mistyped>,
}

/// Compares a document with a schema, and marks its unknown fields. A field that is `null` is the same as absent; an
/// item of a list that is `null` has another type.
pub(in crate::objects) fn check(node: &mut Node, schema: &'static Schema) -> Shape {
    let mut shape = Shape::default();
    shape.compare(node, schema, "");
    shape
}

impl Shape {
    fn compare(&mut self, node: &mut Node, schema: &'static Schema, path: &str) {
        let found = describe(node);
        match (schema, &mut node.data) {
            (Schema::Scalar(Scalar::Any), _) => {}
            (Schema::Map(known), Data::Map(fields)) => self.compare_fields(fields, known, path),
            (Schema::List([item]), Data::List(items)) => {
                for (at, node) in items.iter_mut().enumerate() {
                    self.compare(node, item, &format!("{path}[{at}]"));
                }
            }
            (Schema::Scalar(scalar), Data::Scalar(value)) if scalar.accepts(value) => {}
            _ => {
                let message = format!("expected {}, found {found}", expectation(schema));
                self.mistyped.push(Mistyped { path: path.to_owned(), message });
            }
        }
    }

    fn compare_fields(&mut self, fields: &mut [Field], known: &'static Fields, path: &str) {
        // The free names are the same for each unknown field of the map.
        let mut free = None;
        for at in 0..fields.len() {
            let name = fields[at].name.clone();
            let (parent, path) = (path, join(path, &name));
            if let Some(schema) = known.get(&name).or_else(|| known.get(OTHERS)) {
                let value = &mut fields[at].value;
                if !matches!(value.data, Data::Scalar(Value::Null)) {
                    self.compare(value, schema, &path);
                }
                continue;
            }
            let free = free.get_or_insert_with(|| free_names(fields, known));
            let free = Arc::clone(free);
            let is_list = matches!(fields[at].value.data, Data::List(_));
            fields[at].is_unknown = true;
            let belongs_to = place_below(known, parent, &name);
            let there = fields.iter().map(|field| &*field.name).filter(|name| known.contains_key(*name));
            let field = UnknownField::new(path, name, is_list, free).beside(there);
            let meant = field.meant.and_then(|meant| known.get(meant));
            let meant_value = meant.and_then(|schema| converted(&fields[at].value, schema));
            let misfit = match (meant, &meant_value) {
                (Some(schema), None) => misfit(&fields[at].value, schema),
                _ => None,
            };
            self.unknown.push(UnknownField { meant_value, misfit, belongs_to, ..field });
        }
    }
}

/// Why a value does not have the type of a schema; `None` if it has.
fn misfit(node: &Node, schema: &'static Schema) -> Option<String> {
    if matches!(node.data, Data::Scalar(Value::Null)) {
        return None;
    }
    // The comparison marks fields, which are not to be marked here.
    let shape = check(&mut node.clone(), schema);
    shape.mistyped.into_iter().next().map(|mistyped| mistyped.message)
}

/// The known names that no field has.
fn free_names(fields: &[Field], known: &'static Fields) -> Arc<[&'static str]> {
    let there: HashSet<&str> = fields.iter().map(|field| &*field.name).collect();
    known.keys().map(String::as_str).filter(|name| !there.contains(name)).collect()
}

impl Scalar {
    pub(super) fn accepts(&self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::String => value.is_string(),
            Self::Integer => value.as_f64().is_some_and(|number| number.fract() == 0.0),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::OneOf(values) => value.as_str().is_some_and(|text| values.iter().any(|one| one == text)),
        }
    }
}

fn expectation(schema: &Schema) -> String {
    match schema {
        Schema::Map(_) => "a map".to_owned(),
        Schema::List(_) => "a list".to_owned(),
        Schema::Scalar(Scalar::OneOf(values)) => values.join(" or "),
        Schema::Scalar(Scalar::String) => "a string".to_owned(),
        Schema::Scalar(Scalar::Integer) => "a whole number".to_owned(),
        Schema::Scalar(Scalar::Number) => "a number".to_owned(),
        Schema::Scalar(Scalar::Boolean) => "true or false".to_owned(),
        Schema::Scalar(Scalar::Any) => "a value".to_owned(),
    }
}

fn describe(node: &Node) -> String {
    match &node.data {
        Data::List(_) => "a list".to_owned(),
        Data::Map(_) => "a map".to_owned(),
        Data::Scalar(Value::Null) => "nothing".to_owned(),
        Data::Scalar(Value::Bool(value)) => value.to_string(),
        Data::Scalar(Value::Number(value)) => format!("the number {value}"),
        Data::Scalar(value) => value.to_string(),
    }
}

/// The document without its unknown fields, as an API server keeps it, and with an empty value of the expected type for
/// each value that cannot be read, at these paths, so that the rest of it can be read and every index stays what it is.
pub(in crate::objects) fn neutralized<'p>(
    node: &Node,
    schema: &Schema,
    unreadable: impl IntoIterator<Item = &'p str>,
) -> Node {
    let mut neutral = node.clone();
    drop_unknown(&mut neutral);
    for path in unreadable {
        let (mut at, mut schema, mut is_named) = (Some(&mut neutral), Some(schema), true);
        for step in steps(path) {
            is_named = schema.is_none_or(|schema| schema.names(step));
            at = at.and_then(|node| node.child_mut(step));
            schema = schema.and_then(|schema| schema.child(step));
        }
        if let (Some(node), Some(schema)) = (at, schema) {
            // An annotation, whose name is not one of the schema, must not become an empty one, which may have a
            // meaning: as `null` it is left out when the object is read.
            node.data = if is_named { schema.empty() } else { Data::Scalar(Value::Null) };
        }
    }
    neutral
}

fn drop_unknown(node: &mut Node) {
    match &mut node.data {
        Data::Scalar(_) => {}
        Data::List(items) => items.iter_mut().for_each(drop_unknown),
        Data::Map(fields) => {
            fields.retain(|field| !field.is_unknown);
            for field in fields {
                drop_unknown(&mut field.value);
            }
        }
    }
}

impl Schema {
    fn child(&self, step: &str) -> Option<&Self> {
        match self {
            Self::List([item]) => Some(item),
            Self::Map(fields) => fields.get(step).or_else(|| fields.get(OTHERS)),
            Self::Scalar(_) => None,
        }
    }

    /// Whether a step is a field by its own name, or an item of a list; not a field that only [`OTHERS`] allows.
    fn names(&self, step: &str) -> bool {
        !matches!(self, Self::Map(fields) if !fields.contains_key(step))
    }

    /// The value that stands for one of another type. There is no empty number, truth value or one of an enumeration:
    /// they are absent.
    fn empty(&self) -> Data {
        match self {
            Self::List(_) => Data::List(Vec::new()),
            Self::Map(_) => Data::Map(Vec::new()),
            Self::Scalar(Scalar::String) => Data::Scalar(Value::String(String::new())),
            Self::Scalar(_) => Data::Scalar(Value::Null),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::{Kind, SetKind, schema, tree};

    /// The paths of unknown fields, then paths and messages of values of another type.
    fn shape(kind: Kind, text: &str) -> (Vec<String>, Vec<(String, String)>) {
        let mut node = tree::documents(text).0.remove(0);
        let Shape { unknown, mistyped } = check(&mut node, schema::of(kind).unwrap());
        let mistyped = mistyped.into_iter().map(|value| (value.path, value.message));
        (unknown.into_iter().map(|field| field.path).collect(), mistyped.collect())
    }

    const SET: Kind = Kind::Set(SetKind::Idms);

    #[test]
    fn fields_that_a_kind_does_not_have_are_found() {
        let hosted = Kind::HostedCluster;
        // A document, and the path of its unknown field.
        let table = [
            (SET, "spec: {imageDigestMirrors: []}", None, "the list of the kind"),
            (
                SET,
                "spec: {repositoryDigestMirrors: []}",
                Some("spec.repositoryDigestMirrors"),
                "of another kind",
            ),
            (
                SET,
                "spec: {imageDigestMirrors: [{a: 1}]}",
                Some("spec.imageDigestMirrors[0].a"),
                "in an entry",
            ),
            (SET, "specs: {}", Some("specs"), "at the top"),
            (SET, "metadata: {anotations: {}}", Some("metadata.anotations"), "in the metadata"),
            (SET, "metadata: {annotations: {a.b/c: d}}", None, "an annotation has any name"),
            (SET, "a.b/c: d", Some("[a.b/c]"), "a name with dots"),
            (SET, "status: {a: 1}", None, "the status is not applied"),
            (hosted, "spec: {labels: {a: b}}", None, "a map with any names"),
            (hosted, "spec: {release: {img: a}}", Some("spec.release.img"), "nested"),
        ];
        for (kind, text, expected, reason) in table {
            assert_eq!(
                shape(kind, text),
                (expected.map(str::to_owned).into_iter().collect(), vec![]),
                "{reason}"
            );
        }
    }

    /// The only snapshot of these texts.
    #[test]
    fn values_of_other_types_are_found() {
        let table = [
            ("spec: []", "spec", "expected a map, found a list"),
            (
                "spec: {imageDigestMirrors: 7}",
                "spec.imageDigestMirrors",
                "expected a list, found the number 7",
            ),
            (
                "spec: {imageDigestMirrors: [[a]]}",
                "spec.imageDigestMirrors[0]",
                "expected a map, found a list",
            ),
            (
                "spec: {imageDigestMirrors: [{mirrors: [m, 1.5]}]}",
                "spec.imageDigestMirrors[0].mirrors[1]",
                "expected a string, found the number 1.5",
            ),
            (
                "spec: {imageDigestMirrors: [{mirrors: [~]}]}",
                "spec.imageDigestMirrors[0].mirrors[0]",
                "expected a string, found nothing",
            ),
            (
                "spec: {imageDigestMirrors: [{mirrorSourcePolicy: Never}]}",
                "spec.imageDigestMirrors[0].mirrorSourcePolicy",
                "expected NeverContactSource or AllowContactingSource, found \"Never\"",
            ),
            ("metadata: [a]", "metadata", "expected a map, found a list"),
            ("metadata: {generation: a}", "metadata.generation", "expected a whole number, found \"a\""),
            ("metadata: {labels: {a: true}}", "metadata.labels.a", "expected a string, found true"),
        ];
        for (text, path, message) in table {
            let expected = vec![(path.to_owned(), message.to_owned())];
            assert_eq!(shape(SET, text), (vec![], expected), "{text}");
        }
    }

    #[test]
    fn nothing_in_a_field_is_the_same_as_no_field() {
        let text = "metadata: {name: a, labels: }\nspec: {imageDigestMirrors: [{source: q, mirrors: ~}]}";
        assert_eq!(shape(SET, text), (vec![], vec![]));
    }

    #[test]
    fn the_rest_of_a_document_stays_readable() {
        let text =
            "spec: {imageDigestMirrors: [7, {source: 8, mirrors: [m, 9], mirrorSourcePolicy: N, a: [7]}]}";
        let schema = schema::of(SET).unwrap();
        let mut node = tree::documents(text).0.remove(0);
        let mistyped = check(&mut node, schema).mistyped;
        let expected = serde_json::json!({"spec": {"imageDigestMirrors": [
            {}, {"source": "", "mirrors": ["m", ""], "mirrorSourcePolicy": null},
        ]}});
        let paths = mistyped.iter().map(|mistyped| &*mistyped.path);
        assert_eq!(neutralized(&node, schema, paths).to_json(), expected);
    }
}
