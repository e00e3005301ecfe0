//! The two cluster-wide objects that affect pulls in addition to the mirror sets.

use serde::Deserialize;

/// `image.config.openshift.io/cluster`, `spec.registrySources`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, expecting = "a map")]
pub struct ImageConfig {
    /// Scopes that are contacted without TLS verification.
    pub insecure_registries: Vec<String>,
    /// Scopes that may not be pulled from.
    pub blocked_registries: Vec<String>,
    /// The only scopes that may be pulled from; empty if all are allowed.
    pub allowed_registries: Vec<String>,
}

/// `clusterversion/version`, only the release payload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterVersion {
    /// `status.desired.image`: the payload that the cluster runs or is updating to.
    pub desired_image: String,
}
