//! The configuration of the rules.

use std::collections::BTreeMap;

use super::{Level, MigrationObstacle, Rule, exemption::Exemption};
use crate::{hypershift::Releases, objects::OpenSources};

/// The settings of one installation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Levels that differ from the rules' own, by rule id.
    pub levels: BTreeMap<String, Level>,
    /// When an ICSP next to IDMS or ITMS is rejected.
    pub icsp_alongside_idms: IcspAlongsideIdms,
    /// What to do with a write that could not be compared with the API server's mirror sets.
    pub when_unverified: WhenUnverified,
    /// Releases of the hosted clusters, where an object does not name its own.
    pub releases: Releases,
    /// The catalog overrides of HostedClusters, instead of those derived from the cluster.
    pub catalog_overrides: Option<String>,
    /// Bytes that registries.conf may take in a MachineConfig; `None` is etcd's limit.
    pub registries_conf_room: Option<usize>,
    /// Scopes that mirrors must be in; empty if any are allowed.
    pub allowed_mirror_registries: Vec<String>,
    /// Sources that no mirror set may have: a scope for itself, `scope/**` for everything below it.
    pub protected_sources: Vec<String>,
    /// Findings to ignore until a date, with a reason.
    pub exemptions: Vec<Exemption>,
    /// Sources that placeholders of the reviewed files leave open; no configuration has any.
    pub open_sources: OpenSources,
    /// Why `mirrorguard migrate` refuses the reviewed files; no configuration has it.
    pub migration_obstacle: Option<MigrationObstacle>,
}

/// When an ICSP next to IDMS or ITMS is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IcspAlongsideIdms {
    /// Always, whatever its content.
    #[default]
    Strict,
    /// Only if the two redirect the same images differently.
    Conflicts,
}

/// What happens to a write of a mirror set while the API server cannot list the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenUnverified {
    /// It is rejected.
    #[default]
    Deny,
    /// It is reviewed against the cached mirror sets, with a warning.
    Warn,
}

impl Settings {
    /// The level in force for a rule.
    pub fn level(&self, rule: &Rule) -> Level {
        self.levels.get(rule.id).copied().unwrap_or(rule.level)
    }
}
