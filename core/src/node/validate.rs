//! What the machine-config operator rejects, so that it renders nothing at all.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::{
    context::View,
    objects::{
        MirrorSet, MirrorSourcePolicy,
        grammar::{is_valid_mirror, is_valid_registry_scope, is_valid_source},
    },
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

/// Checks every set of a view in the operator's order: IDMS, then ICSP, then ITMS, each by name.
///
/// Follows `machine-config-operator pkg/controller/container-runtime-config/helpers.go`
/// `validateRegistriesConfScopes`.
pub fn validate(view: View<'_>) -> Result<(), Refusal> {
    let config = view.image_config();
    for (list, scopes) in [
        ("insecure", &config.insecure_registries),
        ("blocked", &config.blocked_registries),
        ("allowed", &config.allowed_registries),
    ] {
        if let Some(scope) = scopes.iter().find(|scope| !is_valid_registry_scope(scope)) {
            return Err(Refusal::Scope { list, scope: scope.clone() });
        }
    }
    let mut policies = BTreeMap::new();
    for set in view.sets() {
        validate_set(set, &mut policies)?;
    }
    Ok(())
}

fn validate_set<'a>(
    set: &'a MirrorSet,
    policies: &mut BTreeMap<&'a str, MirrorSourcePolicy>,
) -> Result<(), Refusal> {
    for entry in &set.entries {
        let source = &*entry.source;
        if !is_valid_source(source) {
            return Err(Refusal::Source(source.to_owned()));
        }
        if *policies.entry(source).or_insert(entry.policy()) != entry.policy() {
            return Err(Refusal::Policy(source.to_owned()));
        }
        for mirror in &entry.mirrors {
            if !is_valid_mirror(mirror) {
                return Err(Refusal::Mirror(mirror.to_string()));
            }
            if entry.policy() == MirrorSourcePolicy::NeverContactSource && **mirror == *source {
                return Err(Refusal::NeverContact(source.to_owned()));
            }
        }
    }
    Ok(())
}
