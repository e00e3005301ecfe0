//! What changing the nodes' configuration costs.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    Mirror, Placed, PullFromMirror, RegistriesConf, RenderError, compare::compare, render::Rendering,
};
use crate::{context::View, objects::MirrorSet};

/// What every node of every pool goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Impact {
    /// The file stays the same.
    None,
    /// CRI-O reads the new file; nothing is evicted.
    Reload,
    /// Each node is cordoned and its pods evicted, one node after another.
    Drain,
}

impl fmt::Display for Impact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Reload => "reload",
            Self::Drain => "drain",
        })
    }
}

/// One difference between two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason<'a> {
    /// Scope of the registry it is about.
    pub registry: &'a str,
    /// What is different.
    pub what: Difference<'a>,
    /// What this difference alone costs.
    pub impact: Impact,
}

/// What can be different about a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference<'a> {
    /// It is gone.
    Removed,
    /// It is new, with digest mirrors only.
    Added,
    /// It is new, and this mirror is not for digests only.
    AddedWith(Mirror<'a>),
    /// It is new and has no mirror.
    AddedBare,
    /// `blocked` or `insecure` becomes this.
    Flag(&'static str, bool),
    /// No mirror is at this place any more.
    MirrorRemoved(Cow<'a, str>),
    /// A mirror is gone, and one for other pulls stays at its place.
    MirrorWithdrawn(Mirror<'a>),
    /// A mirror is new.
    MirrorAdded(Mirror<'a>),
    /// A mirror serves other pulls than these.
    MirrorServes(Mirror<'a>, PullFromMirror),
    /// A mirror stays, but is compared with the one for other pulls at its place.
    MirrorMistaken(Mirror<'a>),
    /// The mirrors stay but for their order or their flags.
    Order,
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Removed => f.write_str("registry removed"),
            Self::Added => f.write_str("registry added"),
            Self::AddedWith(mirror) => {
                write!(f, "registry added with {} mirror {}", mirror.pull, mirror.location)
            }
            Self::AddedBare => f.write_str("registry added without a mirror"),
            Self::Flag(name, is) => write!(f, "{name}: {} becomes {is}", !is),
            Self::MirrorRemoved(location) => write!(f, "mirror removed: {location}"),
            Self::MirrorWithdrawn(mirror) => {
                write!(f, "{} mirror removed: {}", mirror.pull, mirror.location)
            }
            Self::MirrorMistaken(mirror) => write!(
                f,
                "{} mirror {} stays, but is compared with the other one there",
                mirror.pull, mirror.location
            ),
            Self::MirrorAdded(mirror) => write!(f, "{} mirror added: {}", mirror.pull, mirror.location),
            Self::MirrorServes(mirror, was) => {
                write!(f, "mirror {} becomes {} from {was}", mirror.location, mirror.pull)
            }
            Self::Order => f.write_str("order or flags of the mirrors change"),
        }
    }
}

/// A change of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'a> {
    /// What it costs.
    pub impact: Impact,
    /// Why, the costly differences first.
    pub reasons: Vec<Reason<'a>>,
}

impl<'a> Change<'a> {
    fn of(mut reasons: Vec<Reason<'a>>, changed: bool) -> Self {
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.impact));
        let least = if changed { Impact::Reload } else { Impact::None };
        let impact = reasons.iter().map(|reason| reason.impact).fold(least, Impact::max);
        Self { impact, reasons }
    }
}

/// What putting one file in place of another costs.
///
/// Follows `machine-config-operator pkg/daemon/drain.go` `isSafeContainerRegistryConfChanges`.
pub fn change_between<'a>(old: &RegistriesConf<'a>, new: &RegistriesConf<'a>) -> Change<'a> {
    let by_scope = |conf: &'_ RegistriesConf<'a>| -> BTreeMap<&'a str, usize> {
        conf.registries.iter().enumerate().map(|(at, registry)| (registry.scope, at)).collect()
    };
    let (old_at, new_at) = (by_scope(old), by_scope(new));
    let scopes: BTreeSet<&str> = old_at.keys().chain(new_at.keys()).copied().collect();
    let mut reasons = Vec::new();
    for scope in scopes {
        let old = old_at.get(scope).map(|at| &old.registries[*at]);
        let new = new_at.get(scope).map(|at| &new.registries[*at]);
        compare(old, new, &mut reasons);
    }
    Change::of(reasons, old != new)
}

/// What a write of one set costs: the scopes it touches are rendered from both views and compared. The
/// rest of the file cannot differ.
///
/// `old` and `new` are the set before and after, as far as there is one. A file that does not render, on
/// either side, changes nothing yet: that is for other rules to say.
pub fn change_of_write<'a>(
    before: View<'a>,
    after: View<'a>,
    old: Option<&'a MirrorSet>,
    new: Option<&'a MirrorSet>,
) -> Result<Change<'a>, RenderError> {
    let (before, after) = (Rendering::new(before), Rendering::new(after));
    let sources = old.into_iter().chain(new).flat_map(|set| set.entries.iter().map(|entry| &*entry.source));
    let unmirrored = before.unmirrored_scopes().into_iter().chain(after.unmirrored_scopes());
    let mut touched: Vec<&str> = sources.chain(unmirrored).collect();
    touched.sort_unstable();
    touched.dedup();
    let mut reasons = Vec::new();
    let mut moved = false;
    for scope in touched {
        let (old, new) = (before.registry_at(scope)?, after.registry_at(scope)?);
        let section = |placed: &Option<Placed<'_>>| placed.as_ref().map(|p| p.section);
        moved |= section(&old) != section(&new);
        compare(old.as_ref().map(|p| &p.registry), new.as_ref().map(|p| &p.registry), &mut reasons);
    }
    if reasons.is_empty() && moved {
        // The same registries in another order, perhaps: only the whole files tell.
        return Ok(Change::of(reasons, before.file()? != after.file()?));
    }
    let changed = !reasons.is_empty();
    Ok(Change::of(reasons, changed))
}
