//! What the nodes' `/etc/containers/policy.json` refuses, wherever the image comes from.

use super::{blocked::payload_repository, effective_blocked};
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
    /// All that is blocked is this, the repository of the release payload: it is turned into the only one
    /// that is allowed.
    OnlyPayload(&'a str),
}

/// What the image configuration has `policy.json` refuse.
///
/// Follows `machine-config-operator pkg/controller/container-runtime-config/helpers.go`
/// `getValidBlockedAndAllowedRegistries` and `updatePolicyJSON`. Those write nothing where registries are both
/// allowed and blocked; here only the blocked ones count then.
#[derive(Debug)]
pub struct Policy<'a> {
    blocked: Vec<&'a str>,
    allowed: &'a [String],
    /// Accepted where a wider scope is blocked.
    payload: String,
    /// The repository of the payload, where it is blocked by its own name and has a mirror.
    blocked_payload: Option<&'a str>,
}

/// The repository of the payload of a cluster that was not installed from a mirror.
const USUAL_PAYLOAD: &str = "quay.io/openshift-release-dev/ocp-release";

impl<'a> Policy<'a> {
    /// What the image configuration that is seen says. Where the payload is not known, it is taken to be where
    /// it is unless the cluster was installed from a mirror.
    pub fn new(view: View<'a>) -> Self {
        let known = payload_repository(view);
        let is_payload = |scope: &&str| known.as_deref() == Some(*scope);
        let effective = effective_blocked(view);
        Self {
            blocked_payload: effective.iter().copied().find(is_payload),
            blocked: effective.into_iter().filter(|scope| !is_payload(scope)).collect(),
            allowed: &view.image_config().allowed_registries,
            payload: known.unwrap_or_else(|| USUAL_PAYLOAD.to_owned()),
        }
    }

    /// Why an image is refused, if it is.
    pub fn refuses(&self, image: &Image) -> Option<PolicyRefusal<'a>> {
        let covers = |scope: &str| is_nested(image.name(), scope) || image.as_str() == scope;
        self.judge(image.name(), covers, covers)
    }

    /// Why the images of a scope are refused. Where only some of them are allowed, they are not.
    pub fn refuses_scope(&self, scope: &str) -> Option<PolicyRefusal<'a>> {
        let covers = |outer: &str| is_nested(scope, outer);
        self.judge(scope, covers, |allowed| covers(allowed) || is_nested(allowed, scope))
    }

    fn judge(
        &self,
        name: &str,
        covers: impl Fn(&str) -> bool,
        allows: impl Fn(&str) -> bool,
    ) -> Option<PolicyRefusal<'a>> {
        // The most specific scope decides, and the payload's repository is one that is accepted.
        let counts = |scope: &str| !is_nested(name, &self.payload) || is_nested(scope, &self.payload);
        if let Some(scope) = self.blocked.iter().find(|scope| covers(scope) && counts(scope)) {
            return Some(PolicyRefusal::Blocked(scope));
        }
        let allowed = || self.allowed.iter().map(String::as_str).chain(self.blocked_payload);
        if !self.blocked.is_empty() || allowed().next().is_none() || allowed().any(allows) {
            return None;
        }
        let only_payload = self.blocked_payload.filter(|_| self.allowed.is_empty());
        Some(only_payload.map_or(PolicyRefusal::NotAllowed, PolicyRefusal::OnlyPayload))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        context::Context,
        objects::{Entry, ImageConfig, MirrorSet, Object, SetKind},
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
            let context = Context::from_iter([Object::from(image_config)]);
            assert_eq!(Policy::new(context.view()).refuses(&image), expected, "{reason}");
        }
    }

    #[test]
    fn the_payload_is_excepted_from_what_is_blocked_and_not_from_what_is_allowed() {
        type Row<'a> = (&'a str, &'a [&'a str], &'a [&'a str], Option<PolicyRefusal<'a>>, &'a str);
        let not_allowed = Some(PolicyRefusal::NotAllowed);
        let own = Some(PolicyRefusal::Blocked("quay.io/p/r/own"));
        let table: [Row<'_>; 10] = [
            ("quay.io/p/r", &["quay.io"], &[], None, "the payload"),
            (
                "quay.io/p/r/below",
                &["quay.io"],
                &[],
                None,
                "what is nested in it, by the most specific scope",
            ),
            ("quay.io/p/r/own", &["quay.io", "quay.io/p/r/own"], &[], own, "unless blocked by its own name"),
            ("quay.io/p/s", &["quay.io"], &[], Some(PolicyRefusal::Blocked("quay.io")), "its neighbour"),
            ("quay.io/p/r", &[], &["m.lab"], not_allowed, "the payload must be allowed as everything else"),
            ("quay.io/p/r", &[], &["quay.io/p"], None, "and is"),
            (
                "quay.io/p/r",
                &["quay.io/p/r"],
                &["m.lab"],
                None,
                "blocked with a mirror, it is allowed by itself",
            ),
            ("quay.io/p/s", &["quay.io/p/r"], &["m.lab"], not_allowed, "that makes no list of the blocked"),
            (
                "quay.io/p/s",
                &["quay.io/p/r"],
                &[],
                Some(PolicyRefusal::OnlyPayload("quay.io/p/r")),
                "and so all others are refused",
            ),
            (
                "quay.io/p/s",
                &["quay.io/p/r", "docker.io"],
                &[],
                None,
                "while others are blocked, they are not",
            ),
        ];
        for (name, blocked, allowed, expected, reason) in table {
            let texts = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
            let image_config = ImageConfig {
                blocked_registries: texts(blocked),
                allowed_registries: texts(allowed),
                ..ImageConfig::default()
            };
            let entry = Entry {
                source: "quay.io/p/r".into(),
                mirrors: ["m.lab/p/r".into()].into_iter().collect(),
                mirror_source_policy: None,
            };
            let mirrored = Object::from(MirrorSet::new(SetKind::Idms, "a", vec![entry]));
            let mut context = Context::from_iter([Object::from(image_config), mirrored]);
            context.payload = Some("quay.io/p/r:v1".to_owned());
            let policy = Policy::new(context.view());
            let image = Image::parse(&format!("{name}:v1")).unwrap();
            assert_eq!(policy.refuses(&image), expected, "{reason}");
            assert_eq!(policy.refuses_scope(name), expected, "as a scope: {reason}");
        }
    }
}
