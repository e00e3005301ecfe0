//! What the operator makes of blocked registries that cover the release image.

use super::{Problem, unreadable::file_fix};
use crate::{
    context::View,
    node::{LookupError, Policy, PolicyRefusal, Refusal, payload_repository},
    objects::{Pull, reference::Image, scope::is_nested},
    rules::{Level, invalid_source::RENDERING_FAILS, shared::Covering},
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
        // Where it has mirrors, all of them are blocked.
        let fix = if Covering::new(view, |found| found.serves(Pull::Digest)).covers(repository) {
            format!("give \"{repository}\" a mirror outside the blocked registries")
        } else {
            format!("add \"{repository}\" with its mirror to an ImageDigestMirrorSet")
        };
        ("which no digest mirror outside the blocked registries has", fix)
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
    let covering: Vec<_> = blocked.filter(|scope| is_nested(repository, scope)).collect();
    // With the repository alone, nothing else would be allowed.
    let fix = match covering.iter().find(|scope| ***scope != *repository) {
        Some(wider) => format!("keep only \"{wider}\" of them"),
        None => format!("remove \"{repository}\" from the list"),
    };
    let covering: Vec<_> = covering.into_iter().map(|scope| format!("\"{scope}\"")).collect();
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
        fix,
    }
}

/// What is wrong if policy.json accepts only what is allowed: the payload and nothing else, or not the payload.
pub(super) fn limited(view: View<'_>) -> Option<Problem> {
    let repository = payload_repository(view)?;
    let policy = Policy::new(view);
    // The empty scope stands for any image that no list covers.
    if let Some(PolicyRefusal::OnlyPayload(_)) = policy.refuses_scope("") {
        return Some(only_payload(repository));
    }
    let image = Image::parse_canonical(view.payload()?).ok()?;
    (policy.refuses(&image) == Some(PolicyRefusal::NotAllowed)).then(|| rejected_payload(repository))
}

/// The operator allows the blocked repository of the payload, which has a mirror. With nothing else in the lists, that is
/// a list of all that is allowed.
fn only_payload(repository: &str) -> Problem {
    Problem {
        keys: vec![format!("only payload {repository}")],
        level: Level::Deny,
        field: "blockedRegistries".to_owned(),
        culprit: repository.to_owned(),
        what: format!("blockedRegistries has only the repository of the release image, \"{repository}\""),
        effect: "nodes then allow this repository and nothing else: they reject every other image",
        fix: format!(
            "remove \"{repository}\" from the list; mirrorSourcePolicy NeverContactSource keeps nodes from it"
        ),
    }
}

/// Nodes may not run the payload.
fn rejected_payload(repository: &str) -> Problem {
    Problem {
        keys: vec![format!("rejected payload {repository}")],
        level: Level::Warn,
        field: "allowedRegistries".to_owned(),
        culprit: repository.to_owned(),
        what: format!("allowedRegistries does not contain the release image, \"{repository}\""),
        effect: "nodes reject it, even from a mirror, so updates and new nodes fail",
        fix: format!("add \"{repository}\" to allowedRegistries"),
    }
}
