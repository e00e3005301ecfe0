//! An annotation that looks like ours and does nothing.

use super::{Found, ObjectId, Survey};
use crate::{
    objects::annotation,
    rules::{Check, Finding, Level, Rule, list_names},
};

pub(super) const CHECK: Rule = Rule {
    id: "unknown-annotation",
    level: Level::Warn,
    summary: "an annotation mirrorguard.io/… that does not exist, or has a value without meaning",
    page: include_str!("unknown_annotation.md"),
    check: Check::Cluster(check),
};

const EFFECT: &str = "it has no effect";

fn check(survey: &Survey<'_>, found: &mut Vec<Found>) {
    for write in survey.hosted() {
        for (name, value) in &write.new.metadata.annotations {
            let path = format!("metadata.annotations[{name}]");
            let finding = if !name.starts_with(annotation::OUR_PREFIX) {
                continue;
            } else if !annotation::OURS.contains(&&**name) {
                Finding::new(path, format!("there is no annotation {name}"), EFFECT, advice(name))
            } else if name == annotation::OPT_OUT && value != "disabled" {
                let what = format!("the value \"{value}\" of {name} means nothing");
                Finding::new(path, what, EFFECT, "write \"disabled\", or remove it".to_owned())
            } else {
                continue;
            };
            found.push(Found { object: ObjectId::of_hosted(write.new), finding });
        }
    }
}

/// What was probably meant.
fn advice(name: &str) -> String {
    let close = annotation::OURS.iter().map(|known| (strsim::jaro_winkler(known, name), known));
    // All share their beginning, which alone makes them alike.
    let best = close.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(likeness, _)| *likeness > 0.92);
    best.map_or_else(
        || {
            let known: Vec<_> = annotation::OURS.iter().map(|known| (*known).to_owned()).collect();
            format!("remove it; these exist: {}", list_names(&known, 0))
        },
        |(_, known)| format!("did you mean {known}?"),
    )
}
