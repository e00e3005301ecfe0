//! Reads objects from JSON text or from a parsed document.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

use super::{
    ClusterVersion, HostedCluster, ImageConfig, MachineConfiguration, MirrorSet, ObjectId, SetKind,
    SignaturePolicy, annotation, tree::Node, wire::WireObject,
};

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
    /// config.openshift.io `ClusterImagePolicy`; of files only.
    ClusterImagePolicy,
    /// config.openshift.io `ImagePolicy`; of files only.
    ImagePolicy,
    /// operator.openshift.io `MachineConfiguration`; of files only.
    MachineConfiguration,
}

impl Kind {
    /// Every kind that is read from clusters.
    pub const ALL: [Self; 6] = [
        Self::Set(SetKind::Icsp),
        Self::Set(SetKind::Idms),
        Self::Set(SetKind::Itms),
        Self::HostedCluster,
        Self::ImageConfig,
        Self::ClusterVersion,
    ];

    /// The kinds that are read from files only: they explain what a cluster does, and few clusters have any.
    pub const FILES_ONLY: [Self; 3] =
        [Self::ClusterImagePolicy, Self::ImagePolicy, Self::MachineConfiguration];

    /// The kind with this group and name; `None` if it is not read.
    pub fn of(group: &str, kind: &str) -> Option<Self> {
        Self::ALL.into_iter().chain(Self::FILES_ONLY).find(|k| k.group() == group && k.name() == kind)
    }

    /// The kind with this `apiVersion` (`group/version`) and name.
    pub fn of_api_version(api_version: &str, kind: &str) -> Option<Self> {
        Self::of(api_version.split_once('/')?.0, kind)
    }

    /// `group/version`, as in its objects.
    pub fn api_version(self) -> String {
        let version = match self {
            Self::Set(set) => set.api().1,
            Self::HostedCluster => "v1beta1",
            Self::ImageConfig
            | Self::ClusterVersion
            | Self::ClusterImagePolicy
            | Self::ImagePolicy
            | Self::MachineConfiguration => "v1",
        };
        format!("{}/{version}", self.group())
    }

    /// API group.
    pub fn group(self) -> &'static str {
        match self {
            Self::Set(set) => set.api().0,
            Self::HostedCluster => "hypershift.openshift.io",
            Self::ImageConfig | Self::ClusterVersion | Self::ClusterImagePolicy | Self::ImagePolicy => {
                "config.openshift.io"
            }
            Self::MachineConfiguration => "operator.openshift.io",
        }
    }

    /// The resource name in URLs and roles.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Set(set) => set.api().2,
            Self::HostedCluster => "hostedclusters",
            Self::ImageConfig => "images",
            Self::ClusterVersion => "clusterversions",
            Self::ClusterImagePolicy => "clusterimagepolicies",
            Self::ImagePolicy => "imagepolicies",
            Self::MachineConfiguration => "machineconfigurations",
        }
    }

    /// The `kind` field.
    pub fn name(self) -> &'static str {
        match self {
            Self::Set(set) => set.name(),
            Self::HostedCluster => "HostedCluster",
            Self::ImageConfig => "Image",
            Self::ClusterVersion => "ClusterVersion",
            Self::ClusterImagePolicy => "ClusterImagePolicy",
            Self::ImagePolicy => "ImagePolicy",
            Self::MachineConfiguration => "MachineConfiguration",
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
    /// A ClusterImagePolicy or ImagePolicy.
    SignaturePolicy(SignaturePolicy),
    /// `machineconfiguration/cluster`.
    MachineConfiguration(MachineConfiguration),
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
        let Kind::Set(set) = kind else { return Ok(wire.into_object(kind)) };
        let mut set = wire.into_set(set);
        unreadable.for_each(|path| set.set_unreadable(path));
        Ok(set.into())
    }

    /// The object without invalid sources and mirrors: the part of it that rules about more than single values review.
    #[must_use]
    pub fn valid_part(&self) -> Self {
        match self {
            Self::MirrorSet(set) => set.valid_part().map_or_else(|| self.clone(), Self::from),
            Self::HostedCluster(_)
            | Self::ImageConfig(_)
            | Self::ClusterVersion(_)
            | Self::SignaturePolicy(_)
            | Self::MachineConfiguration(_) => self.clone(),
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
        }
    }

    /// Its kind, namespace and name.
    pub fn id(&self) -> ObjectId {
        ObjectId::new(self.kind().name(), self.namespace(), self.name())
    }

    /// `metadata.name`, or the only one that counts where it is empty.
    pub fn name(&self) -> &str {
        match self {
            Self::MirrorSet(set) => &set.name,
            Self::HostedCluster(hosted) => &hosted.metadata.name,
            Self::ImageConfig(config) => non_empty(&config.name, ImageConfig::NAME),
            Self::ClusterVersion(version) => non_empty(&version.name, ClusterVersion::NAME),
            Self::SignaturePolicy(policy) => &policy.name,
            Self::MachineConfiguration(machines) => non_empty(&machines.name, MachineConfiguration::NAME),
        }
    }

    /// The annotation `mirrorguard.io/exempt`; empty if it has none, or if it is not read.
    pub fn exemption_request(&self) -> &str {
        match self {
            Self::MirrorSet(set) => &set.exempt,
            Self::HostedCluster(hosted) => hosted.annotation(annotation::EXEMPT).unwrap_or_default(),
            Self::ImageConfig(_)
            | Self::ClusterVersion(_)
            | Self::SignaturePolicy(_)
            | Self::MachineConfiguration(_) => "",
        }
    }

    /// `metadata.namespace`; empty for kinds without one.
    pub fn namespace(&self) -> &str {
        match self {
            Self::HostedCluster(hosted) => &hosted.metadata.namespace,
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
    /// Reads a mirror set with its `apiVersion` and `kind`; `None` for another kind.
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
        let message = message.split(" at line ").next().unwrap_or_default().to_owned();
        Self { path: error.path().to_string(), message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_the_path_of_the_field() {
        let json = r#"{"metadata":{"name":"a"},"spec":{"imageDigestMirrors":[{"source":7}]}}"#;
        let error = Object::from_json(Kind::Set(SetKind::Idms), json).unwrap_err();
        assert_eq!(error.path, "spec.imageDigestMirrors[0].source");
        assert_eq!(error.message, "invalid type: integer `7`, expected a string");
    }

    #[test]
    fn the_policy_of_an_icsp_is_ignored() {
        let json = r#"{"metadata":{"name":"a"},"spec":{"repositoryDigestMirrors":
            [{"source":"q","mirrors":["m"],"mirrorSourcePolicy":"NeverContactSource"}]}}"#;
        let Object::MirrorSet(set) = Object::from_json(Kind::Set(SetKind::Icsp), json).unwrap() else {
            panic!("a mirror set")
        };
        assert_eq!(set.entries[0].mirror_source_policy, None);
    }

    #[test]
    fn fields_of_unexpected_types_in_a_hosted_cluster_are_ignored() {
        let json = r#"{"metadata":{"name":"h","annotations":null},"spec":{"release":"x","new":{},"olmCatalogPlacement":"guest"}}"#;
        let Object::HostedCluster(hosted) = Object::from_json(Kind::HostedCluster, json).unwrap() else {
            panic!("a hosted cluster")
        };
        assert!(hosted.catalogs_run_in_guest());
        assert_eq!(hosted.spec.release.image, "");
    }
}
