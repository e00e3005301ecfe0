//! Which blocked registries reach the nodes.

use super::{PullFromMirror, render::Rendering};
use crate::{
    context::View,
    objects::{
        reference::Image,
        scope::{ancestors, is_nested},
    },
};

impl<'a> Rendering<'a> {
    /// Everything that is seen, with the blocked registries as the machine-config operator takes them.
    pub fn new(view: View<'a>) -> Self {
        Self::blocking(view, effective_blocked(view))
    }
}

/// The blocked registries without those that would cut the cluster off its own payload: one that covers
/// the payload's repository stays only where the digest sets give that repository a mirror that is not
/// blocked itself. Without a known payload the list is taken as it is.
///
/// Follows `machine-config-operator pkg/controller/container-runtime-config/helpers.go`
/// `getValidBlockedAndAllowedRegistries`.
pub fn effective_blocked(view: View<'_>) -> Vec<&str> {
    let blocked = || view.image_config().blocked_registries.iter().map(String::as_str);
    if view.image_config().blocked_registries.is_empty() {
        return Vec::new();
    }
    let Some(payload) = payload_repository(view) else { return blocked().collect() };
    let covers = |scope: &&str| is_nested(&payload, scope);
    if !blocked().any(|scope| covers(&scope)) || has_unblocked_mirror(view, &payload) {
        return blocked().collect();
    }
    blocked().filter(|scope| !covers(scope)).collect()
}

/// Repository of the release payload, where it is known.
pub fn payload_repository(view: View<'_>) -> Option<String> {
    let image = view.payload().and_then(|image| Image::parse_canonical(image).ok());
    image.map(|image| image.name().to_owned())
}

fn has_unblocked_mirror(view: View<'_>, repository: &str) -> bool {
    let rendering = Rendering::of_digest_sets(view);
    let config = view.image_config();
    // The scopes that can stand in the file, as texts that live as long as the view.
    let known = |scope: &str| {
        let listed = config.blocked_registries.iter().chain(&config.insecure_registries).map(String::as_str);
        let source =
            view.entries(scope).find(|found| found.set.kind.is_digest() && found.entry().is_effective());
        source.map(|found| &*found.entry().source).or_else(|| listed.into_iter().find(|s| *s == scope))
    };
    let above = ancestors(repository).filter_map(|ancestor| known(&ancestor.to_scope()));
    let Some(scope) = known(repository).into_iter().chain(above).max_by_key(|scope| scope.len()) else {
        return false;
    };
    let Ok(Some(placed)) = rendering.registry_at(scope) else { return false };
    let below = repository.strip_prefix(scope).unwrap_or_default();
    placed.registry.mirrors.iter().filter(|mirror| mirror.pull == PullFromMirror::DigestOnly).any(|mirror| {
        let name = format!("{}{below}", mirror.location);
        !config.blocked_registries.iter().any(|blocked| is_nested(&name, blocked))
    })
}
