//! What the HyperShift operator hands on to a hosted control plane when it starts it, read back.
//!
//! `OPENSHIFT_IMG_OVERRIDES` holds the management cluster's IDMS and ICSP entries. `--registry-overrides`
//! holds what the operator itself was started with, and no mirror set. Both have the form `source=mirror,…`,
//! and `=` for nothing.

use std::{collections::BTreeMap, fmt};

use super::{Overrides, catalogs};
use crate::{context::View, objects::SetKind};

/// The variable that the mirror sets' entries are handed on in.
pub const IMAGE_OVERRIDES: &str = "OPENSHIFT_IMG_OVERRIDES";
/// The option that the operator's own overrides are handed on in.
pub const REGISTRY_OVERRIDES: &str = "--registry-overrides";

/// More lists of one source than this are compared without their order: there are too many orders.
const MAX_LISTS: usize = 6;

/// Reads either value; pairs without `=` or with an empty side are dropped.
///
/// Follows `hypershift support/util/util.go` `ConvertImageRegistryOverrideStringToMap`.
pub fn parse_overrides(value: &str) -> Overrides<'_> {
    catalogs::parse(value).map(|overrides| overrides.0.into_iter().collect()).unwrap_or_default()
}

/// The overrides that a control plane operator looks images up with: from 4.18 on it adds those of
/// `--registry-overrides` behind the others, and hands the sum on to what it starts.
///
/// Follows `hypershift control-plane-operator/main.go`.
pub fn sum<'a>(handed: &Overrides<'a>, own: &Overrides<'a>) -> Overrides<'a> {
    let mut sum = handed.clone();
    for (source, mirrors) in own {
        sum.entry(source).or_default().extend(mirrors);
    }
    sum
}

/// How what was handed on relates to the mirror sets as they are now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandedOn {
    /// Some release would hand exactly this on.
    AsNow,
    /// A release without the fix of OCPBUGS-29466 would: ICSPs are left out where there is any IDMS.
    WithoutIcsps,
    /// No release would.
    Otherwise(Vec<Difference>),
}

/// One way in which overrides are not what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// This mirror of this source is not there.
    Lacks(String, String),
    /// This mirror of this source is there.
    StillHas(String, String),
    /// The mirrors of this source are in an order that no release makes.
    Reordered(String),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lacks(source, mirror) => write!(f, "lacks {source}={mirror}"),
            Self::StillHas(source, mirror) => write!(f, "has {source}={mirror}"),
            Self::Reordered(source) => write!(f, "has the mirrors of {source} in another order"),
        }
    }
}

/// Compares what was handed on with what any release would make of the mirror sets now. `own` may have
/// been added by the one who handed it on; see [`sum`].
pub fn handed_on(view: View<'_>, handed: &Overrides<'_>, own: &Overrides<'_>) -> HandedOn {
    let expected = Expected::of(view);
    let differences = differences(&expected, handed, own);
    if differences.is_empty() {
        return HandedOn::AsNow;
    }
    let alone = expected.without_icsps();
    if !alone.0.is_empty() && self::differences(&alone, handed, own).is_empty() {
        return HandedOn::WithoutIcsps;
    }
    HandedOn::Otherwise(differences)
}

/// How overrides differ from those of who handed them on.
pub fn handed_further(from: &Overrides<'_>, handed: &Overrides<'_>, own: &Overrides<'_>) -> Vec<Difference> {
    let lists = |mirrors: &Vec<_>| Lists { idms: vec![mirrors.clone()], icsp: Vec::new() };
    let expected = from.iter().map(|(source, mirrors)| (*source, lists(mirrors))).collect();
    differences(&Expected(expected), handed, own)
}

/// The mirrors of a source by object. HyperShift lists objects from a cache, in no order.
#[derive(Debug, Clone, Default)]
struct Lists<'a> {
    idms: Vec<Vec<&'a str>>,
    icsp: Vec<Vec<&'a str>>,
}

/// What is handed on, by source.
struct Expected<'a>(BTreeMap<&'a str, Lists<'a>>);

