//! A scope of the image configuration that stops the nodes' configuration.

use super::{Check, DependsOn, Finding, Fix, Level, Rule, invalid_source::RENDERING_FAILS};
use crate::objects::{ImageConfig, ObjectId, grammar::is_valid_registry_scope};

pub(super) const RULE: Rule = Rule {
    id: "invalid-registry-scope",
    level: Level::Deny,
    summary: "an invalid scope in image.config, with which nodes get no new configuration",
    page: include_str!("invalid_registry_scope.md"),
    check: Check::ImageConfig(check),
    stops_rendering: true,
    depends_on: DependsOn::Nothing,
    ..Rule::BASE
};

fn check(config: &ImageConfig, findings: &mut Vec<Finding>) {
    for (list, scopes) in [
        ("insecureRegistries", &config.insecure_registries),
        ("blockedRegistries", &config.blocked_registries),
        ("allowedRegistries", &config.allowed_registries),
    ] {
        for (at, scope) in scopes.iter().enumerate().filter(|(_, scope)| !is_valid_registry_scope(scope)) {
            findings.push(invalid(list, at, scope));
        }
    }
}

fn invalid(list: &str, at: usize, scope: &str) -> Finding {
    let path = format!("spec.registrySources.{list}[{at}]");
    let (what, fix) = if scope.is_empty() {
        let image_config = ObjectId::new("Image", "", "cluster");
        let fix = Fix::changing_pulls("remove the empty item").remove(image_config, &*path);
        (format!("{list} has an empty item"), fix)
    } else {
        (
            format!("\"{scope}\" in {list} has a wildcard that is not of the form *.domain"),
            "write *.domain without a port or path, or host[:port][/namespace[/name]]".into(),
        )
    };
    Finding { effect: RENDERING_FAILS.to_owned(), fix, ..Finding::new(path, format!("{list} {scope}"), what) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::assert_texts;

    #[test]
    fn a_scope_is_found_with_its_field() {
        let table = [
            ("", true, "nothing"),
            ("*.x/y", true, "a wildcard with a path"),
            ("*.x:5000", true, "a wildcard with a port"),
            ("x.*", true, "a wildcard at the end"),
            ("*.x", false, "a domain"),
            ("x:5000/y", false, "a namespace"),
        ];
        let mut all = Vec::new();
        for (scope, is_invalid, reason) in table {
            let config = ImageConfig {
                blocked_registries: vec!["q.io".to_owned(), scope.to_owned()],
                ..ImageConfig::default()
            };
            let mut findings = Vec::new();
            check(&config, &mut findings);
            assert_eq!(findings.len(), usize::from(is_invalid), "{reason}");
            for finding in findings {
                assert_eq!(finding.path, "spec.registrySources.blockedRegistries[1]", "{reason}");
                assert_eq!(finding.key, format!("blockedRegistries {scope}"), "{reason}");
                all.push(finding);
            }
        }
        assert_texts(RULE.id, &all);
    }
}
