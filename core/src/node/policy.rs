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
    /// payload's repository: what is inside of that is rejected only by a blocked scope that is inside of it, too, or
    /// that is one image.
    fn blocks(&self, scope: &str, subject: Subject<'_>) -> bool {
        if subject.is_identified_by(scope) {
            return true;
        }
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
            Self::Image(image) => is_nested(image.name(), outer) || self.is_identified_by(outer),
            Self::Scope(scope) => is_nested(scope, outer),
        }
    }

    /// Whether a scope is this one image with its digest, or with its tag where it has no digest: CRI-O removes the tag
    /// of an image that has both.
    ///
    /// Follows `containers/image docker/policyconfiguration/naming.go` `DockerReferenceIdentity` and `cri-o
    /// internal/storage/references/registry_image_reference.go` `RegistryImageReferenceFromRaw`.
    fn is_identified_by(self, scope: &str) -> bool {
        let Self::Image(image) = self else { return false };
        match image.digest() {
            Some(digest) => {
                scope.strip_prefix(image.name()).and_then(|rest| rest.strip_prefix('@')) == Some(digest)
            }
            None => image.as_str() == scope,
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
mod tests;
