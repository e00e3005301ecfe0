//! One source, two `mirrorSourcePolicy` values.

use std::collections::{BTreeSet, HashSet};

use super::{
    Check, DependsOn, Finding, Level, Related, RelatedFields, Rule, SetWrite, SharedSource,
    beside_icsps::steps_beside_icsps, explicit::never_contact, finding::some_sets,
    invalid_source::RENDERING_FAILS,
};
use crate::{
    context::EntryRef,
    objects::{
        MirrorSourcePolicy::{self, AllowContactingSource, NeverContactSource},
        SetKind,
    },
    write::Operation,
};

pub(super) const RULE: Rule = Rule {
    id: "conflicting-source-policy",
    level: Level::Deny,
    summary: "one source with two different mirrorSourcePolicy values in the cluster",
    page: include_str!("conflicting_source_policy.md"),
    check: Check::MirrorSet(check),
    stops_rendering: true,
    depends_on: DependsOn::Nothing,
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    for shared in write.shared_sources() {
        for policy in [AllowContactingSource, NeverContactSource] {
            findings.extend(conflict(write, shared, policy));
        }
    }
}

/// The sources of the set that have both policies.
pub(super) fn conflicting_sources<'w>(write: &'w SetWrite<'_>) -> HashSet<&'w str> {
    let has = |shared: &SharedSource<'_>, policy| {
        shared.own.iter().chain(&shared.elsewhere).any(|found| found.entry().policy() == policy)
    };
    let shared = write.shared_sources().iter();
    let conflicting =
        shared.filter(|shared| has(shared, AllowContactingSource) && has(shared, NeverContactSource));
    conflicting.map(SharedSource::source).collect()
}

/// The finding for the first entry of the set with this policy: for those of other sets with the other one, or for
/// earlier ones of the same set.
fn conflict(write: &SetWrite<'_>, shared: &SharedSource<'_>, policy: MirrorSourcePolicy) -> Option<Finding> {
    let is_other = |found: &&EntryRef<'_>| found.entry().policy() != policy;
    let own = *shared.own.iter().find(|own| !is_other(own))?;
    let mut others: Vec<_> = shared.elsewhere.iter().filter(is_other).copied().collect();
    let is_later = shared.own.iter().find(is_other).is_some_and(|other| other.index < own.index);
    if !is_later && others.is_empty() {
        return None;
    }
    others.extend(shared.own.iter().filter(is_other));
    Some(finding(write, shared, own, &others))
}

fn finding(
    write: &SetWrite<'_>,
    shared: &SharedSource<'_>,
    own: EntryRef<'_>,
    others: &[EntryRef<'_>],
) -> Finding {
    let source = shared.source();
    let (mine, theirs) = match own.entry().policy() {
        AllowContactingSource => (AllowContactingSource.name(), NeverContactSource.name()),
        NeverContactSource => (NeverContactSource.name(), AllowContactingSource.name()),
    };
    let title = format!("set mirrorSourcePolicy to {theirs} here, or to {mine} there");
    let fix = match fix_beside_icsps(write, own, others) {
        Some(steps) => steps.into(),
        // Of the two, the stricter policy is the one that can be applied: it does not open a source that is blocked.
        None => {
            never_contact(write.cluster.after, own.set, source, title.clone()).unwrap_or_else(|| title.into())
        }
    };
    let names = some_sets(others);
    Finding {
        effect: RENDERING_FAILS.to_owned(),
        fix,
        related: RelatedFields::of(others, Related::to_policy),
        ..Finding::new(
            own.set.policy_path(own.index),
            format!("{source} {mine}"),
            format!("source \"{source}\" has {mine} here, but {theirs} in {names}"),
        )
    }
}

/// What to do where an ICSP has the source too, which always means AllowContactingSource; `None` without an ICSP.
fn fix_beside_icsps(write: &SetWrite<'_>, own: EntryRef<'_>, others: &[EntryRef<'_>]) -> Option<String> {
    let all = || others.iter().copied().chain([own]);
    let icsps: BTreeSet<_> =
        all().filter(|found| found.set.kind == SetKind::Icsp).map(|found| &*found.set.name).collect();
    if icsps.is_empty() {
        return None;
    }
    if own.set.kind == SetKind::Icsp && !matches!(write.operation, Operation::Existing(_)) {
        let id = all().find(|found| found.entry().policy() == NeverContactSource)?.set.id();
        return Some(format!("remove the source from this ICSP, and leave it to {id}"));
    }
    let names: Vec<_> = icsps.into_iter().collect();
    Some(steps_beside_icsps(write.cluster.after, &own.entry().source, &names))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::{
            MirrorSet,
            SetKind::{Icsp, Idms, Itms},
        },
        rules::{
            Settings,
            testing::{assert_texts, findings, never, set},
        },
    };

    struct Case<'a> {
        there: &'a MirrorSet,
        new: &'a MirrorSet,
        path: &'static str,
        key: &'static str,
        related: &'static str,
    }

    #[test]
    fn every_path_is_a_field_that_the_kind_has() {
        let entries: &[(&str, &[&str])] = &[("quay.io/a", &["m.lab/a"])];
        let icsp = set(Icsp, "a", entries);
        let (idms, tags) = (never(set(Idms, "a", entries)), set(Itms, "a", entries));
        let never_tags = never(set(Itms, "a", entries));
        let icsp_path = "spec.repositoryDigestMirrors[0].source";
        let idms_path = "spec.imageDigestMirrors[0].mirrorSourcePolicy";
        let itms_path = "spec.imageTagMirrors[0].mirrorSourcePolicy";
        let (allow_key, never_key) = ("quay.io/a AllowContactingSource", "quay.io/a NeverContactSource");
        let table = [
            Case { there: &icsp, new: &idms, path: idms_path, key: never_key, related: icsp_path },
            Case { there: &idms, new: &icsp, path: icsp_path, key: allow_key, related: idms_path },
            Case { there: &tags, new: &idms, path: idms_path, key: never_key, related: itms_path },
            Case { there: &icsp, new: &never_tags, path: itms_path, key: never_key, related: icsp_path },
        ];
        let mut all = Vec::new();
        for Case { there, new, path, key, related } in table {
            let found = findings(RULE.id, &Settings::default(), &[there], None, new);
            let [finding] = &*found else { panic!("{path}: {found:?}") };
            assert_eq!((&*finding.path, &*finding.key), (path, key));
            assert_eq!((&finding.related[0].object, &*finding.related[0].path), (&there.id(), related));
            all.extend(found);
        }
        assert_texts(RULE.id, &all);
    }
}
