//! What changing the nodes' configuration costs.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{Mirror, RegistriesConf, Registry, RenderError, compare::compare, render::Rendering};
use crate::{
    context::View,
    objects::{MirrorSet, Pull},
};

/// What happens to every node of every pool.
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
    /// Scope of the registry.
    pub registry: &'a str,
    /// What is different.
    pub what: RegistryChange<'a>,
    /// What this difference alone costs.
    pub impact: Impact,
}

/// What can be different about a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryChange<'a> {
    /// It is removed.
    Removed,
    /// It is new, with digest mirrors only.
    Added,
    /// It is new, and this mirror serves tag pulls.
    AddedWith(Mirror<'a>),
    /// It is new and has no mirror.
    AddedBare,
    /// `blocked` or `insecure` becomes this.
    Flag(&'static str, bool),
    /// The last mirror at this location is removed.
    MirrorRemoved(Cow<'a, str>),
    /// A mirror is removed, and one for the other pulls stays at its location.
    MirrorWithdrawn(Mirror<'a>),
    /// A mirror is new.
    MirrorAdded(Mirror<'a>),
    /// A mirror serves other pulls than before, which were these.
    MirrorServes(Mirror<'a>, Pull),
    /// A mirror stays, but the machine-config operator compares it with the mirror for the other pulls at its
    /// location.
    MirrorMistaken(Mirror<'a>),
    /// The order or the flags of the mirrors change.
    Order,
}

impl fmt::Display for RegistryChange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Removed => f.write_str("registry removed"),
            Self::Added => f.write_str("registry added"),
            Self::AddedWith(Mirror { location, pull, .. }) => {
                write!(f, "registry added with {} mirror {location}", pull.pull_from_mirror())
            }
            Self::AddedBare => f.write_str("registry added without a mirror"),
            Self::Flag(name, is) => write!(f, "{name} changes from {} to {is}", !is),
            Self::MirrorRemoved(location) => write!(f, "mirror removed: {location}"),
            Self::MirrorWithdrawn(Mirror { location, pull, .. }) => {
                write!(f, "{} mirror removed: {location}", pull.pull_from_mirror())
            }
            Self::MirrorMistaken(Mirror { location, pull, .. }) => write!(
                f,
                "{} mirror {location} is unchanged, but counts as new: the machine-config operator compares it with \
                 the first mirror at that location",
                pull.pull_from_mirror()
            ),
            Self::MirrorAdded(Mirror { location, pull, .. }) => {
                write!(f, "{} mirror added: {location}", pull.pull_from_mirror())
            }
            Self::MirrorServes(Mirror { location, pull, .. }, was) => {
                let (was, is) = (was.pull_from_mirror(), pull.pull_from_mirror());
                write!(f, "mirror {location} changes from {was} to {is}")
            }
            Self::Order => f.write_str("the order or the flags of the mirrors change"),
        }
    }
}

/// A change of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'a> {
    /// What it costs.
    pub impact: Impact,
    /// Why, the most costly differences first.
    pub reasons: Vec<Reason<'a>>,
}

impl<'a> Change<'a> {
    /// The change for these reasons. A file that changed is read again even where there is no reason: the same
    /// registries may be in another order.
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
    let (old_registries, new_registries) = (by_scope(old), by_scope(new));
    let scopes: BTreeSet<&str> = old_registries.keys().chain(new_registries.keys()).copied().collect();
    let mut reasons = Vec::new();
    for scope in scopes {
        reasons.extend(compare(old_registries.get(scope).copied(), new_registries.get(scope).copied()));
    }
    Change::of(reasons, old != new)
}

fn by_scope<'c, 'a>(conf: &'c RegistriesConf<'a>) -> BTreeMap<&'a str, &'c Registry<'a>> {
    conf.registries.iter().map(|registry| (registry.scope, registry)).collect()
}

/// What a write of one set costs: the scopes it touches are rendered from both views and compared. The
/// rest of the file cannot differ.
///
/// `old` and `new` are the set before and after, where there is one. A file that does not render, on either
/// side, is an error: it changes nothing yet.
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
    let mut sections_differ = false;
    for scope in touched {
        let (was, is) = (before.registry_at(scope)?, after.registry_at(scope)?);
        sections_differ |= was.as_ref().map(|was| was.section) != is.as_ref().map(|is| is.section);
        reasons.extend(compare(was.as_ref().map(|was| &was.registry), is.as_ref().map(|is| &is.registry)));
    }
    if reasons.is_empty() && sections_differ {
        // Perhaps the same registries in another order: only the whole files show that.
        return Ok(Change::of(reasons, before.file()? != after.file()?));
    }
    let changed = !reasons.is_empty();
    Ok(Change::of(reasons, changed))
}
