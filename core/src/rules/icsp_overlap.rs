//! Entries of an ICSP and of IDMS or ITMS that change what the other does.

use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    rc::Rc,
};

use hashbrown::HashMap;

use super::{
    Finding, Related, RelatedFields, SetWrite, SharedSource,
    finding::{each_set, some_sets},
    icsp_to_never::{fix_of_icsp, steps_of_write},
    mirror_order_conflict::{Contradiction, ORDER_UNSPECIFIED, first_contradiction},
};
use crate::{
    context::EntryRef,
    node::{Placed, Rendering, rewrite},
    objects::{Entry, MirrorSet, Pull, SetKind, scope::names_registry},
};

/// An entry of an ICSP that changes what nodes do with the images of entries of IDMSs and ITMSs, or the other way
/// round. Here, these are the two sorts of sets.
pub(super) struct Overlap<'a> {
    /// Index of the entry in the set under review.
    index: usize,
    /// What the other sort has for the affected images.
    pub(super) with: Rc<Others<'a>>,
    how: How,
}

/// Entries of the other sort.
pub(super) struct Others<'a> {
    /// Their sets, by kind and name.
    pub(super) sets: Vec<&'a MirrorSet>,
    /// The same in words.
    names: String,
    related: RelatedFields,
}

impl<'a> Others<'a> {
    /// Of entries of one source, by kind, name and index: `field` is the field that findings are about.
    fn of(entries: &[EntryRef<'a>], field: &str) -> Self {
        Self {
            sets: each_set(entries).collect(),
            names: some_sets(entries),
            related: RelatedFields::of(entries, |found| Related::to_entry(found, field)),
        }
    }
}

enum How {
    /// Nodes try `is` with the set under review, and `was` without it.
    Tries { was: Tries, is: Tries },
    /// The lists are merged and have no order that suits both. What upstream makes of them is unspecified, and
    /// may be the old order by chance.
    Contradicts,
}

/// The number of places that are named in a sentence.
const NAMED: usize = 10;

/// What a pull tries.
#[derive(Debug, PartialEq, Eq)]
struct Tries {
    mirrors: Vec<String>,
    /// Whether the source is blocked. Otherwise it is tried last.
    blocked: bool,
}

impl fmt::Display for Tries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.blocked { ", but not the source" } else { ", then the source" };
        match (&*self.mirrors, self.blocked) {
            ([], true) => f.write_str("nothing"),
            ([], false) => f.write_str("only the source"),
            (mirrors, _) if mirrors.len() <= NAMED => write!(f, "{}{end}", mirrors.join(", then ")),
            (mirrors, _) => {
                let (first, more) = mirrors.split_at(NAMED);
                write!(f, "{}, then {} more{end}", first.join(", then "), more.len())
            }
        }
    }
}

impl Tries {
    /// The places alone, which stay the same when the sentence is reworded. Many are not repeated for every set.
    fn key(&self) -> String {
        let end = if self.blocked { "blocked" } else { "source" };
        if self.mirrors.len() <= NAMED {
            return format!("{} {end}", self.mirrors.join(" "));
        }
        let mut hasher = DefaultHasher::new();
        self.mirrors.hash(&mut hasher);
        format!("{} places, {:016x} {end}", self.mirrors.len(), hasher.finish())
    }
}

