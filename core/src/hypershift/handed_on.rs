//! The overrides that a hosted control plane was started with, compared with the mirror sets.
//!
//! `OPENSHIFT_IMG_OVERRIDES` holds the management cluster's IDMS and ICSP entries. `--registry-overrides`
//! holds what the HyperShift operator itself was started with, and no mirror set. Both have the form
//! `source=mirror,…`; `=` means none.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    Overrides,
    catalogs::{self, EmptySides},
    lookup::override_mirrors,
};
use crate::{context::View, objects::SetKind};

/// The variable that holds the mirror sets' entries.
pub const IMAGE_OVERRIDES: &str = "OPENSHIFT_IMG_OVERRIDES";
/// The option that holds a workload's own overrides, passed on from the HyperShift operator.
pub const REGISTRY_OVERRIDES: &str = "--registry-overrides";

/// More lists of one source than this are compared without their order: there are too many orders.
const MAX_LISTS: usize = 6;

/// Reads the value of the variable or of the option; pairs without `=` or with an empty side are dropped.
///
/// Follows `hypershift support/util/util.go` `ConvertImageRegistryOverrideStringToMap`.
pub fn parse_overrides(value: &str) -> Overrides<'_> {
    catalogs::parse(value, EmptySides::Dropped)
        .map(|overrides| overrides.0.into_iter().collect())
        .unwrap_or_default()
}

/// The overrides that a control plane operator of [`super::Span::ADDS_OWN_OVERRIDES`] uses: it appends those of
/// `--registry-overrides`, here `own`, to those of the variable, and starts other workloads with the sum.
///
/// Follows `hypershift control-plane-operator/main.go`.
pub fn append_own<'a>(handed: &Overrides<'a>, own: &Overrides<'a>) -> Overrides<'a> {
    let mut all = handed.clone();
    for (source, mirrors) in own {
        all.entry(source).or_default().extend(mirrors);
    }
    all
}

/// How the overrides of a workload compare with the mirror sets as they are now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandedOn {
    /// Some release would start the workload with exactly these.
    AsNow,
    /// A release without the fix of OCPBUGS-29466 would: ICSPs are left out where there is any IDMS.
    WithoutIcsps,
    /// No release would.
    Otherwise(Vec<OverrideMismatch>),
}

/// One way in which overrides are not as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OverrideMismatch {
    /// This mirror of this source is missing.
    Lacks(String, String),
    /// This mirror of this source is not expected.
    StillHas(String, String),
    /// The mirrors of this source are in an order that no release uses.
    Reordered(String),
}

impl fmt::Display for OverrideMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lacks(source, mirror) => write!(f, "{source}={mirror} is missing"),
            Self::StillHas(source, mirror) => write!(f, "{source}={mirror} is obsolete"),
            Self::Reordered(source) => write!(f, "the mirrors of {source} are in another order"),
        }
    }
}

/// Compares the variable of a workload, `handed`, with what any release would read from the mirror sets now.
/// `own` is the option of the same workload, which may have been appended to the variable; see [`append_own`].
pub fn compare_with_mirror_sets(view: View<'_>, handed: &Overrides<'_>, own: &Overrides<'_>) -> HandedOn {
    let expected = Expected::of(view);
    let found = mismatches(&expected, handed, own);
    if found.is_empty() {
        return HandedOn::AsNow;
    }
    // Where no IDMS has entries, none hides the ICSPs: a workload without overrides is only out of date.
    let without_icsps = expected.without_icsps();
    if !without_icsps.0.is_empty() && mismatches(&without_icsps, handed, own).is_empty() {
        return HandedOn::WithoutIcsps;
    }
    HandedOn::Otherwise(found)
}

/// Compares the variable or the option of a workload, `handed`, with that of the operator that started it. `own`
/// may have been appended, as in [`compare_with_mirror_sets`].
pub fn compare_with_operator(
    operator: &Overrides<'_>,
    handed: &Overrides<'_>,
    own: &Overrides<'_>,
) -> Vec<OverrideMismatch> {
    mismatches(&Expected::of_operator(operator), handed, own)
}

/// The mirrors of a source, one list for each object that has it. In which order the lists of a kind follow each other
/// is not known: HyperShift lists objects from a cache.
#[derive(Debug, Clone, Default)]
struct Lists<'a> {
    idms: Vec<Vec<&'a str>>,
    icsp: Vec<Vec<&'a str>>,
}

/// The overrides that are expected, by source.
struct Expected<'a>(BTreeMap<&'a str, Lists<'a>>);

impl<'a> Expected<'a> {
    /// Follows `hypershift support/globalconfig/imagecontentsource.go` `GetAllImageRegistryMirrors`.
    fn of(view: View<'a>) -> Self {
        let mut expected: BTreeMap<&str, Lists<'_>> = BTreeMap::new();
        for set in view.sets().filter(|set| set.kind.is_digest()) {
            let mut of_set: Overrides<'_> = BTreeMap::new();
            for entry in &set.entries {
                if let Some(mirrors) = override_mirrors(entry) {
                    of_set.entry(&entry.source).or_default().extend(mirrors);
                }
            }
            for (source, mirrors) in of_set {
                let lists = expected.entry(source).or_default();
                match set.kind {
                    SetKind::Icsp => lists.icsp.push(mirrors),
                    // An ITMS is no digest set, and never gets here.
                    SetKind::Idms | SetKind::Itms => lists.idms.push(mirrors),
                }
            }
        }
        Self(expected)
    }

