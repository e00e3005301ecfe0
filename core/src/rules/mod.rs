//! The rules: each a file with its page, data in one list.
//!
//! A check reads the whole cluster and reports findings only for the object that it was given. It says what is
//! wrong, what happens because of it and how to fix it. [`crate::review`] decides whether that rejects a write.

mod as_written;
mod astray;
mod blocked_mirror;
pub(crate) mod catalogs_not_expressible;
mod conflicting_source_policy;
mod contacting_source;
mod data_plane_not_mirrored;
mod deprecated_icsp;
mod dropped_source;
mod duplicate_object;
mod exemption;
mod explicit;
mod finding;
mod fix;
pub(crate) mod foreign_catalog_overrides;
mod half_blocked_source;
mod hypershift_misresolves;
mod icsp_alongside_idms;
mod icsp_overlap;
pub(crate) mod icsp_to_never;
mod ignored_catalog_overrides;
mod ignored_icsp;
mod incomplete_catalog_images;
mod ineffective_entry;
mod invalid_image_content_source;
mod invalid_mirror;
mod invalid_name;
mod invalid_registry_scope;
mod invalid_source;
mod migration_obstacle;
mod mirror_in_use;
mod mirror_order_conflict;
mod mirrors;
pub(crate) mod misread_catalog_overrides;
mod missing_mirror_ca;
mod missing_pull_secret_entry;
mod never_contact_source_lists_source;
pub(crate) mod node_impact;
mod node_pool_rollout;
mod oversized_config;
mod protected_source;
mod related;
mod root_level_source;
mod settings;
mod shadowed_source;
mod shared;
mod split_source;
mod stale_catalog_overrides;
mod stale_registry_overrides;
mod subject;
mod swapped_source;
mod tag_pull_not_mirrored;
mod unknown_annotation;
mod unknown_field;
mod unknown_kind;
mod unqualified_mirror;
mod unrenderable_image_config;
mod untrusted_mirror;
mod wildcard_over_nested_scope;

pub use as_written::AsWritten;
pub use exemption::{Exemption, Request, Who};
pub use finding::{Finding, Found, Level};
pub use fix::{Applicability, Fix};
pub use invalid_name::name_problem;
pub use migration_obstacle::MigrationObstacle;
pub use related::{MAX_RELATED, Related, RelatedFields};
pub use settings::{IcspAlongsideIdms, Settings, WhenUnverified};
pub use shared::SharedSource;
pub use subject::{Earlier, FileObject, HostedWrite, NodesWrite, SetWrite, Survey, Views};
pub use unknown_field::unknown_fields;

use crate::objects::ImageConfig;

/// A rule.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub struct Rule {
    /// Its name, which reads as the problem that it finds.
    pub id: &'static str,
    /// The level of its findings if the configuration sets none.
    pub level: Level,
    /// What it finds, in one line.
    pub summary: &'static str,
    /// Its page, Markdown.
    pub page: &'static str,
    /// What runs it, and on what.
    pub check: Check,
    /// Whether its findings at [`Level::Deny`] keep the nodes' configuration from rendering.
    pub stops_rendering: bool,
    /// Whether its findings are about the impact of a write, and do not apply to a write that is rejected.
    pub only_when_admitted: bool,
    /// What its findings depend on besides the values that they are about.
    pub depends_on: DependsOn,
    /// Whether its findings are about the kind that entries are in, not about the entries. An install-config with lists
    /// of two kinds has none of them: that is an error by itself.
    pub about_kinds: bool,
    /// Whether its findings are about values that an API server rejects, wherever the object is: also in an object that
    /// a later one of the same files replaces.
    pub about_values: bool,
}

/// What a finding depends on besides the values that it is about. In files, some of that can be placeholders: then a
/// finding that may be false is not reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DependsOn {
    /// Nothing: it stays true whatever else there is.
    Nothing,
    /// The other entries of the source, and those of the sources above and below it.
    Sources,
    /// All entries of the objects that it is about.
    Objects,
    /// Every entry: it says that one is missing, or that there is no better one.
    Entries,
    /// Every entry, and the image configuration.
    Everything,
}