impl Overlap<'_> {
    pub(super) fn finding(&self, write: &SetWrite<'_>, set: &MirrorSet) -> Finding {
        let entry = &set.entries[self.index];
        let Entry { source, mirrors, .. } = entry;
        let names = &self.with.names;
        let (field, what, effect, key) = match &self.how {
            How::Tries { was, is } => {
                // While nothing renders, nodes try what they did before.
                let (changes, effect) = if write.renders() {
                    ("changes", format!("with this object, nodes try {is}; without it, they try {was}"))
                } else {
                    ("would change", String::new())
                };
                let what = format!(
                    "source \"{source}\" overlaps {names} and {changes} what nodes try for its images"
                );
                ("source", what, effect, format!("{source} {}", is.key()))
            }
            How::Contradicts => (
                "mirrors",
                format!("the mirror order of source \"{source}\" contradicts that of {names}"),
                ORDER_UNSPECIFIED.to_owned(),
                format!("{source} contradicts {}", mirrors.join(" ")),
            ),
        };
        let fix = match (set.kind, &self.how) {
            (SetKind::Icsp, _) => fix_of_icsp(write, &[entry])
                .unwrap_or_else(|| "put these entries in an ImageDigestMirrorSet instead".to_owned()),
            (SetKind::Idms, How::Tries { .. }) => steps_of_write(write, source).unwrap_or_else(|| {
                format!("add every entry of {names} to this IDMS, as the first step of the migration")
            }),
            (SetKind::Idms, How::Contradicts) => {
                format!("use the mirror order of {names} until the migration is complete")
            }
            (SetKind::Itms, _) => steps_of_write(write, source)
                .unwrap_or_else(|| format!("migrate {names} to an ImageDigestMirrorSet first")),
        };
        Finding {
            effect,
            fix: fix.into(),
            related: self.with.related.clone(),
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
    let contradicting: HashMap<_, _> = write
        .shared_sources()
        .iter()
        .filter_map(|shared| Some((shared.source(), contradicting(shared)?)))
        .collect();
    let mut overlaps = Vec::new();
    let mut known: HashMap<&str, Nearest<'_>> = HashMap::new();
    // A source without a registry matches no image.
    let matches = |entry: &Entry| entry.is_effective() && names_registry(&entry.source);
    for (index, Entry { source, .. }) in write.first_entries(matches) {
        if let Some(Contradiction { own, others }) = contradicting.get(&**source) {
            let with = Others::of(others, "mirrors").into();
            overlaps.push(Overlap { index: own.index, with, how: How::Contradicts });
            continue;
        }
        let Some(scope) = write.cluster.others.nearest_source(source) else { continue };
        let nearest = known.entry(scope).or_insert_with(|| Nearest::of(write, set, &before, scope));
        // To other pulls, the other sort offers no mirror that the set could hide.
        for pull in nearest.pulls.iter().copied() {
            let was = tries(nearest.placed.as_ref(), source, pull);
            let is = tries(placed(&after, source).as_ref(), source, pull);
            if was != is {
                let with = Rc::clone(&nearest.others);
                overlaps.push(Overlap { index, with, how: How::Tries { was, is } });
                break;
            }
        }
    }
    overlaps
}

/// The nearest source above entries: the same for all of them.
struct Nearest<'a> {
    /// Its entries of the other sort.
    others: Rc<Others<'a>>,
    /// The pulls that they serve.
    pulls: Vec<Pull>,
    /// What decides its images without the set.
    placed: Option<Placed<'a>>,
}

impl<'a> Nearest<'a> {
    fn of(write: &SetWrite<'a>, set: &MirrorSet, before: &Rendering<'a>, scope: &'a str) -> Self {
        let mut entries: Vec<_> = write.cluster.others.effective(scope).collect();
        entries.retain(|found| is_other(set, found));
        entries.sort_by_key(EntryRef::order);
        let serves = |pull: &Pull| entries.iter().any(|found| found.set.kind.pull() == *pull);
        Self {
            pulls: Pull::ALL.into_iter().filter(serves).collect(),
            others: Others::of(&entries, "source").into(),
            placed: placed(before, scope),
        }
    }
}

/// An entry whose mirrors are merged with those of the other sort, which are in another order.
fn contradicting<'a>(shared: &SharedSource<'a>) -> Option<Contradiction<'a>> {
    let set = shared.own[0].set;
    // The mirrors of an ITMS are never merged with those of an ICSP, which serves digest pulls.
    if !set.kind.is_digest() {
        return None;
    }
    if shared.circles().is_empty() {
        return None;
    }
    let (own, elsewhere) = shared.merged();
    let others: Vec<_> = elsewhere.into_iter().filter(|found| is_other(set, found)).collect();
    first_contradiction(shared.circles(), &own, &others)
}

/// What a scope decides; `None` where it cannot be rendered or is not in the file.
fn placed<'s>(rendering: &Rendering<'s>, scope: &'s str) -> Option<Placed<'s>> {
    rendering.registry_at(scope).ok().flatten()
}

/// What a pull of something at `source` tries where this decides: only the source without it.
fn tries(placed: Option<&Placed<'_>>, source: &str, pull: Pull) -> Tries {
    let Some(Placed { registry, .. }) = placed else { return Tries { mirrors: Vec::new(), blocked: false } };
    let mirrors = registry.mirrors.iter().filter(|mirror| mirror.pull == pull);
    let mirrors = mirrors.map(|mirror| rewrite(source, registry.scope, &mirror.location)).collect();
    Tries { mirrors, blocked: registry.blocked }
}
