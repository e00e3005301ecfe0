//! The examples on the rule pages, reviewed as writes.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[path = "../../tests/pages/mod.rs"]
mod pages;

use jiff::civil::date;
use mirrorguard_core::{
    config,
    objects::{Object, manifest},
    review::{Reviewer, Sequence, Verdict, existing::Found},
    rules::{Check, Earlier, FileObject, Level, rule},
    state::State,
};
use pages::{Example, Expected, examples};
use serde_json::Value;

#[test]
fn every_example_is_reviewed_as_its_page_says() {
    for example in examples() {
        let verdict = if is_about_files(&example) {
            review_file(&example)
        } else {
            let (there, written) = example.write();
            review(&example, &there, &written)
        };
        let found = found_by(example.rule, &verdict);
        assert!(
            found == example.expected,
            "{}: the page says so, but the rule finds {found:?}",
            example.place()
        );
        // No other rule rejects it either.
        if example.expected != Expected::Denied {
            assert!(verdict.is_allowed(), "{}: {:?}", example.place(), verdict.rule_ids());
        }
    }
}

/// Reviews the write of the last object of an example, upon the others.
fn review(example: &Example, there: &[Value], written: &Value) -> Verdict {
    let settings = config::parse("settings", &example.settings).unwrap();
    let there: Vec<_> = there.iter().map(object).collect();
    let there: Vec<_> = there.iter().map(|object| Found { object, live: true }).collect();
    Sequence::onto(&there, &settings, date(2026, 1, 1)).apply(&object(written))
}

fn is_about_files(example: &Example) -> bool {
    rule(example.rule).is_some_and(|rule| matches!(rule.check, Check::File(_)))
}

/// Reviews the last object of an example as it is written in a file.
fn review_file(example: &Example) -> Verdict {
    let settings = config::parse("settings", &example.settings).unwrap();
    let state = State::default();
    let reading = manifest::read("example", example.text.clone());
    // On these pages, an object that is misnamed is the last one.
    let mut objects: Vec<_> = reading.objects.iter().chain(&reading.misnamed).collect();
    let written = &objects.pop().unwrap().written;
    let earlier = objects
        .iter()
        .any(|located| located.written.id == written.id)
        .then_some(Earlier { place: "example:1", has_same_entries: false });
    let reviewer = Reviewer::new(&state, &settings, date(2026, 1, 1));
    reviewer.review_file(&FileObject { written, earlier }, "")
}

fn object(value: &Value) -> Object {
    let mut reading = manifest::read("example", value.to_string());
    assert!(reading.errors.is_empty(), "{:?}", reading.errors);
    reading.objects.remove(0).object
}

/// What the findings of one rule do to a write.
fn found_by(rule: &str, verdict: &Verdict) -> Expected {
    let levels = verdict.diagnostics.iter().filter(|found| found.rule.id == rule).map(|found| found.level);
    match levels.max() {
        Some(Level::Deny) => Expected::Denied,
        Some(Level::Warn) => Expected::Warned,
        Some(Level::Off) | None => Expected::Allowed,
    }
}
