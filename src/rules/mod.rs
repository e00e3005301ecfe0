//! The rules: each a file with its page, data in one list.
//!
//! A check reads everything and blames only the object it was given. It says what is wrong, what that
//! would do to the cluster and how to mend it; whether that denies a write is decided elsewhere.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod astray;
mod blocked_mirror;
mod catalogs_not_expressible;
mod conflicting_source_policy;
mod contacting_source;
mod data_plane_not_mirrored;
mod deprecated_icsp;
mod dropped_source;
mod exemption;
mod finding;
mod hypershift_misresolves;
mod icsp_alongside_idms;
mod icsp_overlap;
mod ignored_catalog_overrides;
mod incomplete_catalog_images;
mod ineffective_entry;
mod invalid_mirror;
mod invalid_registry_scope;
mod invalid_source;
mod mirror_in_use;
mod mirror_order_conflict;
mod misread_catalog_overrides;
mod never_contact_source_lists_source;
mod node_impact;
mod node_pool_rollout;
mod oversized_config;
mod paste;
mod protected_source;
mod root_level_source;
mod settings;
mod shadowed_source;
mod split_source;
mod subject;
mod tag_pull_not_mirrored;
mod unknown_annotation;
mod untrusted_mirror;
mod wildcard_over_nested_scope;

pub use exemption::{Asked, Exemption, Who};
pub use finding::{Finding, Level, Related};
pub(crate) use finding::{list_names, some_names};
pub use settings::{IcspAlongsideIdms, Settings, WhenUnverified};
pub use subject::{HostedWrite, Operation, SetWrite, SharedSource};

use crate::objects::ImageConfig;

/// A rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Reads as the bad thing found.
    pub id: &'static str,
    /// What a finding does where the configuration says nothing.
    pub level: Level,
    /// What it finds, in one line.
    pub summary: &'static str,
    /// Its page, Markdown.
    pub page: &'static str,
    /// Which subjects it reads.
    pub check: Check,
}

/// A check over one kind of subject.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// A write of an ICSP, IDMS or ITMS.
    MirrorSet(fn(&SetWrite<'_>, &mut Vec<Finding>)),
    /// A write of a HostedCluster.
    HostedCluster(fn(&HostedWrite<'_>, &mut Vec<Finding>)),
    /// `image.config.openshift.io/cluster`, about which no webhook is asked: `mirrorguard lint` and `audit`.
    ImageConfig(fn(&ImageConfig, &mut Vec<Finding>)),
    /// A cluster as it is, with more of it than a write shows: a check of [`crate::audit`], which asks it.
    Cluster,
}

/// Every rule, by id.
pub const RULES: &[Rule] = &[
    blocked_mirror::RULE,
    catalogs_not_expressible::RULE,
    conflicting_source_policy::RULE,
    contacting_source::RULE,
    data_plane_not_mirrored::RULE,
    deprecated_icsp::RULE,
    dropped_source::RULE,
    hypershift_misresolves::RULE,
    icsp_alongside_idms::RULE,
    ignored_catalog_overrides::RULE,
    incomplete_catalog_images::RULE,
    ineffective_entry::RULE,
    invalid_mirror::RULE,
    invalid_registry_scope::RULE,
    invalid_source::RULE,
    mirror_in_use::RULE,
    mirror_order_conflict::RULE,
    misread_catalog_overrides::RULE,
    never_contact_source_lists_source::RULE,
    node_impact::RULE,
    node_pool_rollout::RULE,
    oversized_config::RULE,
    protected_source::RULE,
    root_level_source::RULE,
    shadowed_source::RULE,
    split_source::RULE,
    tag_pull_not_mirrored::RULE,
    unknown_annotation::RULE,
    untrusted_mirror::RULE,
    wildcard_over_nested_scope::RULE,
];

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
