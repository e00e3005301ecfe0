//! An ICSP next to IDMS or ITMS, and the one step of a migration that needs it.

mod covers;
mod in_idmss;

use std::collections::{BTreeMap, HashMap, HashSet};

use self::covers::CoveringIdms;
pub(super) use self::{covers::covering_idms, in_idmss::InIdmss};
use super::{
    Check, DependsOn, Finding, Fix, IcspAlongsideIdms, Level, MAX_RELATED, Related, RelatedFields, Rule,
    SetWrite,
    explicit::free_name,
    finding::{list_names, some_names, some_of_sets},
    icsp_overlap::overlaps,
    icsp_to_never::{delete_icsps, fix_of_icsp, never_contacted, steps_of_write},
};
use crate::{
    objects::{Change, Entry, MirrorSet, MirrorSourcePolicy::NeverContactSource, Origin, SetKind, to_yaml},
    write::Operation,
};

/// The field that a finding about a whole set is at.
const NAME: &str = "metadata.name";

pub(super) const RULE: Rule = Rule {
    id: "icsp-alongside-idms",
    level: Level::Deny,
    summary: "an ICSP created or extended while an IDMS or ITMS exists, or an IDMS or ITMS that conflicts with an ICSP",
    page: include_str!("icsp_alongside_idms.md"),
    check: Check::MirrorSet(check),
    depends_on: DependsOn::Objects,
    about_kinds: true,
    ..Rule::BASE
};

fn check(write: &SetWrite<'_>, findings: &mut Vec<Finding>) {
    let Some(set) = write.new_set() else { return };
    match set.kind {
        SetKind::Icsp => check_icsp(write, set, findings),
        SetKind::Idms | SetKind::Itms => check_against_icsps(write, set, findings),
    }
}

fn check_icsp<'a>(write: &SetWrite<'a>, set: &'a MirrorSet, findings: &mut Vec<Finding>) {
    let neighbours = write.cluster.others.count(SetKind::Idms) + write.cluster.others.count(SetKind::Itms);
    // A new or existing ICSP has no old set, so every entry is fresh.
    let fresh = fresh_entries(write.old_set(), set);
    if neighbours == 0 || fresh.is_empty() {
        return;
    }
    if matches!(write.operation, Operation::Existing(_))
        && let Some(idms) = covering_idms(write.cluster.others, set)
    {
        findings.push(last_step(set, idms));
    } else if write.settings.icsp_alongside_idms == IcspAlongsideIdms::Conflicts {
        findings.extend(overlaps(write, set).into_iter().map(|overlap| overlap.finding(write, set)));
    } else {
        findings.push(alongside(write, set, neighbours, &fresh));
    }
}

/// The finding for an ICSP that a migration has left over: the IDMS in its place exists.
fn last_step(icsp: &MirrorSet, idms: &MirrorSet) -> Finding {
    Finding {
        at_most: Level::Warn,
        effect: "only the last step of the migration is left".to_owned(),
        fix: format!("run oc delete imagecontentsourcepolicy {}; nodes do not change", icsp.name).into(),
        related: vec![Related::to_set(idms, NAME.to_owned())].into(),
        ..Finding::new(
            NAME,
            format!("covered by {}", idms.id()),
            format!("{} has every entry of this ICSP", idms.id()),
        )
    }
}

/// The finding for an IDMS that is written and has every entry of existing ICSPs, by name; `None` without any. One for
/// all of them: the next step is one command.
fn first_step(icsps: &[&MirrorSet]) -> Option<Finding> {
    let names: Vec<_> = icsps.iter().map(|icsp| &*icsp.name).collect();
    let faults = icsps.iter().take(MAX_RELATED).map(|icsp| format!("covers {}", icsp.id()));
    let finding = Finding {
        at_most: Level::Warn,
        effect: "this is the first step of the migration".to_owned(),
        fix: format!("once this IDMS is in the cluster, {}", delete_icsps(&names)).into(),
        related: RelatedFields::of(icsps, |icsp| Related::to_set(icsp, NAME.to_owned())),
        ..Finding::of_faults(NAME, faults, format!("this IDMS has every entry of {}", some_of_sets(icsps)))
    };
    (!icsps.is_empty()).then_some(finding)
}

