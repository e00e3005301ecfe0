//! The impact of a write on the nodes.

use super::{Check, Finding, Level, Rule, SetWrite};
use crate::node::{Change, Impact, Reason};

pub(super) const RULE: Rule = Rule {
    id: "node-impact",
    level: Level::Warn,
    summary: "a write that reloads CRI-O on every node, or drains every node",
    page: include_str!("node_impact.md"),
    check: Check::MirrorSet(check),
    only_when_admitted: true,
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(Change { impact, reasons }) = write.change() else { return };
    let (what, effect) = match impact {
        Impact::None => return,
        Impact::Reload => (
            "this write reloads CRI-O on every node",
            "no pod is evicted, but releases before 4.7 reboot every node",
        ),
        Impact::Drain => (
            "this write drains every node",
            "pods are evicted node by node, and releases before 4.7 reboot every node",
        ),
    };
    let reasons: Vec<_> = reasons.iter().filter(|reason| reason.impact == *impact).collect();
    let first = reasons.first();
    let registry = first.map_or("", |reason| reason.registry);
    findings.push(Finding {
        effect: effect.to_owned(),
        ..Finding::new("spec", format!("{impact} {registry}"), format!("{what}{}", describe(&reasons)))
    });
}

/// The first reason, and how many more there are, in parentheses.
fn describe(reasons: &[&Reason<'_>]) -> String {
    match reasons {
        [] => String::new(),
        [one] => format!(" ({}: {})", one.registry, one.what),
        [first, _] => format!(" ({}: {}, and 1 more change)", first.registry, first.what),
        [first, rest @ ..] => {
            format!(" ({}: {}, and {} more changes)", first.registry, first.what, rest.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::{
            MirrorSet,
            SetKind::{self, Idms, Itms},
        },
        rules::{
            Settings,
            testing::{assert_texts, findings, set},
        },
    };

    /// A set of these sources, each with one mirror.
    fn of(kind: SetKind, sources: &[&str]) -> MirrorSet {
        let entries: Vec<_> = sources.iter().map(|source| (*source, &["m.lab/a"][..])).collect();
        set(kind, "own", &entries)
    }

    #[test]
    fn a_write_is_reported_with_its_impact() {
        let table: [(_, _, Option<&str>, &str); 6] = [
            (None, of(Idms, &["quay.io/a"]), Some("reload quay.io/a"), "a registry is added"),
            (None, of(Idms, &["quay.io/a", "quay.io/b"]), Some("reload quay.io/a"), "two of them"),
            (None, of(Itms, &["quay.io/a"]), Some("drain quay.io/a"), "a mirror for tag pulls"),
            (Some(of(Idms, &["quay.io/a"])), of(Idms, &[]), Some("drain quay.io/a"), "it is removed"),
            (None, set(Idms, "own", &[("quay.io/a", &[])]), None, "an entry without a mirror"),
            (
                Some(of(Idms, &["quay.io/a", "quay.io/b"])),
                of(Idms, &["quay.io/b", "quay.io/a"]),
                None,
                "the nodes get the same file",
            ),
        ];
        let mut all = Vec::new();
        for (old, new, expected, reason) in table {
            let found = findings(RULE.id, &Settings::default(), &[], old.as_ref(), &new);
            assert_eq!(found.first().map(|finding| &*finding.key), expected, "{reason}");
            all.extend(found);
        }
        assert_texts(RULE.id, &all);
    }
}
