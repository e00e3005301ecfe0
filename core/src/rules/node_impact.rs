//! What a write costs the nodes.

use super::{Check, Finding, Level, Rule, SetWrite};
use crate::node::{Change, Impact};

pub(super) const RULE: Rule = Rule {
    id: "node-impact",
    level: Level::Warn,
    summary: "this write reloads CRI-O or drains every node, and why",
    page: include_str!("node_impact.md"),
    check: Check::MirrorSet(check),
    only_when_admitted: true,
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(Change { impact, reasons }) = write.change() else { return };
    let (what, effect, fix) = match impact {
        Impact::None => return,
        Impact::Reload => (
            "this write reloads CRI-O on every node",
            "no pod is evicted; releases before the CRI-O reload reboot the nodes",
            "none needed",
        ),
        Impact::Drain => (
            "this write drains every node of every pool, one after another",
            "releases before the CRI-O reload reboot them",
            "apply it in a maintenance window, or pause the machine config pools first",
        ),
    };
    let mut costly = reasons.iter().filter(|reason| reason.impact == *impact);
    let because = costly.next().map_or(String::new(), |first| {
        let more = match costly.count() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!(" ({}: {}{more})", first.registry, first.what)
    });
    findings.push(Finding::new("spec", format!("{what}{because}"), effect, fix.to_owned()));
}
