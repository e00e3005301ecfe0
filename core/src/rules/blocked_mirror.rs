//! An entry whose mirror, or whose images, the nodes refuse.

use std::collections::BTreeSet;

use hashbrown::HashMap;

use super::{Check, DependsOn, Finding, Level, Rule, SetWrite};
use crate::{
    node::{Policy, PolicyRefusal, Rendering},
    objects::{
        Entry, MirrorSet,
        scope::{Ancestor, host, is_nested, matching_scopes, names_registry},
    },
};

pub(super) const RULE: Rule = Rule {
    id: "blocked-mirror",
    level: Level::Warn,
    summary: "a mirror or source that nodes reject, because it is blocked or not allowed",
    page: include_str!("blocked_mirror.md"),
    check: Check::MirrorSet(check),
    depends_on: DependsOn::Nothing,
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    let view = write.cluster.after;
    let config = view.image_config();
    // If the image configuration lists nothing, only `NeverContactSource` can block a mirror.
    let is_free = config.blocked_registries.is_empty() && config.allowed_registries.is_empty();
    let (policy, rendering) = (Policy::new(view), Rendering::new(view));
    let mut blockers = Blockers { rendering: &rendering, known: HashMap::new() };
    // The hosts that are not allowed and are reported already: one change of allowedRegistries allows the whole host.
    let mut hosts = BTreeSet::new();
    // A source or mirror without a registry has a finding of its own.
    let matching = set.effective_entries().filter(|(_, entry)| names_registry(&entry.source));
    for (index, entry) in matching {
        if let Some(refused) = policy.refuses_scope(&entry.source) {
            // Nodes do not come to its mirrors.
            findings.push(refused_source(set, index, entry, refused));
            continue;
        }
        for (at, mirror) in entry.mirrors.iter().enumerate() {
            let may_be_refused = !is_free || view.may_never_contact(mirror);
            if *mirror == entry.source || !may_be_refused || !names_registry(mirror) {
                continue;
            }
            if let Some(scope) = blockers.blocker(mirror) {
                findings.push(blocked(mirror_path(set, index, at), mirror, scope, &rendering));
            } else if policy.refuses_scope(mirror) == Some(PolicyRefusal::NotAllowed)
                && hosts.insert(host(mirror))
            {
                findings.push(not_allowed(mirror_path(set, index, at), mirror));
            }
        }
    }
}

fn mirror_path(set: &MirrorSet, index: usize, at: usize) -> String {
    set.field_path(index, &format!("mirrors[{at}]"))
}

/// Finds what blocks mirrors in registries.conf. Each namespace is looked up once.
struct Blockers<'r, 'a, 's> {
    rendering: &'r Rendering<'a>,
    /// What [`Blockers::blocker`] returned for each namespace.
    known: HashMap<&'s str, Option<&'s str>>,
}

impl<'s> Blockers<'_, '_, 's> {
    /// The scope that keeps the nodes from contacting a mirror or a namespace: of the scopes that cover it, the nearest
    /// in the file decides, even if that does not block it. `None` if nothing blocks it.
    ///
    /// Follows `containers/image docker/docker_client.go` `newDockerClient`.
    fn blocker(&mut self, scope: &'s str) -> Option<&'s str> {
        let Some((parent, _)) = scope.rsplit_once('/') else { return self.of_host(scope) };
        if let Some(blocks) = self.rendering.blocks(scope) {
            return blocks.then_some(scope);
        }
        if let Some(known) = self.known.get(parent) {
            return *known;
        }
        let found = self.blocker(parent);
        self.known.insert(parent, found);
        found
    }

    /// The same for a host: its name without the port covers every port. If a wildcard blocks the host, the host
    /// itself is returned.
    fn of_host(&self, host: &'s str) -> Option<&'s str> {
        let (decides, blocks) = matching_scopes(host)
            .find_map(|scope| Some((scope, self.rendering.blocks(&scope.to_scope())?)))?;
        blocks.then_some(match decides {
            Ancestor::Parent(parent) => parent,
            Ancestor::Wildcard(_) => host,
        })
    }
}

/// The finding for a mirror that is blocked by `scope`, or by what covers that in the image configuration.
fn blocked(path: String, mirror: &str, scope: &str, rendering: &Rendering<'_>) -> Finding {
    let (what, fix) = match rendering.blocked().iter().find(|outer| is_nested(scope, outer)) {
        Some(outer) => (
            format!("mirror \"{mirror}\" is blocked by \"{outer}\" in image.config"),
            format!("remove \"{outer}\" from blockedRegistries"),
        ),
        None => (
            format!("mirror \"{mirror}\" is blocked, because NeverContactSource is set for \"{scope}\""),
            format!(
                "set AllowContactingSource for \"{scope}\", or use a mirror that \"{scope}\" does not cover"
            ),
        ),
    };
    Finding {
        effect: "nodes skip this mirror".to_owned(),
        fix: fix.into(),
        ..Finding::new(path, format!("{mirror} blocked"), what)
    }
}

fn not_allowed(path: String, mirror: &str) -> Finding {
    Finding {
        // Nodes check only the source's name against policy.json.
        at_most: Level::Warn,
        effect: "nodes reject images whose name starts with this mirror".to_owned(),
        fix: format!("add \"{}\" to allowedRegistries", host(mirror)).into(),
        ..Finding::new(
            path,
            format!("{mirror} not allowed"),
            format!("mirror \"{mirror}\" is not covered by allowedRegistries in image.config"),
        )
    }
}

fn refused_source(set: &MirrorSet, index: usize, entry: &Entry, refused: PolicyRefusal<'_>) -> Finding {
    let source = &entry.source;
    let what = match refused {
        PolicyRefusal::Blocked(scope) => {
            format!("source \"{source}\" is blocked by \"{scope}\" in image.config")
        }
        PolicyRefusal::OnlyPayload(scope) => format!(
            "source \"{source}\" is not allowed: image.config blocks only \"{scope}\", \
             the repository of the release payload, and nodes then allow nothing else"
        ),
        PolicyRefusal::NotAllowed => {
            format!("source \"{source}\" is not covered by allowedRegistries in image.config")
        }
    };
    let fix = match refused {
        PolicyRefusal::Blocked(scope) | PolicyRefusal::OnlyPayload(scope) => {
            format!("remove \"{scope}\" from blockedRegistries and set NeverContactSource instead")
        }
        PolicyRefusal::NotAllowed => format!("add \"{source}\" to allowedRegistries"),
    };
    Finding {
        effect:
            "nodes reject its images and try no mirror, because policy.json checks the original image name"
                .to_owned(),
        fix: fix.into(),
        ..Finding::new(set.field_path(index, "source"), format!("{source} refused"), what)
    }
}

#[cfg(test)]
mod tests;
