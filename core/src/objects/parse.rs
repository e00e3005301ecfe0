//! From JSON text, or a parsed document, to the object it stands for.

use std::sync::Arc;

use serde::{Deserialize, de::DeserializeOwned};
use thiserror::Error;

use super::{ClusterVersion, Entry, HostedCluster, ImageConfig, MirrorSet, ObjectId, SetKind};

/// The kinds of objects that are read.
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
}

impl Kind {
    /// Every kind that is read.
    pub const ALL: [Self; 6] = [
        Self::Set(SetKind::Icsp),
        Self::Set(SetKind::Idms),
        Self::Set(SetKind::Itms),
        Self::HostedCluster,
        Self::ImageConfig,
        Self::ClusterVersion,
    ];

    /// The kind of a group and kind name; `None` for the many that are not read.
    pub fn of(group: &str, kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.group() == group && k.name() == kind)
    }

    /// The same for an `apiVersion` (`group/version`).
    pub fn of_api_version(api_version: &str, kind: &str) -> Option<Self> {
        Self::of(api_version.split_once('/')?.0, kind)
    }

    /// API group.
    pub fn group(self) -> &'static str {
        match self {
            Self::Set(set) => set.api().0,
            Self::HostedCluster => "hypershift.openshift.io",
            Self::ImageConfig | Self::ClusterVersion => "config.openshift.io",
        }
    }

    /// The resource, as URLs and roles name it.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Set(set) => set.api().2,
            Self::HostedCluster => "hostedclusters",
            Self::ImageConfig => "images",
            Self::ClusterVersion => "clusterversions",
        }
    }

    /// The `kind` field.
    pub fn name(self) -> &'static str {
        match self {
            Self::Set(set) => set.name(),
            Self::HostedCluster => "HostedCluster",
            Self::ImageConfig => "Image",
            Self::ClusterVersion => "ClusterVersion",
        }
    }
}

/// An object that could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// ICSP, IDMS or ITMS.
    MirrorSet(Arc<MirrorSet>),
    /// A hosted cluster.
    HostedCluster(Arc<HostedCluster>),
    /// `image.config.openshift.io/cluster`.
    ImageConfig(Arc<ImageConfig>),
    /// `clusterversion/version`.
    ClusterVersion(ClusterVersion),
}

impl From<MirrorSet> for Object {
    fn from(set: MirrorSet) -> Self {
        Self::MirrorSet(set.into())
    }
}

impl From<HostedCluster> for Object {
    fn from(hosted: HostedCluster) -> Self {
        Self::HostedCluster(hosted.into())
    }
}

impl From<ImageConfig> for Object {
    fn from(config: ImageConfig) -> Self {
        Self::ImageConfig(config.into())
    }
}

/// A field that has not the type its schema wants.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{path}: {message}")]
pub struct ParseError {
    /// Path of the field, `spec.imageDigestMirrors[0].source`, or `.` for the whole object.
    pub path: String,
    /// What was found and what was expected.
    pub message: String,
}

impl Object {
    /// Reads an object of a known kind from JSON.
    pub fn from_json(kind: Kind, json: &str) -> Result<Self, ParseError> {
        match kind {
            Kind::Set(set) => MirrorSet::from_json(set, json).map(|set| Self::MirrorSet(set.into())),
            Kind::HostedCluster => {
                HostedCluster::from_json(json).map(|hosted| Self::HostedCluster(hosted.into()))
            }
            Kind::ImageConfig => ImageConfig::from_json(json).map(|config| Self::ImageConfig(config.into())),
            Kind::ClusterVersion => read::<WireClusterVersion>(json).map(|wire| {
                Self::ClusterVersion(ClusterVersion { desired_image: wire.status.desired.image })
            }),
        }
    }

    /// The kind it was read as.
    pub fn kind(&self) -> Kind {
        match self {
            Self::MirrorSet(set) => Kind::Set(set.kind),
            Self::HostedCluster(_) => Kind::HostedCluster,
            Self::ImageConfig(_) => Kind::ImageConfig,
            Self::ClusterVersion(_) => Kind::ClusterVersion,
        }
    }

    /// Its kind, namespace and name.
    pub fn id(&self) -> ObjectId {
        ObjectId::new(self.kind().name(), self.namespace(), self.name())
    }

    /// `metadata.name`; the singletons have their fixed one.
    pub fn name(&self) -> &str {
        match self {
            Self::MirrorSet(set) => &set.name,
            Self::HostedCluster(hosted) => &hosted.metadata.name,
            Self::ImageConfig(_) => "cluster",
            Self::ClusterVersion(_) => "version",
        }
    }

    /// `metadata.namespace`; empty for the kinds that have none.
    pub fn namespace(&self) -> &str {
        match self {
            Self::HostedCluster(hosted) => &hosted.metadata.namespace,
            Self::MirrorSet(_) | Self::ImageConfig(_) | Self::ClusterVersion(_) => "",
        }
    }
}

