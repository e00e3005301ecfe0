//! Objects in the form of an API server or a file. All kinds share one type, so that an object is read in one pass even
//! if its kind is not known yet.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{
    CatalogKind, ClusterVersion, Entry, FileDisruption, Gaps, HostedCluster, ImageConfig, Kind,
    MachineConfiguration, MirrorSet, Object, OperatorCatalog, SetKind, SignaturePolicy, annotation,
    hosted_cluster::{Configuration, LocalReference, Metadata, Release, ReleaseVersion, Spec, Status},
    lenient::lenient,
};

/// The label of the objects that HyperShift makes in a hosted cluster.
const MANAGED: &str = "hypershift.openshift.io/managed";

/// The fields that are read of all kinds. `null` is the same as absent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, expecting = "a map")]
pub(super) struct WireObject {
    metadata: Option<WireMetadata>,
    spec: Option<WireSpec>,
    status: Option<WireStatus>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, expecting = "a map")]
struct WireMetadata {
    name: Option<String>,
    generate_name: Option<String>,
    namespace: Option<String>,
    resource_version: Option<Box<str>>,
    #[serde(deserialize_with = "texts")]
    annotations: BTreeMap<String, String>,
    #[serde(deserialize_with = "texts")]
    labels: BTreeMap<String, String>,
    deletion_timestamp: Option<String>,
}

/// The fields of `spec` of all kinds: mirror sets, then the image configuration, signature policies and
/// `MachineConfigurations`, from `release` on HostedClusters, and from `source_type` on catalogs.
///
/// `MachineConfigurations`, HostedClusters and catalogs are read leniently: a field of an unexpected type is ignored,
/// because the schema of the kind rejects it, and later releases may change the type.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, expecting = "a map")]
struct WireSpec {
    repository_digest_mirrors: Option<Vec<Entry>>,
    image_digest_mirrors: Option<Vec<Entry>>,
    image_tag_mirrors: Option<Vec<Entry>>,
    registry_sources: Option<ImageConfig>,
    scopes: Option<Vec<String>>,
    #[serde(deserialize_with = "lenient")]
    node_disruption_policy: WireDisruptions,
    #[serde(deserialize_with = "lenient")]
    release: Release,
    #[serde(deserialize_with = "lenient")]
    olm_catalog_placement: String,
    #[serde(deserialize_with = "lenient")]
    image_content_sources: Vec<Entry>,
    #[serde(deserialize_with = "lenient")]
    pull_secret: LocalReference,
    #[serde(deserialize_with = "lenient")]
    additional_trust_bundle: LocalReference,
    #[serde(deserialize_with = "lenient")]
    paused_until: String,
    #[serde(deserialize_with = "lenient")]
    configuration: Configuration,
    #[serde(deserialize_with = "lenient")]
    source_type: String,
    #[serde(deserialize_with = "lenient")]
    image: String,
    #[serde(deserialize_with = "lenient")]
    source: WireCatalogSource,
    #[serde(deserialize_with = "lenient")]
    availability_mode: String,
}

/// `spec.source` of a ClusterCatalog.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct WireCatalogSource {
    #[serde(deserialize_with = "lenient")]
    image: WireCatalogImage,
}

/// `spec.source.image` of a ClusterCatalog.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct WireCatalogImage {
    #[serde(rename = "ref", deserialize_with = "lenient")]
    reference: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, expecting = "a map")]
struct WireStatus {
    #[serde(deserialize_with = "lenient")]
    desired: WireDesired,
    #[serde(deserialize_with = "lenient")]
    version: WireVersion,
}

/// `status.version` of a HostedCluster.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, expecting = "a map")]
struct WireVersion {
    #[serde(deserialize_with = "lenient")]
    desired: ReleaseVersion,
    #[serde(deserialize_with = "lenient")]
    history: Vec<ReleaseVersion>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, expecting = "a map")]
struct WireDesired {
    image: String,
    version: String,
}

/// A custom node disruption policy; those of units and of the SSH key concern none of the files that are modelled.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, expecting = "a map")]
struct WireDisruptions {
    files: Vec<FileDisruption>,
}

impl WireObject {
    /// Converts it to an object of a kind.
    pub(super) fn into_object(self, kind: Kind) -> Object {
        match kind {
            Kind::Set(set) => self.into_set(set).into(),
            Kind::HostedCluster => self.into_hosted().into(),
            Kind::ImageConfig => self.into_image_config().into(),
            Kind::ClusterVersion => Object::ClusterVersion(self.into_cluster_version()),
            Kind::ClusterImagePolicy => Object::SignaturePolicy(self.into_signature_policy(false)),
            Kind::ImagePolicy => Object::SignaturePolicy(self.into_signature_policy(true)),
            Kind::MachineConfiguration => Object::MachineConfiguration(self.into_machine_configuration()),
            Kind::Catalog(catalog) => Object::Catalog(self.into_catalog(catalog).into()),
        }
    }

    pub(super) fn into_set(self, kind: SetKind) -> MirrorSet {
        let spec = self.spec.unwrap_or_default();
        let entries = match kind {
            SetKind::Icsp => spec.repository_digest_mirrors,
            SetKind::Idms => spec.image_digest_mirrors,
            SetKind::Itms => spec.image_tag_mirrors,
        };
        let mut entries = entries.unwrap_or_default();
        // The set stays in memory, but the parser reserves room to grow.
        entries.shrink_to_fit();
        if kind == SetKind::Icsp {
            // The field is not in the schema of an ICSP: the API server prunes it.
            for entry in &mut entries {
                entry.mirror_source_policy = None;
            }
        }
        let mut metadata = self.metadata.unwrap_or_default();
        let name = metadata.name.filter(|name| !name.is_empty()).or(metadata.generate_name);
        MirrorSet {
            resource_version: metadata.resource_version.unwrap_or_default(),
            exempt: metadata.annotations.remove(annotation::EXEMPT).unwrap_or_default().into(),
            is_managed: metadata.labels.get(MANAGED).is_some_and(|value| value == "true"),
            ..MirrorSet::new(kind, &name.unwrap_or_default(), entries)
        }
    }

