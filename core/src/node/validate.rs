//! What the machine-config operator rejects, so that it renders nothing at all.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::{Lists, payload_repository};
use crate::{
    context::View,
    objects::{Format, MirrorSet, MirrorSourcePolicy, grammar::is_valid_registry_scope, scope::is_nested},
};

/// The first thing that the machine-config operator rejects; the texts are its own, as in its log, and do not
/// name the object.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// An entry of the image configuration.
    #[error("invalid entry for {list} registries \"{scope}\"")]
    Scope {
        /// `insecure`, `blocked` or `allowed`.
        list: &'static str,
        /// The entry.
        scope: String,
    },
    /// The payload is no canonical reference.
    #[error("error parsing reference of release image")]
    Payload(String),
    /// A blocked wildcard covers the payload, but does not match it: the operator stops with a panic.
    #[error("runtime error: invalid memory address or nil pointer dereference")]
    Crash(String),
    /// Registries are both allowed and blocked, or the payload is allowed more than once.
    #[error("invalid images config: only one of AllowedRegistries or BlockedRegistries may be specified")]
    AllowedAndBlocked,
    /// A scope that needs signatures is not allowed, or blocked.
    #[error("{} configured for the scope {scope} {}", kind_of(*.is_cluster_wide), where_of(*.is_blocked))]
    Signatures {
        /// Whether a ClusterImagePolicy has it, not an ImagePolicy.
        is_cluster_wide: bool,
        /// The scope.
        scope: String,
        /// Whether it is blocked, rather than not allowed.
        is_blocked: bool,
    },
    /// A source or mirror that is empty, up to 4.15.
    #[error("invalid empty entry for {0} configuration")]
    Empty(&'static str),
    /// A source or mirror with `*`, up to 4.15.
    #[error("wildcard entries are not supported with mirror configuration \"{0}\"")]
    Wildcard(String),
    /// A source.
    #[error("invalid format for source \"{0}\"")]
    Source(String),
    /// A mirror.
    #[error("invalid format for mirror \"{0}\"")]
    Mirror(String),
    /// Two policies for one source.
    #[error(
        "conflicting mirrorSourcePolicy is set for the same source \"{0}\" in imagedigestmirrorsets, imagetagmirrorsets, or imagecontentsourcepolicies"
    )]
    Policy(String),
    /// A source that may never be contacted and is its own mirror.
    #[error("cannot set mirrorSourcePolicy: NeverContactSource if the source \"{0}\" is one of the mirrors")]
    NeverContact(String),
}

fn kind_of(is_cluster_wide: bool) -> &'static str {
    if is_cluster_wide { "clusterimagePolicy" } else { "imagePolicy" }
}

fn where_of(is_blocked: bool) -> &'static str {
    if is_blocked { "is nested inside blockedRegistries" } else { "is not nested inside allowedRegistries" }
}

/// Checks what registries.conf is made of, in the operator's order: the payload, the image configuration, then every
/// set, IDMS, ICSP and ITMS, each by name.
///
/// Follows `machine-config-operator pkg/controller/container-runtime-config/helpers.go`
/// `validateRegistriesConfScopes`.
pub fn validate(view: View<'_>) -> Result<(), Refusal> {
    validate_with(view, &Lists::of(view)?)
}

/// The same with lists that are made already: `lists` are those of this view.
pub(super) fn validate_with(view: View<'_>, lists: &Lists<'_>) -> Result<(), Refusal> {
    validate_lists(view, lists)?;
    let mut policies = BTreeMap::new();
    for set in view.sets() {
        validate_set(set, view.format(), &mut policies)?;
    }
    Ok(())
}

/// Checks what the image configuration adds to registries.conf. `lists` are those of this view.
pub(super) fn validate_lists(view: View<'_>, lists: &Lists<'_>) -> Result<(), Refusal> {
    let insecure = view.image_config().insecure_registries.iter().map(String::as_str);
    validate_scopes("insecure", insecure)?;
    validate_scopes("blocked", lists.blocked.iter().copied())
}

