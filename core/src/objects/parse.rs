//! Reads objects from JSON text or from a parsed document.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

use super::{
    ClusterVersion, HostedCluster, ImageConfig, Kind, MachineConfiguration, MirrorSet, ObjectId,
    OperatorCatalog, SetKind, SignaturePolicy, annotation, tree::Node, wire::WireObject,
};

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
    /// A ClusterImagePolicy or ImagePolicy.
    SignaturePolicy(SignaturePolicy),
    /// `machineconfiguration/cluster`.
    MachineConfiguration(MachineConfiguration),
    /// A CatalogSource or ClusterCatalog.
    Catalog(Arc<OperatorCatalog>),
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

/// A field of another type than its schema requires.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{path}: {message}")]
pub struct ParseError {
    /// Path of the field, `spec.imageDigestMirrors[0].source`, or `.` for the whole object.
    pub path: String,
    /// The type that was found and the one that is expected.
    pub message: String,
}

impl Object {
    /// Reads an object of a known kind from JSON.
    pub fn from_json(kind: Kind, json: &str) -> Result<Self, ParseError> {
        read::<WireObject>(json).map(|wire| wire.into_object(kind))
    }

    /// Reads an object of a known kind from a document in which values that cannot be read are empty; `unreadable`
    /// are their paths.
    pub(super) fn from_node<'p>(
        kind: Kind,
        node: &Node,
        unreadable: impl Iterator<Item = &'p str>,
    ) -> Result<Self, ParseError> {
        let wire = read_node::<WireObject>(node)?;
        match kind {
            Kind::Set(set) => {
                let mut set = wire.into_set(set);
                unreadable.for_each(|path| set.set_unreadable(path));
                Ok(set.into())
            }
            Kind::HostedCluster => {
                let mut hosted = wire.into_hosted();
                unreadable.for_each(|path| hosted.gaps.set_unreadable(HostedCluster::SOURCES_PATH, path));
                Ok(Self::HostedCluster(hosted.into()))
            }
            _ => Ok(wire.into_object(kind)),
        }
    }

    /// The object without invalid sources and mirrors: the part of it that rules about more than single values review.
    /// A HostedCluster keeps them; `review::guest` takes the valid part of the mirror set that is made of it.
    #[must_use]
    pub fn valid_part(&self) -> Self {
        match self {
            Self::MirrorSet(set) => set.valid_part().map_or_else(|| self.clone(), Self::from),
            Self::HostedCluster(_)
            | Self::ImageConfig(_)
            | Self::ClusterVersion(_)
            | Self::SignaturePolicy(_)
            | Self::MachineConfiguration(_)
            | Self::Catalog(_) => self.clone(),
        }
    }

    /// The object as a part of a cluster. It keeps its invalid values, unless some could not be read from its file:
    /// then it is the valid part, without the empty values in their places, which would be invalid as well.
    #[must_use]
    pub fn known_part(&self) -> Self {
        match self {
            Self::MirrorSet(set) if !set.gaps.is_empty() => self.valid_part(),
            _ => self.clone(),
        }
    }

    /// The kind it was read as.
    pub fn kind(&self) -> Kind {
        match self {
            Self::MirrorSet(set) => Kind::Set(set.kind),
            Self::HostedCluster(_) => Kind::HostedCluster,
            Self::ImageConfig(_) => Kind::ImageConfig,
            Self::ClusterVersion(_) => Kind::ClusterVersion,
            Self::SignaturePolicy(policy) if policy.is_cluster_wide() => Kind::ClusterImagePolicy,
            Self::SignaturePolicy(_) => Kind::ImagePolicy,
            Self::MachineConfiguration(_) => Kind::MachineConfiguration,
            Self::Catalog(catalog) => Kind::Catalog(catalog.kind),
        }
    }

    /// Its kind, namespace and name.
    pub fn id(&self) -> ObjectId {
        ObjectId::new(self.kind().name(), self.namespace(), self.name())
    }

    /// `metadata.name`. If it is empty, for a kind with only one name that counts, that name (`cluster`, `version`).
    pub fn name(&self) -> &str {
        match self {
            Self::MirrorSet(set) => &set.name,
            Self::HostedCluster(hosted) => &hosted.metadata.name,
            Self::ImageConfig(config) => non_empty(&config.name, ImageConfig::NAME),
            Self::ClusterVersion(version) => non_empty(&version.name, ClusterVersion::NAME),
            Self::SignaturePolicy(policy) => &policy.name,
            Self::MachineConfiguration(machines) => non_empty(&machines.name, MachineConfiguration::NAME),
            Self::Catalog(catalog) => &catalog.name,
        }
    }

    /// The annotation `mirrorguard.io/exempt`; empty if there is none, and for kinds of which it is not read.
    pub fn exemption_request(&self) -> &str {
        match self {
            Self::MirrorSet(set) => &set.exempt,
            Self::HostedCluster(hosted) => hosted.annotation(annotation::EXEMPT).unwrap_or_default(),
            Self::ImageConfig(_)
            | Self::ClusterVersion(_)
            | Self::SignaturePolicy(_)
            | Self::MachineConfiguration(_)
            | Self::Catalog(_) => "",
        }
    }

    /// `metadata.namespace`; empty for kinds without one.
    pub fn namespace(&self) -> &str {
        match self {
            Self::HostedCluster(hosted) => &hosted.metadata.namespace,
            Self::Catalog(catalog) => &catalog.namespace,
            Self::SignaturePolicy(policy) => &policy.namespace,
            Self::MirrorSet(_)
            | Self::ImageConfig(_)
            | Self::ClusterVersion(_)
            | Self::MachineConfiguration(_) => "",
        }
    }
}

