//! What an audit reads in addition to the mirror sets, as plain data.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    hypershift::{self, Overrides},
    objects::{HostedCluster, ObjectId, namespaced_name, scope::host},
};

/// The objects of a cluster that an audit reads in addition to the mirror sets.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// The hosted clusters.
    pub hosted_clusters: Vec<Arc<HostedCluster>>,
    /// The HyperShift operator, and the workloads of hosted control planes that were started with overrides.
    pub workloads: Vec<Workload>,
    /// The pull secrets of the nodes and of hosted clusters that could be read.
    pub pull_secrets: Vec<PullSecret>,
    /// The `ConfigMap`s with CAs that other objects refer to.
    pub ca_bundles: Vec<CaBundle>,
}

impl Inventory {
    /// How many objects there are, without the hosted clusters, which are reviewed and counted together with the
    /// mirror sets.
    pub fn len(&self) -> usize {
        self.workloads.len() + self.pull_secrets.len() + self.ca_bundles.len()
    }

    /// Whether there is nothing, except hosted clusters.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The HyperShift operators; usually one.
    pub fn operators(&self) -> impl Iterator<Item = &Workload> {
        self.workloads.iter().filter(|workload| workload.is_operator)
    }

    /// The workloads of hosted control planes that are not being deleted.
    pub fn control_planes(&self) -> impl Iterator<Item = &Workload> {
        self.workloads.iter().filter(|workload| !workload.is_operator && !self.is_being_deleted(workload))
    }

    fn is_being_deleted(&self, workload: &Workload) -> bool {
        let hosted = self.hosted_cluster_of(workload);
        hosted.is_some_and(|hosted| hosted.metadata.deletion_timestamp.is_some())
    }

    /// The hosted cluster whose control plane a workload is part of.
    pub fn hosted_cluster_of(&self, workload: &Workload) -> Option<&HostedCluster> {
        self.hosted_clusters
            .iter()
            .map(|hosted| &**hosted)
            .find(|hosted| hosted.control_plane_namespace() == workload.namespace)
    }

    /// The control plane operator that starts a workload; `None` for that operator itself.
    pub fn parent_of(&self, workload: &Workload) -> Option<&Workload> {
        if workload.name == Workload::CONTROL_PLANE_OPERATOR {
            return None;
        }
        self.control_planes().find(|other| {
            other.namespace == workload.namespace && other.name == Workload::CONTROL_PLANE_OPERATOR
        })
    }
}

/// A Deployment that was started with overrides, or the HyperShift operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Whether it is the HyperShift operator.
    pub is_operator: bool,
    /// The value of `--registry-overrides`; `None` if it was started without.
    pub registry_overrides: Option<Setting>,
    /// The value of `OPENSHIFT_IMG_OVERRIDES`; `None` if it was started without.
    pub image_overrides: Option<Setting>,
}

impl Workload {
    /// The workload of a hosted control plane that the operator starts, and that starts the others.
    pub const CONTROL_PLANE_OPERATOR: &str = "control-plane-operator";

    /// `namespace/name`.
    pub fn namespaced_name(&self) -> String {
        namespaced_name(&self.namespace, &self.name)
    }

    /// The entries of mirror sets that it was started with; `None` if it has no such variable.
    pub fn image_overrides(&self) -> Option<Overrides<'_>> {
        self.image_overrides.as_ref().map(|setting| hypershift::parse_overrides(&setting.value))
    }

    /// The HyperShift operator's own overrides that it was started with.
    pub fn registry_overrides(&self) -> Overrides<'_> {
        match &self.registry_overrides {
            Some(setting) => hypershift::parse_overrides(&setting.value),
            None => Overrides::new(),
        }
    }

    pub(crate) fn object(&self) -> ObjectId {
        ObjectId::new("Deployment", &self.namespace, &self.name)
    }
}

/// A value of a workload, and its field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// `spec.template.spec.containers[0].env[2].value`.
    pub path: String,
    /// The value.
    pub value: String,
}

/// A pull secret, of which only the names of the registries are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullSecret {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// The names of its entries, as written: `host[:port][/namespace…]`; `None` if they could not be read.
    pub keys: Option<BTreeSet<String>>,
}

