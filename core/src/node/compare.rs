//! How two files differ in one registry, described as it is and priced as upstream prices it.
//!
//! Follows `machine-config-operator pkg/daemon/drain.go` `isSafeContainerRegistryConfChanges`.

use hashbrown::{HashMap, HashSet};
use smallvec::SmallVec;

use super::{Impact, Mirror, NodeFile, Reason, Registry, RegistryChange};
use crate::objects::Pull;

/// Every difference between what two files say about one scope, with what it costs.
pub(super) fn compare<'a>(old: Option<&Registry<'a>>, new: Option<&Registry<'a>>) -> Vec<Reason<'a>> {
    let (registry, changes) = match (old, new) {
        (Some(old), Some(new)) => (new.scope, compare_registries(old, new)),
        (Some(old), None) => (old.scope, vec![(RegistryChange::Removed, Impact::Drain)]),
        (None, Some(new)) => (new.scope, vec![added_registry(new)]),
        (None, None) => return Vec::new(),
    };
    let file = NodeFile::RegistriesConf;
    changes.into_iter().map(|(what, impact)| Reason { file, registry, what, impact }).collect()
}

type Changes<'a> = Vec<(RegistryChange<'a>, Impact)>;

fn compare_registries<'a>(old: &Registry<'a>, new: &Registry<'a>) -> Changes<'a> {
    // Not only a shortcut: `compare_location` takes the second mirror at a location for changed. Upstream passes over
    // equal registries, too.
    if old == new {
        return Vec::new();
    }
    let mut changes = Vec::new();
    for (name, was, is) in [("blocked", old.blocked, new.blocked), ("insecure", old.insecure, new.insecure)] {
        if was != is {
            changes.push((RegistryChange::Flag(name, is), Impact::Drain));
        }
    }
    changes.extend(compare_mirrors(&old.mirrors, &new.mirrors));
    changes
}

/// Every difference between the mirrors of one scope.
fn compare_mirrors<'a>(old: &[Mirror<'a>], new: &[Mirror<'a>]) -> Changes<'a> {
    let (was, is) = (ByLocation::of(old), ByLocation::of(new));
    let mut changes = Vec::new();
    let mut seen = HashSet::new();
    for location in old.iter().chain(new).map(|mirror| &*mirror.location) {
        if seen.insert(location) {
            changes.extend(compare_location(was.at(location), is.at(location)));
        }
    }
    // The mirrors that both have, in the order of each, with their flags.
    let kept_old = old.iter().filter(|mirror| is.has(mirror));
    if !kept_old.eq(new.iter().filter(|mirror| was.has(mirror))) {
        changes.push((RegistryChange::OrderOrFlags, Impact::Reload));
    }
    changes
}

/// The mirrors of one scope by location, those at one location in their order.
struct ByLocation<'m, 'a>(HashMap<&'m str, MirrorsAt<'m, 'a>>);

/// One for each kind of pull, at most.
type MirrorsAt<'m, 'a> = SmallVec<[&'m Mirror<'a>; 2]>;

impl<'m, 'a> ByLocation<'m, 'a> {
    fn of(mirrors: &'m [Mirror<'a>]) -> Self {
        let mut by_location: HashMap<&str, MirrorsAt<'_, '_>> = HashMap::with_capacity(mirrors.len());
        for mirror in mirrors {
            by_location.entry(&mirror.location).or_default().push(mirror);
        }
        Self(by_location)
    }

    fn at(&self, location: &str) -> &[&'m Mirror<'a>] {
        self.0.get(location).map_or(&[], |found| &**found)
    }

    /// Whether there is a mirror at the same location for the same pulls.
    fn has(&self, mirror: &Mirror<'_>) -> bool {
        self.at(&mirror.location).iter().any(|other| other.pull == mirror.pull)
    }
}

/// Every difference between the mirrors at one location.
///
/// Upstream matches mirrors by location alone: it compares each new mirror with the first old one there. That
/// decides what a difference costs; what the difference is depends on the pulls as well.
fn compare_location<'a>(was: &[&Mirror<'a>], is: &[&Mirror<'a>]) -> Changes<'a> {
    let Some(first) = was.first() else { return is.iter().map(|mirror| added_mirror(mirror)).collect() };
    if is.is_empty() {
        return vec![(RegistryChange::MirrorRemoved(first.location.clone()), Impact::Drain)];
    }
    // New mirrors that upstream takes for changed; without one, at most a reload is left.
    let differing: Vec<_> = is.iter().copied().filter(|mirror| mirror.pull != first.pull).collect();
    let impact = differing.iter().map(|mirror| impact_of_new(mirror.pull)).max();
    // A location has at most one mirror for each kind of pull. As there is one before and one after, no more than one
    // is removed, and no more than one is added.
    let has_pull = |mirrors: &[&Mirror<'_>], pull| mirrors.iter().any(|mirror| mirror.pull == pull);
    let removed = was.iter().find(|mirror| !has_pull(is, mirror.pull));
    let added = is.iter().find(|mirror| !has_pull(was, mirror.pull));
    let what = match (removed, added, differing.first()) {
        (Some(removed), Some(added), _) => RegistryChange::MirrorServes((*added).clone(), removed.pull),
        (None, Some(added), _) => RegistryChange::MirrorAdded((*added).clone()),
        (Some(removed), None, _) => RegistryChange::MirrorWithdrawn((*removed).clone()),
        (None, None, Some(kept)) if impact == Some(Impact::Drain) => {
            RegistryChange::MirrorMistaken((*kept).clone())
        }
        // Nothing differs at this location. Something else does, which costs at least the same reload.
        (None, None, _) => return Vec::new(),
    };
    vec![(what, impact.unwrap_or(Impact::Reload))]
}

/// What a new mirror for these pulls costs.
fn impact_of_new(pull: Pull) -> Impact {
    match pull {
        Pull::Digest => Impact::Reload,
        Pull::Tag => Impact::Drain,
    }
}

fn added_mirror<'a>(mirror: &Mirror<'a>) -> (RegistryChange<'a>, Impact) {
    (RegistryChange::MirrorAdded(mirror.clone()), impact_of_new(mirror.pull))
}

fn added_registry<'a>(new: &Registry<'a>) -> (RegistryChange<'a>, Impact) {
    if new.mirrors.is_empty() {
        return (RegistryChange::AddedBare, Impact::Drain);
    }
    match new.mirrors.iter().find(|mirror| mirror.pull != Pull::Digest) {
        Some(mirror) => (RegistryChange::AddedWith(mirror.clone()), Impact::Drain),
        None => (RegistryChange::Added, Impact::Reload),
    }
}

