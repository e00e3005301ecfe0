//! Where the management cluster itself gets its operators from.

use super::ObjectId;

/// The kind of an [`OperatorCatalog`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CatalogKind {
    /// `CatalogSource`, operators.coreos.com/v1alpha1.
    CatalogSource,
    /// `ClusterCatalog`, olm.operatorframework.io/v1.
    ClusterCatalog,
}

impl CatalogKind {
    /// The `kind` field.
    pub fn name(self) -> &'static str {
        match self {
            Self::CatalogSource => "CatalogSource",
            Self::ClusterCatalog => "ClusterCatalog",
        }
    }

    /// API group, version and plural resource name.
    pub fn api(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::CatalogSource => ("operators.coreos.com", "v1alpha1", "catalogsources"),
            Self::ClusterCatalog => ("olm.operatorframework.io", "v1", "clustercatalogs"),
        }
    }

    /// The path of the field with the image.
    pub fn image_path(self) -> &'static str {
        match self {
            Self::CatalogSource => "spec.image",
            Self::ClusterCatalog => "spec.source.image.ref",
        }
    }
}

/// The namespace whose CatalogSources serve the whole cluster.
const GLOBAL_NAMESPACE: &str = "openshift-marketplace";

/// A `CatalogSource` or `ClusterCatalog`, with the fields that are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorCatalog {
    /// The kind.
    pub kind: CatalogKind,
    /// `metadata.namespace`; empty for a ClusterCatalog.
    pub namespace: Box<str>,
    /// `metadata.name`.
    pub name: Box<str>,
    /// The image that it serves: a reference with a tag or a digest. Empty if it serves none.
    pub image: Box<str>,
}

impl OperatorCatalog {
    /// Its kind, namespace and name.
    pub fn id(&self) -> ObjectId {
        ObjectId::new(self.kind.name(), &self.namespace, &self.name)
    }

    /// Whether it serves an image to the whole cluster.
    pub fn is_global(&self) -> bool {
        let is_everywhere = match self.kind {
            CatalogKind::CatalogSource => &*self.namespace == GLOBAL_NAMESPACE,
            CatalogKind::ClusterCatalog => true,
        };
        is_everywhere && !self.image.is_empty()
    }
}
