//! Merge keys: `<<` brings the fields of other maps into a map.
//!
//! Follows <https://yaml.org/type/merge.html>, which the YAML reader of kubectl supports too.

use std::collections::HashSet;

use super::{Data, Failure, Field};

/// The fields of a map, with those of its merge key instead of the key. The map's own fields win, then those of the
/// first map that has them. Merged fields have the positions of where they are written.
///
/// `names` are the names of `fields`. The second part of the answer is whether there is a merge key.
pub(super) fn fields(
    text: &str,
    mut fields: Vec<Field>,
    mut names: HashSet<String>,
) -> Result<(Vec<Field>, bool), Failure> {
    let Some(key) = fields.iter().position(|field| is_merge_key(text, field)) else {
        return Ok((fields, false));
    };
    let Field { at, value, .. } = fields.remove(key);
    let maps = match value.data {
        Data::Map(merged) => vec![merged],
        Data::List(items) => {
            let maps = items.into_iter().map(|item| match item.data {
                Data::Map(merged) => Ok(merged),
                Data::List(_) | Data::Scalar(_) => Err((item.at, EXPECTED.to_owned())),
            });
            maps.collect::<Result<_, _>>()?
        }
        Data::Scalar(_) => return Err((at, EXPECTED.to_owned())),
    };
    let merged = maps.into_iter().flatten().filter(|field| names.insert(field.name.clone()));
    fields.extend(merged.map(|field| Field { is_merged: true, ..field }));
    Ok((fields, true))
}

const EXPECTED: &str = "expected a map, or a list of maps, for the merge key <<";

/// Whether the name is `<<` without quotes.
fn is_merge_key(text: &str, field: &Field) -> bool {
    field.name == "<<" && text[field.span.clone()].trim_end() == "<<"
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::objects::tree::{Position, documents};

    fn read(text: &str) -> Result<Value, (Position, String)> {
        let (documents, failure) = documents(text);
        failure
            .map_or_else(|| Ok(documents[0].get("x").map_or(Value::Null, super::super::Node::to_json)), Err)
    }

    #[test]
    fn a_merge_key_brings_in_the_fields_of_other_maps() {
        let table = [
            ("a: &a {p: 1, q: 2}\nx: {<<: *a}", json!({"p": 1, "q": 2}), "a map"),
            ("a: &a {p: 1, q: 2}\nx: {<<: *a, q: 3}", json!({"p": 1, "q": 3}), "a field of its own after it"),
            (
                "a: &a {p: 1, q: 2}\nx: {q: 3, <<: *a}",
                json!({"p": 1, "q": 3}),
                "a field of its own before it",
            ),
            (
                "a: &a {p: 1}\nb: &b {p: 2, q: 2}\nx: {<<: [*a, *b]}",
                json!({"p": 1, "q": 2}),
                "the first of a list",
            ),
            (
                "a: &a {p: 1}\nb: &b {<<: *a, q: 2}\nx: {<<: *b}",
                json!({"p": 1, "q": 2}),
                "a map that merges another",
            ),
            ("x: {<<: {p: 1}, q: 2}", json!({"p": 1, "q": 2}), "a map without an anchor"),
            ("x: {\"<<\": 1}", json!({"<<": 1}), "a name in quotes"),
        ];
        for (text, expected, reason) in table {
            assert_eq!(read(text), Ok(expected), "{reason}: {text}");
        }
    }

    #[test]
    fn anything_else_than_maps_is_an_error() {
        let table = [
            ("x: {<<: 1}", (1, 5), "a number"),
            ("x: {<<: }", (1, 5), "nothing"),
            ("a: &a {p: 1}\nx: {<<: [*a, q]}", (2, 14), "a string in the list"),
        ];
        for (text, (line, column), reason) in table {
            assert_eq!(read(text).unwrap_err().0, Position { line, column }, "{reason}");
        }
    }

    #[test]
    fn merged_fields_are_where_they_are_written() {
        let (documents, _) = documents("list:\n- &a\n  p: 1\n  q: 2\n- <<: *a\n  q: 3\n");
        let positions = ["p", "q"].map(|name| documents[0].nearest(&format!("list[1].{name}")).at.line);
        assert_eq!(positions, [3, 6]);
    }
}