impl MirrorSet {
    /// Reads a mirror set of a known kind from JSON.
    pub fn from_json(kind: SetKind, json: &str) -> Result<Self, ParseError> {
        read::<WireSet>(json).map(|wire| wire.into_set(kind))
    }
}

impl HostedCluster {
    /// Reads a HostedCluster from JSON.
    pub fn from_json(json: &str) -> Result<Self, ParseError> {
        read(json)
    }
}

impl ImageConfig {
    /// Reads `image.config.openshift.io/cluster` from JSON.
    pub fn from_json(json: &str) -> Result<Self, ParseError> {
        read::<WireImageConfig>(json).map(|wire| wire.spec.registry_sources)
    }
}

/// Parses fast; only a failure is parsed again to learn the path of the field.
pub(super) fn read<T: DeserializeOwned>(json: &str) -> Result<T, ParseError> {
    serde_json::from_str(json).map_err(|_| {
        let mut input = serde_json::Deserializer::from_str(json);
        match serde_path_to_error::deserialize::<_, T>(&mut input) {
            Ok(_) => ParseError { path: ".".to_owned(), message: "trailing characters".to_owned() },
            Err(error) => {
                let message = error.inner().to_string();
                let message = message.split(" at line ").next().unwrap_or_default().to_owned();
                ParseError { path: error.path().to_string(), message }
            }
        }
    })
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct WireMetadata {
    name: Box<str>,
    generate_name: Box<str>,
    resource_version: Box<str>,
    annotations: Option<WireAnnotations>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireAnnotations {
    // The name is `annotation::EXEMPT`; an attribute cannot say so.
    #[serde(rename = "mirrorguard.io/exempt")]
    exempt: Box<str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSet {
    #[serde(default)]
    metadata: WireMetadata,
    #[serde(default)]
    spec: Option<WireSetSpec>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireSetSpec {
    #[serde(rename = "imageDigestMirrors")]
    idms: Option<Vec<Entry>>,
    #[serde(rename = "imageTagMirrors")]
    itms: Option<Vec<Entry>>,
    #[serde(rename = "repositoryDigestMirrors")]
    icsp: Option<Vec<Entry>>,
}

impl WireSet {
    fn into_set(self, kind: SetKind) -> MirrorSet {
        let spec = self.spec.unwrap_or_default();
        let entries = match kind {
            SetKind::Icsp => spec.icsp,
            SetKind::Idms => spec.idms,
            SetKind::Itms => spec.itms,
        };
        let mut entries = entries.unwrap_or_default();
        // Kept for as long as the cluster keeps it, while a parser leaves room to grow.
        entries.shrink_to_fit();
        if kind == SetKind::Icsp {
            // The field is not in an ICSP's schema: the apiserver prunes it.
            for entry in &mut entries {
                entry.mirror_source_policy = None;
            }
        }
        let WireMetadata { name, generate_name, resource_version, annotations } = self.metadata;
        MirrorSet {
            kind,
            name: if name.is_empty() { generate_name } else { name },
            resource_version,
            exempt: annotations.unwrap_or_default().exempt,
            entries,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireImageConfig {
    spec: WireImageSpec,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct WireImageSpec {
    registry_sources: ImageConfig,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireClusterVersion {
    status: WireVersionStatus,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireVersionStatus {
    desired: WireDesired,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireDesired {
    image: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_type_is_named_with_its_path() {
        let json = r#"{"metadata":{"name":"a"},"spec":{"imageDigestMirrors":[{"source":7}]}}"#;
        let error = Object::from_json(Kind::Set(SetKind::Idms), json).unwrap_err();
        assert_eq!(error.path, "spec.imageDigestMirrors[0].source");
        assert_eq!(error.message, "invalid type: integer `7`, expected a string");
    }

    #[test]
    fn an_icsp_has_no_policy_whatever_is_typed() {
        let json = r#"{"metadata":{"name":"a"},"spec":{"repositoryDigestMirrors":
            [{"source":"q","mirrors":["m"],"mirrorSourcePolicy":"NeverContactSource"}]}}"#;
        let Object::MirrorSet(set) = Object::from_json(Kind::Set(SetKind::Icsp), json).unwrap() else {
            panic!("a mirror set")
        };
        assert_eq!(set.entries[0].mirror_source_policy, None);
    }

    #[test]
    fn a_hosted_cluster_survives_fields_of_other_types() {
        let json = r#"{"metadata":{"name":"h","annotations":null},"spec":{"release":"x","new":{},"olmCatalogPlacement":"guest"}}"#;
        let Object::HostedCluster(hosted) = Object::from_json(Kind::HostedCluster, json).unwrap() else {
            panic!("a hosted cluster")
        };
        assert!(hosted.catalogs_run_in_guest());
        assert_eq!(hosted.spec.release.image, "");
    }
}
