//! Errors of values in plain words, where the parser describes them by its own types.

use crate::suggest::closest;

/// What is wrong with a value, in plain words. A message that is not the parser's, such as one of
/// [`crate::config`], stays as it is.
pub(crate) fn in_plain_words(message: &str) -> String {
    // The words in backquotes: first what was written, then what is known.
    let mut names = message.split('`').skip(1).step_by(2);
    let first = names.next().unwrap_or_default();
    if message.starts_with("unknown field ") {
        return unknown("key", first, names);
    }
    if message.starts_with("unknown variant ") {
        return unknown("value", first, names);
    }
    if message.starts_with("missing field ") {
        return format!("{first} is required");
    }
    if message.starts_with("duplicate field ") {
        return format!("{first} is set twice");
    }
    // What serde_json says of an enum that is neither a string nor a map, as in `mirrorSourcePolicy: 7`.
    if message == "expected value" {
        return "expected a string".to_owned();
    }
    let mismatch = message.strip_prefix("invalid type: ").or(message.strip_prefix("invalid value: "));
    match mismatch.and_then(|mismatch| mismatch.rsplit_once(", expected ")) {
        Some((found, expected)) => {
            format!("expected {}, found {}", expected_in_words(expected), found_in_words(found))
        }
        None => message.to_owned(),
    }
}

/// A key or value that does not exist, with the one that was probably meant, or all of them.
fn unknown<'a>(what: &str, typed: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<_> = known.collect();
    match closest(typed, known.iter().copied()) {
        Some(meant) => format!("unknown {what} \"{typed}\"; did you mean \"{meant}\"?"),
        None => format!("unknown {what} \"{typed}\"; use one of {}", known.join(", ")),
    }
}

/// The user's word for a type that serde, or a type of [`crate::config`], says it expects.
fn expected_in_words(expected: &str) -> &str {
    match expected {
        "a sequence" => "a list",
        "a boolean" => "true or false",
        // What serde says for the value of an enum, and for the name of its variant.
        "string or map" | "variant identifier" => "a string",
        "usize" => "a whole number of at least 0",
        _ if expected.starts_with("enum ") => "a string",
        _ if expected.starts_with("struct ") => "a map",
        other => other,
    }
}

/// The user's word for what serde found: a type alone, or with its value as in ``integer `7` `` and `string "x"`.
fn found_in_words(found: &str) -> &str {
    match found {
        "sequence" => "a list",
        "map" => "a map",
        "null" | "unit value" => "nothing",
        _ => match found.strip_prefix("string ") {
            Some(text) => text,
            None => found.split('`').nth(1).unwrap_or(found),
        },
    }
}
