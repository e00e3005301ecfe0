//! How many bytes sources take in registries.conf, without rendering it.

use smallvec::SmallVec;

use super::{EntryRef, View};
use crate::{
    objects::{MirrorSet, MirrorSourcePolicy, Pull},
    registries_conf::size_of_registry,
};

/// Bytes that a source takes before a write and after it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SizeOfWrite {
    /// Before the write.
    pub before: usize,
    /// After it.
    pub after: usize,
}

/// Bytes that the file takes for a source: its registry and each of its mirrors once. The lines that the
/// image configuration adds are left out.
fn size_of_source(view: View<'_>, source: &str) -> usize {
    let mut mirrors: SmallVec<[(&str, Pull); 8]> = SmallVec::new();
    let mut is_there = false;
    let mut blocked = false;
    for found in view.entries(source).filter(|found| found.entry().is_effective()) {
        let pull = found.set.kind.pull();
        blocked |= found.entry().policy() == MirrorSourcePolicy::NeverContactSource;
        // The source itself is tried last, and then left out.
        mirrors.extend(found.entry().real_mirrors().map(|(_, mirror)| (mirror, pull)));
        is_there = true;
    }
    if !is_there {
        return 0;
    }
    mirrors.sort_unstable();
    mirrors.dedup();
    size_of_registry(source, blocked, mirrors)
}

/// Bytes that the sources of a write take before it and after it. Each source counts once.
pub fn size_of_write(
    before: View<'_>,
    after: View<'_>,
    old: Option<&MirrorSet>,
    new: Option<&MirrorSet>,
) -> SizeOfWrite {
    let mut size = SizeOfWrite::default();
    for (view, set) in [(after, new), (before, old)] {
        let Some(set) = set else { continue };
        // The sources of the new set are counted first, and left out when the old set is read.
        let counted = new.filter(|new| !std::ptr::eq(*new, set));
        for (index, entry) in set.entries.iter().enumerate() {
            let source = &*entry.source;
            let is_counted = repeats_source(view, EntryRef { set, index })
                || counted.is_some_and(|counted| has_source(after, counted, source));
            if !is_counted {
                size.before += size_of_source(before, source);
                size.after += size_of_source(after, source);
            }
        }
    }
    size
}

/// Whether a set that is seen has an entry with this source.
fn has_source(view: View<'_>, set: &MirrorSet, source: &str) -> bool {
    view.entries(source).any(|found| std::ptr::eq(found.set, set))
}

/// Whether an earlier entry of the same set has the source of this one.
fn repeats_source(view: View<'_>, entry: EntryRef<'_>) -> bool {
    view.entries(&entry.entry().source).any(|other| entry.follows(other))
}

/// Whether some source of a set that is added takes more bytes than before; stops at the first.
pub fn grows(before: View<'_>, after: View<'_>, new: &MirrorSet) -> bool {
    let mut sources = new.entries.iter().map(|entry| &*entry.source);
    sources.any(|source| size_of_source(after, source) > size_of_source(before, source))
}

/// No less than the bytes that a set can take: found without reading any other set.
pub fn size_at_most(set: &MirrorSet) -> usize {
    let mut size = 0;
    for entry in &set.entries {
        // The longest form: blocked, and with the longer value of pull-from-mirror.
        let mirrors = entry.mirrors.iter().map(|mirror| (&**mirror, Pull::Digest));
        size += size_of_registry(&entry.source, true, mirrors);
    }
    size
}
