//! An image configuration with which nodes get no file, one that they cannot read, or one that blocks nothing or
//! everything.

mod opened;
mod payload;
mod unreadable;

use std::collections::BTreeSet;

use self::{
    opened::opened_scopes,
    payload::{all_lost, limited, not_blocked, payload_twice, refused_payload},
    unreadable::{unreadable_scopes, unreadable_search_registries},
};
use super::{Check, Finding, Level, NodesWrite, Rule, invalid_source::RENDERING_FAILS};
use crate::{
    context::View,
    node::{Lists, Loss, Refusal, payload_repository, validate_policy},
    objects::{MirrorSet, scope::is_nested},
};

pub(super) const RULE: Rule = Rule {
    id: "unrenderable-image-config",
    level: Level::Deny,
    summary: "an image.config that stops rendering, makes files of nodes unreadable, or blocks nothing or everything",
    page: include_str!("unrenderable_image_config.md"),
    check: Check::Nodes(check),
    stops_rendering: true,
    ..Rule::BASE
};

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
            match validate_policy(view, &lists) {
                Ok(()) => problems.extend(limited(view)),
                Err(refusal) => problems.extend(refused_policy(view, refusal)),
            }
        }
    }
    problems.extend(unreadable_scopes(view));
    problems.extend(unreadable_search_registries(view));
    problems.extend(opened_scopes(view));
    problems
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
            // A set has a part in it only if it gives the payload a mirror: without one, what covers the payload is not
            // blocked.
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

#[cfg(test)]
mod tests;
