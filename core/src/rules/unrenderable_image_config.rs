//! An image configuration with which nodes get no file, one that they cannot read, or one that blocks nothing.

use std::collections::BTreeSet;

use super::{Check, Finding, Level, NodesWrite, Rule, invalid_source::RENDERING_FAILS};
use crate::{
    context::View,
    node::{
        FileRefusal, Lists, LookupError, Loss, Refusal, Rendering, check_file, check_locations,
        check_search_registries, payload_repository, validate_policy,
    },
    objects::{MirrorSet, grammar::is_valid_registry_scope, scope::is_nested},
};

pub(super) const RULE: Rule = Rule {
    id: "unrenderable-image-config",
    level: Level::Deny,
    summary: "an image.config that stops rendering, makes registries.conf unreadable, or loses every blocked registry",
    page: include_str!("unrenderable_image_config.md"),
    check: Check::Nodes(check),
    stops_rendering: true,
    ..Rule::BASE
};

/// What happens if containers/image rejects the file.
const FILE_REJECTED: &str =
    "nodes reject the whole registry configuration, and every pull fails on every node";

fn check(write: &NodesWrite<'_>, findings: &mut Vec<Finding>) {
    // What was wrong before is not the fault of this write.
    let before: BTreeSet<_> =
        write.before.into_iter().flat_map(problems).flat_map(|problem| problem.keys).collect();
    let is_new = |problem: &Problem| problem.keys.iter().any(|key| !before.contains(key));
    let new = problems(write.after).into_iter().filter(is_new);
    findings.extend(new.map(|problem| problem.into_finding(write)));
}

/// Something wrong with the settings, wherever it is reported.
struct Problem {
    /// One for each fault.
    keys: Vec<String>,
    /// The highest level that its finding may have.
    level: Level,
    /// The field of the image configuration, below `registrySources`; empty if it is about none of them.
    field: String,
    /// The source or mirror that is part of it, to find its place in the set that is written; empty if there is
    /// none.
    culprit: String,
    what: String,
    effect: &'static str,
    fix: String,
}

impl Problem {
    fn into_finding(self, write: &NodesWrite<'_>) -> Finding {
        let path = match write.set {
            Some(set) => place_in_set(set, &self.culprit).unwrap_or_else(|| write.path.to_owned()),
            None if self.field.is_empty() => write.path.to_owned(),
            None => format!("{}.{}", write.path, self.field),
        };
        Finding {
            at_most: self.level,
            effect: self.effect.to_owned(),
            fix: self.fix.into(),
            ..Finding::of_faults(path, self.keys, self.what)
        }
    }
}

/// The first field of a set that is about `culprit`: a source that covers it, or a mirror that it is. `None` for an
/// empty one.
fn place_in_set(set: &MirrorSet, culprit: &str) -> Option<String> {
    for (index, entry) in set.effective_entries() {
        if is_nested(culprit, &entry.source) {
            return Some(set.field_path(index, "source"));
        }
        if let Some(at) = entry.mirrors.iter().position(|mirror| **mirror == *culprit) {
            return Some(set.field_path(index, &format!("mirrors[{at}]")));
        }
    }
    None
}

/// Everything that is wrong with the settings in a view.
fn problems(view: View<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    match Lists::of(view) {
        Err(refusal) => problems.extend(refused_payload(view, &refusal)),
        Ok(lists) => {
            match &lists.loss {
                Some(Loss::Everything(error)) => problems.push(all_lost(view, error)),
                Some(Loss::Covering(scopes)) => problems.push(not_blocked(view, scopes)),
                None => {}
            }
            if let Err(refusal) = validate_policy(view, &lists) {
                problems.extend(refused_policy(view, refusal));
            }
        }
    }
    problems.extend(unreadable_scopes(view));
    problems.extend(unreadable_search_registries(view));
    problems
}