#[cfg(test)]
mod tests {
    use RegistryChange::{
        MirrorAdded, MirrorMistaken, MirrorRemoved, MirrorServes, MirrorWithdrawn, OrderOrFlags,
    };

    use super::*;
    use crate::node::{RegistriesConf, change_between};

    /// A file with one registry and these mirrors.
    fn conf(mirrors: &[Mirror<'static>]) -> RegistriesConf<'static> {
        let registry =
            Registry { scope: "quay.io/a", insecure: false, blocked: false, mirrors: mirrors.to_vec() };
        RegistriesConf { registries: vec![registry] }
    }

    fn mirror(location: &'static str, pull: Pull) -> Mirror<'static> {
        Mirror { location: location.into(), insecure: false, pull }
    }

    struct Case {
        old: Vec<Mirror<'static>>,
        new: Vec<Mirror<'static>>,
        expected: Vec<RegistryChange<'static>>,
        impact: Impact,
        reason: &'static str,
    }

    #[test]
    fn a_location_can_have_mirrors_for_both_kinds_of_pull() {
        let (digest, tag) = (mirror("m", Pull::Digest), mirror("m", Pull::Tag));
        assert_cases([
            Case {
                old: vec![digest.clone()],
                new: vec![digest.clone(), tag.clone()],
                expected: vec![MirrorAdded(tag.clone())],
                impact: Impact::Drain,
                reason: "an ITMS is added",
            },
            Case {
                old: vec![digest.clone(), tag.clone()],
                new: vec![digest.clone()],
                expected: vec![MirrorWithdrawn(tag.clone())],
                impact: Impact::Reload,
                reason: "an ITMS is removed",
            },
            Case {
                old: vec![tag.clone()],
                new: vec![digest.clone(), tag.clone()],
                expected: vec![MirrorAdded(digest.clone())],
                impact: Impact::Reload,
                reason: "an IDMS is added",
            },
            Case {
                old: vec![digest.clone(), tag.clone()],
                new: vec![tag.clone()],
                expected: vec![MirrorWithdrawn(digest.clone())],
                impact: Impact::Drain,
                reason: "an IDMS is removed",
            },
            Case {
                old: vec![digest],
                new: vec![tag.clone()],
                expected: vec![MirrorServes(tag, Pull::Digest)],
                impact: Impact::Drain,
                reason: "the kind of pull changes",
            },
        ]);
    }

    #[test]
    fn locations_are_compared_one_by_one() {
        let (digest, tag) = (mirror("m", Pull::Digest), mirror("m", Pull::Tag));
        let other = mirror("n", Pull::Digest);
        assert_cases([
            Case {
                old: vec![digest.clone(), tag.clone()],
                new: vec![other.clone()],
                expected: vec![MirrorRemoved("m".into()), MirrorAdded(other.clone())],
                impact: Impact::Drain,
                reason: "both mirrors of a location are removed",
            },
            Case {
                old: vec![digest.clone()],
                new: vec![digest.clone(), other.clone()],
                expected: vec![MirrorAdded(other.clone())],
                impact: Impact::Reload,
                reason: "another location is added",
            },
            Case {
                old: vec![digest.clone(), tag.clone()],
                new: vec![digest.clone(), other.clone(), tag.clone()],
                expected: vec![MirrorMistaken(tag), MirrorAdded(other.clone())],
                impact: Impact::Drain,
                reason: "upstream compares with the first mirror at a location",
            },
            Case {
                old: vec![digest.clone(), other.clone()],
                new: vec![other, digest],
                expected: vec![OrderOrFlags],
                impact: Impact::Reload,
                reason: "the order changes",
            },
        ]);
    }

    fn assert_cases(table: impl IntoIterator<Item = Case>) {
        for Case { old, new, expected, impact, reason } in table {
            let (old, new) = (conf(&old), conf(&new));
            let change = change_between(&old, &new);
            let found: Vec<_> = change.reasons.into_iter().map(|reason| reason.what).collect();
            assert_eq!((found, change.impact), (expected, impact), "{reason}");
        }
    }
}
