//! What the operator makes of blocked registries that cover the release image.

use super::{Problem, unreadable::file_fix};
use crate::{
    context::View,
    node::{LookupError, Refusal, payload_repository},
    objects::scope::is_nested,
    rules::{Level, invalid_source::RENDERING_FAILS},
};

/// The operator finds no place for the release image, or stops at it.
pub(super) fn refused_payload(view: View<'_>, refusal: &Refusal) -> Option<Problem> {
    let image = view.payload().unwrap_or_default();
    let (key, field, what, fix) = match refusal {
        Refusal::Payload(_) => (
            "payload",
            "",
            format!("release image \"{image}\" is not a complete reference"),
            "write the release image of the cluster: oc get clusterversion version -o yaml",
        ),
        // The operator compares `*.lab` with the end of a host, containers/image with the first `.lab` in it. In
        // `m.lab.lab`, the operator sees a blocked registry, but then finds no entry for it, and panics.
        Refusal::Crash(_) => (
            "unmatched payload",
            "blockedRegistries",
            format!(
                "a wildcard in blockedRegistries covers release image \"{image}\", but does not match it"
            ),
            "block the hosts by their full names",
        ),
        // `Lists::of` has no other refusals.
        _ => return None,
    };
    Some(Problem {
        keys: vec![format!("{key} {image}")],
        level: Level::Deny,
        field: field.to_owned(),
        culprit: String::new(),
        what,
        effect: RENDERING_FAILS,
        fix: fix.to_owned(),
    })
}

/// The operator cannot find out whether a mirror has the payload, and goes on without any list.
pub(super) fn all_lost(view: View<'_>, error: &LookupError) -> Problem {
    let repository = payload_repository(view).unwrap_or_default();
    let (culprit, fix) = match error {
        LookupError::Render(error) => (
            error.wildcard.clone(),
            format!(
                "add an entry for \"{}\", or list the hosts instead of \"{}\"",
                error.scope, error.wildcard
            ),
        ),
        LookupError::File(refusal) => (String::new(), file_fix(refusal)),
        LookupError::Reference { mirror, .. } => {
            (mirror.clone(), format!("add a registry host to mirror \"{mirror}\""))
        }
    };
    Problem {
        keys: vec![format!("all lost {error}")],
        level: Level::Deny,
        field: "blockedRegistries".to_owned(),
        culprit,
        what: format!(
            "blockedRegistries covers the release image, \"{repository}\", whose mirrors cannot be found ({error})"
        ),
        effect: "the machine-config operator only logs this, and renders no blocked or allowed registry at all",
        fix,
    }
}

/// The operator does not block what covers the release image, unless a mirror has that.
pub(super) fn not_blocked(view: View<'_>, scopes: &[&str]) -> Problem {
    let repository = payload_repository(view).unwrap_or_default();
    let image = view.payload().unwrap_or_default();
    let quoted: Vec<_> = scopes.iter().map(|scope| format!("\"{scope}\"")).collect();
    let (covers, effect) = match scopes {
        [_] => ("covers", "the machine-config operator does not block it, and images are pulled from there"),
        _ => ("cover", "the machine-config operator blocks none of them, and images are pulled from there"),
    };
    let (why, fix) = if image.contains('@') {
        (
            "which no digest mirror outside the blocked registries has",
            format!("add \"{repository}\" with its mirror to an ImageDigestMirrorSet"),
        )
    } else {
        (
            "which is pulled by tag, so that digest mirrors do not count",
            "install the release by digest, or block the repositories beside the release image by their names".to_owned(),
        )
    };
    Problem {
        keys: scopes.iter().map(|scope| format!("not blocked {scope}")).collect(),
        level: Level::Warn,
        field: "blockedRegistries".to_owned(),
        culprit: repository.to_owned(),
        what: format!(
            "{} in blockedRegistries {covers} the release image, \"{repository}\", {why}",
            quoted.join(" and ")
        ),
        effect,
        fix,
    }
}

/// Several blocked registries cover the payload, and nothing else is allowed.
pub(super) fn payload_twice(view: View<'_>) -> Problem {
    let repository = payload_repository(view).unwrap_or_default();
    let blocked = view.image_config().blocked_registries.iter();
    let covering: Vec<_> =
        blocked.filter(|scope| is_nested(repository, scope)).map(|scope| format!("\"{scope}\"")).collect();
    let covering = covering.join(" and ");
    Problem {
        keys: vec![format!("payload twice {covering}")],
        level: Level::Deny,
        field: "blockedRegistries".to_owned(),
        culprit: repository.to_owned(),
        what: format!(
            "{covering} in blockedRegistries cover the repository of the release image, \"{repository}\""
        ),
        effect: "the machine-config operator then allows it more than once, which makes policy.json invalid, and nodes \
                 get no new configuration",
        fix: "keep only one of them".to_owned(),
    }
}
