//! An annotation `mirrorguard.io/…` that does not exist, or has an invalid value.

use super::{Check, Finding, Fix, HostedWrite, Level, Rule};
use crate::{
    objects::{Change, HostedCluster, annotation},
    suggest::closest,
};

pub(super) const RULE: Rule = Rule {
    id: "unknown-annotation",
    level: Level::Warn,
    summary: "an annotation mirrorguard.io/… that is unknown or has an invalid value",
    page: include_str!("unknown_annotation.md"),
    check: Check::HostedCluster(check),
    ..Rule::BASE
};

const EFFECT: &str = "it has no effect";

fn check(write: &HostedWrite<'_>, findings: &mut Vec<Finding>) {
    for (name, value) in &write.new.metadata.annotations {
        if name.starts_with(annotation::OUR_PREFIX) {
            findings.extend(unknown_name(write.new, name).or_else(|| invalid_value(write.new, name, value)));
        }
    }
}

fn unknown_name(hosted: &HostedCluster, name: &str) -> Option<Finding> {
    if annotation::OURS.contains(&name) {
        return None;
    }
    let fix = match similar(name) {
        Some(meant) => Fix::changing_pulls(format!("rename it to {meant}"))
            .change(hosted.id(), Change::Rename { path: annotation::path(name), name: meant.to_owned() }),
        None => format!("remove it, or use one of {}", annotation::OURS.join(", ")).into(),
    };
    Some(Finding {
        effect: EFFECT.to_owned(),
        fix,
        ..Finding::new(annotation::path(name), name, format!("the annotation {name} is unknown"))
    })
}

fn invalid_value(hosted: &HostedCluster, name: &str, value: &str) -> Option<Finding> {
    if name != annotation::OPT_OUT || value == "disabled" {
        return None;
    }
    let what = format!("\"{value}\" is not a valid value of {name}");
    Some(Finding {
        effect: EFFECT.to_owned(),
        fix: Fix::changing_pulls("set it to \"disabled\", or remove it").set(
            hosted.id(),
            annotation::path(name),
            "disabled",
        ),
        ..Finding::new(annotation::path(name), format!("{name} {value}"), what)
    })
}

/// The annotation that was probably meant.
fn similar(name: &str) -> Option<&'static str> {
    // All have the same prefix, which alone would make them similar.
    let known = annotation::OURS.iter().map(|known| known.trim_start_matches(annotation::OUR_PREFIX));
    let meant = closest(name.trim_start_matches(annotation::OUR_PREFIX), known)?;
    annotation::OURS.iter().find(|known| known.strip_prefix(annotation::OUR_PREFIX) == Some(meant)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        rules::{Settings, testing::assert_texts},
        state::State,
    };

    fn find(name: &str, value: &str) -> Option<Finding> {
        let mut hosted = HostedCluster::default();
        hosted.metadata.annotations.insert(name.to_owned(), value.to_owned());
        let (state, settings) = (State::default(), Settings::default());
        let write = HostedWrite { old: None, new: &hosted, state: &state, settings: &settings };
        let mut findings = Vec::new();
        check(&write, &mut findings);
        findings.pop()
    }

    #[test]
    fn only_our_own_annotations_are_checked() {
        let table = [
            ("mirrorguard.io/catalog-overrides: disabled", false, "the opt-out"),
            ("mirrorguard.io/catalog-overrides-derived: a=b", false, "the mark"),
            ("example.com/catalog-overides: disabled", false, "of another owner"),
            ("mirrorguard.io/catalog-overides: disabled", true, "a letter is missing"),
            ("mirrorguard.io/skip: true", true, "no similar name"),
            ("mirrorguard.io/catalog-overrides: false", true, "another value"),
        ];
        let mut findings = Vec::new();
        for (annotation, expected, reason) in table {
            let (name, value) = annotation.split_once(": ").unwrap();
            let found = find(name, value);
            assert_eq!(found.is_some(), expected, "{annotation}: {reason}");
            findings.extend(found);
        }
        assert_texts(RULE.id, &findings);
    }

    #[test]
    fn a_similar_name_is_suggested() {
        let table = [
            (
                "mirrorguard.io/catalog-overides",
                Some("mirrorguard.io/catalog-overrides"),
                "a letter is missing",
            ),
            ("mirrorguard.io/exemt", Some("mirrorguard.io/exempt"), "another one"),
            ("mirrorguard.io/skip", None, "no similar name"),
        ];
        for (name, expected, reason) in table {
            assert_eq!(similar(name), expected, "{reason}");
        }
    }
}
