//! What changing the nodes' configuration costs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{Mirror, Placed, PullFromMirror, RegistriesConf, RenderError, Registry, render::Rendering};
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
pub struct Reason {
    /// Scope of the registry it is about.
    pub registry: String,
    /// What is different: `mirror removed: m.lab/x`.
    pub what: String,
    /// What this difference alone costs.
    pub impact: Impact,
}

/// A change of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it costs.
    pub impact: Impact,
    /// Why, the costly differences first.
    pub reasons: Vec<Reason>,
}

impl Change {
    fn of(mut reasons: Vec<Reason>, changed: bool) -> Self {
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.impact));
        let least = if changed { Impact::Reload } else { Impact::None };
        let impact = reasons.iter().map(|reason| reason.impact).fold(least, Impact::max);
        Self { impact, reasons }
    }
}

/// What putting one file in place of another costs.
///
/// Follows `machine-config-operator pkg/daemon/drain.go` `isSafeContainerRegistryConfChanges`.
pub fn change_between(old: &RegistriesConf<'_>, new: &RegistriesConf<'_>) -> Change {
    let by_scope = |conf: &'_ RegistriesConf<'_>| -> BTreeMap<String, usize> {
        conf.registries.iter().enumerate().map(|(at, r)| (r.scope.to_owned(), at)).collect()
    };
    let (old_at, new_at) = (by_scope(old), by_scope(new));
    let scopes: BTreeSet<&String> = old_at.keys().chain(new_at.keys()).collect();
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
pub fn change_of_write(
    before: View<'_>,
    after: View<'_>,
    old: Option<&MirrorSet>,
    new: Option<&MirrorSet>,
) -> Result<Change, RenderError> {
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

/// Adds every difference between what two files say about one scope.
fn compare(old: Option<&Registry<'_>>, new: Option<&Registry<'_>>, reasons: &mut Vec<Reason>) {
    let (Some(registry), false) = (new.or(old), old == new) else { return };
    let mut add = |what: String, impact| {
        reasons.push(Reason { registry: registry.scope.to_owned(), what, impact });
    };
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (Some(_), None) => return add("registry removed".to_owned(), Impact::Drain),
        (None, Some(new)) => return added(new, add),
        (None, None) => return,
    };
    for (name, was, is) in [("blocked", old.blocked, new.blocked), ("insecure", old.insecure, new.insecure)] {
        if was != is {
            add(format!("{name}: {was} becomes {is}"), Impact::Drain);
        }
    }
    for mirror in old.mirrors.iter().filter(|m| find(m, &new.mirrors).is_none()) {
        add(format!("mirror removed: {}", mirror.location), Impact::Drain);
    }
    let mut told = false;
    for mirror in &new.mirrors {
        let digest_only = mirror.pull == PullFromMirror::DigestOnly;
        let impact = if digest_only { Impact::Reload } else { Impact::Drain };
        match find(mirror, &old.mirrors) {
            None => add(format!("{} mirror added: {}", mirror.pull, mirror.location), impact),
            Some(known) if known.pull != mirror.pull => {
                add(format!("mirror {} becomes {} from {}", mirror.location, mirror.pull, known.pull), impact);
            }
            Some(_) => continue,
        }
        told = true;
    }
    let kept = |m: &&Mirror<'_>| find(m, &new.mirrors).is_some() && find(m, &old.mirrors).is_some();
    if !told && !old.mirrors.iter().filter(kept).eq(new.mirrors.iter().filter(kept)) {
        add("order or flags of the mirrors change".to_owned(), Impact::Reload);
    }
}

fn added(new: &Registry<'_>, mut add: impl FnMut(String, Impact)) {
    let other = new.mirrors.iter().find(|mirror| mirror.pull != PullFromMirror::DigestOnly);
    match (other, new.mirrors.first()) {
        (Some(mirror), _) => add(format!("registry added with {} mirror {}", mirror.pull, mirror.location), Impact::Drain),
        (None, Some(_)) => add("registry added".to_owned(), Impact::Reload),
        (None, None) => add("registry added without a mirror".to_owned(), Impact::Drain),
    }
}

/// The first mirror at the same location, whatever pulls it serves: all that upstream compares.
fn find<'m, 'a>(mirror: &Mirror<'_>, among: &'m [Mirror<'a>]) -> Option<&'m Mirror<'a>> {
    among.iter().find(|other| other.location == mirror.location)
}
