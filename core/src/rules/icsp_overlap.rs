//! Entries of an ICSP and of IDMS or ITMS that change what the other does.

use std::fmt;

use super::{
    Finding, Related, SetWrite,
    conflicting_source_policy::three_steps,
    finding::some_names,
    mirror_order_conflict::{ORDER_UNSPECIFIED, contradicted},
};
use crate::{
    context::EntryRef,
    node::{Rendering, rewrite},
    objects::{Entry, MirrorSet, MirrorSourcePolicy, Pull, SetKind},
};

/// An entry of an ICSP that changes what nodes do with the images of entries of IDMSs and ITMSs, or the other way
/// round. Here, these are the two sorts of sets.
pub(super) struct Overlap<'a> {
    /// Index of the entry in the set under review.
    index: usize,
    /// The entries of the other sort whose images are affected.
    pub(super) with: Vec<EntryRef<'a>>,
    how: How,
}

enum How {
    /// Nodes try `is` with the set under review, and `was` without it.
    Tries { was: Tries, is: Tries },
    /// The lists are merged and have no order that suits both. What upstream makes of them is unspecified, and
    /// may be the old order by chance.
    Contradicts,
}

/// What a pull tries.
#[derive(Debug, PartialEq, Eq)]
struct Tries {
    mirrors: Vec<String>,
    /// Whether the source is blocked. Otherwise it is tried last.
    blocked: bool,
}

impl fmt::Display for Tries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.mirrors, self.blocked) {
            ([], true) => f.write_str("nothing"),
            ([], false) => f.write_str("only the source"),
            (mirrors, true) => write!(f, "{}, but not the source", mirrors.join(", then ")),
            (mirrors, false) => write!(f, "{}, then the source", mirrors.join(", then ")),
        }
    }
}

impl Tries {
    /// The places alone, which stay the same when the sentence is reworded.
    fn key(&self) -> String {
        let end = if self.blocked { "blocked" } else { "source" };
        format!("{} {end}", self.mirrors.join(" "))
    }
}

impl Overlap<'_> {
    /// The names of the ICSPs with the source of an entry that is NeverContactSource.
    fn contradicted_icsps(&self, set: &MirrorSet) -> Vec<&str> {
        let entry = &set.entries[self.index];
        if entry.policy() != MirrorSourcePolicy::NeverContactSource {
            return Vec::new();
        }
        let same = self.with.iter().filter(|found| found.entry().source == entry.source);
        same.map(|found| &*found.set.name).collect()
    }

    pub(super) fn finding(&self, set: &MirrorSet) -> Finding {
        let Entry { source, mirrors, .. } = &set.entries[self.index];
        let names = some_names(self.with.iter().map(|found| found.set.id()));
        let (field, what, effect, key) = match &self.how {
            How::Tries { was, is } => (
                "source",
                format!("source \"{source}\" overlaps {names} and changes what nodes try for its images"),
                format!("with this object, nodes try {is}; without it, they try {was}"),
                format!("{source} {}", is.key()),
            ),
            How::Contradicts => (
                "mirrors",
                format!("the mirror order of source \"{source}\" contradicts that of {names}"),
                ORDER_UNSPECIFIED.to_owned(),
                format!("{source} contradicts {}", mirrors.join(" ")),
            ),
        };
        let fix = match (set.kind, &self.how) {
            (SetKind::Icsp, _) => "put these entries in an ImageDigestMirrorSet instead".to_owned(),
            (SetKind::Idms, How::Tries { .. }) if !self.contradicted_icsps(set).is_empty() => {
                three_steps(&set.id().to_string(), &self.contradicted_icsps(set))
            }
            (SetKind::Idms, How::Tries { .. }) => {
                format!("add every entry of {names} to this IDMS, as the first step of the migration")
            }
            (SetKind::Idms, How::Contradicts) => {
                format!("use the mirror order of {names} until the migration is complete")
            }
            (SetKind::Itms, _) => format!("migrate {names} to an ImageDigestMirrorSet first"),
        };
        Finding {
            effect,
            fix: fix.into(),
            related: self.with.iter().map(|found| Related::to_entry(found, field)).collect(),
            ..Finding::new(set.field_path(self.index, field), key, what)
        }
    }
}

/// Whether an entry is of the sort that a set of this kind must not disturb: those of ICSPs for an IDMS or
/// ITMS, those of the two for an ICSP.
fn is_other(set: &MirrorSet, found: &EntryRef<'_>) -> bool {
    (found.set.kind == SetKind::Icsp) != (set.kind == SetKind::Icsp)
}

/// The entries that change what nodes do with images of the other sort. Only the nearest scope above an
/// entry can be concerned, since only the most specific one applies to an image.
pub(super) fn overlaps<'a>(write: &SetWrite<'a>, set: &'a MirrorSet) -> Vec<Overlap<'a>> {
    // `before` is the cluster without the set, also for an update: not with the set as it was.
    let (before, after) = (Rendering::new(write.cluster.others), Rendering::new(write.cluster.after));
    let mut overlaps = Vec::new();
    for (index, Entry { source, .. }) in set.effective_entries() {
        let with = contradicting(write, EntryRef { set, index });
        if !with.is_empty() {
            overlaps.push(Overlap { index, with, how: How::Contradicts });
            continue;
        }
        let Some((scope, found)) = write.cluster.others.nearest(source, |_| true) else { continue };
        let with: Vec<_> = found.into_iter().filter(|found| is_other(set, found)).collect();
        for pull in Pull::ALL {
            // The other sort offers these pulls no mirror that the set could hide.
            if !with.iter().any(|found| found.set.kind.pull() == pull) {
                continue;
            }
            let was = tries(&before, scope, source, pull);
            let is = tries(&after, source, source, pull);
            if was != is {
                overlaps.push(Overlap { index, with, how: How::Tries { was, is } });
                break;
            }
        }
    }
    overlaps
}

/// The entries of the other sort whose mirrors are merged with this one's and are in another order.
fn contradicting<'a>(write: &SetWrite<'a>, own: EntryRef<'a>) -> Vec<EntryRef<'a>> {
    // The mirrors of an ITMS are never merged with those of an ICSP, which serves digest pulls.
    if !own.set.kind.is_digest() {
        return Vec::new();
    }
    let same_source = write.cluster.others.entries(&own.entry().source);
    let mut merged: Vec<_> = same_source.filter(|found| found.serves(Pull::Digest)).collect();
    merged.sort_by_key(EntryRef::order);
    contradicted(own, &merged).into_iter().filter(|found| is_other(own.set, found)).collect()
}

/// What a pull of something at `source` tries while `scope` decides: only the source, where the scope cannot be
/// rendered or is not in the file.
fn tries(rendering: &Rendering<'_>, scope: &str, source: &str, pull: Pull) -> Tries {
    let Ok(Some(placed)) = rendering.registry_at(scope) else {
        return Tries { mirrors: Vec::new(), blocked: false };
    };
    let mirrors = placed.registry.mirrors.iter().filter(|mirror| mirror.pull == pull);
    let mirrors = mirrors.map(|mirror| rewrite(source, scope, &mirror.location)).collect();
    Tries { mirrors, blocked: placed.registry.blocked }
}
