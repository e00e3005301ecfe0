//! The impact of a write on the nodes.

use super::{Check, DependsOn, Finding, Level, Rule, SetWrite};
use crate::node::{Change, Impact, Reason, Standstill};

pub(crate) const RULE: Rule = Rule {
    id: "node-impact",
    level: Level::Warn,
    summary: "a write that reloads CRI-O on every node, or drains or reboots every node",
    page: include_str!("node_impact.md"),
    check: Check::MirrorSet(check),
    only_when_admitted: true,
    depends_on: DependsOn::Objects,
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    findings.extend(write.change().and_then(|change| finding(change.as_ref())));
}

/// The finding for a change of the nodes' configuration, or for a write before or after which nothing is rendered; `None`
/// if the change has no impact. `review::Sequence` also calls it for a write of another object that nodes depend on, such
/// as the image configuration.
pub(crate) fn finding(change: Result<&Change<'_>, &Standstill>) -> Option<Finding> {
    let Change { impact, reasons } = match change {
        Ok(change) => change,
        Err(standstill) => return Some(of_standstill(*standstill)),
    };
    let (what, effect) = match impact {
        Impact::None => return None,
        Impact::Reload => ("this write reloads CRI-O on every node", "no pod is evicted"),
        Impact::Drain => ("this write drains every node", "pods are evicted node by node"),
        Impact::Reboot => {
            ("this write reboots every node", "each node is drained and restarted, one after another")
        }
    };
    // The reasons for less than the whole impact are left out.
    let reasons: Vec<_> = reasons.iter().filter(|reason| reason.impact == *impact).collect();
    let first = reasons.first().map_or("", |reason| reason.subject());
    Some(Finding {
        effect: effect.to_owned(),
        ..Finding::new("spec", format!("{impact} {first}"), format!("{what}{}", describe(&reasons)))
    })
}

/// The finding for a write after which nothing is rendered, even if it is the cause, or for one that ends this.
fn of_standstill(standstill: Standstill) -> Finding {
    let (key, what, effect) = match standstill {
        Standstill::Lasts => (
            "nothing rendered",
            "this write changes nothing on nodes for now, because rendering fails",
            "as soon as rendering succeeds, it rolls out together with every other change since rendering began to fail",
        ),
        Standstill::Ends => (
            "rendered again",
            "with this write, rendering succeeds again",
            "every change since rendering began to fail rolls out now, and nodes may be drained",
        ),
    };
    Finding { effect: effect.to_owned(), ..Finding::new("spec", key, what) }
}

