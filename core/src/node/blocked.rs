//! Which blocked registries reach the nodes.

use super::render::Rendering;
use crate::{
    context::View,
    objects::{
        Pull,
        reference::Image,
        scope::{ancestors, is_nested},
    },
};

/// The blocked registries that the operator writes into the file.
///
/// It drops those that cover the repository of the release payload, so that nodes can still pull the payload. It keeps
/// them if the digest sets give that repository a mirror that is not blocked itself, or if the payload is unknown.
///
/// Follows `machine-config-operator pkg/controller/container-runtime-config/helpers.go`
/// `getValidBlockedAndAllowedRegistries`.
pub fn effective_blocked(view: View<'_>) -> Vec<&str> {
    let mut blocked: Vec<_> = view.image_config().blocked_registries.iter().map(String::as_str).collect();
    if blocked.is_empty() {
        return blocked;
    }
    let Some(payload) = payload_repository(view) else { return blocked };
    if blocked.iter().any(|scope| is_nested(&payload, scope)) && !has_unblocked_mirror(view, &payload) {
        blocked.retain(|scope| !is_nested(&payload, scope));
    }
    blocked
}

/// Repository of the release payload, where it is known.
pub fn payload_repository(view: View<'_>) -> Option<String> {
    let image = view.payload().and_then(|image| Image::parse_canonical(image).ok());
    image.map(|image| image.name().to_owned())
}

fn has_unblocked_mirror(view: View<'_>, repository: &str) -> bool {
    let Some(scope) = deciding_scope(view, repository) else { return false };
    let Ok(Some(placed)) = Rendering::of_digest_sets(view).registry_at(scope) else { return false };
    let below = repository.strip_prefix(scope).unwrap_or_default();
    let blocked = &view.image_config().blocked_registries;
    placed.registry.mirrors.iter().filter(|mirror| mirror.pull == Pull::Digest).any(|mirror| {
        let name = format!("{}{below}", mirror.location);
        !blocked.iter().any(|scope| is_nested(&name, scope))
    })
}

/// The longest scope of the file, as the digest sets make it, that covers a repository.
fn deciding_scope<'a>(view: View<'a>, repository: &str) -> Option<&'a str> {
    let above = ancestors(repository).filter_map(|ancestor| scope_in_file(view, &ancestor.to_scope()));
    scope_in_file(view, repository).into_iter().chain(above).max_by_key(|scope| scope.len())
}

/// A scope that can be in the file, as a text that lives as long as the view.
fn scope_in_file<'a>(view: View<'a>, scope: &str) -> Option<&'a str> {
    if let Some(found) = view.entries(scope).find(|found| found.serves(Pull::Digest)) {
        return Some(&found.entry().source);
    }
    let config = view.image_config();
    let mut listed = config.blocked_registries.iter().chain(&config.insecure_registries);
    listed.find(|listed| *listed == scope).map(String::as_str)
}
