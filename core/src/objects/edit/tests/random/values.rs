//! Random numbers, and values made of them.

use serde_json::{Map, Value, json};

/// Numbers that are the same in each run.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    /// True once in so many times.
    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(super) fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

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