/// Whether an IDMS is created as the first one. Asked only next to ICSPs, and if no entry overlaps theirs.
fn joins_icsps(write: &SetWrite<'_>, set: &MirrorSet) -> bool {
    let is_first = write.cluster.others.count(SetKind::Idms) == 0;
    set.kind == SetKind::Idms && is_first && matches!(write.operation, Operation::Create(_))
}

/// The finding for an IDMS that is created next to ICSPs.
fn joining(write: &SetWrite<'_>, set: &MirrorSet) -> Finding {
    let icsps: Vec<_> = write.cluster.others.sets_of(SetKind::Icsp).collect();
    let names = some_names(icsps.iter().map(|icsp| icsp.id()));
    Finding {
        at_most: Level::Warn,
        effect: "HyperShift without the fix for OCPBUGS-29466 ignores every ICSP while an IDMS exists"
            .to_owned(),
        fix: format!("migrate {names} too: run mirrorguard migrate").into(),
        related: icsps.iter().take(3).map(|icsp| Related::to_set(icsp, NAME.to_owned())).collect(),
        ..Finding::new(NAME, format!("joins {}", set.id()), format!("this is the first IDMS next to {names}"))
    }
}

/// The finding for an ICSP with new entries, at the indices `fresh`, next to sets of the other kinds, `neighbours` in
/// number.
fn alongside(write: &SetWrite<'_>, set: &MirrorSet, neighbours: usize, fresh: &[usize]) -> Finding {
    let others = write.cluster.others;
    let others = others.sets_of(SetKind::Idms).chain(others.sets_of(SetKind::Itms));
    let related: Vec<_> = others.take(3).map(|other| Related::to_set(other, NAME.to_owned())).collect();
    let names: Vec<_> = related.iter().map(|related| related.object.to_string()).collect();
    let names = list_names(&names, neighbours - related.len());
    Finding {
        effect: "for a shared source, the mirror order is unspecified, and older HyperShift releases ignore every \
                 ICSP"
            .to_owned(),
        fix: match fix_of_icsp(write, &fresh.iter().map(|index| &set.entries[*index]).collect::<Vec<_>>()) {
            Some(steps) => steps.into(),
            None => put_into_idms(write, set, fresh),
        },
        related: related.into(),
        ..Finding::of_faults(
            set.field_path(fresh[0], "source"),
            fresh.iter().map(|index| key(&set.entries[*index])),
            format!("this ICSP exists alongside {names}"),
        )
    }
}

fn key(entry: &Entry) -> String {
    format!("{} {}", entry.source, entry.mirrors.join(" "))
}

