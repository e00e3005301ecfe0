//! A scope of the image configuration that stops the nodes' configuration.

use super::{Check, Finding, Level, Rule};
use crate::objects::{ImageConfig, grammar::is_valid_registry_scope};

pub(super) const RULE: Rule = Rule {
    id: "invalid-registry-scope",
    level: Level::Deny,
    summary: "a scope of image.config for which the nodes get no new configuration",
    page: include_str!("invalid_registry_scope.md"),
    check: Check::ImageConfig(check),
    stops_rendering: true,
    ..Rule::BASE
};

fn check(config: &ImageConfig, findings: &mut Vec<Finding>) {
    for (list, scopes) in [
        ("insecureRegistries", &config.insecure_registries),
        ("blockedRegistries", &config.blocked_registries),
        ("allowedRegistries", &config.allowed_registries),
    ] {
        let wrong = |(_, scope): &(usize, &String)| !is_valid_registry_scope(scope);
        findings.extend(scopes.iter().enumerate().filter(wrong).map(|(at, scope)| {
            let (problem, fix) = if scope.is_empty() {
                ("is empty", "take it off the list")
            } else {
                (
                    "is a wildcard that is more than *.domain",
                    "write *.domain without port or path, or host[:port][/namespace[/name]]",
                )
            };
            Finding::new(
                format!("spec.registrySources.{list}[{at}]"),
                format!("\"{scope}\" in {list} {problem}"),
                "the machine-config operator refuses all of it, and the nodes get no new configuration",
                fix.to_owned(),
            )
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_told_with_its_field() {
        let table = [
            ("", Some("is empty"), "nothing"),
            ("*.x/y", Some("is a wildcard"), "a wildcard with a path"),
            ("*.x:5000", Some("is a wildcard"), "a wildcard with a port"),
            ("x.*", Some("is a wildcard"), "a wildcard at the end"),
            ("*.x", None, "a domain"),
            ("x:5000/y", None, "a namespace"),
        ];
        for (scope, problem, reason) in table {
            let config = ImageConfig {
                blocked_registries: vec!["q.io".to_owned(), scope.to_owned()],
                ..ImageConfig::default()
            };
            let mut findings = Vec::new();
            check(&config, &mut findings);
            assert_eq!(findings.len(), usize::from(problem.is_some()), "{reason}");
            for Finding { path, what, .. } in findings {
                assert_eq!(path, "spec.registrySources.blockedRegistries[1]", "{reason}");
                let expected = format!("\"{scope}\" in blockedRegistries {}", problem.unwrap_or_default());
                assert!(what.starts_with(&expected), "{reason}: {what}");
            }
        }
    }
}
