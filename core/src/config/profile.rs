//! Levels for kinds of installations.

use serde::Deserialize;

use crate::rules::Level::{self, Deny, Warn};

/// A profile: levels to start from.
#[derive(Deserialize, Default, Clone, Copy)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum Profile {
    /// The rules' own levels.
    #[default]
    Default,
    /// Nothing outside can be reached: sources must not be contacted, mirrors must be reachable.
    AirGap,
    /// The cluster hosts control planes: what leads HyperShift astray is denied.
    HostedControlPlanes,
    /// The sources that managed OpenShift (ROSA, OSD) protects are denied.
    ManagedOpenshift,
}

impl Profile {
    /// The levels that differ from the rules' own.
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

/// What `managed-cluster-validating-webhooks` refuses as a source.
pub(super) const MANAGED_SOURCES: [&str; 5] = [
    "registry.redhat.io",
    "quay.io",
    "quay.io/**",
    "registry.access.redhat.com",
    "registry.access.redhat.com/**",
];
