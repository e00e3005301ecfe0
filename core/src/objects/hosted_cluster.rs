//! A `HostedCluster`, with the fields that rules read.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Entry, Gaps, MirrorSet, ObjectId, Origin, SetKind, lenient::lenient, namespaced_name};

/// Names of the annotations that are read or written.
pub mod annotation {
    /// `source=mirror,…` for the catalog images; `api/hypershift/v1beta1/hostedcluster_types.go`.
    pub const CATALOG_OVERRIDES: &str = "hypershift.openshift.io/olm-catalogs-is-registry-overrides";
    /// Ours: `disabled` opts out of filling in the overrides.
    pub const OPT_OUT: &str = "mirrorguard.io/catalog-overrides";
    /// Ours: the value that was filled in, to distinguish it from a value of the owner.
    pub const DERIVED: &str = "mirrorguard.io/catalog-overrides-derived";
    /// Ours: `rule-id,…: reason`, honoured where the configuration allows it; on mirror sets too.
    pub const EXEMPT: &str = "mirrorguard.io/exempt";
    /// The record that `kubectl apply` keeps of an object. It is not part of the configuration itself.
    pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

    /// The path of an annotation, as in findings.
    pub fn path(name: &str) -> String {
        format!("{PATH_PREFIX}{name}]")
    }

    /// What the path of every annotation starts with.
    pub const PATH_PREFIX: &str = "metadata.annotations[";

    /// The prefix of most annotations of HyperShift.
    pub const HYPERSHIFT_PREFIX: &str = "hypershift.openshift.io/";
    /// The prefix of our annotations.
    pub const OUR_PREFIX: &str = "mirrorguard.io/";
    /// All our annotations that a HostedCluster may have.
    pub const OURS: &[&str] = &[OPT_OUT, DERIVED, EXEMPT];
    /// Image of the control plane operator, instead of the one of the release.
    pub const CONTROL_PLANE_OPERATOR: &str = "hypershift.openshift.io/control-plane-operator-image";
    /// Present on a HostedCluster that a backup tool has just restored.
    pub const RESTORED: &str = "hypershift.openshift.io/restored-from-backup";
}

/// A `HostedCluster`, with the fields that are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostedCluster {
    /// Name, namespace and annotations.
    pub metadata: Metadata,
    /// The desired state.
    pub spec: Spec,
    /// The state that HyperShift reports.
    pub status: Status,
    /// Which parts of `spec.imageContentSources` could not be read from a file.
    pub gaps: Gaps,
}

/// `status`, with the fields that are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// The releases of `status.version`, the desired one and those of the history, newest first.
    pub versions: Vec<ReleaseVersion>,
}

/// A release payload and its version, of `status.version.desired` or `status.version.history`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ReleaseVersion {
    /// Reference of the payload.
    #[serde(deserialize_with = "lenient")]
    pub image: String,
    /// Its version, `4.18.5`; empty while HyperShift does not know it.
    #[serde(deserialize_with = "lenient")]
    pub version: String,
}

/// `metadata`, with the fields that are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// Absent, `null` and empty are the same.
    pub annotations: BTreeMap<String, String>,
    /// Set while the object is being deleted.
    pub deletion_timestamp: Option<String>,
}

/// `spec`, with the fields that are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spec {
    /// The release of the hosted cluster.
    pub release: Release,
    /// `management` (the default, also when empty) or `guest`.
    pub olm_catalog_placement: String,
    /// Mirrors of the data plane; `spec.imageContentSources`.
    pub image_content_sources: Vec<Entry>,
    /// The Secret, in the same namespace, with the credentials for its images.
    pub pull_secret: LocalReference,
    /// The `ConfigMap`, in the same namespace, with CAs that it trusts, in the key `ca-bundle.crt`.
    pub additional_trust_bundle: LocalReference,
    /// `true`, or the time until which HyperShift does not change the hosted cluster; otherwise empty.
    pub paused_until: String,
    /// Cluster-wide settings of the hosted cluster.
    pub configuration: Configuration,
}

/// A reference to an object in the same namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct LocalReference {
    /// Its name; empty if there is no reference.
    #[serde(deserialize_with = "lenient")]
    pub name: String,
}

/// `spec.release`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Release {
    /// Reference of the release payload.
    #[serde(deserialize_with = "lenient")]
    pub image: String,
}

