//! A source that administrators protect.

use super::{Check, DependsOn, Finding, Level, Rule, SetWrite};

pub(super) const RULE: Rule = Rule {
    id: "protected-source",
    level: Level::Off,
    summary: "a source that protectedSources in the configuration protects",
    page: include_str!("protected_source.md"),
    check: Check::MirrorSet(check),
    depends_on: DependsOn::Nothing,
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    let protected = &write.settings.protected_sources;
    for (index, entry) in set.entries.iter().enumerate() {
        let Some(pattern) = protected.iter().find(|pattern| matches(pattern, &entry.source)) else {
            continue;
        };
        let path = set.field_path(index, "source");
        let what = format!("source \"{}\" matches the protected source \"{pattern}\"", entry.source);
        findings.push(Finding {
            effect: "nodes would pull protected images through this mirror set".to_owned(),
            fix: "remove the entry, or ask the administrators of mirrorguard for an exemption".into(),
            ..Finding::new(path, &*entry.source, what)
        });
    }
}

/// `scope` matches only itself, and `scope/**` everything below it.
fn matches(pattern: &str, source: &str) -> bool {
    match pattern.strip_suffix("/**") {
        Some(scope) => source.strip_prefix(scope).is_some_and(|below| below.starts_with('/')),
        None => pattern == source,
    }
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;
    use crate::{
        objects::SetKind::Idms,
        rules::testing::{assert_texts, findings, set},
    };

    #[test]
    fn each_protected_source_is_reported() {
        let settings = crate::config::parse("c.yaml", "profile: managed-openshift").unwrap();
        let sources = ["docker.io/a", "quay.io", "quay.io/a"];
        let entries = sources.map(|source| (source, &["m.lab/a"][..]));
        let found = findings(RULE.id, &settings, &[], None, &set(Idms, "new", &entries));
        assert_eq!(found.iter().map(|finding| &*finding.key).collect::<Vec<_>>(), ["quay.io", "quay.io/a"]);
        assert_texts(RULE.id, &found);
    }

    #[test]
    fn a_scope_matches_itself_and_two_stars_match_what_is_below() {
        let table = [
            ("quay.io", "quay.io", true, "itself"),
            ("quay.io", "quay.io/a", false, "nothing below"),
            ("quay.io/**", "quay.io/a/b", true, "everything below"),
            ("quay.io/**", "quay.io", false, "not itself"),
            ("quay.io/**", "quay.io.example/a", false, "a longer host"),
            ("quay.io/a/**", "quay.io/ab/c", false, "not in the middle of an element"),
        ];
        for (pattern, source, expected, reason) in table {
            assert_eq!(matches(pattern, source), expected, "{reason}");
        }
    }

    #[test]
    fn without_a_list_the_profile_protects_what_managed_openshift_protects() {
        let settings = crate::config::parse("c.yaml", "profile: managed-openshift").unwrap();
        let theirs = r"^registry\.redhat\.io$|^quay\.io(/.*)?$|^registry\.access\.redhat\.com(/.*)?";
        let theirs = Regex::new(theirs).unwrap();
        for source in [
            "registry.redhat.io",
            "registry.redhat.io/ubi9",
            "quay.io",
            "quay.io/a",
            "quay.io:443/a",
            "registry.access.redhat.com",
            "registry.access.redhat.com/ubi9/ubi",
            "docker.io/library",
            "*.redhat.io",
        ] {
            let is_protected = settings.protected_sources.iter().any(|pattern| matches(pattern, source));
            assert_eq!(is_protected, theirs.is_match(source), "{source}");
        }
    }
}