impl Rule {
    /// What most rules have in common. Each rule sets at least its id, summary, page and check: the check here only
    /// fills the field, and finds nothing.
    const BASE: Self = Self {
        id: "",
        level: Level::Warn,
        summary: "",
        page: "",
        check: Check::Cluster(|_, _| {}),
        stops_rendering: false,
        only_when_admitted: false,
        // A rule that forgets to say is silent where it may be wrong.
        depends_on: DependsOn::Everything,
        about_kinds: false,
        about_values: false,
    };

    /// Whether the webhook runs it: on writes of mirror sets and HostedClusters.
    pub fn runs_in_webhook(&self) -> bool {
        match self.check {
            Check::MirrorSet(_) | Check::Entries(_) | Check::Nodes(_) | Check::HostedCluster(_) => true,
            Check::ImageConfig(_) | Check::Cluster(_) | Check::File(_) => false,
        }
    }
}

/// The function of a rule, by what it reviews.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// A write of an ICSP, IDMS or ITMS.
    MirrorSet(fn(&SetWrite<'_>, &mut Vec<Finding>)),
    /// The same, and the imageContentSources of a HostedCluster: the mirror set of its nodes, to which nothing else
    /// of the cluster applies.
    Entries(fn(&SetWrite<'_>, &mut Vec<Finding>)),
    /// A write of an ICSP, IDMS or ITMS, or the settings of the cluster: what the nodes' files are made of.
    Nodes(fn(&NodesWrite<'_>, &mut Vec<Finding>)),
    /// A write of a HostedCluster.
    HostedCluster(fn(&HostedWrite<'_>, &mut Vec<Finding>)),
    /// `image.config.openshift.io/cluster` by itself.
    ImageConfig(fn(&ImageConfig, &mut Vec<Finding>)),
    /// An object as it is written in a file: what an API server refuses or drops before a webhook sees it.
    File(fn(&FileObject<'_>, &mut Vec<Finding>)),
    /// A whole cluster, with objects that no write contains: `mirrorguard audit`.
    Cluster(fn(&Survey<'_>, &mut Vec<Found>)),
}

/// The kinds that the checks of a whole cluster report findings for, and whether they have a namespace.
pub const AUDITED_KINDS: &[(&str, bool)] =
    &[("ConfigMap", true), ("Deployment", true), ("HostedCluster", true), ("Image", false), ("Secret", true)];

/// Every rule, by id.
pub const RULES: &[Rule] = &[
    blocked_mirror::RULE,
    catalogs_not_expressible::RULE,
    conflicting_source_policy::RULE,
    contacting_source::RULE,
    data_plane_not_mirrored::RULE,
    deprecated_icsp::RULE,
    dropped_source::RULE,
    duplicate_object::RULE,
    foreign_catalog_overrides::RULE,
    half_blocked_source::RULE,
    hypershift_misresolves::RULE,
    icsp_alongside_idms::RULE,
    ignored_catalog_overrides::RULE,
    ignored_icsp::RULE,
    incomplete_catalog_images::RULE,
    ineffective_entry::RULE,
    invalid_image_content_source::RULE,
    invalid_mirror::RULE,
    invalid_name::RULE,
    invalid_registry_scope::RULE,
    invalid_source::RULE,
    mirror_in_use::RULE,
    mirror_order_conflict::RULE,
    misread_catalog_overrides::RULE,
    missing_mirror_ca::RULE,
    missing_pull_secret_entry::RULE,
    never_contact_source_lists_source::RULE,
    node_impact::RULE,
    node_pool_rollout::RULE,
    oversized_config::RULE,
    protected_source::RULE,
    root_level_source::RULE,
    shadowed_source::RULE,
    split_source::RULE,
    stale_catalog_overrides::RULE,
    stale_registry_overrides::RULE,
    swapped_source::RULE,
    tag_pull_not_mirrored::RULE,
    unknown_annotation::RULE,
    unknown_field::RULE,
    unknown_kind::RULE,
    unqualified_mirror::RULE,
    unrenderable_image_config::RULE,
    untrusted_mirror::RULE,
    wildcard_over_nested_scope::RULE,
];

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

#[cfg(test)]
mod hosted_testing;
#[cfg(test)]
pub(crate) mod survey_testing;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
