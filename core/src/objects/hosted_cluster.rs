//! A `HostedCluster`, as far as a rule names its fields.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Entry, ObjectId, namespaced_name, wire::lenient};

/// Names of the annotations that are read or written.
pub mod annotation {
    /// `source=mirror,…` for the catalog images; `api/hypershift/v1beta1/hostedcluster_types.go`.
    pub const CATALOG_OVERRIDES: &str = "hypershift.openshift.io/olm-catalogs-is-registry-overrides";
    /// Ours: `disabled` keeps the overrides from being filled in.
    pub const OPT_OUT: &str = "mirrorguard.io/catalog-overrides";
    /// Ours: the value that was filled in, to tell it from one the owner typed.
    pub const DERIVED: &str = "mirrorguard.io/catalog-overrides-derived";
    /// Ours: `rule-id,…: reason`, honoured where the configuration allows it; on mirror sets too.
    pub const EXEMPT: &str = "mirrorguard.io/exempt";
    /// What `kubectl apply` remembers of an object, which is nothing of the object's own.
    pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

    /// The place of an annotation in its object, as findings name it.
    pub fn path(name: &str) -> String {
        format!("metadata.annotations[{name}]")
    }

    /// What ours begin with.
    pub const OUR_PREFIX: &str = "mirrorguard.io/";
    /// Every annotation of ours that a HostedCluster may carry.
    pub const OURS: &[&str] = &[OPT_OUT, DERIVED, EXEMPT];
    /// Image of the control plane operator, in place of the release's own.
    pub const CONTROL_PLANE_OPERATOR: &str = "hypershift.openshift.io/control-plane-operator-image";
    /// Present on a HostedCluster that a backup tool has just brought back.
    pub const RESTORED: &str = "hypershift.openshift.io/restored-from-backup";
}

/// What is read of a `HostedCluster`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostedCluster {
    /// Name, namespace and annotations.
    pub metadata: Metadata,
    /// The desired state.
    pub spec: Spec,
}

/// `metadata`, as far as it is read.
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

/// `spec`, as far as it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spec {
    /// The release of the hosted cluster.
    pub release: Release,
    /// `management` (the default, also when empty) or `guest`.
    pub olm_catalog_placement: String,
    /// Mirrors of the data plane; `spec.imageContentSources`.
    pub image_content_sources: Vec<Entry>,
    /// The Secret, in the same namespace, that its images are pulled with.
    pub pull_secret: LocalReference,
    /// The `ConfigMap`, in the same namespace, with CAs that it trusts; `ca-bundle.crt` in it.
    pub additional_trust_bundle: LocalReference,
    /// Not empty while HyperShift leaves the hosted cluster as it is: `true`, or until when.
    pub paused_until: String,
    /// Cluster-wide settings handed to the hosted cluster.
    pub configuration: Configuration,
}

/// A reference to an object in the same namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct LocalReference {
    /// Its name; empty where there is no reference.
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

/// `spec.configuration`, as far as it is read.
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
    /// No default catalog is wanted.
    #[serde(deserialize_with = "lenient")]
    pub disable_all_default_sources: bool,
}

impl HostedCluster {
    /// An annotation's value; an empty one counts as absent, as it does for HyperShift.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.metadata.annotations.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The catalog overrides; `=` says that there are none, as it does for HyperShift.
    pub fn catalog_overrides(&self) -> Option<&str> {
        self.annotation(annotation::CATALOG_OVERRIDES).filter(|value| *value != "=")
    }

    /// Whether the annotation of the catalog overrides is there, be it to say that there are none.
    pub fn has_catalog_overrides_annotation(&self) -> bool {
        self.metadata.annotations.contains_key(annotation::CATALOG_OVERRIDES)
    }

    /// Whether the catalog overrides are the ones that were filled in. Since `none` is never filled in, it is
    /// the owner's even where the mark says the same.
    pub fn has_derived_overrides(&self) -> bool {
        let there = self.catalog_overrides();
        there.is_some() && there == self.annotation(annotation::DERIVED)
    }

    /// Its kind, namespace and name.
    pub fn id(&self) -> ObjectId {
        ObjectId::new("HostedCluster", &self.metadata.namespace, &self.metadata.name)
    }

    /// `namespace/name`.
    pub fn namespaced_name(&self) -> String {
        namespaced_name(&self.metadata.namespace, &self.metadata.name)
    }

    /// The namespace that its control plane runs in.
    ///
    /// Follows `hypershift hypershift-operator/controllers/manifests/manifests.go`
    /// `HostedControlPlaneNamespace`.
    pub fn control_plane_namespace(&self) -> String {
        format!("{}-{}", self.metadata.namespace, self.metadata.name.replace('.', "-"))
    }

    /// Whether the catalogs run in the hosted cluster itself.
    pub fn catalogs_run_in_guest(&self) -> bool {
        self.spec.olm_catalog_placement == "guest"
    }
}
