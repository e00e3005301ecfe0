//! An annotation that looks like ours and means nothing.

use super::{Check, Finding, HostedWrite, Level, Rule, finding::list_names};
use crate::{objects::annotation, suggest::closest};

pub(super) const RULE: Rule = Rule {
    id: "unknown-annotation",
    level: Level::Warn,
    summary: "an annotation mirrorguard.io/… that does not exist, or has a value without meaning",
    page: include_str!("unknown_annotation.md"),
    check: Check::HostedCluster(check),
    ..Rule::BASE
};

const EFFECT: &str = "it has no effect";

fn check(write: &HostedWrite<'_>, findings: &mut Vec<Finding>) {
    let ours = |(name, _): &(&String, &String)| name.starts_with(annotation::OUR_PREFIX);
    let annotations = write.new.metadata.annotations.iter().filter(ours);
    findings.extend(annotations.filter_map(|(name, value)| judge(name, value)));
}

fn judge(name: &str, value: &str) -> Option<Finding> {
    let (what, fix) = if !annotation::OURS.contains(&name) {
        (format!("there is no annotation {name}"), advice(name))
    } else if name == annotation::OPT_OUT && value != "disabled" {
        let what = format!("the value \"{value}\" of {name} means nothing");
        (what, "write \"disabled\", or remove it".to_owned())
    } else {
        return None;
    };
    Some(Finding::new(annotation::path(name), what, EFFECT, fix))
}

/// What was probably meant.
fn advice(name: &str) -> String {
    // All share their beginning, which alone would make them alike.
    let own = |name: &'static str| name.trim_start_matches(annotation::OUR_PREFIX);
    let known = annotation::OURS.iter().map(|known| own(known));
    closest(name.trim_start_matches(annotation::OUR_PREFIX), known).map_or_else(
        || {
            let known: Vec<_> = annotation::OURS.iter().map(|known| (*known).to_owned()).collect();
            format!("remove it; these exist: {}", list_names(&known, 0))
        },
        |meant| format!("did you mean {}{meant}?", annotation::OUR_PREFIX),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{objects::HostedCluster, rules::Settings, state::State};

    /// What is said, and the fix.
    type Told<'a> = Option<(&'a str, &'a str)>;

    fn judge_one(name: &str, value: &str) -> Option<Finding> {
        let mut hosted = HostedCluster::default();
        hosted.metadata.annotations.insert(name.to_owned(), value.to_owned());
        let (state, settings) = (State::default(), Settings::default());
        let write = HostedWrite { old: None, new: &hosted, state: &state, settings: &settings };
        let mut findings = Vec::new();
        check(&write, &mut findings);
        findings.pop()
    }

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
            let (name, value) = annotation.split_once(": ").unwrap();
            let found = judge_one(name, value.trim_matches('"'));
            let told = found.as_ref().map(|finding| (&*finding.what, &*finding.fix));
            assert_eq!(told, expected, "{annotation}: {reason}");
        }
    }
}
