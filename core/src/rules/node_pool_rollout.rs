//! A change of spec.imageContentSources, which every NodePool rolls out.

use super::{Check, Finding, HostedWrite, Level, Rule};
use crate::objects::HostedCluster;

pub(super) const RULE: Rule = Rule {
    id: "node-pool-rollout",
    level: Level::Warn,
    summary: "a change of a HostedCluster's imageContentSources, which rolls out every NodePool",
    page: include_str!("node_pool_rollout.md"),
    check: Check::HostedCluster(check),
    ..Rule::BASE
};

fn check(write: &HostedWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(old) = write.old else { return };
    let (was, is) = (sources(old), sources(write.new));
    if was == is || write.new.metadata.deletion_timestamp.is_some() {
        return;
    }
    let sorted = |mut sources: Vec<_>| {
        sources.sort_unstable();
        sources
    };
    let order = if sorted(was) == sorted(is) { ", though only its order changes" } else { "" };
    findings.push(Finding::new(
        "spec.imageContentSources",
        format!("this write rolls out every NodePool of the cluster{order}"),
        "Replace pools get new machines, InPlace pools drain node by node",
        "gather such changes in one write, or hold NodePools back with pausedUntil".to_owned(),
    ));
}

/// What goes into the text that HyperShift hashes: sources and mirrors in their order, and nothing else.
///
/// Follows `hypershift support/globalconfig/imagecontentsource.go` `ReconcileImageDigestMirrors`.
fn sources(hosted: &HostedCluster) -> Vec<(&str, &[Box<str>])> {
    hosted.spec.image_content_sources.iter().map(|entry| (&*entry.source, &*entry.mirrors)).collect()
}
