//! Whether an IDMS can take the place of an ICSP.

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
};

use crate::{
    context::{EntryRef, View},
    node::merge,
    objects::{
        Entry, MirrorSet,
        MirrorSourcePolicy::{self, AllowContactingSource, NeverContactSource},
        SetKind,
    },
    rules::finding::each_set,
};

/// The first IDMS by name that covers an ICSP; `None` if there is none.
pub(in crate::rules) fn covering_idms<'a>(view: View<'a>, icsp: &MirrorSet) -> Option<&'a MirrorSet> {
    let Some((_, first)) = icsp.effective_entries().next() else {
        if !icsp.gaps.is_empty() {
            return None;
        }
        // An ICSP without effective entries adds nothing to any IDMS.
        return view.sets_of(SetKind::Idms).next();
    };
    // Most IDMSs are told apart by the source and the first mirror of one entry.
    let wanted = tried(first).first().copied();
    let mut candidates: Vec<_> = view.effective(&first.source).collect();
    candidates.retain(|found| {
        let mut mirrors = found.entry().mirrors.iter();
        found.set.kind == SetKind::Idms && mirrors.any(|mirror| Some(&**mirror) == wanted)
    });
    candidates.sort_by_key(EntryRef::order);
    each_set(&candidates).find(|idms| CoveringIdms::of(idms).covers(icsp))
}

/// What ICSPs an IDMS can take the place of.
pub(super) struct CoveringIdms<'a> {
    /// `None` for a set of another kind, which covers none.
    lists: Option<MirrorLists<'a>>,
}

impl<'a> CoveringIdms<'a> {
    /// Reads a set once for any number of ICSPs.
    pub(super) fn of(set: &'a MirrorSet) -> Self {
        Self { lists: (set.kind == SetKind::Idms).then(|| MirrorLists::of(set)) }
    }

    /// Whether the IDMS has every effective entry of an ICSP, with at least its mirrors in the order in which nodes try
    /// them, and nothing that says otherwise of the source itself.
    pub(super) fn covers(&self, icsp: &MirrorSet) -> bool {
        let Some(lists) = &self.lists else { return false };
        // Of an ICSP that is not known as a whole, the rest may be nowhere else.
        if !icsp.gaps.is_empty() {
            return false;
        }
        let mut known = HashSet::new();
        icsp.effective_entries().all(|(_, entry)| !known.insert(entry) || lists.cover(entry))
    }
}

/// The mirror lists of a set's effective entries, each once, and the policies of the sources.
#[derive(Default)]
struct MirrorLists<'a> {
    policies: HashSet<(&'a str, MirrorSourcePolicy)>,
    /// Lists of mirrors as nodes try them, by their source and each of their mirrors.
    lists: HashMap<(&'a str, &'a str), Vec<Rc<[&'a str]>>>,
}

impl<'a> MirrorLists<'a> {
    fn of(set: &'a MirrorSet) -> Self {
        let mut found = Self::default();
        let mut known = HashSet::new();
        for (_, entry) in set.effective_entries().filter(|(_, entry)| known.insert(*entry)) {
            found.policies.insert((&entry.source, entry.policy()));
            let list: Rc<[&str]> = tried(entry).into();
            for mirror in &*list {
                found.lists.entry((&entry.source, *mirror)).or_default().push(Rc::clone(&list));
            }
        }
        found
    }

    /// Whether a list of the source of this entry has its mirrors, in its order, and no entry another policy.
    fn cover(&self, wanted: &Entry) -> bool {
        let (source, order) = (&*wanted.source, tried(wanted));
        let other = match wanted.policy() {
            AllowContactingSource => NeverContactSource,
            NeverContactSource => AllowContactingSource,
        };
        if self.policies.contains(&(source, other)) {
            return false;
        }
        let lists = order.first().and_then(|first| self.lists.get(&(source, *first)));
        lists.into_iter().flatten().any(|list| has_in_order(list, &order))
    }
}

fn has_in_order(list: &[&str], wanted: &[&str]) -> bool {
    // One iterator for all: each mirror is looked for behind the one before it.
    let mut rest = list.iter();
    wanted.iter().all(|wanted| rest.any(|mirror| mirror == wanted))
}

/// The mirrors of an entry as nodes try them.
fn tried(entry: &Entry) -> Vec<&str> {
    merge(&entry.source, &[&*entry.mirrors]).mirrors.into_iter().collect()
}
