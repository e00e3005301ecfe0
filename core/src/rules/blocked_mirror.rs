//! An entry whose mirror, or whose images, the nodes refuse.

use std::collections::BTreeSet;

use hashbrown::HashMap;

use super::{Check, Finding, Level, Rule, SetWrite};
use crate::{
    node::{Policy, PolicyRefusal, Rendering},
    objects::{
        Entry, MirrorSet,
        scope::{Ancestor, ancestors, host, is_nested, names_registry},
    },
};

pub(super) const RULE: Rule = Rule {
    id: "blocked-mirror",
    level: Level::Warn,
    summary: "a mirror or source that nodes reject, because it is blocked or not allowed",
    page: include_str!("blocked_mirror.md"),
    check: Check::MirrorSet(check),
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    let view = write.cluster.after;
    let config = view.image_config();
    // Then only `NeverContactSource` can block a mirror.
    let is_free = config.blocked_registries.is_empty() && config.allowed_registries.is_empty();
    let (policy, rendering) = (Policy::new(view), Rendering::new(view));
    let mut ways = Ways { rendering: &rendering, known: HashMap::new() };
    let mut hosts = BTreeSet::new();
    // A source or mirror without a registry has a finding of its own.
    let matching = set.effective_entries().filter(|(_, entry)| names_registry(&entry.source));
    for (index, entry) in matching {
        if let Some(refused) = policy.refuses_scope(&entry.source) {
            findings.push(refused_source(set, index, entry, refused));
            continue;
        }
        for (at, mirror) in entry.mirrors.iter().enumerate() {
            let may_be_refused = !is_free || view.may_never_contact(mirror);
            if *mirror == entry.source || !may_be_refused || !names_registry(mirror) {
                continue;
            }
            if let Some(scope) = ways.blocker(mirror) {
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

/// Whether registries.conf blocks mirrors, each namespace looked up once.
struct Ways<'r, 'a, 's> {
    rendering: &'r Rendering<'a>,
    /// What keeps the nodes from each namespace, as [`Ways::blocker`] answers; `None` if nothing does.
    known: HashMap<&'s str, Option<&'s str>>,
}

impl<'s> Ways<'_, '_, 's> {
    /// The scope that keeps the nodes from contacting a mirror: the nearest in the file decides, and a host
    /// without a port covers every port.
    ///
    /// Follows `containers/image docker/docker_client.go` `newDockerClient`.
    fn blocker(&mut self, mirror: &'s str) -> Option<&'s str> {
        if let Some(blocks) = self.rendering.blocks(mirror) {
            return blocks.then_some(mirror);
        }
        let Some((parent, _)) = mirror.rsplit_once('/') else { return self.of_host(mirror) };
        if let Some(known) = self.known.get(parent) {
            return *known;
        }
        let found = self.blocker(parent);
        self.known.insert(parent, found);
        found
    }

    /// The same for a host: itself, without its port, or covered by a wildcard, for which the host is returned.
    fn of_host(&self, host: &'s str) -> Option<&'s str> {
        let bare = host.split_once(':').map(|(bare, _)| bare);
        if let Some(blocks) = bare.and_then(|bare| self.rendering.blocks(bare)) {
            return blocks.then_some(bare.unwrap_or(host));
        }
        let mut wildcards = ancestors(host).filter(|above| matches!(above, Ancestor::Wildcard(_)));
        let blocks = wildcards.find_map(|above| self.rendering.blocks(&above.to_scope()));
        blocks.unwrap_or(false).then_some(host)
    }
}

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
