//! What is kept as a running total while sets come and go: the bytes that sources take in registries.conf, and the
//! faults for which the machine-config operator renders nothing.

use std::collections::BTreeSet;

use hashbrown::HashSet;
use smallvec::SmallVec;

use super::{EntryRef, View};
use crate::{
    objects::{MirrorSet, MirrorSourcePolicy, Pull},
    registries_conf::size_of_registry,
};

/// A total over the sources of a write, before it and after it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Totals {
    /// Before the write.
    pub before: usize,
    /// After it.
    pub after: usize,
}

/// Bytes that the file takes for a source: its registry and each of its mirrors once. The lines that the
/// image configuration adds are left out.
fn size_of_source(view: View<'_>, source: &str) -> usize {
    let mut mirrors: SmallVec<[(&str, Pull); 8]> = SmallVec::new();
    let mut is_in_file = false;
    let mut blocked = false;
    for found in without_repeats(view.effective(source)) {
        let pull = found.set.kind.pull();
        blocked |= found.entry().policy() == MirrorSourcePolicy::NeverContactSource;
        // The source itself is in the file only where a mirror follows it, which is rare: it is not counted.
        mirrors.extend(found.entry().real_mirrors().map(|(_, mirror)| (mirror, pull)));
        is_in_file = true;
    }
    if !is_in_file {
        return 0;
    }
    mirrors.sort_unstable();
    mirrors.dedup();
    size_of_registry(source, blocked, mirrors)
}

/// Entries without those that say the same as the one before: one source may be in any number of equal entries.
fn without_repeats<'a>(entries: impl Iterator<Item = EntryRef<'a>>) -> impl Iterator<Item = EntryRef<'a>> {
    let mut before: Option<EntryRef<'_>> = None;
    entries.filter(move |found| {
        let says_same =
            |before: EntryRef<'_>| before.set.kind == found.set.kind && before.entry() == found.entry();
        !before.replace(*found).is_some_and(says_same)
    })
}

/// For how many reasons the machine-config operator would refuse the entries of a source: the values that it rejects,
/// the mirrors that are the source itself though that may never be contacted, and one more if the entries have both
/// policies. Entries without a real mirror count too: the operator checks them before it leaves them out. Only whether
/// the number is 0 has a meaning; it is a number so that it can be added and subtracted. So it must not depend on the
/// order of the entries, which is another one after the index has grown.
///
/// Follows `machine-config-operator pkg/controller/container-runtime-config/helpers.go`
/// `validateRegistriesConfScopes`.
fn faults_of_source(view: View<'_>, source: &str) -> usize {
    let format = view.format();
    // `policies`: whether an entry has AllowContactingSource, and whether one has NeverContactSource.
    let (mut faults, mut policies) = (0, [false; 2]);
    let mut entries = view.entries(source).peekable();
    if entries.peek().is_some() {
        faults += usize::from(!format.accepts_source(source));
    }
    for found in entries {
        let entry = found.entry();
        let never = entry.policy() == MirrorSourcePolicy::NeverContactSource;
        let mirrors = entry.mirrors.iter().map(|mirror| &**mirror);
        let refused = mirrors.filter(|mirror| !format.accepts_mirror(mirror) || (never && *mirror == source));
        faults += refused.count();
        policies[usize::from(never)] = true;
    }
    faults + usize::from(policies == [true; 2])
}

/// Bytes that the sources of a write take before it and after it. Each source counts once.
pub fn size_of_write(
    before: View<'_>,
    after: View<'_>,
    old: Option<&MirrorSet>,
    new: Option<&MirrorSet>,
) -> Totals {
    totals_of_write([before, after], old, new, size_of_source)
}

/// The faults of the sources of a write before it and after it.
pub(super) fn faults_of_write(
    before: View<'_>,
    after: View<'_>,
    old: Option<&MirrorSet>,
    new: Option<&MirrorSet>,
) -> Totals {
    totals_of_write([before, after], old, new, faults_of_source)
}

/// Bytes that all sources take. A scan: not for a single decision.
pub(super) fn size_of_all(view: View<'_>) -> usize {
    view.sources().into_iter().map(|source| size_of_source(view, source)).sum()
}

/// The faults of every source. A scan: not for a single decision.
pub(super) fn faults_of_all(view: View<'_>) -> usize {
    let sources: BTreeSet<_> = view.sets().flat_map(|set| &set.entries).map(|entry| &*entry.source).collect();
    sources.into_iter().map(|source| faults_of_source(view, source)).sum()
}