impl PullSecret {
    /// Namespace and name of the Secret that nodes use.
    pub const OF_NODES: (&str, &str) = ("openshift-config", "pull-secret");

    /// Whether it has credentials for a repository or registry, or for something below it. `false` if its entries could
    /// not be read.
    ///
    /// Follows `containers/image pkg/docker/config/config.go` `findCredentialsInFile`: repositories and
    /// namespaces as written, the registry also as a URL.
    pub fn has_entry_for(&self, mirror: &str) -> bool {
        let registry = normalised(host(mirror));
        self.keys.iter().flatten().any(|key| {
            let bare = key.trim_start_matches("http://").trim_start_matches("https://");
            // Only of a URL is the path left out.
            let name = if bare.len() < key.len() { host(bare) } else { bare };
            is_in(mirror, key) || is_in(key, mirror) || normalised(name) == registry
        })
    }

    pub(crate) fn object(&self) -> ObjectId {
        ObjectId::new("Secret", &self.namespace, &self.name)
    }
}

/// Whether a name equals another one, or is below it. Credentials know no wildcards, unlike scopes.
fn is_in(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The name that credentials of docker.io are stored under, the one registry with several names.
fn normalised(registry: &str) -> &str {
    match registry {
        "registry-1.docker.io" | "docker.io" => "index.docker.io",
        other => other,
    }
}

/// A `ConfigMap` with CAs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaBundle {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// The object that refers to it, and the field.
    pub used_by: (ObjectId, String),
    /// Its keys; `None` if it does not exist.
    pub keys: Option<BTreeSet<String>>,
}

impl CaBundle {
    /// The namespace of the `ConfigMap` that nodes trust.
    pub const NAMESPACE_OF_NODES: &str = "openshift-config";

    /// Whether nodes trust its CAs. Each key is then for one registry.
    pub fn is_of_nodes(&self) -> bool {
        self.used_by.0.kind == "Image"
    }

    /// `namespace/name`.
    pub fn namespaced_name(&self) -> String {
        namespaced_name(&self.namespace, &self.name)
    }

    /// A `ConfigMap` that `image.config.openshift.io/cluster` refers to.
    pub fn of_nodes(name: &str, keys: Option<BTreeSet<String>>) -> Self {
        Self {
            namespace: Self::NAMESPACE_OF_NODES.to_owned(),
            name: name.to_owned(),
            used_by: (ObjectId::new("Image", "", "cluster"), "spec.additionalTrustedCA.name".to_owned()),
            keys,
        }
    }

    /// A `ConfigMap` that a HostedCluster refers to.
    pub fn of_hosted(hosted: &HostedCluster, keys: Option<BTreeSet<String>>) -> Self {
        Self {
            namespace: hosted.metadata.namespace.clone(),
            name: hosted.spec.additional_trust_bundle.name.clone(),
            used_by: (hosted.id(), "spec.additionalTrustBundle.name".to_owned()),
            keys,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_found_as_the_runtime_finds_them() {
        let table = [
            ("m.lab:8443", "m.lab:8443/ocp/release", true, "the registry"),
            ("m.lab", "m.lab:8443/ocp", false, "another port is another registry"),
            ("m.lab:8443/ocp", "m.lab:8443/ocp/release", true, "a namespace above"),
            ("m.lab:8443/oc", "m.lab:8443/ocp", false, "not in the middle of an element"),
            ("m.lab:8443/ocp/release", "m.lab:8443/ocp", true, "part of it"),
            ("m.lab:8443/other", "m.lab:8443/ocp", false, "another namespace"),
            ("https://m.lab:8443/v1/", "m.lab:8443/ocp", true, "as a URL, the path does not count"),
            ("https://index.docker.io/v1/", "docker.io/library", true, "the old name of docker.io"),
            ("*.lab", "m.lab/ocp", false, "there are no wildcards"),
        ];
        for (key, mirror, expected, reason) in table {
            let keys = Some(BTreeSet::from([key.to_owned()]));
            let secret = PullSecret { namespace: "n".to_owned(), name: "s".to_owned(), keys };
            assert_eq!(secret.has_entry_for(mirror), expected, "{key} for {mirror}: {reason}");
        }
    }
}
