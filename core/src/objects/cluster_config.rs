//! The two cluster-wide singletons that meet the mirror sets on the node.

use serde::Deserialize;

/// `image.config.openshift.io/cluster`, `spec.registrySources`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ImageConfig {
    /// Scopes reached without TLS verification.
    pub insecure_registries: Vec<String>,
    /// Scopes that may not be pulled from.
    pub blocked_registries: Vec<String>,
    /// The only scopes that may be pulled from, where there are any.
    pub allowed_registries: Vec<String>,
}

/// `clusterversion/version`, the part that tells the release payload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterVersion {
    /// `status.desired.image`: the payload the cluster is going to.
    pub desired_image: String,
}
