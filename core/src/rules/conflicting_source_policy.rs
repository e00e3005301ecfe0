//! One source, two `mirrorSourcePolicy` values.

use std::collections::HashSet;

use super::{
    Check, DependsOn, Finding, Level, Related, RelatedFields, Rule, SetWrite, SharedSource,
    explicit::never_contact,
    finding::some_sets,
    icsp_alongside_idms::fresh_entries,
    icsp_to_never::{self, has_both_policies, prepares_end, steps_of_write},
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
    let new_icsp = fix_of_new_icsp(write);
    for shared in write.shared_sources() {
        for policy in [AllowContactingSource, NeverContactSource] {
            findings.extend(conflict(write, shared, policy, new_icsp.as_deref()));
        }
    }
}

/// The sources of the set that have both policies.
pub(super) fn conflicting_sources<'w>(write: &'w SetWrite<'_>) -> HashSet<&'w str> {
    let shared = write.shared_sources().iter();
    let conflicting =
        shared.filter(|shared| has_both_policies(shared.own.iter().chain(&shared.elsewhere).copied()));
    conflicting.map(SharedSource::source).collect()
}

/// The finding at the first entry of the set with this policy, if another set or an earlier entry of this set has the
/// other policy. Later entries of this set alone are no reason: the finding is at the first of them.
fn conflict(
    write: &SetWrite<'_>,
    shared: &SharedSource<'_>,
    policy: MirrorSourcePolicy,
    new_icsp: Option<&str>,
) -> Option<Finding> {
    let is_other = |found: &&EntryRef<'_>| found.entry().policy() != policy;
    let own = *shared.own.iter().find(|own| !is_other(own))?;
    let mut others: Vec<_> = shared.elsewhere.iter().filter(is_other).copied().collect();
    let is_later = shared.own.iter().find(is_other).is_some_and(|other| other.index < own.index);
    if !is_later && others.is_empty() {
        return None;
    }
    others.extend(shared.own.iter().filter(is_other));
    Some(finding(write, shared, own, &others, new_icsp))
}

fn finding(
    write: &SetWrite<'_>,
    shared: &SharedSource<'_>,
    own: EntryRef<'_>,
    others: &[EntryRef<'_>],
    new_icsp: Option<&str>,
) -> Finding {
    let source = shared.source();
    let (mine, theirs) = match own.entry().policy() {
        AllowContactingSource => (AllowContactingSource.name(), NeverContactSource.name()),
        NeverContactSource => (NeverContactSource.name(), AllowContactingSource.name()),
    };
    let title = format!("set mirrorSourcePolicy to {theirs} here, or to {mine} there");
    let fix = match new_icsp.map(str::to_owned).or_else(|| steps_of_write(write, source)) {
        Some(steps) => steps.into(),
        // Of the two, the stricter policy is the one that can be applied: it does not open a source that is blocked.
        None => {
            never_contact(write.cluster.after, own.set, source, title.clone()).unwrap_or_else(|| title.into())
        }
    };
    let names = some_sets(others);
    Finding {
        at_most: if prepares_end(write, source) { Level::Warn } else { Level::Deny },
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

/// What to do with an ICSP that is written, for all of its sources; `None` if no ICSP is written.
fn fix_of_new_icsp(write: &SetWrite<'_>) -> Option<String> {
    let set = write.new_set().filter(|set| set.kind == SetKind::Icsp)?;
    if matches!(write.operation, Operation::Existing(_)) {
        return None;
    }
    let fresh = fresh_entries(write.old_set(), set);
    let fresh: Vec<_> = fresh.into_iter().map(|index| &set.entries[index]).collect();
    let put = || {
        "put these entries in an ImageDigestMirrorSet instead, with NeverContactSource where other sets have it".to_owned()
    };
    Some(icsp_to_never::fix_of_new_icsp(write, &fresh).unwrap_or_else(put))
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
