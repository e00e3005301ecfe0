//! What changing the nodes' configuration costs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    Disruptions, Lists, NodeFile, NodeFiles, PolicyFile, Reason, RegistriesConf, Registry, RegistryChange,
    compare::compare, files, files::is_written, render::Rendering, renders,
};
use crate::{context::View, objects::MirrorSet, registries_conf::SearchRegistriesConf};

/// What happens to every node of every pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Impact {
    /// The files stay the same, or a custom node disruption policy has nothing done.
    None,
    /// CRI-O reads the new file; nothing is evicted.
    Reload,
    /// Each node is cordoned and its pods evicted, one node after another.
    Drain,
    /// Each node is drained and rebooted, one node after another.
    Reboot,
}

impl fmt::Display for Impact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Reload => "reload",
            Self::Drain => "drain",
            Self::Reboot => "reboot",
        })
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
    /// The change for these reasons, whose impacts are still the default ones. `changed` is whether
    /// registries.conf differs: it is read again even where there is no reason, since the same registries may be
    /// in another order.
    fn of(mut reasons: Vec<Reason<'a>>, changed: bool, disruptions: Disruptions<'_>) -> Self {
        for reason in &mut reasons {
            reason.impact = disruptions.impact(reason.file, reason.impact);
        }
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.impact));
        let least =
            if changed { disruptions.impact(NodeFile::RegistriesConf, Impact::Reload) } else { Impact::None };
        let impact = reasons.iter().map(|reason| reason.impact).fold(least, Impact::max);
        Self { impact, reasons }
    }
}

/// What putting one registries.conf in place of another costs by default.
///
/// Follows `machine-config-operator pkg/daemon/drain.go` `isSafeContainerRegistryConfChanges`.
pub fn change_between<'a>(old: &RegistriesConf<'a>, new: &RegistriesConf<'a>) -> Change<'a> {
    Change::of(registry_reasons(old, new), old != new, Disruptions::default())
}

/// What putting all files of the nodes in place of others costs.
///
/// Follows `machine-config-operator pkg/daemon/update.go` `calculatePostConfigChangeNodeDisruptionActionFromMCDiffs`:
/// the most costly file decides, and one without a policy reboots.
pub fn change_of_files<'a>(
    old: &NodeFiles<'a>,
    new: &NodeFiles<'a>,
    disruptions: Disruptions<'_>,
) -> Change<'a> {
    let mut reasons = registry_reasons(&old.registries_conf, &new.registries_conf);
    reasons.extend(written_reason(old.is_written, new.is_written, reasons.is_empty()));
    reasons.extend(policy_reasons(&old.policy, &new.policy));
    reasons.extend(search_reason(old.search_registries, new.search_registries));
    Change::of(reasons, old.registries_conf != new.registries_conf, disruptions)
}

fn registry_reasons<'a>(old: &RegistriesConf<'a>, new: &RegistriesConf<'a>) -> Vec<Reason<'a>> {
    let (old_registries, new_registries) = (by_scope(old), by_scope(new));
    let scopes: BTreeSet<&str> = old_registries.keys().chain(new_registries.keys()).copied().collect();
    let mut reasons = Vec::new();
    for scope in scopes {
        reasons.extend(compare(old_registries.get(scope).copied(), new_registries.get(scope).copied()));
    }
    reasons
}

fn by_scope<'c, 'a>(conf: &'c RegistriesConf<'a>) -> BTreeMap<&'a str, &'c Registry<'a>> {
    conf.registries.iter().map(|registry| (registry.scope, registry)).collect()
}

/// The reason that the operator begins, or stops, to write the file; `old` and `new` are what [`is_written`] returns.
/// The encoder writes the template anew, which changes its bytes even where it adds no registry. A reason only where
/// the registries give none (`is_only_reason`).
fn written_reason<'a>(old: bool, new: bool, is_only_reason: bool) -> Option<Reason<'a>> {
    let what = RegistryChange::Written(new);
    (old != new && is_only_reason).then_some(Reason {
        file: NodeFile::RegistriesConf,
        registry: "",
        what,
        impact: Impact::Reload,
    })
}

