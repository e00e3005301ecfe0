//! What the configuration says about the rules.

use std::collections::BTreeMap;

use super::{Level, Rule, exemption::Exemption};
use crate::hypershift::Releases;

/// The settings of one installation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Levels that differ from the rules' own, by rule id.
    pub levels: BTreeMap<String, Level>,
    /// How strictly ICSPs are kept apart from IDMS and ITMS.
    pub icsp_alongside_idms: IcspAlongsideIdms,
    /// What to do with a write that could not be compared with the apiserver's own state.
    pub when_unverified: WhenUnverified,
    /// Releases of the hosted clusters, for whatever does not tell its own.
    pub releases: Releases,
    /// Bytes that registries.conf may take in a MachineConfig; etcd's limit where none are named.
    pub registries_conf_room: Option<usize>,
    /// Scopes that mirrors may lie in; empty where any may.
    pub allowed_mirror_registries: Vec<String>,
    /// Sources that no mirror set may have: a scope for itself, `scope/**` for everything below it.
    pub protected_sources: Vec<String>,
    /// Findings that count for nothing, for a while and for a reason.
    pub exemptions: Vec<Exemption>,
}

/// When an ICSP next to IDMS or ITMS is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IcspAlongsideIdms {
    /// Always, whatever it says.
    #[default]
    Strict,
    /// Only where the two say different things about the same images.
    Conflicts,
}

/// What happens to a write of a mirror set while the apiserver cannot be asked for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenUnverified {
    /// It is refused.
    #[default]
    Deny,
    /// It is judged on what is known, with a warning.
    Warn,
}

impl Settings {
    /// The level in force for a rule.
    pub fn level(&self, rule: &Rule) -> Level {
        self.levels.get(rule.id).copied().unwrap_or(rule.level)
    }
}