/// The sums of `measure` over the sources of the old and the new set, each source once, in both views. `before` shows
/// `old`, and `after` shows `new`: of any other source, both views have the same entries.
fn totals_of_write(
    [before, after]: [View<'_>; 2],
    old: Option<&MirrorSet>,
    new: Option<&MirrorSet>,
    measure: fn(View<'_>, &str) -> usize,
) -> Totals {
    let mut totals = Totals::default();
    let mut counted: HashSet<&str> = HashSet::new();
    for entry in new.into_iter().chain(old).flat_map(|set| &set.entries) {
        let source = &*entry.source;
        if counted.insert(source) {
            totals.before += measure(before, source);
            totals.after += measure(after, source);
        }
    }
    totals
}

/// Whether some source of a set that is added takes more bytes than before. Stops at the first, unlike
/// [`size_of_write`], which adds up all of them.
pub fn grows(before: View<'_>, after: View<'_>, new: &MirrorSet) -> bool {
    let mut seen = HashSet::new();
    let mut sources = new.entries.iter().map(|entry| &*entry.source).filter(|source| seen.insert(*source));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        context::{Context, Overlay},
        objects::{ClusterVersion, Entry, Object, SetKind},
    };

    /// An IDMS of one entry with the mirror `m.lab`; `!` means `NeverContactSource`.
    fn set(name: &str, source: &str) -> MirrorSet {
        let never = source.starts_with('!').then_some(MirrorSourcePolicy::NeverContactSource);
        let mirrors = ["m.lab".into()].into_iter().collect();
        let source = source.trim_start_matches('!').into();
        MirrorSet::new(SetKind::Idms, name, vec![Entry { source, mirrors, mirror_source_policy: never }])
    }

    #[test]
    fn faults_are_known_through_every_change() {
        let mut context = Context::default();
        // The set `a`, and whether the operator refuses something with it and after it is removed again.
        let table = [
            ("quay.io", false, "a valid source"),
            ("https://quay.io", true, "a scheme"),
            ("!quay.io", false, "a policy of its own"),
            ("!docker.io", true, "the other set has another policy for this source"),
            ("!m.lab", true, "the source is its own mirror, and may never be contacted"),
            ("*.quay.io", false, "a wildcard"),
        ];
        context.insert_set(set("b", "docker.io").into());
        for (source, expected, reason) in table {
            // In a view, in a context, left out of a view, and removed from the context.
            let set = set("a", source);
            let overlay = Overlay::new(&context, &set);
            let added = context.view_with(SetKind::Idms, "a", Some(&overlay));
            assert_eq!(added.has_refused_entries(), expected, "in a view, {reason}");
            let mut with = context.clone();
            with.insert_set(set.into());
            assert_eq!(with.view().has_refused_entries(), expected, "{reason}");
            let without = with.view_with(SetKind::Idms, "a", None);
            assert!(!without.has_refused_entries(), "left out of a view, {reason}");
            with.remove_set(SetKind::Idms, "a");
            assert!(!with.view().has_refused_entries(), "removed, {reason}");
        }
    }

    #[test]
    fn many_changes_at_once_have_the_totals_of_each() {
        let sources = ["quay.io", "!quay.io", "https://quay.io", "docker.io", "docker.io", "*.quay.io"];
        let sets: Vec<_> = sources.iter().zip(["a", "b", "c", "d", "e", "a"]).collect();
        let mut one_by_one = Context::default();
        for (source, name) in &sets {
            one_by_one.insert_set(set(name, source).into());
        }
        let mut at_once: Context =
            sets.iter().map(|(source, name)| Object::from(set(name, source))).collect();
        let totals = |context: &Context| (context.size, context.faults);
        assert_eq!(totals(&at_once), totals(&one_by_one), "added");
        for name in ["b", "c", "d", "none"] {
            one_by_one.remove_set(SetKind::Idms, name);
        }
        at_once.remove_sets(SetKind::Idms, ["b", "c", "d", "none"]);
        assert_eq!(totals(&at_once), totals(&one_by_one), "removed");
        assert!(at_once.size > 0);
    }

    #[test]
    fn the_total_does_not_depend_on_the_order_of_entries() {
        let refused = |name: &str, mirror: &str| {
            let set = set(name, "quay.io/a");
            let entry = Entry { mirrors: [mirror.into()].into_iter().collect(), ..set.entries[0].clone() };
            MirrorSet { entries: vec![entry], ..set }
        };
        for more in [0, 30, 300] {
            let mut context = Context::default();
            for (name, mirror) in [("x", "https://m"), ("z", "https://n"), ("y", "https://m")] {
                context.insert_set(refused(name, mirror).into());
            }
            // The index grows, and may have the entries of one source in another order then.
            for number in 0..more {
                context.insert_set(set(&format!("s{number}"), &format!("quay.io/s{number}")).into());
            }
            for name in ["z", "x", "y"] {
                assert!(context.view().has_refused_entries(), "{more} more: {name} is still there");
                context.remove_set(SetKind::Idms, name);
            }
            assert!(!context.view().has_refused_entries(), "{more} more");
        }
    }

    #[test]
    fn another_release_has_other_faults() {
        let mut context = Context::default();
        context.insert_set(set("a", "*.quay.io").into());
        for (version, expected) in [("4.15.3", true), ("4.16.0", false), ("4.14.1", true), ("", false)] {
            let desired_version = version.to_owned();
            context.set_version(ClusterVersion { desired_version, ..ClusterVersion::default() });
            assert_eq!(context.view().has_refused_entries(), expected, "{version}");
        }
        context.remove_set(SetKind::Idms, "a");
        assert!(!context.view().has_refused_entries(), "removed in another release than added");
    }
}