/// The first reason, and how many more there are, in parentheses.
fn describe(reasons: &[&Reason<'_>]) -> String {
    match reasons {
        [] => String::new(),
        [one] => format!(" ({}: {})", one.subject(), one.what),
        [first, _] => format!(" ({}: {}, and 1 more change)", first.subject(), first.what),
        [first, rest @ ..] => {
            format!(" ({}: {}, and {} more changes)", first.subject(), first.what, rest.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::{
            ClusterVersion, MirrorSet, Object,
            SetKind::{self, Idms, Itms},
        },
        rules::{
            Settings,
            testing::{assert_texts, findings, review, set},
        },
        state::State,
        write::Operation,
    };

    /// A set of these sources, each with one mirror.
    fn of(kind: SetKind, sources: &[&str]) -> MirrorSet {
        let entries: Vec<_> = sources.iter().map(|source| (*source, &["m.lab/a"][..])).collect();
        set(kind, "own", &entries)
    }

    struct Case {
        others: Vec<MirrorSet>,
        old: Option<MirrorSet>,
        new: MirrorSet,
        expected: Option<&'static str>,
        reason: &'static str,
    }

    fn case(new: MirrorSet, expected: Option<&'static str>, reason: &'static str) -> Case {
        Case { others: Vec::new(), old: None, new, expected, reason }
    }

    #[test]
    fn a_write_is_reported_with_its_impact() {
        let ineffective = set(Idms, "own", &[("quay.io/a", &[])]);
        let other = set(Idms, "other", &[("docker.io", &["m.lab/d"])]);
        let refused = set(Idms, "other", &[("https://docker.io", &["m.lab/d"])]);
        let both = of(Idms, &["quay.io/a", "quay.io/b"]);
        let table = [
            case(of(Idms, &["quay.io/a"]), Some("reload quay.io/a"), "a registry is added"),
            case(both.clone(), Some("reload quay.io/a"), "two of them"),
            case(of(Itms, &["quay.io/a"]), Some("drain quay.io/a"), "a mirror for tag pulls"),
            Case {
                old: Some(of(Idms, &["quay.io/a"])),
                ..case(of(Idms, &[]), Some("drain quay.io/a"), "it is removed")
            },
            case(
                ineffective.clone(),
                Some("reload /etc/containers/registries.conf"),
                "the first set, even without an effective entry, changes the bytes of the file",
            ),
            Case { others: vec![other], ..case(ineffective, None, "there is another set already") },
            Case {
                old: Some(both),
                ..case(of(Idms, &["quay.io/b", "quay.io/a"]), None, "the nodes get the same file")
            },
            Case {
                others: vec![refused.clone()],
                ..case(of(Itms, &["quay.io/a"]), Some("nothing rendered"), "another set stops rendering")
            },
            Case {
                old: Some(MirrorSet { name: "own".into(), ..refused }),
                ..case(of(Idms, &["quay.io/a"]), Some("rendered again"), "the set itself stopped it")
            },
        ];
        let mut all = Vec::new();
        for Case { others, old, new, expected, reason } in table {
            let others: Vec<_> = others.iter().collect();
            let found = findings(RULE.id, &Settings::default(), &others, old.as_ref(), &new);
            assert_eq!(found.first().map(|finding| &*finding.key), expected, "{reason}");
            all.extend(found);
        }
        assert_texts(RULE.id, &all);
    }

    #[test]
    fn up_to_4_15_invalid_values_reach_the_nodes() {
        const STOPS: Option<&str> = None;
        // A source before and after the write, and what is found up to 4.15 and from 4.16 on.
        let table = [
            ("", "quay.io/a/", Some("drain quay.io/a/"), STOPS, "a slash at the end"),
            ("", "https://quay.io", Some("drain https://quay.io"), STOPS, "a scheme"),
            ("", "*.quay.io", STOPS, Some("drain *.quay.io"), "a wildcard"),
            ("quay.io/a/", "quay.io/a", Some("drain quay.io/a"), Some("rendered again"), "a correction"),
            ("quay.io/a/", "", Some("drain quay.io/a/"), Some("rendered again"), "a deletion"),
            ("*.quay.io", "quay.io", Some("rendered again"), Some("drain *.quay.io"), "of a wildcard"),
        ];
        for (old, new, up_to_415, from_416, reason) in table {
            for (version, expected) in [("4.15.3", up_to_415), ("4.16.0", from_416)] {
                let sets = [old, new].map(|source| of(Itms, &[source][..usize::from(!source.is_empty())]));
                let [old, new] = sets.each_ref().map(|set| Some(set).filter(|set| !set.entries.is_empty()));
                assert_eq!(key(version, old, new).as_deref(), expected, "{version}: {reason}");
            }
        }
    }

    /// What is found in a write in a cluster of a release, next to another set: the key.
    fn key(version: &str, old: Option<&MirrorSet>, new: Option<&MirrorSet>) -> Option<String> {
        let version = ClusterVersion { desired_version: version.to_owned(), ..ClusterVersion::default() };
        let there = set(Idms, "other", &[("docker.io", &["m.lab/d"])]);
        let sets = [&there].into_iter().chain(old).map(|set| Object::from(set.clone()));
        let state = sets.chain([Object::ClusterVersion(version)]).collect::<State>();
        let operation = match (old.cloned(), new.cloned()) {
            (Some(old), Some(new)) => Operation::Update { old, new },
            (None, Some(new)) => Operation::Create(new),
            (Some(old), None) => Operation::Delete(old),
            (None, None) => return None,
        };
        let settings =
            Settings { levels: [("invalid-source".to_owned(), Level::Warn)].into(), ..Settings::default() };
        let verdict = review(&state, &settings, operation);
        let found = verdict.diagnostics.into_iter().find(|found| found.rule.id == RULE.id);
        found.map(|found| found.finding.key)
    }
}
