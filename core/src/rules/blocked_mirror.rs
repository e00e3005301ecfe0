//! An entry whose mirror, or whose images, the nodes refuse.

use std::collections::BTreeSet;

use hashbrown::HashMap;

use super::{Check, Finding, Level, Rule, SetWrite};
use crate::{
    node::{Policy, PolicyRefusal, Rendering},
    objects::{
        Entry, MirrorSet,
        scope::{Ancestor, ancestors, bare_host, host, is_nested},
    },
};

pub(super) const RULE: Rule = Rule {
    id: "blocked-mirror",
    level: Level::Warn,
    summary: "image.config blocks, or does not allow, a mirror or the images it would serve",
    page: include_str!("blocked_mirror.md"),
    check: Check::MirrorSet(check),
    ..Rule::BASE
};

const CONFIG: &str = "image.config.openshift.io/cluster";

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    let config = write.cluster.after.image_config();
    let is_free = config.blocked_registries.is_empty() && config.allowed_registries.is_empty();
    let may_be_refused = |mirror: &str| !is_free || write.cluster.after.may_never_contact(mirror);
    let (policy, rendering) = (Policy::new(write.cluster.after), Rendering::new(write.cluster.after));
    let mut ways = Ways { rendering: &rendering, known: HashMap::new() };
    let mut hosts = BTreeSet::new();
    for (index, entry) in set.effective_entries() {
        if let Some(refused) = policy.refuses_scope(&entry.source) {
            findings.push(refused_source(set, index, entry, refused));
            continue;
        }
        for (at, mirror) in entry.real_mirrors().filter(|(_, mirror)| may_be_refused(mirror)) {
            let path = || set.field_path(index, &format!("mirrors[{at}]"));
            if let Some(scope) = ways.blocker(mirror) {
                findings.push(blocked(path(), mirror, scope, &rendering));
            } else if policy.refuses_scope(mirror) == Some(PolicyRefusal::NotAllowed)
                && hosts.insert(host(mirror))
            {
                findings.push(not_allowed(path(), mirror));
            }
        }
    }
}

/// What registries.conf says of mirrors, each namespace looked up once.
struct Ways<'r, 'a, 's> {
    rendering: &'r Rendering<'a>,
    known: HashMap<&'s str, Option<&'s str>>,
}

impl<'s> Ways<'_, '_, 's> {
    /// The scope that keeps the nodes from contacting a mirror: the nearest in the file decides, and a host
    /// stands for itself with any port.
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

    fn of_host(&self, host: &'s str) -> Option<&'s str> {
        let bare = bare_host(host);
        if bare != host
            && let Some(blocks) = self.rendering.blocks(bare)
        {
            return blocks.then_some(bare);
        }
        let mut wildcards = ancestors(host).filter(|above| matches!(above, Ancestor::Wildcard(_)));
        let blocks = wildcards.find_map(|above| self.rendering.blocks(&above.to_scope()));
        blocks.unwrap_or(false).then_some(host)
    }
}

fn blocked(path: String, mirror: &str, scope: &str, rendering: &Rendering<'_>) -> Finding {
    let listed = rendering.blocked().iter().find(|outer| is_nested(scope, outer));
    let (why, fix) = match listed {
        Some(outer) => {
            (format!("{CONFIG} blocks \"{outer}\""), format!("take \"{outer}\" off blockedRegistries"))
        }
        None => (
            format!("\"{scope}\" is NeverContactSource"),
            format!("give \"{scope}\" AllowContactingSource, or use a mirror outside it"),
        ),
    };
    Finding {
        key: format!("{mirror} blocked"),
        ..Finding::new(
            path,
            format!("mirror \"{mirror}\" is blocked, since {why}"),
            "nodes never contact it",
            fix,
        )
    }
}

fn not_allowed(path: String, mirror: &str) -> Finding {
    Finding {
        // Nodes ask policy.json about the source's name alone.
        at_most: Level::Warn,
        key: format!("{mirror} not allowed"),
        ..Finding::new(
            path,
            format!("allowedRegistries of {CONFIG} do not cover mirror \"{mirror}\""),
            "images that are asked for there by name are refused",
            "add the mirror's registry to allowedRegistries".to_owned(),
        )
    }
}

fn refused_source(set: &MirrorSet, index: usize, entry: &Entry, refused: PolicyRefusal<'_>) -> Finding {
    let source = &entry.source;
    let (what, fix) = match refused {
        PolicyRefusal::Blocked(scope) => (
            format!("images of \"{source}\" are refused, since {CONFIG} blocks \"{scope}\""),
            format!("take \"{scope}\" off blockedRegistries and use NeverContactSource"),
        ),
        PolicyRefusal::OnlyPayload(scope) => (
            format!(
                "images of \"{source}\" are refused, since {CONFIG} blocks \"{scope}\", the payload's repository, \
                 and nothing else"
            ),
            format!("take \"{scope}\" off blockedRegistries and use NeverContactSource"),
        ),
        PolicyRefusal::NotAllowed => (
            format!(
                "images of \"{source}\" are refused, since allowedRegistries of {CONFIG} do not cover it"
            ),
            "add the source to allowedRegistries".to_owned(),
        ),
    };
    Finding {
        key: format!("{source} refused"),
        ..Finding::new(
            set.field_path(index, "source"),
            what,
            "no mirror helps, the name asked for decides",
            fix,
        )
    }
}

#[cfg(test)]
mod tests {
    use SetKind::{Idms, Itms};