fn non_empty<'a>(name: &'a str, otherwise: &'a str) -> &'a str {
    if name.is_empty() { otherwise } else { name }
}

impl MirrorSet {
    /// Reads a mirror set with its `apiVersion` and `kind`; `None` for another kind, or if it cannot be read.
    pub fn from_value(object: &Value) -> Option<Self> {
        let kind = Kind::of_api_version(object["apiVersion"].as_str()?, object["kind"].as_str()?)?;
        let Kind::Set(kind) = kind else { return None };
        Self::from_json(kind, &object.to_string()).ok()
    }

    /// Reads a mirror set of a known kind from JSON.
    pub fn from_json(kind: SetKind, json: &str) -> Result<Self, ParseError> {
        read::<WireObject>(json).map(|wire| wire.into_set(kind))
    }
}

impl HostedCluster {
    /// Reads a HostedCluster from JSON.
    pub fn from_json(json: &str) -> Result<Self, ParseError> {
        read::<WireObject>(json).map(WireObject::into_hosted)
    }
}

impl ImageConfig {
    /// Reads `image.config.openshift.io/cluster` from JSON.
    pub fn from_json(json: &str) -> Result<Self, ParseError> {
        read::<WireObject>(json).map(WireObject::into_image_config)
    }
}

/// Reads a value from JSON. Only after an error is the text read again, to find the path of the field.
pub(super) fn read<T: DeserializeOwned>(json: &str) -> Result<T, ParseError> {
    serde_json::from_str(json).map_err(|_| {
        let mut input = serde_json::Deserializer::from_str(json);
        let failure = serde_path_to_error::deserialize::<_, T>(&mut input).err();
        // Unlike `from_str`, this does not look at what follows the value.
        failure.map_or_else(|| ParseError::of_whole("trailing characters"), ParseError::from)
    })
}

/// Reads a value from a document. Only after an error is it read again, to find the path of the field.
pub(super) fn read_node<T: DeserializeOwned>(node: &Node) -> Result<T, ParseError> {
    T::deserialize(node).map_err(|error| {
        let failure = serde_path_to_error::deserialize::<_, T>(node).err();
        failure.map_or_else(|| ParseError::of_whole(&error.to_string()), ParseError::from)
    })
}

impl ParseError {
    fn of_whole(message: &str) -> Self {
        Self { path: ".".to_owned(), message: message.to_owned() }
    }
}

impl From<serde_path_to_error::Error<serde_json::Error>> for ParseError {
    fn from(error: serde_path_to_error::Error<serde_json::Error>) -> Self {
        let message = error.inner().to_string();
        // Without the line and column in the JSON: the path is more precise.
        let message = message.split(" at line ").next().unwrap_or_default().to_owned();
        Self { path: error.path().to_string(), message }
    }
}

#[cfg(test)]
mod tests;