impl<'a> Expected<'a> {
    /// Follows `hypershift support/globalconfig/imagecontentsource.go` `GetAllImageRegistryMirrors`.
    fn of(view: View<'a>) -> Self {
        let mut expected: BTreeMap<&str, Lists<'_>> = BTreeMap::new();
        for set in view.sets().filter(|set| set.kind.is_digest()) {
            let mut of_set: Overrides<'_> = BTreeMap::new();
            for entry in set.entries.iter().filter(|entry| !entry.source.is_empty()) {
                let mirrors = entry.mirrors.iter().map(|mirror| &**mirror).filter(|m| !m.is_empty());
                of_set.entry(&entry.source).or_default().extend(mirrors);
            }
            for (source, mirrors) in of_set.into_iter().filter(|(_, mirrors)| !mirrors.is_empty()) {
                let lists = expected.entry(source).or_default();
                if set.kind == SetKind::Icsp { &mut lists.icsp } else { &mut lists.idms }.push(mirrors);
            }
        }
        Self(expected)
    }

    fn without_icsps(&self) -> Self {
        let idms = self.0.iter().filter(|(_, lists)| !lists.idms.is_empty());
        Self(idms.map(|(s, lists)| (*s, Lists { idms: lists.idms.clone(), icsp: Vec::new() })).collect())
    }
}

fn differences(expected: &Expected<'_>, handed: &Overrides<'_>, own: &Overrides<'_>) -> Vec<Difference> {
    let (none, no_lists) = (Vec::new(), Lists::default());
    let mut sources: Vec<_> = expected.0.keys().chain(handed.keys()).copied().collect();
    sources.sort_unstable();
    sources.dedup();
    let mut found = Vec::new();
    for source in sources {
        let lists = expected.0.get(source).unwrap_or(&no_lists);
        let handed = handed.get(source).unwrap_or(&none);
        let own = own.get(source).unwrap_or(&none);
        if is_explained(handed, lists, own) {
            continue;
        }
        let all: Vec<_> = lists.idms.iter().chain(&lists.icsp).flatten().copied().collect();
        let before = found.len();
        let lacks = all.iter().filter(|mirror| !handed.contains(mirror));
        found.extend(lacks.map(|m| Difference::Lacks(source.to_owned(), (*m).to_owned())));
        let extra = handed.iter().filter(|mirror| !all.contains(mirror) && !own.contains(mirror));
        found.extend(extra.map(|m| Difference::StillHas(source.to_owned(), (*m).to_owned())));
        if found.len() == before {
            found.push(Difference::Reordered(source.to_owned()));
        }
        found.dedup();
    }
    found
}

/// Whether some release makes this list of the objects' lists: IDMS first, each kind's objects in any
/// order, with or without what the one who hands it on adds; or, after 4.22, all of it sorted.
fn is_explained(handed: &[&str], lists: &Lists<'_>, own: &[&str]) -> bool {
    let of_sets = lists.idms.iter().flatten().count();
    [&[], own].iter().any(|added| {
        let mut sorted: Vec<_> = lists.idms.iter().chain(&lists.icsp).flatten().copied().collect();
        sorted.extend(*added);
        sorted.sort_unstable();
        handed == sorted
            || handed
                .strip_suffix(*added)
                .and_then(|rest| rest.split_at_checked(of_sets))
                .is_some_and(|(idms, icsp)| is_made_of(idms, &lists.idms) && is_made_of(icsp, &lists.icsp))
    })
}

/// Whether a list is these lists, one after another in any order.
fn is_made_of(list: &[&str], parts: &[Vec<&str>]) -> bool {
    if parts.is_empty() {
        return list.is_empty();
    }
    if parts.len() > MAX_LISTS {
        let sorted = |mut all: Vec<_>| {
            all.sort_unstable();
            all
        };
        return sorted(list.to_vec()) == sorted(parts.concat());
    }
    (0..parts.len()).any(|at| {
        let rest = || [&parts[..at], &parts[at + 1..]].concat();
        list.strip_prefix(&*parts[at]).is_some_and(|left| is_made_of(left, &rest()))
    })
}

#[cfg(test)]
mod tests;