    use super::*;
    use crate::{
        hypershift::RELEASE_REPOSITORIES,
        objects::{ClusterVersion, ImageConfig, MirrorSourcePolicy, Object, SetKind},
        rules::{
            Settings,
            testing::{found_in, set},
        },
    };

    /// The paths that are found in an IDMS as it stands.
    fn found(set: &MirrorSet, others: Vec<Object>, blocked: &[&str], allowed: &[&str]) -> Vec<String> {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        let config = ImageConfig {
            blocked_registries: texts(blocked),
            allowed_registries: texts(allowed),
            ..ImageConfig::default()
        };
        let others = others.into_iter().chain([Object::from(config)]);
        let found = found_in(RULE.id, set, others, &Settings::default());
        found.into_iter().map(|finding| finding.path.replace("spec.imageDigestMirrors", "")).collect()
    }

    #[test]
    fn lists_are_read_as_the_nodes_read_them() {
        type Case<'a> = (&'a str, &'a str, &'a [&'a str], &'a [&'a str], &'a [&'a str], &'a str);
        let table: [Case<'_>; 16] = [
            ("quay.io/a", "m.lab:1/a", &[], &[], &[], "nothing is listed"),
            (
                "quay.io/a",
                "m.lab:1/a",
                &["m.lab:1"],
                &[],
                &["[0].mirrors[0]"],
                "the mirror's registry is blocked",
            ),
            ("quay.io/a", "m.lab:1/a", &["m.lab:2"], &[], &[], "another port"),
            ("quay.io/a", "m.lab:1/a", &["m.lab"], &[], &["[0].mirrors[0]"], "a host stands for every port"),
            ("quay.io/a", "m.lab:1/a", &["*.lab"], &[], &["[0].mirrors[0]"], "a wildcard over the mirror"),
            ("quay.io/a", "m.lab:1/a", &["m.lab:1/a/b"], &[], &[], "only a part of the mirror"),
            (
                "quay.io/a",
                "m.lab:1/a",
                &["quay.io"],
                &[],
                &["[0].source"],
                "policy.json refuses the source's name",
            ),
            ("quay.io", "m.lab:1", &["quay.io/a"], &[], &[], "it refuses a part of the source"),
            (RELEASE_REPOSITORIES[0], "m.lab:1/a", &["quay.io"], &[], &[], "the payload may be blocked"),
            ("quay.io/a", "m.lab:1/a", &[], &["quay.io", "m.lab:1"], &[], "both are allowed"),
            ("quay.io/a", "m.lab:1/a", &[], &["quay.io"], &["[0].mirrors[0]"], "the mirror is not"),
            ("quay.io/a", "m.lab:1/a", &[], &["m.lab:1"], &["[0].source"], "the source is not"),
            ("quay.io", "m.lab:1", &[], &["quay.io/a", "m.lab:1"], &[], "a part of the source is allowed"),
            (RELEASE_REPOSITORIES[0], "m.lab:1/a", &[], &["m.lab:1"], &["[0].source"], "the payload is not"),
            (
                "quay.io/a",
                "m.lab:1/a",
                &["n.lab"],
                &["n.lab"],
                &[],
                "next to blocked ones the allowed ones are no limit",
            ),
            ("quay.io/a", "quay.io/a", &["quay.io"], &[], &[], "an entry that the nodes drop"),
        ];
        for (source, mirror, blocked, allowed, expected, reason) in table {
            let own = set(Idms, "own", &[(source, &[mirror])]);
            assert_eq!(found(&own, Vec::new(), blocked, allowed), expected, "{reason}");
        }
    }

    #[test]
    fn a_source_that_is_never_contacted_is_no_mirror() {
        let own = set(Idms, "own", &[("quay.io/a", &["m.lab/x/a"])]);
        let table = [
            ("m.lab", None, true, "the registry of the mirror"),
            ("m.lab/x", None, true, "its namespace"),
            ("m.lab/y", None, false, "its neighbour"),
            ("m.lab", Some("m.lab/x"), false, "a nearer source decides"),
        ];
        for (never, nearer, expected, reason) in table {
            let mut blocking = set(Itms, "never", &[(never, &["n.lab"])]);
            blocking.entries[0].mirror_source_policy = Some(MirrorSourcePolicy::NeverContactSource);
            let nearer = nearer.map(|source| set(Idms, "nearer", &[(source, &["n.lab/x"])]));
            let others = [Some(blocking), nearer].into_iter().flatten().map(Object::from).collect();
            assert_eq!(!found(&own, others, &[], &[]).is_empty(), expected, "{reason}");
        }
    }

    #[test]
    fn the_payload_is_never_cut_off() {
        let version =
            || Object::ClusterVersion(ClusterVersion { desired_image: "m.lab/a/release:1".to_owned() });
        let own = set(Idms, "own", &[("quay.io/a", &["m.lab/a"])]);
        assert_eq!(
            found(&own, vec![version()], &["m.lab"], &[]),
            Vec::<String>::new(),
            "it covers the payload"
        );
        assert_eq!(found(&own, vec![version()], &["m.lab/a/x", "m.lab/a"], &[]), Vec::<String>::new());
        assert_eq!(found(&own, Vec::new(), &["m.lab"], &[]), ["[0].mirrors[0]"], "no ClusterVersion at hand");
    }
}
