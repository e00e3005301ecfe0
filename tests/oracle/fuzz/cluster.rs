//! The clusters that both sides are asked about, as plain data.

use mirrorguard_core::{
    context::Context,
    objects::{Entry, Kind, MirrorSet, Object, ParseError, SetKind, SignaturePolicy, to_documents},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A cluster, and the images that are pulled in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cluster {
    /// The mirror sets, in any order.
    pub(crate) sets: Vec<Set>,
    /// Scopes of the image configuration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) insecure_registries: Vec<String>,
    /// Scopes of the image configuration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) blocked_registries: Vec<String>,
    /// Scopes of the image configuration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) allowed_registries: Vec<String>,
    /// `containerRuntimeSearchRegistries` of the image configuration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) search_registries: Vec<String>,
    /// The release image that the cluster runs.
    pub(crate) payload: String,
    /// Scopes that need signatures. Release 4.14 does not know them: only clusters for later ones have any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) signed: Vec<Signed>,
    /// As in the pods: short, by tag, by digest or both.
    #[serde(default)]
    pub(crate) images: Vec<String>,
}

/// A scope of a `ClusterImagePolicy` or of an `ImagePolicy`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Signed {
    /// Whether it is of an `ImagePolicy`.
    pub(crate) namespaced: bool,
    /// The scope.
    pub(crate) scope: String,
}

/// A mirror set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Set {
    /// The `kind` field.
    pub(crate) kind: String,
    /// `metadata.name`.
    pub(crate) name: String,
    /// The entries.
    #[serde(default)]
    pub(crate) entries: Vec<Entry>,
}

impl Set {
    /// Its kind; `None` if the file of a recorded cluster names another.
    pub(crate) fn kind(&self) -> Option<SetKind> {
        SetKind::ALL.into_iter().find(|kind| kind.name() == self.kind)
    }
}

impl Cluster {
    /// What our own model reads.
    pub(crate) fn context(&self) -> Result<Context, ParseError> {
        let config = Object::from_json(Kind::ImageConfig, &self.image_config().to_string())?;
        let version = Object::from_json(Kind::ClusterVersion, &self.cluster_version().to_string())?;
        let sets = self.mirror_sets().into_iter().map(Object::from);
        Ok(sets.chain([config, version]).chain(self.signature_policies()).collect())
    }

    /// The objects as documents of one file, which `mirrorguard render` and `mirrorguard explain` read.
    pub(crate) fn to_yaml(&self) -> String {
        let sets = self.mirror_sets().into_iter().map(|set| json!(set));
        let documents: Vec<Value> = sets.chain([self.image_config(), self.cluster_version()]).collect();
        to_documents(&documents)
    }

    /// The lists of scopes of the image configuration.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &String> {
        self.insecure_registries.iter().chain(&self.blocked_registries).chain(&self.allowed_registries)
    }

    fn mirror_sets(&self) -> Vec<MirrorSet> {
        let sets = self.sets.iter();
        sets.filter_map(|set| Some(MirrorSet::new(set.kind()?, &set.name, set.entries.clone()))).collect()
    }

    fn signature_policies(&self) -> impl Iterator<Item = Object> {
        let signed = self.signed.iter().enumerate();
        signed.map(|(number, signed)| {
            Object::SignaturePolicy(SignaturePolicy {
                namespace: if signed.namespaced { "a".into() } else { Box::default() },
                name: number.to_string().into(),
                scopes: vec![signed.scope.clone()],
            })
        })
    }

    fn image_config(&self) -> Value {
        json!({
            "apiVersion": "config.openshift.io/v1",
            "kind": "Image",
            "metadata": {"name": "cluster"},
            "spec": {"registrySources": {
                "insecureRegistries": self.insecure_registries,
                "blockedRegistries": self.blocked_registries,
                "allowedRegistries": self.allowed_registries,
                "containerRuntimeSearchRegistries": self.search_registries,
            }},
        })
    }

    fn cluster_version(&self) -> Value {
        json!({
            "apiVersion": "config.openshift.io/v1",
            "kind": "ClusterVersion",
            "metadata": {"name": "version"},
            "status": {"desired": {"image": self.payload}},
        })
    }
}
