//! Sources of an ICSP that IDMSs have already.

use crate::{
    context::{EntryRef, View},
    objects::{MirrorSet, SetKind},
    rules::finding::some_names,
};

/// Entries of an ICSP whose sources IDMSs have: another IDMS would only split the sources.
pub(in crate::rules) struct InIdmss {
    /// The number of the entries.
    count: usize,
    /// The IDMSs in words.
    names: String,
    /// Whether these have all mirrors of the entries.
    are_complete: bool,
}

impl InIdmss {
    /// For the entries of a set at these indices; `others` is the cluster without the set. `None` if there is another
    /// source among them, or no entry.
    pub(in crate::rules) fn find(others: View<'_>, set: &MirrorSet, indices: &[usize]) -> Option<Self> {
        let first_idms = |index: &usize| {
            let entries = others.entries(&set.entries[*index].source);
            entries.filter(|found| found.set.kind == SetKind::Idms).min_by_key(EntryRef::order)
        };
        let found: Option<Vec<_>> = indices.iter().map(first_idms).collect();
        let found = found.filter(|found| !found.is_empty())?;
        let has_mirrors = |(index, found): (&usize, &EntryRef<'_>)| {
            set.entries[*index].mirrors.iter().all(|mirror| found.entry().mirrors.contains(mirror))
        };
        Some(Self {
            count: indices.len(),
            names: some_names(found.iter().map(|found| found.set.id())),
            are_complete: indices.iter().zip(&found).all(has_mirrors),
        })
    }

    /// What to do with the entries, an imperative.
    pub(in crate::rules) fn what_to_do(&self) -> String {
        let names = &self.names;
        match (self.are_complete, self.count) {
            (true, 1) => format!("remove the source from this ICSP, and leave it to {names}"),
            (true, _) => format!("remove the sources from this ICSP, and leave them to {names}"),
            (false, 1) => format!("add the mirrors to the entry of this source in {names} instead"),
            (false, _) => format!("add the mirrors to the entries of these sources in {names} instead"),
        }
    }

    /// What to do with an ICSP that has no other entries, an imperative.
    pub(in crate::rules) fn replace_icsp(&self, name: &str) -> String {
        let names = &self.names;
        let entries = if self.count == 1 { "entry of this source" } else { "entries of these sources" };
        if self.are_complete {
            return format!("delete imagecontentsourcepolicy {name}: its sources and mirrors are in {names}");
        }
        format!("add the mirrors to the {entries} in {names}, then delete imagecontentsourcepolicy {name}")
    }
}
