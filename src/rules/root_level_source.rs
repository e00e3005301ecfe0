//! A source that leads the nodes to the release images, but not HyperShift.

use super::{Check, Finding, Level, Related, Rule, SetWrite};
use crate::{
    context::EntryRef,
    hypershift::RELEASE_REPOSITORIES,
    node,
    objects::{MirrorSet, scope::is_wildcard},
};

pub(super) const RULE: Rule = Rule {
    id: "root-level-source",
    level: Level::Warn,
    summary: "a registry or namespace as source where HyperShift needs the release repositories written out",
    page: include_str!("root_level_source.md"),
    check: Check::MirrorSet(check),
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new.filter(|set| set.kind.is_digest()) else { return };
    let is_digest = |found: &EntryRef<'_>| found.set.kind.is_digest();
    let states =
        RELEASE_REPOSITORIES.map(|repository| (repository, write.after.nearest(repository, is_digest)));
    if states.iter().all(|(_, coverage)| coverage.is_none()) {
        return findings.extend(nothing_covers(set));
    }
    for (repository, coverage) in states {
        let Some((scope, found)) = coverage.filter(|(scope, _)| *scope != repository) else { continue };
        let Some(own) = found.iter().find(|found| std::ptr::eq(found.set, set)) else { continue };
        findings.push(covered_only(set, own, repository, scope, &found));
    }
}

fn covered_only(
    set: &MirrorSet,
    own: &EntryRef<'_>,
    repository: &str,
    scope: &str,
    found: &[EntryRef<'_>],
) -> Finding {
    let start = if is_wildcard(scope) { repository.find('/').unwrap_or_default() } else { scope.len() };
    let lists: Vec<_> = found.iter().map(|found| &*found.entry().mirrors).collect();
    let mirrors = node::merge(scope, &lists).mirrors;
    let mirrors: Vec<_> = mirrors.iter().map(|mirror| format!("{mirror}{}", &repository[start..])).collect();
    let yaml = entry_yaml(repository, &mirrors.join(", "));
    Finding {
        related: found
            .iter()
            .filter(|f| !std::ptr::eq(f.set, set))
            .map(|f| Related::to_entry(f, "source"))
            .collect(),
        key: format!("{scope} {repository}"),
        fix: format!("add {yaml}"),
        yaml: Some(format!("  {}:\n  - {yaml}\n", set.kind.list_field())),
        ..Finding::new(
            set.field_path(own.index, "source"),
            format!("\"{scope}\" leads nodes, but not HyperShift, to {repository}"),
            "up to 4.16 it looks at the original, later it may lose part of the path",
            String::new(),
        )
    }
}

/// A set of registry-level sources while no set leads anybody to the release images.
fn nothing_covers(set: &MirrorSet) -> Option<Finding> {
    let (index, entry) = set.effective_entries().find(|(_, entry)| !entry.source.contains('/'))?;
    let mirror = entry.mirrors.iter().find(|mirror| **mirror != entry.source)?;
    let host = mirror.split('/').next().unwrap_or_default();
    let entries = RELEASE_REPOSITORIES.map(|repository| {
        let path = repository.split_once('/').map_or(repository, |(_, path)| path);
        format!("  - {}\n", entry_yaml(repository, &format!("{host}/{path}")))
    });
    Some(Finding {
        yaml: Some(format!("  {}:\n{}", set.kind.list_field(), entries.concat())),
        key: "no release repository".to_owned(),
        ..Finding::new(
            set.field_path(index, "source"),
            "registry-level sources only, and no mirror set leads to the release images".to_owned(),
            "hosted control planes look for them at quay.io",
            "add entries for ocp-release and ocp-v4.0-art-dev of quay.io/openshift-release-dev, with the mirrors they were copied to".to_owned(),
        )
    })
}

pub(super) fn entry_yaml(source: &str, mirrors: &str) -> String {
    format!("{{source: {source}, mirrors: [{mirrors}]}}")
}