    /// Follows `operator-framework/api pkg/operators/v1alpha1/catalogsource_types.go` and `operator-controller
    /// api/v1/clustercatalog_types.go`: a CatalogSource of another type than `grpc` serves no image, and neither does a
    /// ClusterCatalog that is `Unavailable`.
    fn into_catalog(self, kind: CatalogKind) -> OperatorCatalog {
        let (metadata, spec) = (self.metadata.unwrap_or_default(), self.spec.unwrap_or_default());
        let image = match kind {
            CatalogKind::CatalogSource if spec.source_type == "grpc" => spec.image,
            CatalogKind::ClusterCatalog if spec.availability_mode != "Unavailable" => {
                spec.source.image.reference
            }
            _ => String::new(),
        };
        OperatorCatalog {
            kind,
            namespace: metadata.namespace.unwrap_or_default().into(),
            name: metadata.name.unwrap_or_default().into(),
            image: image.into(),
        }
    }

    pub(super) fn into_hosted(self) -> HostedCluster {
        let (metadata, spec) = (self.metadata.unwrap_or_default(), self.spec.unwrap_or_default());
        let WireVersion { desired, history } = self.status.unwrap_or_default().version;
        HostedCluster {
            gaps: Gaps::default(),
            status: Status { versions: [desired].into_iter().chain(history).collect() },
            metadata: Metadata {
                name: metadata.name.unwrap_or_default(),
                namespace: metadata.namespace.unwrap_or_default(),
                annotations: metadata.annotations,
                deletion_timestamp: metadata.deletion_timestamp,
            },
            spec: Spec {
                release: spec.release,
                olm_catalog_placement: spec.olm_catalog_placement,
                image_content_sources: spec.image_content_sources,
                pull_secret: spec.pull_secret,
                additional_trust_bundle: spec.additional_trust_bundle,
                paused_until: spec.paused_until,
                configuration: spec.configuration,
            },
        }
    }

    pub(super) fn into_image_config(self) -> ImageConfig {
        let config = self.spec.unwrap_or_default().registry_sources.unwrap_or_default();
        ImageConfig { name: name_of(self.metadata), ..config }
    }

    fn into_cluster_version(self) -> ClusterVersion {
        let WireDesired { image, version } = self.status.unwrap_or_default().desired;
        ClusterVersion { name: name_of(self.metadata), desired_image: image, desired_version: version }
    }

    fn into_signature_policy(self, is_namespaced: bool) -> SignaturePolicy {
        let metadata = self.metadata.unwrap_or_default();
        // An ImagePolicy of a file may leave its namespace to the one that applies it. It must not stay empty,
        // which would make it a ClusterImagePolicy.
        let namespace = metadata.namespace.filter(|namespace| !namespace.is_empty());
        let namespace =
            if is_namespaced { namespace.unwrap_or_else(|| "default".to_owned()) } else { String::new() };
        SignaturePolicy {
            namespace: namespace.into(),
            name: metadata.name.unwrap_or_default().into(),
            scopes: self.spec.unwrap_or_default().scopes.unwrap_or_default(),
        }
    }

    fn into_machine_configuration(self) -> MachineConfiguration {
        let files = self.spec.unwrap_or_default().node_disruption_policy.files;
        MachineConfiguration { name: name_of(self.metadata), files }
    }
}

fn name_of(metadata: Option<WireMetadata>) -> Box<str> {
    metadata.unwrap_or_default().name.unwrap_or_default().into()
}

/// The fields of a map that are strings. The others are left out, not an error: a file with one is reported by its
/// schema, and the rest of its object is still read.
fn texts<'de, D: Deserializer<'de>>(input: D) -> Result<BTreeMap<String, String>, D::Error> {
    let fields = Option::<BTreeMap<String, Value>>::deserialize(input)?.unwrap_or_default();
    let texts = fields.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text)),
        _ => None,
    });
    Ok(texts.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_the_same_as_absent() {
        let table = [
            (Kind::Set(SetKind::Idms), r#"{"spec":null}"#, "a set without a spec"),
            (Kind::Set(SetKind::Idms), r#"{"spec":{"imageDigestMirrors":null}}"#, "without entries"),
            (Kind::ImageConfig, r#"{"spec":null}"#, "no settings"),
            (Kind::ImageConfig, r#"{"spec":{"registrySources":null}}"#, "no registries"),
            (Kind::ImageConfig, r#"{"spec":{"registrySources":{"blockedRegistries":null}}}"#, "no list"),
            (Kind::ClusterVersion, r#"{"status":null}"#, "no status"),
            (Kind::ClusterVersion, r#"{"status":{"desired":null}}"#, "no release"),
            (Kind::MachineConfiguration, r#"{"spec":{"nodeDisruptionPolicy":null}}"#, "no policy"),
            (Kind::ClusterImagePolicy, r#"{"spec":{"scopes":null}}"#, "no scope"),
            (Kind::HostedCluster, r#"{"metadata":null,"spec":null}"#, "nothing at all"),
        ];
        for (kind, json, reason) in table {
            assert_eq!(Object::from_json(kind, json), Object::from_json(kind, "{}"), "{reason}");
        }
    }
}
