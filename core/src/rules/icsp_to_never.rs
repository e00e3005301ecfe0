//! The way from an ICSP, which always means `AllowContactingSource`, to `NeverContactSource` for one of its sources.

use std::collections::{BTreeSet, HashSet};

use super::SetWrite;
use crate::{
    context::EntryRef,
    node::merge,
    objects::{
        Entry, MirrorSet,
        MirrorSourcePolicy::{AllowContactingSource, NeverContactSource},
        Pull, SetKind,
    },
    write::Operation,
};

/// What to do about a source that an ICSP has, and that a set after the write never contacts; `None` for other sources.
pub(super) fn steps_of_write(write: &SetWrite<'_>, source: &str) -> Option<String> {
    let mut entries: Vec<_> = write.cluster.after.entries(source).collect();
    entries.sort_by_key(EntryRef::order);
    let is_standstill = has_both_policies(write.cluster.before.entries(source));
    let new = match write.operation {
        Operation::Create(new) => Some(new),
        Operation::Update { old, new } => {
            (!old.entries.iter().any(|own| *own.source == *source)).then_some(new)
        }
        Operation::Delete(_) | Operation::Existing(_) => None,
    };
    steps(&entries, is_standstill, new)
}

/// Whether a write prepares the end of a standstill: before it, nothing renders because of the policies of this source,
/// and after it, only ICSPs contact the source. Nodes get nothing of it before the source is out of these, and nothing
/// else could be written first without a time in which pulls have no mirror.
pub(super) fn prepares_end(write: &SetWrite<'_>, source: &str) -> bool {
    let (Operation::Create(new) | Operation::Update { new, .. }) = write.operation else { return false };
    let is_closed =
        |found: EntryRef<'_>| found.set.kind == SetKind::Icsp || found.entry().policy() == NeverContactSource;
    new.kind != SetKind::Icsp
        && has_both_policies(write.cluster.before.entries(source))
        && write.cluster.after.entries(source).all(is_closed)
}

/// Whether entries of one source have different policies, for which the operator renders nothing.
pub(super) fn has_both_policies<'a>(entries: impl Iterator<Item = EntryRef<'a>>) -> bool {
    let policies: Vec<_> = entries.map(|found| found.entry().policy()).collect();
    policies.contains(&AllowContactingSource) && policies.contains(&NeverContactSource)
}

