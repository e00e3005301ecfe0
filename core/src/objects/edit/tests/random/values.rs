//! Random values.

use serde_json::{Map, Value, json};

use crate::random::Random;

const NAMES: [&str; 10] =
    ["a", "source", "mirrors", "a.b/c", "*", "yes", "k e y", "ü", "it's # no comment", "key: x"];
const TEXTS: [&str; 26] = [
    "quay.io/a",
    "*.quay.io",
    "a b",
    "",
    "true",
    "- x",
    "a: b",
    "x #y",
    "one\ntwo",
    "one\n",
    "one\n\n\n",
    "  lead",
    " lead\nmore\n",
    "trail ",
    "|",
    "> x",
    "ü日",
    "it's",
    "\"q\"",
    "&x",
    "a,b",
    "[x]",
    "~",
    "# x\ny",
    "*x\n\n- y\n",
    "a\tb",
];

/// A map of anything.
pub(super) fn value(random: &mut Random) -> Value {
    Value::Object(fields(random, 3))
}

fn fields(random: &mut Random, depth: usize) -> Map<String, Value> {
    let count = 1 + random.below(4);
    (0..count).map(|_| (random.one_of(&NAMES).to_owned(), any(random, depth))).collect()
}

fn any(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 6 } else { 11 }) {
        0 => Value::Null,
        1 => json!(7),
        2..6 => json!(random.one_of(&TEXTS)),
        6..9 => (0..random.below(4)).map(|_| any(random, depth - 1)).collect(),
        9 if random.once_in(6) => json!({}),
        _ => Value::Object(fields(random, depth - 1)),
    }
}