/// `spec.configuration`, with the fields that are read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Configuration {
    /// The CRD spells it `operatorhub`.
    #[serde(alias = "operatorHub", rename = "operatorhub", deserialize_with = "lenient")]
    pub operator_hub: OperatorHub,
}

/// `spec.configuration.operatorhub`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OperatorHub {
    /// Whether the default catalogs are disabled. With `olmCatalogPlacement: guest` it is read only once, when
    /// HyperShift creates the `OperatorHub` of the hosted cluster, which decides from then on.
    ///
    /// Follows `hypershift control-plane-operator/hostedclusterconfigoperator/controllers/resources/resources.go`
    /// `reconcileOLM`, the same from release-4.14 on.
    #[serde(deserialize_with = "lenient")]
    pub disable_all_default_sources: bool,
}

impl HostedCluster {
    /// The path of the mirrors of its nodes.
    pub const SOURCES_PATH: &str = "spec.imageContentSources";

    /// The most entries, mirrors of an entry, and characters of a value.
    ///
    /// From `hypershift api/hypershift/v1beta1/hostedcluster_types.go` `HostedClusterSpec.ImageContentSources`.
    pub const MAX_SOURCES: usize = 255;

    /// The mirror set that HyperShift makes of `spec.imageContentSources` in the hosted cluster, without the entries
    /// beyond [`Self::MAX_SOURCES`], which no API server accepts.
    ///
    /// Follows `hypershift support/globalconfig/imagecontentsource.go` `ReconcileImageDigestMirrors`.
    pub fn mirror_set(&self) -> MirrorSet {
        let entries = self.spec.image_content_sources.iter().take(Self::MAX_SOURCES).cloned().collect();
        let set = MirrorSet::new(SetKind::Idms, "cluster", entries);
        MirrorSet { origin: Origin::HostedCluster, gaps: self.gaps.clone(), ..set }
    }

    /// The value of an annotation. An empty one is the same as none, as in HyperShift.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.metadata.annotations.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The catalog overrides. `=` means that there are none, as in HyperShift.
    pub fn catalog_overrides(&self) -> Option<&str> {
        self.annotation(annotation::CATALOG_OVERRIDES).filter(|value| *value != "=")
    }

    /// Whether it has the catalog overrides annotation, even with the value that there are none.
    pub fn has_catalog_overrides_annotation(&self) -> bool {
        self.metadata.annotations.contains_key(annotation::CATALOG_OVERRIDES)
    }

    /// Whether the catalog overrides were filled in by mirrorguard, which then writes the same value to
    /// [`annotation::DERIVED`]. It never fills in that there are none: an empty value or `=` is the owner's, even if
    /// both annotations have it.
    pub fn has_derived_overrides(&self) -> bool {
        let overrides = self.catalog_overrides();
        overrides.is_some() && overrides == self.annotation(annotation::DERIVED)
    }

    /// Its kind, namespace and name.
    pub fn id(&self) -> ObjectId {
        ObjectId::new("HostedCluster", &self.metadata.namespace, &self.metadata.name)
    }

    /// `namespace/name`.
    pub fn namespaced_name(&self) -> String {
        namespaced_name(&self.metadata.namespace, &self.metadata.name)
    }

    /// The namespace of its control plane.
    ///
    /// Follows `hypershift hypershift-operator/controllers/manifests/manifests.go`
    /// `HostedControlPlaneNamespace`.
    pub fn control_plane_namespace(&self) -> String {
        format!("{}-{}", self.metadata.namespace, self.metadata.name.replace('.', "-"))
    }

    /// The version that its status has for its release image, if HyperShift knows it.
    pub fn release_version(&self) -> Option<&str> {
        let image = &self.spec.release.image;
        let mut known = self.status.versions.iter().filter(|known| !known.version.is_empty());
        known.find(|known| known.image == *image).map(|known| &*known.version)
    }

    /// Whether the default catalogs are disabled, wherever they would run.
    pub fn disables_default_catalogs(&self) -> bool {
        self.spec.configuration.operator_hub.disable_all_default_sources
    }

    /// Whether the catalogs run in the hosted cluster itself.
    pub fn catalogs_run_in_guest(&self) -> bool {
        self.spec.olm_catalog_placement == "guest"
    }
}
