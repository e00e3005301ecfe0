//! What the nodes' `/etc/containers/policy.json` rejects, wherever the image comes from.

use super::{Lists, payload_repository};
use crate::{
    context::View,
    objects::{reference::Image, scope::is_nested},
};

/// Why an image may not be run. policy.json is evaluated against the original name, never the mirror's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyRefusal<'a> {
    /// This scope of `blockedRegistries` covers it.
    Blocked(&'a str),
    /// There are `allowedRegistries`, and none covers it.
    NotAllowed,
    /// This repository of the release payload is the only one that is blocked: it becomes the only one that is
    /// allowed.
    OnlyPayload(&'a str),
}

/// What `policy.json` rejects because of the image configuration.
///
/// Follows `machine-config-operator pkg/controller/container-runtime-config/helpers.go` `updatePolicyJSON`, which
/// writes nothing where [`super::validate_policy`] fails; here only the blocked registries count then.
#[derive(Debug)]
pub struct Policy<'a> {
    /// [`Lists::rejected`], which decides here, not [`Lists::blocked`].
    blocked: Vec<&'a str>,
    /// [`Lists::allowed`]; a limit only where nothing is blocked.
    allowed: Vec<&'a str>,
    /// Accepted even where a wider scope is blocked.
    payload: &'a str,
    /// The repository of the payload, where it is allowed only because it is blocked and has a mirror.
    blocked_payload: Option<&'a str>,
}

/// The repository of the payload of a cluster that was not installed from a mirror.
const USUAL_PAYLOAD: &str = "quay.io/openshift-release-dev/ocp-release";

impl<'a> Policy<'a> {
    /// The policy that the image configuration of a view makes. A payload that is not known is assumed to be in
    /// the repository of a cluster that was not installed from a mirror.
    pub fn new(view: View<'a>) -> Self {
        let known = payload_repository(view);
        // Where the operator refuses the payload, it writes no policy.json. Nothing is rejected here then.
        let lists = Lists::of(view).unwrap_or_default();
        let is_listed = view.image_config().allowed_registries.iter().any(|scope| Some(&**scope) == known);
        let accepted = lists.allowed.iter().copied().find(|scope| Some(*scope) == known);
        Self {
            blocked: lists.rejected,
            allowed: lists.allowed,
            payload: known.unwrap_or(USUAL_PAYLOAD),
            // A payload that the image configuration lists itself is allowed anyway.
            blocked_payload: accepted.filter(|_| !is_listed),
        }
    }

    /// Why an image is rejected, if it is.
    pub fn refuses(&self, image: &Image) -> Option<PolicyRefusal<'a>> {
        self.evaluate(Subject::Image(image))
    }

    /// Why the images of a scope are rejected. A scope is accepted where some of its images are allowed.
    pub fn refuses_scope(&self, scope: &str) -> Option<PolicyRefusal<'a>> {
        self.evaluate(Subject::Scope(scope))
    }

    fn evaluate(&self, subject: Subject<'_>) -> Option<PolicyRefusal<'a>> {
        if let Some(scope) = self.blocked.iter().find(|scope| self.blocks(scope, subject)) {
            return Some(PolicyRefusal::Blocked(scope));
        }
        // As `PolicyFile::rejects_others`: where something is blocked, everything else is accepted.
        let is_limited = self.blocked.is_empty() && !self.allowed.is_empty();
        if !is_limited || self.allowed.iter().any(|scope| subject.is_allowed_by(scope)) {
            return None;
        }
        match self.blocked_payload {
            Some(payload) if self.allowed.iter().all(|scope| *scope == payload) => {
                Some(PolicyRefusal::OnlyPayload(payload))
            }
            _ => Some(PolicyRefusal::NotAllowed),
        }
    }

    /// Whether a blocked scope rejects the subject. policy.json lets the most specific scope decide, and accepts the
    /// payload's repository: what is inside of that is rejected only by a blocked scope that is inside of it, too.
    fn blocks(&self, scope: &str, subject: Subject<'_>) -> bool {
        let is_payload = is_nested(subject.name(), self.payload);
        subject.is_covered_by(scope) && (!is_payload || is_nested(scope, self.payload))
    }
}