/// The operator finds no place for the release image, or stops at it.
fn refused_payload(view: View<'_>, refusal: &Refusal) -> Option<Problem> {
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
fn all_lost(view: View<'_>, error: &LookupError) -> Problem {
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
fn not_blocked(view: View<'_>, scopes: &[&str]) -> Problem {
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

fn refused_policy(view: View<'_>, refusal: Refusal) -> Option<Problem> {
    match refusal {
        // All that is allowed is the payload, which is added once for each blocked registry that covers it.
        Refusal::AllowedAndBlocked if view.image_config().allowed_registries.is_empty() => {
            Some(payload_twice(view))
        }
        Refusal::AllowedAndBlocked => Some(Problem {
            keys: vec!["allowed and blocked".to_owned()],
            level: Level::Deny,
            field: "allowedRegistries".to_owned(),
            // A set has a part in it only if it gives the payload a mirror.
            culprit: payload_repository(view).unwrap_or_default().to_owned(),
            what: "allowedRegistries and blockedRegistries are both set".to_owned(),
            effect: RENDERING_FAILS,
            fix: "remove one of the two lists".to_owned(),
        }),
        Refusal::Signatures { is_cluster_wide, scope, is_blocked } => {
            Some(signed_scope(is_cluster_wide, &scope, is_blocked))
        }
        // A finding of invalid-registry-scope, or of the payload.
        _ => None,
    }
}

/// Several blocked registries cover the payload, and nothing else is allowed.
fn payload_twice(view: View<'_>) -> Problem {
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

fn signed_scope(is_cluster_wide: bool, scope: &str, is_blocked: bool) -> Problem {
    let kind = if is_cluster_wide { "ClusterImagePolicy" } else { "ImagePolicy" };
    let (field, what, fix) = if is_blocked {
        (
            "blockedRegistries",
            format!("scope \"{scope}\" of {kind} is covered by blockedRegistries"),
            format!("remove the scope from the {kind}, or stop blocking it"),
        )
    } else {
        (
            "allowedRegistries",
            format!("scope \"{scope}\" of {kind} is not covered by allowedRegistries"),
            format!("add \"{scope}\" to allowedRegistries"),
        )
    };
    Problem {
        keys: vec![format!("{kind} {scope}")],
        level: Level::Deny,
        field: field.to_owned(),
        culprit: scope.to_owned(),
        what,
        effect: RENDERING_FAILS,
        fix,
    }
}

/// The scopes for which containers/image rejects registries.conf.
fn unreadable_scopes(view: View<'_>) -> Vec<Problem> {
    let config = view.image_config();
    let rendering = Rendering::new(view);
    let listed: BTreeSet<_> = rendering.listed().into_iter().collect();
    let mut problems = Vec::new();
    for (list, scopes) in [
        ("insecureRegistries", &config.insecure_registries),
        ("blockedRegistries", &config.blocked_registries),
    ] {
        // What is listed and not valid stops rendering, and is a finding of invalid-registry-scope.
        let written = |scope: &str| listed.contains(scope) && is_valid_registry_scope(scope);
        for (at, scope) in scopes.iter().enumerate().filter(|(_, scope)| written(scope)) {
            if let Err(refusal) = check_locations([scope.as_str()]) {
                problems.push(unreadable(&refusal, scope, list, at));
            }
        }
    }
    // Its other refusals are about one scope, and found above with the place of each.
    if let Err(refusal) = check_file(&rendering)
        && let FileRefusal::Flag { scope, location, .. } = &refusal
    {
        let lists = [
            ("insecureRegistries", &config.insecure_registries),
            ("blockedRegistries", &config.blocked_registries),
        ];
        let place = lists
            .iter()
            .find_map(|(list, scopes)| Some((*list, scopes.iter().position(|listed| listed == scope)?)));
        // A flag comes from one of the lists, so that there is a place.
        let (list, at) = place.unwrap_or(("blockedRegistries", 0));
        problems.push(Problem { culprit: location.clone(), ..unreadable(&refusal, scope, list, at) });
    }
    problems
}

fn unreadable_search_registries(view: View<'_>) -> Vec<Problem> {
    let registries = &view.image_config().container_runtime_search_registries;
    let mut problems = Vec::new();
    for (at, registry) in registries.iter().enumerate() {
        if let Err(refusal) = check_search_registries(std::slice::from_ref(registry)) {
            problems.push(unreadable(&refusal, registry, "containerRuntimeSearchRegistries", at));
        }
    }
    problems
}

fn unreadable(refusal: &FileRefusal, scope: &str, list: &str, at: usize) -> Problem {
    let what = match refusal {
        FileRefusal::Scheme(_) => format!("\"{scope}\" in {list} has a scheme"),
        FileRefusal::Empty(_) => format!("\"{scope}\" in {list} has no registry"),
        FileRefusal::Search(_) => format!("\"{scope}\" in {list} is not host[:port]"),
        FileRefusal::Flag { location, flag, .. } => format!(
            "\"{scope}\" in {list} and \"{location}\" are the same scope, but only one of them is {flag}"
        ),
    };
    Problem {
        keys: vec![format!("{list} {scope}")],
        level: Level::Deny,
        field: format!("{list}[{at}]"),
        culprit: String::new(),
        what,
        effect: FILE_REJECTED,
        fix: file_fix(refusal),
    }
}

fn file_fix(refusal: &FileRefusal) -> String {
    match refusal {
        FileRefusal::Scheme(scope) => {
            let bare = scope.split_once("://").map_or(&**scope, |(_, rest)| rest);
            format!("set it to \"{}\"", bare.trim_end_matches('/'))
        }
        FileRefusal::Empty(_) => "remove it".to_owned(),
        FileRefusal::Search(_) => "write host[:port], without a path".to_owned(),
        FileRefusal::Flag { scope, location, .. } => format!("write \"{location}\" instead of \"{scope}\""),
    }
}

#[cfg(test)]
mod tests;
