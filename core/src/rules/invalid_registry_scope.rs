//! A scope of the image configuration that stops the nodes' configuration, or that matches no image.

use super::{Check, DependsOn, Finding, Fix, Level, Rule, invalid_source::RENDERING_FAILS};
use crate::{
    node::check_locations,
    objects::{
        ImageConfig, ObjectId,
        grammar::{self, is_valid_registry_scope},
        reference::Image,
    },
};

pub(super) const RULE: Rule = Rule {
    id: "invalid-registry-scope",
    level: Level::Deny,
    summary: "a scope in image.config with which nodes get no new configuration, or that matches no image",
    page: include_str!("invalid_registry_scope.md"),
    check: Check::ImageConfig(check),
    stops_rendering: true,
    depends_on: DependsOn::Nothing,
    ..Rule::BASE
};

fn check(config: &ImageConfig, findings: &mut Vec<Finding>) {
    for (list, scopes) in [
        (INSECURE, &config.insecure_registries),
        (BLOCKED, &config.blocked_registries),
        (ALLOWED, &config.allowed_registries),
    ] {
        for (at, scope) in scopes.iter().enumerate() {
            if !is_valid_registry_scope(scope) {
                findings.push(invalid(list, at, scope));
            } else if let Some(effect) = why_pointless(list, scope) {
                findings.push(pointless(list, at, scope, effect));
            }
        }
    }
}

const INSECURE: &str = "insecureRegistries";
const BLOCKED: &str = "blockedRegistries";
const ALLOWED: &str = "allowedRegistries";

/// What a scope that the operator writes to the files of the nodes does there, if it is less than it says.
///
/// Follows `containers/image pkg/sysregistriesv2` `FindRegistry`, which compares the name of an image, and `signature`
/// `PolicyContext`, which compares the image with its tag or digest, too.
fn why_pointless(list: &str, scope: &str) -> Option<&'static str> {
    // registries.conf is read without slashes at the end, policy.json with them.
    let location = if list == ALLOWED { scope } else { scope.trim_end_matches('/') };
    // An IPv6 address is no valid source, but an image may have one.
    if grammar::is_valid_source(location) || scope.starts_with('[') {
        return None;
    }
    // With these, nodes reject the whole file: unrenderable-image-config reports them.
    if list != ALLOWED && check_locations([scope]).is_err() {
        return None;
    }
    // `PolicyContext` gets an image with a tag or a digest, never with both, so a scope with both matches none.
    let image = Image::parse_canonical(scope).ok();
    let is_tagged = image.as_ref().is_some_and(|image| image.tag().is_some());
    let is_digested = image.as_ref().is_some_and(Image::is_digested);
    match (list, is_tagged != is_digested) {
        (BLOCKED, true) if is_tagged => {
            Some("only pulls by this tag are rejected, and the image can be pulled by its digest")
        }
        (BLOCKED | ALLOWED, true) => None,
        (ALLOWED, false) => Some("it matches no image, and allows nothing"),
        _ => Some("it matches no image, and has no effect"),
    }
}

fn pointless(list: &str, at: usize, scope: &str, effect: &str) -> Finding {
    let path = format!("spec.registrySources.{list}[{at}]");
    let (problem, meant) = grammar::diagnose(scope, true);
    let fix = match meant {
        Some(meant) => format!("set it to \"{meant}\"").into(),
        None => "write host[:port][/namespace[/name]] or *.domain".into(),
    };
    Finding {
        at_most: Level::Warn,
        effect: effect.to_owned(),
        fix,
        ..Finding::new(path, format!("{list} {scope}"), format!("\"{scope}\" in {list} {problem}"))
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
        for (list, scope, _, _) in pointless_scopes() {
            all.extend(found_in(list, scope));
        }
        assert_texts(RULE.id, &all);
    }

    /// The findings about a scope that is in one list alone.
    fn found_in(list: &str, scope: &str) -> Vec<Finding> {
        let of = |name| if name == list { vec![scope.to_owned()] } else { Vec::new() };
        let config = ImageConfig {
            insecure_registries: of(INSECURE),
            blocked_registries: of(BLOCKED),
            allowed_registries: of(ALLOWED),
            ..ImageConfig::default()
        };
        let mut findings = Vec::new();
        check(&config, &mut findings);
        findings
    }

    /// Lists with one scope each, whether it is found, and why.
    fn pointless_scopes() -> [(&'static str, &'static str, bool, &'static str); 20] {
        [
            (ALLOWED, "https://m.lab", true, "policy.json has it as it is"),
            (ALLOWED, "m.lab", false, "without the scheme"),
            (INSECURE, "docker://m.lab", true, "nodes accept a scheme other than of http"),
            (INSECURE, "https://m.lab", false, "for unrenderable-image-config"),
            (INSECURE, " m.lab", true, "a space"),
            (BLOCKED, "m.lab ", true, "at the end"),
            (INSECURE, "m.lab:port", true, "a port is a number"),
            (INSECURE, "m.lab:443", false, "such as this"),
            (INSECURE, "*.m.lab", false, "a wildcard"),
            (INSECURE, "m.lab/Team", true, "no path has an upper-case letter"),
            (INSECURE, "M.lab/team", false, "a host may"),
            (INSECURE, "m.lab/", false, "registries.conf is read without it"),
            (ALLOWED, "m.lab/", true, "policy.json is not"),
            (INSECURE, "[fd00::1]:5000", false, "an address"),
            (INSECURE, "m.lab/a/b:v1", true, "registries.conf is about names"),
            (BLOCKED, "m.lab/a/b:v1", true, "policy.json rejects the tag alone"),
            (ALLOWED, "m.lab/a/b:v1", false, "policy.json accepts the tag"),
            (BLOCKED, ONE_IMAGE, false, "policy.json rejects the digest"),
            (INSECURE, ONE_IMAGE, true, "again a name is needed"),
            (ALLOWED, BOTH, true, "nodes remove the tag of an image that has both"),
        ]
    }

    const ONE_IMAGE: &str = "m.lab/a@sha256:0123456789012345678901234567890123456789012345678901234567890123";
    const BOTH: &str = "m.lab/a:v1@sha256:0123456789012345678901234567890123456789012345678901234567890123";

    #[test]
    fn a_scope_that_matches_no_image_is_a_warning() {
        for (list, scope, expected, reason) in pointless_scopes() {
            let found = found_in(list, scope);
            let found: Vec<_> =
                found.iter().map(|finding| (finding.at_most, &*finding.path, &*finding.key)).collect();
            let (path, key) = (format!("spec.registrySources.{list}[0]"), format!("{list} {scope}"));
            let expected: Vec<_> = expected.then_some((Level::Warn, &*path, &*key)).into_iter().collect();
            assert_eq!(found, expected, "{scope} in {list}: {reason}");
        }
    }
}