/// What is evaluated.
#[derive(Debug, Clone, Copy)]
enum Subject<'s> {
    /// One image.
    Image(&'s Image),
    /// The images of a scope.
    Scope(&'s str),
}

impl Subject<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Image(image) => image.name(),
            Self::Scope(scope) => scope,
        }
    }

    fn is_covered_by(self, outer: &str) -> bool {
        match self {
            // A scope may also be one image with its tag or digest.
            Self::Image(image) => is_nested(image.name(), outer) || image.as_str() == outer,
            Self::Scope(scope) => is_nested(scope, outer),
        }
    }

    fn is_allowed_by(self, allowed: &str) -> bool {
        match self {
            Self::Image(_) => self.is_covered_by(allowed),
            Self::Scope(scope) => self.is_covered_by(allowed) || is_nested(allowed, scope),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        context::Context,
        objects::{Entry, ImageConfig, MirrorSet, Object, SetKind},
    };

    #[derive(Default)]
    struct Case {
        /// The image without its tag, and the scope; only in clusters with a payload.
        name: &'static str,
        blocked: &'static [&'static str],
        allowed: &'static [&'static str],
        expected: Option<PolicyRefusal<'static>>,
        reason: &'static str,
    }

    fn image_config(case: &Case) -> Object {
        Object::from(ImageConfig {
            blocked_registries: case.blocked.iter().map(ToString::to_string).collect(),
            allowed_registries: case.allowed.iter().map(ToString::to_string).collect(),
            ..ImageConfig::default()
        })
    }

    #[test]
    fn the_original_image_name_is_evaluated() {
        let image = Image::parse("quay.io/a/b:v1").unwrap();
        let table = [
            Case { reason: "nothing is configured", ..Case::default() },
            Case {
                blocked: &["quay.io"],
                expected: Some(PolicyRefusal::Blocked("quay.io")),
                reason: "the whole registry",
                ..Case::default()
            },
            Case {
                blocked: &["quay.io/a/b"],
                expected: Some(PolicyRefusal::Blocked("quay.io/a/b")),
                reason: "the repository",
                ..Case::default()
            },
            Case { blocked: &["quay.io/a/c"], reason: "another repository", ..Case::default() },
            Case {
                allowed: &["*.lab.example"],
                expected: Some(PolicyRefusal::NotAllowed),
                reason: "only others are allowed",
                ..Case::default()
            },
            Case {
                allowed: &["*.lab.example", "quay.io/a"],
                reason: "its namespace is allowed",
                ..Case::default()
            },
            Case {
                blocked: &["docker.io"],
                allowed: &["docker.io"],
                reason: "the allowed registries are no limit where others are blocked",
                ..Case::default()
            },
        ];
        for case in table {
            let context = Context::from_iter([image_config(&case)]);
            assert_eq!(Policy::new(context.view()).refuses(&image), case.expected, "{}", case.reason);
        }
    }

    #[test]
    fn the_payload_is_an_exception_to_blocked_registries_only() {
        let not_allowed = Some(PolicyRefusal::NotAllowed);
        assert_payload_cases([
            Case { name: "quay.io/p/r", blocked: &["quay.io"], reason: "the payload", ..Case::default() },
            Case {
                name: "quay.io/p/r/below",
                blocked: &["quay.io"],
                reason: "a repository below the payload's: the most specific scope decides",
                ..Case::default()
            },
            Case {
                name: "quay.io/p/r/own",
                blocked: &["quay.io", "quay.io/p/r/own"],
                expected: Some(PolicyRefusal::Blocked("quay.io/p/r/own")),
                reason: "blocked by its own name",
                ..Case::default()
            },
            Case {
                name: "quay.io/p/s",
                blocked: &["quay.io"],
                expected: Some(PolicyRefusal::Blocked("quay.io")),
                reason: "a repository next to the payload's",
                ..Case::default()
            },
            Case {
                name: "quay.io/p/r",
                allowed: &["m.lab"],
                expected: not_allowed,
                reason: "the payload must be allowed like everything else",
                ..Case::default()
            },
            Case {
                name: "quay.io/p/r",
                allowed: &["quay.io/p"],
                reason: "the payload's namespace is allowed",
                ..Case::default()
            },
        ]);
    }

    #[test]
    fn a_blocked_payload_is_allowed_by_its_own_name() {
        assert_payload_cases([
            Case {
                name: "quay.io/p/r",
                blocked: &["quay.io/p/r"],
                allowed: &["m.lab"],
                reason: "blocked with a mirror, it is allowed",
                ..Case::default()
            },
            Case {
                name: "quay.io/p/s",
                blocked: &["quay.io/p/r"],
                allowed: &["m.lab"],
                expected: Some(PolicyRefusal::NotAllowed),
                reason: "the payload was all that was blocked, so that the allowed registries are a limit",
            },
            Case {
                name: "quay.io/p/s",
                blocked: &["quay.io/p/r"],
                expected: Some(PolicyRefusal::OnlyPayload("quay.io/p/r")),
                reason: "only the payload is allowed",
                ..Case::default()
            },
            Case {
                name: "quay.io/p/s",
                blocked: &["quay.io/p/r", "docker.io"],
                reason: "others are blocked too, so that the rest is accepted",
                ..Case::default()
            },
        ]);
    }

    /// Compares images and scopes in a cluster whose payload, `quay.io/p/r`, has a mirror.
    fn assert_payload_cases(table: impl IntoIterator<Item = Case>) {
        for case in table {
            let entry = Entry {
                source: "quay.io/p/r".into(),
                mirrors: ["m.lab/p/r".into()].into_iter().collect(),
                mirror_source_policy: None,
            };
            let mirrored = Object::from(MirrorSet::new(SetKind::Idms, "a", vec![entry]));
            let mut context = Context::from_iter([image_config(&case), mirrored]);
            context.payload = Some(format!("quay.io/p/r@sha256:{}", "0".repeat(64)));
            let policy = Policy::new(context.view());
            let Case { name, expected, reason, .. } = case;
            let image = Image::parse(&format!("{name}:v1")).unwrap();
            assert_eq!(policy.refuses(&image), expected, "{reason}");
            assert_eq!(policy.refuses_scope(name), expected, "as a scope: {reason}");
        }
    }
}
