//! What the nodes' `/etc/containers/policy.json` refuses, wherever the image comes from.

use super::effective_blocked;
use crate::{
    context::View,
    objects::{reference::Image, scope::is_nested},
};

/// Why an image may not be run. It is judged by the name that was asked for, never by the mirror's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyRefusal<'a> {
    /// This scope of `blockedRegistries` covers it.
    Blocked(&'a str),
    /// There are `allowedRegistries`, and none covers it.
    NotAllowed,
}

/// Whether the image configuration refuses an image. The repository of the release payload is never refused.
///
/// Follows `machine-config-operator pkg/controller/container-runtime-config/helpers.go`
/// `getValidBlockedAndAllowedRegistries` and `updatePolicyJSON`.
pub fn policy_refusal<'a>(view: View<'a>, image: &Image) -> Option<PolicyRefusal<'a>> {
    let covers = |scope: &str| is_nested(image.name(), scope) || image.as_str() == scope;
    let payload = view.payload().and_then(|payload| Image::parse_canonical(payload).ok());
    if payload.is_some_and(|payload| payload.name() == image.name()) {
        return None;
    }
    let blocked = effective_blocked(view);
    if let Some(scope) = blocked.iter().find(|scope| covers(scope)) {
        return Some(PolicyRefusal::Blocked(scope));
    }
    let allowed = &view.image_config().allowed_registries;
    let refused = blocked.is_empty() && !allowed.is_empty() && !allowed.iter().any(|scope| covers(scope));
    refused.then_some(PolicyRefusal::NotAllowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        context::Context,
        objects::{ImageConfig, Object},
    };

    #[test]
    fn the_image_configuration_refuses_by_the_name_that_was_asked_for() {
        type Row<'a> = (&'a [&'a str], &'a [&'a str], Option<PolicyRefusal<'a>>, &'a str);
        let table: [Row<'_>; 7] = [
            (&[], &[], None, "nothing is configured"),
            (&["quay.io"], &[], Some(PolicyRefusal::Blocked("quay.io")), "the whole registry"),
            (&["quay.io/a/b"], &[], Some(PolicyRefusal::Blocked("quay.io/a/b")), "the repository"),
            (&["quay.io/a/c"], &[], None, "another repository"),
            (&[], &["*.lab.example"], Some(PolicyRefusal::NotAllowed), "only others are allowed"),
            (&[], &["*.lab.example", "quay.io/a"], None, "its namespace is allowed"),
            (&["docker.io"], &["docker.io"], None, "next to blocked ones the allowed ones are no limit"),
        ];
        let image = Image::parse("quay.io/a/b:v1").unwrap();
        for (blocked, allowed, expected, reason) in table {
            let texts = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
            let image_config = ImageConfig {
                blocked_registries: texts(blocked),
                allowed_registries: texts(allowed),
                ..ImageConfig::default()
            };
            let context = Context::from_iter([Object::ImageConfig(image_config)]);
            assert_eq!(policy_refusal(context.view(), &image), expected, "{reason}");
        }
    }

    #[test]
    fn the_payload_is_never_refused() {
        let image = Image::parse("quay.io/openshift-release-dev/ocp-release:4.20.4-x86_64").unwrap();
        let image_config = ImageConfig {
            allowed_registries: vec!["registry.redhat.io".to_owned()],
            ..ImageConfig::default()
        };
        let mut context = Context::from_iter([Object::ImageConfig(image_config)]);
        assert_eq!(policy_refusal(context.view(), &image), Some(PolicyRefusal::NotAllowed));
        context.payload = Some(image.as_str().to_owned());
        assert_eq!(policy_refusal(context.view(), &image), None);
    }
}
