//! A change to spec.imageContentSources, which rolls out every NodePool.

use super::{Check, DependsOn, Finding, HostedWrite, Level, Rule};
use crate::objects::HostedCluster;

pub(super) const RULE: Rule = Rule {
    id: "node-pool-rollout",
    level: Level::Warn,
    summary: "a change to a HostedCluster's imageContentSources, which rolls out every NodePool",
    page: include_str!("node_pool_rollout.md"),
    check: Check::HostedCluster(check),
    depends_on: DependsOn::Objects,
    ..Rule::BASE
};

fn check(write: &HostedWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(old) = write.old else { return };
    let (mut old_sources, mut new_sources) = (sources(old), sources(write.new));
    if old_sources == new_sources || write.new.metadata.deletion_timestamp.is_some() {
        return;
    }
    old_sources.sort_unstable();
    new_sources.sort_unstable();
    let is_only_order = old_sources == new_sources;
    let (key, detail) =
        if is_only_order { ("order", ", although only the order changes") } else { ("content", "") };
    let what = format!("this write rolls out every NodePool of the hosted cluster{detail}");
    findings.push(Finding {
        effect: "every node is replaced or updated in place, depending on the NodePool".to_owned(),
        fix:
            "combine all changes to the mirrors in one write, or set spec.pausedUntil of the NodePools first"
                .into(),
        ..Finding::new("spec.imageContentSources", key, what)
    });
}

/// What HyperShift hashes: sources and mirrors in their order, and nothing else.
///
/// Follows `hypershift support/globalconfig/imagecontentsource.go` `ReconcileImageDigestMirrors`.
fn sources(hosted: &HostedCluster) -> Vec<(&str, &[Box<str>])> {
    hosted.spec.image_content_sources.iter().map(|entry| (&*entry.source, &*entry.mirrors)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::SetKind,
        rules::{
            Settings,
            testing::{assert_texts, set},
        },
        state::State,
    };

    /// A HostedCluster with these sources, each with one mirror.
    fn hosted(sources: &[&str]) -> HostedCluster {
        let entries: Vec<_> = sources.iter().map(|source| (*source, &["m.lab/a"][..])).collect();
        let mut hosted = HostedCluster::default();
        hosted.spec.image_content_sources = set(SetKind::Idms, "cluster", &entries).entries;
        hosted
    }

    #[test]
    fn a_change_of_content_or_order_is_found() {
        type Sources<'a> = &'a [&'a str];
        let table: [(Option<Sources<'_>>, Sources<'_>, Option<&str>, &str); 5] = [
            (None, &["quay.io/a"], None, "a new HostedCluster has no nodes"),
            (Some(&["quay.io/a"]), &["quay.io/a"], None, "the list stays as it is"),
            (Some(&[]), &["quay.io/a"], Some("content"), "a source is added"),
            (Some(&["quay.io/a"]), &["quay.io/b"], Some("content"), "a source is replaced"),
            (Some(&["quay.io/a", "quay.io/b"]), &["quay.io/b", "quay.io/a"], Some("order"), "only the order"),
        ];
        let (state, settings) = (State::default(), Settings::default());
        let mut findings = Vec::new();
        for (old, new, expected, reason) in table {
            let (old, new) = (old.map(hosted), hosted(new));
            let write = HostedWrite { old: old.as_ref(), new: &new, state: &state, settings: &settings };
            let mut found = Vec::new();
            check(&write, &mut found);
            assert_eq!(found.first().map(|finding| &*finding.key), expected, "{reason}");
            findings.extend(found);
        }
        assert_texts(RULE.id, &findings);
    }
}
