//! Default levels for kinds of installations.

use serde::Deserialize;

use crate::rules::Level::{self, Deny, Warn};

/// Default levels of the rules.
#[derive(Deserialize, Default, Clone, Copy)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum Profile {
    /// The default levels of the rules.
    #[default]
    Default,
    /// For clusters without internet access: sources should not be contacted, and mirrors must be reachable.
    AirGap,
    /// For clusters that host control planes: entries that HyperShift resolves incorrectly are errors.
    HostedControlPlanes,
    /// Sources that managed OpenShift (ROSA, OSD) protects are errors.
    ManagedOpenshift,
}

impl Profile {
    /// The levels that differ from the rules' defaults.
    pub(super) fn levels(self) -> &'static [(&'static str, Level)] {
        match self {
            Self::Default => &[],
            Self::AirGap => {
                &[("blocked-mirror", Deny), ("contacting-source", Warn), ("untrusted-mirror", Deny)]
            }
            Self::HostedControlPlanes => &[
                ("data-plane-not-mirrored", Deny),
                ("hypershift-misresolves", Deny),
                ("root-level-source", Deny),
            ],
            Self::ManagedOpenshift => &[("protected-source", Deny)],
        }
    }
}

/// The sources that `managed-cluster-validating-webhooks` rejects: of `registry.redhat.io` only the registry
/// itself, no repository in it.
///
/// Follows `managed-cluster-validating-webhooks pkg/webhooks/imagecontentpolicies/imagecontentpolicies.go`
/// `unauthorizedRepositoryMirrors`.
pub(super) const MANAGED_SOURCES: [&str; 5] = [
    "registry.redhat.io",
    "quay.io",
    "quay.io/**",
    "registry.access.redhat.com",
    "registry.access.redhat.com/**",
];
