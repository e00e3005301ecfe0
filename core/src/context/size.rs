//! How much room sources take in registries.conf, without rendering it.

use smallvec::SmallVec;

use super::View;
use crate::objects::{Entry, MirrorSet, MirrorSourcePolicy, scope::is_wildcard};

const REGISTRY: &str = "\n[[registry]]\n  prefix = \"\"\n";
const LOCATION: &str = "  location = \"\"\n";
const BLOCKED: &str = "  blocked = true\n";
const MIRROR: &str = "\n  [[registry.mirror]]\n    location = \"\"\n    pull-from-mirror = \"digest-only\"\n";
const SHORTER: usize = "digest-only".len() - "tag-only".len();

/// Bytes that the file takes for a source: its registry and each of its mirrors once. The lines that the
/// image configuration adds are left out.
fn size_at(view: View<'_>, source: &str) -> usize {
    let mut mirrors: SmallVec<[(&str, bool); 8]> = SmallVec::new();
    let mut is_there = false;
    let mut blocked = false;
    for found in view.entries(source).filter(|found| found.entry().is_effective()) {
        let is_digest = found.set.kind.is_digest();
        blocked |= found.entry().policy() == MirrorSourcePolicy::NeverContactSource;
        // The source itself is tried last, and then left out.
        let real = found.entry().mirrors.iter().filter(|mirror| ***mirror != *source);
        mirrors.extend(real.map(|mirror| (&**mirror, is_digest)));
        is_there = true;
    }
    if !is_there {
        return 0;
    }
    mirrors.sort_unstable();
    mirrors.dedup();
    let location = if is_wildcard(source) { 0 } else { LOCATION.len() };
    let head = REGISTRY.len() + location + source.len() + if blocked { BLOCKED.len() } else { 0 };
    let room = |(mirror, is_digest): &(&str, bool)| {
        MIRROR.len() + mirror.len() - if *is_digest { 0 } else { SHORTER }
    };
    head + mirrors.iter().map(room).sum::<usize>()
}

/// The room that the sources of a write take before it and after it. Each source counts once.
pub fn sizes_of_write(
    before: View<'_>,
    after: View<'_>,
    old: Option<&MirrorSet>,
    new: Option<&MirrorSet>,
) -> (usize, usize) {
    let mut sizes = (0, 0);
    let mut add = |source| {
        sizes.0 += size_at(before, source);
        sizes.1 += size_at(after, source);
    };
    let has = |view: View<'_>, set: &MirrorSet, source: &str, before: usize| {
        view.entries(source).any(|found| std::ptr::eq(found.set, set) && found.index < before)
    };
    for (view, set) in [(after, new), (before, old)] {
        let Some(set) = set else { continue };
        for (at, source) in set.entries.iter().map(|entry| &*entry.source).enumerate() {
            let is_known = has(view, set, source, at)
                || (new.is_some_and(|new| !std::ptr::eq(new, set) && has(after, new, source, usize::MAX)));
            if !is_known {
                add(source);
            }
        }
    }
    sizes
}

/// Whether some source of a set that is added takes more room than before; stops at the first.
pub fn grows(before: View<'_>, after: View<'_>, new: &MirrorSet) -> bool {
    new.entries.iter().any(|entry| size_at(after, &entry.source) > size_at(before, &entry.source))
}

/// No less than the room that a set can take: found out without looking at any other.
pub fn size_at_most(set: &MirrorSet) -> usize {
    let head = REGISTRY.len() + LOCATION.len() + BLOCKED.len();
    let mirrors =
        |entry: &Entry| entry.mirrors.iter().map(|mirror| MIRROR.len() + mirror.len()).sum::<usize>();
    set.entries.iter().map(|entry| head + entry.source.len() + mirrors(entry)).sum()
}
