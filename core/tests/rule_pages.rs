//! The examples on the rule pages, reviewed as writes.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[path = "../../tests/pages/mod.rs"]
mod pages;

use jiff::civil::date;
use mirrorguard_core::{
    config,
    objects::{Object, manifest},
    review::{Sequence, Verdict, existing::Found},
    rules::Level,
};
use pages::{Example, Expected, examples};
use serde_json::Value;

#[test]
fn every_example_is_reviewed_as_its_page_says() {
    for example in examples() {
        let (there, written) = example.write();
        let verdict = review(&example, &there, &written);
        let found = found_by(example.rule, &verdict);
        assert!(
            found == example.expected,
            "{}: the page says so, but the rule finds {found:?}",
            example.place()
        );
        if example.expected != Expected::Denied {
            assert!(verdict.is_allowed(), "{}: {:?}", example.place(), verdict.rule_ids());
        }
    }
}

fn review(example: &Example, there: &[Value], written: &Value) -> Verdict {
    let settings = config::parse("settings", &example.settings).unwrap();
    let there: Vec<_> = there.iter().map(object).collect();
    let there: Vec<_> = there.iter().map(|object| Found { object, live: true }).collect();
    Sequence::onto(&there, &settings, date(2026, 1, 1)).apply(&object(written))
}

fn object(value: &Value) -> Object {
    let mut reading = manifest::read("example", value.to_string());
    assert!(reading.errors.is_empty(), "{:?}", reading.errors);
    reading.objects.remove(0).object
}

fn found_by(rule: &str, verdict: &Verdict) -> Expected {
    let levels = verdict.diagnostics.iter().filter(|found| found.rule.id == rule).map(|found| found.level);
    match levels.max() {
        Some(Level::Deny) => Expected::Denied,
        Some(Level::Warn) => Expected::Warned,
        Some(Level::Off) | None => Expected::Allowed,
    }
}