    /// Exactly these overrides: one list for each source, so that its order must be kept. The kind makes no difference.
    fn of_operator(overrides: &Overrides<'a>) -> Self {
        let mut expected = BTreeMap::new();
        for (source, mirrors) in overrides {
            expected.insert(*source, Lists { idms: vec![mirrors.clone()], icsp: Vec::new() });
        }
        Self(expected)
    }

    /// The same without the lists of ICSPs, and without the sources that only ICSPs have.
    fn without_icsps(&self) -> Self {
        let mut expected = BTreeMap::new();
        for (source, lists) in &self.0 {
            if !lists.idms.is_empty() {
                expected.insert(*source, Lists { idms: lists.idms.clone(), icsp: Vec::new() });
            }
        }
        Self(expected)
    }
}

/// How the overrides of a workload differ from every list that may be expected; empty if they do not.
fn mismatches(expected: &Expected<'_>, handed: &Overrides<'_>, own: &Overrides<'_>) -> Vec<OverrideMismatch> {
    let (none, no_lists) = (Vec::new(), Lists::default());
    let mut sources: Vec<_> = expected.0.keys().chain(handed.keys()).copied().collect();
    sources.sort_unstable();
    sources.dedup();
    let mut found = Vec::new();
    for source in sources {
        let lists = expected.0.get(source).unwrap_or(&no_lists);
        let handed = handed.get(source).unwrap_or(&none);
        let own = own.get(source).unwrap_or(&none);
        // Earlier releases do not append `own`; see `Span::ADDS_OWN_OVERRIDES`.
        if !lists.can_become(handed, &[]) && !lists.can_become(handed, own) {
            found.extend(mismatches_of_source(source, &lists.mirrors(), handed, own));
        }
    }
    found
}

/// What is wrong with the mirrors of one source, of which it is known that something is: `expected` are those of all
/// objects, and those of `own` may be there, too.
fn mismatches_of_source(
    source: &str,
    expected: &[&str],
    handed: &[&str],
    own: &[&str],
) -> Vec<OverrideMismatch> {
    let mut found = Vec::new();
    // Several objects may have the same mirror.
    let mut seen = BTreeSet::new();
    for mirror in expected.iter().filter(|mirror| !handed.contains(mirror) && seen.insert(**mirror)) {
        found.push(OverrideMismatch::Lacks(source.to_owned(), (*mirror).to_owned()));
    }
    let is_known = |mirror: &&&str| expected.contains(*mirror) || own.contains(*mirror);
    for mirror in handed.iter().filter(|mirror| !is_known(mirror) && seen.insert(**mirror)) {
        found.push(OverrideMismatch::StillHas(source.to_owned(), (*mirror).to_owned()));
    }
    // All are expected and none is missing, but no release makes this list of them.
    if found.is_empty() {
        found.push(OverrideMismatch::Reordered(source.to_owned()));
    }
    found
}

impl<'a> Lists<'a> {
    /// The mirrors of every object, IDMS first.
    fn mirrors(&self) -> Vec<&'a str> {
        self.idms.iter().chain(&self.icsp).flatten().copied().collect()
    }

    /// Whether some release makes the list `handed` of the objects' lists: IDMS first, each kind's objects in any
    /// order, then the mirrors that are appended; or, in [`super::Span::SORTS_MIRRORS`], all of it sorted.
    fn can_become(&self, handed: &[&str], appended: &[&str]) -> bool {
        let mut sorted: Vec<&str> = self.mirrors();
        sorted.extend(appended);
        sorted.sort_unstable();
        if handed == sorted {
            return true;
        }
        let idms_count = self.idms.iter().flatten().count();
        let of_sets = handed.strip_suffix(appended).and_then(|rest| rest.split_at_checked(idms_count));
        of_sets.is_some_and(|(idms, icsp)| is_made_of(idms, &self.idms) && is_made_of(icsp, &self.icsp))
    }
}

/// Whether a list is these lists, one after another in any order.
fn is_made_of(list: &[&str], parts: &[Vec<&str>]) -> bool {
    if parts.is_empty() {
        return list.is_empty();
    }
    if parts.len() > MAX_LISTS {
        let (mut list, mut all) = (list.to_vec(), parts.concat());
        list.sort_unstable();
        all.sort_unstable();
        return list == all;
    }
    for (at, part) in parts.iter().enumerate() {
        let Some(left) = list.strip_prefix(&**part) else { continue };
        let other_parts = [&parts[..at], &parts[at + 1..]].concat();
        if is_made_of(left, &other_parts) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests;