fn policy_reasons<'a>(old: &PolicyFile<'a>, new: &PolicyFile<'a>) -> Vec<Reason<'a>> {
    let scopes: BTreeSet<&str> = old.scopes.keys().chain(new.scopes.keys()).copied().collect();
    let mut changes = Vec::new();
    if old.rejects_others != new.rejects_others {
        changes.push(("", RegistryChange::RejectsOthers(new.rejects_others)));
    }
    for scope in scopes.into_iter().filter(|scope| old.scopes.get(scope) != new.scopes.get(scope)) {
        changes.push((scope, RegistryChange::Policy(new.scopes.get(scope).copied())));
    }
    let reasons = changes.into_iter().map(|(registry, what)| Reason {
        file: NodeFile::Policy,
        registry,
        what,
        impact: Impact::Reload,
    });
    reasons.collect()
}

/// There is no default policy for the drop-in file, so nodes reboot.
fn search_reason<'a>(
    old: Option<SearchRegistriesConf<'a>>,
    new: Option<SearchRegistriesConf<'a>>,
) -> Option<Reason<'a>> {
    let registries = new.map(|new| new.0).unwrap_or_default();
    (old != new).then_some(Reason {
        file: NodeFile::SearchRegistries,
        registry: "",
        what: RegistryChange::Search(registries),
        impact: Impact::Reboot,
    })
}

/// Why a write of a set costs nothing, or something that cannot be known: the operator renders nothing before it or
/// after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standstill {
    /// Nothing is rendered after the write: nodes keep what they have.
    Lasts,
    /// The write ends it: whatever changed since the last file was rendered is rolled out.
    Ends,
}

/// What a change of anything between two clusters costs; both are rendered whole.
pub fn change_of_settings<'a>(before: View<'a>, after: View<'a>) -> Result<Change<'a>, Standstill> {
    let new = files(after).map_err(|_| Standstill::Lasts)?;
    let old = files(before).map_err(|_| Standstill::Ends)?;
    Ok(change_of_files(&old, &new, Disruptions::of(after)))
}

/// What a write of one set costs: the scopes it touches are rendered from both views and compared. The rest of the
/// files cannot differ, unless the write changes which blocked registries reach the nodes: then the whole files are
/// compared.
///
/// `old` and `new` are the set before and after, where there is one.
pub fn change_of_write<'a>(
    before: View<'a>,
    after: View<'a>,
    old: Option<&'a MirrorSet>,
    new: Option<&'a MirrorSet>,
) -> Result<Change<'a>, Standstill> {
    if !renders(after) {
        return Err(Standstill::Lasts);
    }
    if !renders(before) {
        return Err(Standstill::Ends);
    }
    let disruptions = Disruptions::of(after);
    let [old_rendering, new_rendering] = [before, after].map(Rendering::new);
    // A blocked registry also blocks the scopes below it, which the write does not touch otherwise.
    if old_rendering.blocked() != new_rendering.blocked() {
        return change_of_settings(before, after);
    }
    let sources = old.into_iter().chain(new).flat_map(|set| set.entries.iter().map(|entry| &*entry.source));
    // Scopes without mirrors of their own may inherit those of a source above them that is written.
    let mut touched: Vec<&str> =
        sources.chain(old_rendering.unmirrored_scopes()).chain(new_rendering.unmirrored_scopes()).collect();
    touched.sort_unstable();
    touched.dedup();
    let mut reasons = Vec::new();
    let mut sections_differ = false;
    for scope in touched {
        // Both can be rendered, so that there is no error to lose.
        let placed = [&old_rendering, &new_rendering]
            .map(|rendering| rendering.registry_at(scope).unwrap_or_default());
        let [old, new] = placed.each_ref().map(Option::as_ref);
        sections_differ |= old.map(|placed| placed.section) != new.map(|placed| placed.section);
        reasons.extend(compare(old.map(|placed| &placed.registry), new.map(|placed| &placed.registry)));
    }
    // Perhaps the same registries in another order: only the whole files show that.
    let changed = !reasons.is_empty() || (sections_differ && old_rendering.file() != new_rendering.file());
    let [written_before, written_after] =
        [is_written(before, &old_rendering), is_written(after, &new_rendering)];
    reasons.extend(written_reason(written_before, written_after, reasons.is_empty()));
    // The lists depend on whether a mirror set gives the payload a mirror.
    let [old, new] = [before, after].map(|view| PolicyFile::of(&Lists::of(view).unwrap_or_default()));
    reasons.extend(policy_reasons(&old, &new));
    Ok(Change::of(reasons, changed, disruptions))
}