/// Puts new entries of an ICSP into an IDMS of the same name, or where one exists, of the next free name. An ICSP that
/// has nothing else becomes that IDMS.
fn put_into_idms(write: &SetWrite<'_>, set: &MirrorSet, fresh: &[usize]) -> Fix {
    if set.origin == Origin::InstallConfig {
        return "put these entries into imageDigestSources instead".into();
    }
    let title = "put these entries in an ImageDigestMirrorSet instead";
    // An IDMS cannot list a mirror twice, and without the repeats the order may be another.
    let written = write.written().unwrap_or(set);
    if (0..written.entries.len()).any(|at| !written.repeated_mirrors(at).is_empty()) {
        return title.into();
    }
    if let Some(there) = InIdmss::find(write.cluster.others, set, fresh) {
        return there.what_to_do().into();
    }
    let name = free_name(write.cluster.after, SetKind::Idms, &set.name, "");
    let never = never_contacted(write, &fresh.iter().map(|index| &set.entries[*index]).collect::<Vec<_>>());
    let is_never = |index: &&usize| never.contains(&*set.entries[**index].source);
    let entries = fresh.iter().map(|index| Entry {
        mirror_source_policy: is_never(&index).then_some(NeverContactSource),
        ..set.entries[*index].clone()
    });
    let entries = entries.collect();
    let idms = MirrorSet::new(SetKind::Idms, &name, entries);
    // A value without a registry must not get into another object.
    let is_named = |index: &usize| set.entries[*index].names_registries();
    if !fresh.iter().all(is_named) {
        return title.into();
    }
    // HyperShift reads IDMSs before ICSPs, so it tries the mirrors of a shared source in another order afterwards.
    let is_shared =
        |index: &usize| write.cluster.others.entries(&set.entries[*index].source).next().is_some();
    let fix = if fresh.iter().any(is_shared) { Fix::changing_pulls(title) } else { Fix::safe(title) };
    if fresh.len() < set.entries.len() {
        let paths = fresh.iter().map(|index| set.entry_path(*index));
        return paths.fold(fix.create(idms), |fix, path| fix.remove(set.id(), path));
    }
    let (group, version, _) = SetKind::Idms.api();
    let mut fix = fix
        .set(set.id(), "apiVersion", format!("{group}/{version}"))
        .set(set.id(), "kind", SetKind::Idms.name())
        .change(
            set.id(),
            Change::Rename { path: set.list_path(), name: SetKind::Idms.list_field().to_owned() },
        );
    if name != *set.name {
        fix = fix.set(set.id(), "metadata.name", name);
    }
    for index in fresh.iter().filter(is_never) {
        fix = fix.set(set.id(), set.field_path(*index, "mirrorSourcePolicy"), NeverContactSource.name());
    }
    // Of the changes, `Fix::yaml` shows neither the renamed field nor the replaced ones.
    Fix { template: Some(to_yaml(&idms)), ..fix }
}

/// Indices of the entries that were not there before. Of equal entries, as many are old as the old set has.
pub(super) fn fresh_entries(old: Option<&MirrorSet>, new: &MirrorSet) -> Vec<usize> {
    let mut known: HashMap<&Entry, usize> = HashMap::new();
    for entry in old.into_iter().flat_map(|old| &old.entries) {
        *known.entry(entry).or_default() += 1;
    }
    let mut fresh = Vec::new();
    for (index, entry) in new.entries.iter().enumerate() {
        match known.get_mut(entry) {
            Some(left) if *left > 0 => *left -= 1,
            _ => fresh.push(index),
        }
    }
    fresh
}

fn check_against_icsps<'a>(write: &SetWrite<'a>, set: &'a MirrorSet, findings: &mut Vec<Finding>) {
    if write.cluster.others.count(SetKind::Icsp) == 0 {
        return;
    }
    let sharing: BTreeMap<&str, &MirrorSet> = write
        .shared_sources()
        .iter()
        .flat_map(|shared| &shared.elsewhere)
        .filter(|found| found.set.kind == SetKind::Icsp)
        .map(|found| (&*found.set.name, found.set))
        .collect();
    let covering = CoveringIdms::of(set);
    let covered: Vec<_> = sharing.into_values().filter(|icsp| covering.covers(icsp)).collect();
    let names: HashSet<&str> = covered.iter().map(|icsp| &*icsp.name).collect();
    for overlap in overlaps(write, set) {
        let is_covered = |set: &&MirrorSet| set.kind == SetKind::Icsp && names.contains(&*set.name);
        // With ICSPs that this IDMS covers, an overlap is a step of their migration.
        if !overlap.with.sets.iter().all(is_covered) {
            findings.push(overlap.finding(write, set));
        }
    }
    // `findings` has only what was pushed above: each rule has its own list.
    // conflicting-source-policy says what to do with an ICSP that has another policy for a source.
    let conflicts =
        || write.shared_sources().iter().any(|shared| steps_of_write(write, shared.source()).is_some());
    if findings.is_empty() && covered.is_empty() && joins_icsps(write, set) && !conflicts() {
        findings.push(joining(write, set));
    }
    findings.extend(first_step(&covered));
}

#[cfg(test)]
mod tests;
