//! The cluster-wide objects that affect pulls, or what a change of them costs, in addition to the mirror sets.

use serde::{Deserialize, Deserializer};

/// `image.config.openshift.io/cluster`, `spec.registrySources`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, expecting = "a map")]
pub struct ImageConfig {
    /// `metadata.name`; only `cluster` is read by any operator. Empty is taken for `cluster`.
    #[serde(skip)]
    pub name: Box<str>,
    /// Scopes that are contacted without TLS verification.
    #[serde(deserialize_with = "nullable")]
    pub insecure_registries: Vec<String>,
    /// Scopes that may not be pulled from.
    #[serde(deserialize_with = "nullable")]
    pub blocked_registries: Vec<String>,
    /// The only scopes that may be pulled from; empty if all are allowed.
    #[serde(deserialize_with = "nullable")]
    pub allowed_registries: Vec<String>,
    /// Registries, in order, for images whose name has none; empty for those of the template.
    #[serde(deserialize_with = "nullable")]
    pub container_runtime_search_registries: Vec<String>,
}

impl ImageConfig {
    /// The name of the one object that counts.
    pub const NAME: &str = "cluster";

    /// Whether it is the object that operators read.
    pub fn counts(&self) -> bool {
        self.name.is_empty() || &*self.name == Self::NAME
    }
}

/// A list; `null` is an empty one, as the API server stores it.
fn nullable<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::deserialize(input)?.unwrap_or_default())
}

/// `clusterversion/version`, only the release payload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterVersion {
    /// `metadata.name`; only `version` is read by any operator. Empty is taken for `version`.
    pub name: Box<str>,
    /// `status.desired.image`: the payload that the cluster runs or is updating to.
    pub desired_image: String,
    /// `status.desired.version`: its release.
    pub desired_version: String,
}

impl ClusterVersion {
    /// The name of the one object that counts.
    pub const NAME: &str = "version";

    /// Whether it is the object that operators read.
    pub fn counts(&self) -> bool {
        self.name.is_empty() || &*self.name == Self::NAME
    }
}

/// A config.openshift.io ClusterImagePolicy or ImagePolicy, only the scopes whose signatures it requires.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignaturePolicy {
    /// `metadata.namespace`; empty for a ClusterImagePolicy.
    pub namespace: Box<str>,
    /// `metadata.name`.
    pub name: Box<str>,
    /// `spec.scopes`.
    pub scopes: Vec<String>,
}

impl SignaturePolicy {
    /// Whether it holds in every namespace.
    pub fn is_cluster_wide(&self) -> bool {
        self.namespace.is_empty()
    }
}

/// operator.openshift.io `MachineConfiguration`, only `spec.nodeDisruptionPolicy.files`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MachineConfiguration {
    /// `metadata.name`; only `cluster` is read. Empty is taken for `cluster`.
    pub name: Box<str>,
    /// What nodes do when a file changes.
    pub files: Vec<FileDisruption>,
}

impl MachineConfiguration {
    /// The name of the one object that counts.
    pub const NAME: &str = "cluster";

    /// Whether it is the object that the operator reads.
    pub fn counts(&self) -> bool {
        self.name.is_empty() || &*self.name == Self::NAME
    }
}

/// What nodes do when a file changes, or any file below a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, expecting = "a map")]
pub struct FileDisruption {
    /// The file or folder.
    pub path: String,
    /// What they do.
    pub actions: Vec<DisruptionAction>,
}

/// One thing that nodes do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "WireAction")]
pub enum DisruptionAction {
    /// Nothing.
    None,
    /// A service is reloaded or restarted, or systemd reads its units again.
    Service,
    /// The node is drained.
    Drain,
    /// The node is rebooted.
    Reboot,
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "a map")]
struct WireAction {
    r#type: String,
}

impl From<WireAction> for DisruptionAction {
    fn from(action: WireAction) -> Self {
        match &*action.r#type {
            "Reboot" => Self::Reboot,
            "Drain" => Self::Drain,
            "None" => Self::None,
            // Reload, Restart and DaemonReload; an unknown action counts as one of them.
            _ => Self::Service,
        }
    }
}
