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
    // All share their beginning, which alone would make them alike.
    let own = |name: &'_ str| name.trim_start_matches(annotation::OUR_PREFIX).to_owned();
    let likeness = |known: &&&str| strsim::jaro_winkler(&own(known), &own(name));
    let close = annotation::OURS.iter().map(|known| (likeness(&known), known));
    let best = close.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(likeness, _)| *likeness > 0.8);
    best.map_or_else(
        || {
            let known: Vec<_> = annotation::OURS.iter().map(|known| (*known).to_owned()).collect();
            format!("remove it; these exist: {}", list_names(&known, 0))
        },
        |(_, known)| format!("did you mean {known}?"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::Cluster;

    /// What is said, and the fix.
    type Told<'a> = Option<(&'a str, &'a str)>;

    #[test]
    fn a_typing_error_is_told_from_what_exists() {
        let table: [(&str, Told<'_>, &str); 6] = [
            ("mirrorguard.io/catalog-overrides: disabled", None, "the opt-out"),
            ("mirrorguard.io/catalog-overrides-derived: a=b", None, "the mark"),
            ("example.com/catalog-overides: disabled", None, "somebody else's"),
            (
                "mirrorguard.io/catalog-overides: disabled",
                Some((
                    "there is no annotation mirrorguard.io/catalog-overides",
                    "did you mean mirrorguard.io/catalog-overrides?",
                )),
                "a letter is missing",
            ),
            (
                "mirrorguard.io/skip: \"true\"",
                Some((
                    "there is no annotation mirrorguard.io/skip",
                    "remove it; these exist: mirrorguard.io/catalog-overrides, mirrorguard.io/catalog-overrides-derived, mirrorguard.io/exempt",
                )),
                "nothing alike",
            ),
            (
                "mirrorguard.io/catalog-overrides: \"false\"",
                Some((
                    "the value \"false\" of mirrorguard.io/catalog-overrides means nothing",
                    "write \"disabled\", or remove it",
                )),
                "another value",
            ),
        ];
        for (annotation, expected, reason) in table {
            let found = Cluster::new(&[]).hosted(annotation, "").found("unknown-annotation");
            let told = found
                .first()
                .map(|a| (&*a.verdict.judged[0].finding.what, &*a.verdict.judged[0].finding.fix));
            assert_eq!(told, expected, "{annotation}: {reason}");
        }
    }
}
