//! The kinds of objects that are read.

use super::{CatalogKind, SetKind};

/// A kind of objects that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// One of the three mirror sets.
    Set(SetKind),
    /// hypershift.openshift.io `HostedCluster`.
    HostedCluster,
    /// config.openshift.io `Image`.
    ImageConfig,
    /// config.openshift.io `ClusterVersion`.
    ClusterVersion,
    /// One of the two kinds that a cluster gets its operators from.
    Catalog(CatalogKind),
    /// config.openshift.io `ClusterImagePolicy`; of files only.
    ClusterImagePolicy,
    /// config.openshift.io `ImagePolicy`; of files only.
    ImagePolicy,
    /// operator.openshift.io `MachineConfiguration`; of files only.
    MachineConfiguration,
}

impl Kind {
    /// Every kind that is read from clusters.
    pub const ALL: [Self; 8] = [
        Self::Set(SetKind::Icsp),
        Self::Set(SetKind::Idms),
        Self::Set(SetKind::Itms),
        Self::HostedCluster,
        Self::ImageConfig,
        Self::ClusterVersion,
        Self::Catalog(CatalogKind::CatalogSource),
        Self::Catalog(CatalogKind::ClusterCatalog),
    ];

    /// The kinds that are read from files only: they explain what a cluster does, and few clusters have any.
    const FILES_ONLY: [Self; 3] = [Self::ClusterImagePolicy, Self::ImagePolicy, Self::MachineConfiguration];

    /// Every kind that is read from files.
    pub(super) fn all_of_files() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().chain(Self::FILES_ONLY)
    }

    /// The kind with this group and name, in any version; `None` if it is not read.
    pub fn of(group: &str, kind: &str) -> Option<Self> {
        Self::all_of_files().find(|k| k.group() == group && k.name() == kind)
    }

    /// The kind with the group of this `apiVersion` (`group/version`) and this name. The version is not compared.
    pub fn of_api_version(api_version: &str, kind: &str) -> Option<Self> {
        Self::of(api_version.split_once('/')?.0, kind)
    }

    /// API group, version and plural resource name.
    fn api(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Set(set) => set.api(),
            Self::HostedCluster => ("hypershift.openshift.io", "v1beta1", "hostedclusters"),
            Self::ImageConfig => ("config.openshift.io", "v1", "images"),
            Self::ClusterVersion => ("config.openshift.io", "v1", "clusterversions"),
            Self::Catalog(catalog) => catalog.api(),
            Self::ClusterImagePolicy => ("config.openshift.io", "v1", "clusterimagepolicies"),
            Self::ImagePolicy => ("config.openshift.io", "v1", "imagepolicies"),
            Self::MachineConfiguration => ("operator.openshift.io", "v1", "machineconfigurations"),
        }
    }

    /// `group/version`, as in its objects.
    pub fn api_version(self) -> String {
        let (group, version, _) = self.api();
        format!("{group}/{version}")
    }

    /// API group.
    pub fn group(self) -> &'static str {
        self.api().0
    }

    /// The resource name in URLs and roles.
    pub fn plural(self) -> &'static str {
        self.api().2
    }

    /// The `kind` field.
    pub fn name(self) -> &'static str {
        match self {
            Self::Set(set) => set.name(),
            Self::HostedCluster => "HostedCluster",
            Self::ImageConfig => "Image",
            Self::ClusterVersion => "ClusterVersion",
            Self::Catalog(catalog) => catalog.name(),
            Self::ClusterImagePolicy => "ClusterImagePolicy",
            Self::ImagePolicy => "ImagePolicy",
            Self::MachineConfiguration => "MachineConfiguration",
        }
    }
}