/// Steps of which the webhook admits each, for all entries of one source, sorted by [`EntryRef::order`]. Once the nodes
/// render, they do after each further step. `is_standstill`: nothing renders now; `new` is a set that the cluster has
/// without the source, or not at all. `None` without an ICSP, or without `NeverContactSource`.
pub(crate) fn steps(
    entries: &[EntryRef<'_>],
    is_standstill: bool,
    new: Option<&MirrorSet>,
) -> Option<String> {
    let is_icsp = |found: &&EntryRef<'_>| found.set.kind == SetKind::Icsp;
    let (icsps, others): (Vec<&EntryRef<'_>>, Vec<&EntryRef<'_>>) = entries.iter().partition(is_icsp);
    let never = others.iter().find(|found| found.entry().policy() == NeverContactSource)?.set;
    if icsps.is_empty() {
        return None;
    }
    let is_closed = others.iter().all(|found| found.entry().policy() == NeverContactSource);
    let new = new.filter(|new| new.kind != SetKind::Icsp);
    if is_standstill && is_closed {
        return Some(remove_from_icsps(entries, &icsps, &others, new));
    }
    match others.iter().find(|found| found.set.kind == SetKind::Idms) {
        Some(idms) => Some(open_and_close(idms.set, &icsps, &others, new)),
        None => Some(format!(
            "remove NeverContactSource from {}: an ICSP always means AllowContactingSource",
            never.id()
        )),
    }
}

/// Nothing renders as long as an ICSP has the source. Everything else comes first, which costs nothing until then: an
/// IDMS with all mirrors, without which digest pulls would have none.
fn remove_from_icsps(
    entries: &[EntryRef<'_>],
    icsps: &[&EntryRef<'_>],
    others: &[&EntryRef<'_>],
    new: Option<&MirrorSet>,
) -> String {
    let source = &*icsps[0].entry().source;
    let missing = missing_in_idmss(entries, others, source);
    let mut steps = Vec::new();
    match new {
        Some(new) if new.kind == SetKind::Idms && missing.is_some() => {
            steps.push(format!("apply {} with the mirrors {}", new.id(), missing.unwrap_or_default()));
        }
        new => {
            steps.extend(new.map(|new| format!("apply {}", new.id())));
            let idms = others.iter().find(|found| found.set.kind == SetKind::Idms);
            steps.extend(missing.map(|mirrors| add_mirrors(source, &mirrors, idms.map(|found| found.set))));
        }
    }
    steps.push(removal(icsps));
    if steps.len() == 1 { steps.remove(0) } else { format!("first {}", steps.join("; then ")) }
}

/// All mirrors of the digest pulls of a source, if IDMSs lack some of them.
fn missing_in_idmss(entries: &[EntryRef<'_>], others: &[&EntryRef<'_>], source: &str) -> Option<String> {
    let serving = entries.iter().filter(|found| found.serves(Pull::Digest));
    let lists: Vec<_> = serving.map(|found| &*found.entry().mirrors).collect();
    let mut wanted: Vec<_> = merge(source, &lists).mirrors.into_iter().collect();
    wanted.retain(|mirror| *mirror != source);
    let of_idms = others.iter().filter(|found| found.set.kind == SetKind::Idms);
    let there: HashSet<&str> =
        of_idms.flat_map(|found| &found.entry().mirrors).map(|mirror| &**mirror).collect();
    let is_complete = wanted.iter().all(|mirror| there.contains(mirror));
    (!is_complete).then(|| wanted.join(", "))
}

fn add_mirrors(source: &str, mirrors: &str, idms: Option<&MirrorSet>) -> String {
    match idms {
        Some(idms) => format!("give \"{source}\" the mirrors {mirrors} in {}", idms.id()),
        None => format!(
            "add \"{source}\" to an ImageDigestMirrorSet with NeverContactSource and the mirrors {mirrors}"
        ),
    }
}

/// Takes the source out of ICSPs, and deletes those that have no other.
fn removal(icsps: &[&EntryRef<'_>]) -> String {
    let source = &*icsps[0].entry().source;
    let has_others = |set: &MirrorSet| {
        let own = set.entries.iter().filter(|entry| *entry.source == *source);
        own.count() < set.written_entries()
    };
    if icsps.iter().any(|found| has_others(found.set)) {
        return format!("remove \"{source}\" from {}", ids(icsps.iter().map(|found| found.set)));
    }
    delete_icsps(&names(icsps))
}

/// The policies of one source must be the same in all sets, and each write changes one set: every other set is without
/// the source while the IDMS gets its policy.
fn open_and_close(
    idms: &MirrorSet,
    icsps: &[&EntryRef<'_>],
    others: &[&EntryRef<'_>],
    new: Option<&MirrorSet>,
) -> String {
    let id = idms.id();
    let is_new = |set: &MirrorSet| new.is_some_and(|new| std::ptr::eq(new, set));
    let blocked = others.iter().filter(|found| found.entry().policy() == NeverContactSource);
    let opened = ids(blocked.map(|found| found.set).filter(|set| !std::ptr::eq(*set, idms) && !is_new(set)));
    let others = || others.iter().map(|found| found.set).filter(|set| !std::ptr::eq(*set, idms));
    let (removed, added) = (ids(others().filter(|set| !is_new(set))), ids(others()));
    let mut steps = Vec::new();
    if !opened.is_empty() {
        steps.push(format!("remove NeverContactSource from {opened}"));
    }
    steps.push(format!(
        "apply {id} without NeverContactSource and with every entry of {}",
        ids(icsps.iter().map(|found| found.set))
    ));
    steps.push(delete_icsps(&names(icsps)));
    let source = &icsps[0].entry().source;
    if !removed.is_empty() {
        steps.push(format!("remove \"{source}\" from {removed}"));
    }
    steps.push(format!("set NeverContactSource in {id}"));
    if !added.is_empty() {
        steps.push(format!("add \"{source}\" with NeverContactSource to {added}"));
    }
    format!("first {}", steps.join("; then "))
}

/// The number of objects that are named. Each set of a source may name all others that have it.
const NAMED: usize = 10;

/// What to do to delete ICSPs, with the names of the first ten.
pub(super) fn delete_icsps(names: &[&str]) -> String {
    let command = "run oc delete imagecontentsourcepolicy";
    match names.len().checked_sub(NAMED) {
        None | Some(0) => format!("{command} {}", names.join(" ")),
        Some(more) => format!("{command} for each of {} and {more} more", names[..NAMED].join(", ")),
    }
}

fn ids<'a>(sets: impl Iterator<Item = &'a MirrorSet>) -> String {
    let ids: BTreeSet<_> = sets.map(|set| set.id().to_string()).collect();
    let more = ids.len().saturating_sub(NAMED);
    let named = ids.into_iter().take(NAMED).collect::<Vec<_>>();
    if more == 0 { named.join(" and ") } else { format!("{} and {more} more", named.join(", ")) }
}

fn names<'a>(icsps: &[&EntryRef<'a>]) -> Vec<&'a str> {
    let names: BTreeSet<_> = icsps.iter().map(|found| &*found.set.name).collect();
    names.into_iter().collect()
}

/// What to do with entries of an ICSP if another set never contacts the source of one of them: the same for all rules
/// that find it.
pub(super) fn fix_of_icsp(write: &SetWrite<'_>, entries: &[&Entry]) -> Option<String> {
    if !matches!(write.operation, Operation::Existing(_)) {
        return fix_of_new_icsp(write, entries);
    }
    let sources: BTreeSet<_> = entries.iter().map(|entry| &*entry.source).collect();
    sources.into_iter().find_map(|source| steps_of_write(write, source))
}

/// The number of new entries up to which each is looked for in IDMSs.
const FEW: usize = 10;

/// What to do with an ICSP that is written, if IDMSs have all of its new entries with `NeverContactSource`.
pub(super) fn fix_of_new_icsp(write: &SetWrite<'_>, fresh: &[&Entry]) -> Option<String> {
    if fresh.len() > FEW {
        return None;
    }
    let found: Option<Vec<_>> = fresh.iter().map(|entry| idms_instead(write, entry)).collect();
    let found = found.filter(|found| !found.is_empty())?;
    let (sources, them) = if fresh.len() == 1 { ("source", "it") } else { ("sources", "them") };
    Some(format!("remove the {sources} from this ICSP, and leave {them} to {}", ids(found.into_iter())))
}

/// An IDMS that has an entry of an ICSP with `NeverContactSource`: the ICSP adds nothing to it.
fn idms_instead<'a>(write: &SetWrite<'a>, entry: &Entry) -> Option<&'a MirrorSet> {
    let mut never = write
        .cluster
        .others
        .effective(&entry.source)
        .filter(|found| found.set.kind == SetKind::Idms && found.entry().policy() == NeverContactSource);
    let found = never.find(|found| entry.mirrors.iter().all(|mirror| found.entry().mirrors.contains(mirror)));
    found.map(|found| found.set)
}

/// The sources of these entries of an ICSP that another set never contacts. An IDMS that takes such an entry over needs
/// the same policy: a source has one policy in all sets, even in entries without effect.
pub(super) fn never_contacted<'s>(write: &SetWrite<'_>, entries: &[&'s Entry]) -> BTreeSet<&'s str> {
    let mut sources: BTreeSet<_> = entries.iter().map(|entry| &*entry.source).collect();
    let is_never = |found: EntryRef<'_>| found.entry().policy() == NeverContactSource;
    sources.retain(|source| write.cluster.others.entries(source).any(is_never));
    sources
}

#[cfg(test)]
mod tests;
