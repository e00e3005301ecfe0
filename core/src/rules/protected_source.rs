//! A source that an administrator protects.

use super::{Check, Finding, Level, Rule, SetWrite};

pub(super) const RULE: Rule = Rule {
    id: "protected-source",
    level: Level::Off,
    summary: "a source that the configuration's protectedSources name",
    page: include_str!("protected_source.md"),
    check: Check::MirrorSet(check),
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    let protected = &write.settings.protected_sources;
    for (index, entry) in set.entries.iter().enumerate() {
        let Some(pattern) = protected.iter().find(|pattern| matches(pattern, &entry.source)) else {
            continue;
        };
        findings.push(Finding::new(
            set.field_path(index, "source"),
            format!("source \"{}\" is protected by \"{pattern}\"", entry.source),
            "what the administrators rely on would come from elsewhere",
            "take the entry out, or ask those who keep mirrorguard's configuration".to_owned(),
        ));
    }
}

/// `scope` stands for itself, `scope/**` for everything below it.
fn matches(pattern: &str, source: &str) -> bool {
    match pattern.strip_suffix("/**") {
        Some(scope) => source.strip_prefix(scope).is_some_and(|below| below.starts_with('/')),
        None => pattern == source,
    }
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::matches;

    #[test]
    fn a_scope_stands_for_itself_and_two_stars_for_what_lies_below() {
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
    fn without_a_list_of_its_own_the_profile_protects_what_managed_openshift_protects() {
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