/// Checks what policy.json is made of. `lists` are those of this view.
///
/// Follows `machine-config-operator pkg/controller/container-runtime-config/helpers.go` `updatePolicyJSON`,
/// `validateImagePolicyWithAllowedBlockedRegistries` and `getValidScopePolicies`. Whether a ClusterImagePolicy or
/// ImagePolicy has a usable key is not checked.
pub fn validate_policy(view: View<'_>, lists: &Lists<'_>) -> Result<(), Refusal> {
    let Lists { rejected, allowed, .. } = lists;
    // Both at once are valid only where the payload's repository, once, is all that is allowed: see
    // `Lists::accepting`.
    let allows_only_payload = only(allowed).is_some_and(|scope| payload_repository(view) == Some(scope));
    if !allowed.is_empty() && !rejected.is_empty() && !allows_only_payload {
        return Err(Refusal::AllowedAndBlocked);
    }
    validate_signed_scopes(view, allowed, rejected)?;
    validate_scopes("blocked", rejected.iter().copied())?;
    validate_scopes("allowed", allowed.iter().copied())
}

/// The one scope of a list; `None` if it has none or several.
fn only<'a>(scopes: &[&'a str]) -> Option<&'a str> {
    if let [scope] = scopes { Some(scope) } else { None }
}

fn validate_scopes<'a>(list: &'static str, mut scopes: impl Iterator<Item = &'a str>) -> Result<(), Refusal> {
    match scopes.find(|scope| !is_valid_registry_scope(scope)) {
        Some(scope) => Err(Refusal::Scope { list, scope: scope.to_owned() }),
        None => Ok(()),
    }
}

/// Checks the scopes that need signatures, where policy.json has lists at all. The operator reads them in random
/// order; here the first by name is found.
fn validate_signed_scopes(view: View<'_>, allowed: &[&str], rejected: &[&str]) -> Result<(), Refusal> {
    if allowed.is_empty() && rejected.is_empty() {
        return Ok(());
    }
    let (cluster, namespaced): (Vec<_>, Vec<_>) =
        view.signed_scopes().partition(|(is_cluster_wide, _)| *is_cluster_wide);
    let [cluster, namespaced] = [cluster, namespaced]
        .map(|scopes| scopes.into_iter().map(|(_, scope)| scope).collect::<BTreeSet<_>>());
    // Inside of a scope of a ClusterImagePolicy, an ImagePolicy does not count.
    let namespaced = namespaced.into_iter().filter(|scope| !is_in_any(scope, &cluster)).collect();
    for (is_cluster_wide, scopes) in [(true, &cluster), (false, &namespaced)] {
        let refusal = |scope: &&str, is_blocked| Refusal::Signatures {
            is_cluster_wide,
            scope: (*scope).to_owned(),
            is_blocked,
        };
        if let Some(scope) = scopes.iter().find(|scope| !allowed.is_empty() && !is_in_any(scope, allowed)) {
            return Err(refusal(scope, false));
        }
        if let Some(scope) = scopes.iter().find(|scope| is_in_any(scope, rejected)) {
            return Err(refusal(scope, true));
        }
    }
    Ok(())
}

fn is_in_any<'s>(scope: &str, outer: impl IntoIterator<Item = &'s &'s str>) -> bool {
    outer.into_iter().any(|outer| is_nested(scope, outer))
}

/// Checks every entry of a set, whether or not it has an effect. `policies` has the policy of each source so far, in
/// this set and in those before it.
fn validate_set<'a>(
    set: &'a MirrorSet,
    format: Format,
    policies: &mut BTreeMap<&'a str, MirrorSourcePolicy>,
) -> Result<(), Refusal> {
    for entry in &set.entries {
        let source = &*entry.source;
        if !format.accepts_source(source) {
            return Err(refused_value("source", source, format));
        }
        if *policies.entry(source).or_insert(entry.policy()) != entry.policy() {
            return Err(Refusal::Policy(source.to_owned()));
        }
        for mirror in &entry.mirrors {
            if !format.accepts_mirror(mirror) {
                return Err(refused_value("mirror", mirror, format));
            }
            if entry.policy() == MirrorSourcePolicy::NeverContactSource && **mirror == *source {
                return Err(Refusal::NeverContact(source.to_owned()));
            }
        }
    }
    Ok(())
}

fn refused_value(role: &'static str, value: &str, format: Format) -> Refusal {
    match (format, role) {
        (Format::UpTo415, role) if value.is_empty() => Refusal::Empty(role),
        // All else that is refused up to 4.15 contains a `*`.
        (Format::UpTo415, _) => Refusal::Wildcard(value.to_owned()),
        (Format::From416, "source") => Refusal::Source(value.to_owned()),
        (Format::From416, _) => Refusal::Mirror(value.to_owned()),
    }
}
