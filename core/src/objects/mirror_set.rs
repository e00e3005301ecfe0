//! ICSP, IDMS and ITMS as one type.

use serde::{Deserialize, Deserializer};
use smallvec::SmallVec;

use super::ObjectId;

/// Which of the three spellings a [`MirrorSet`] has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SetKind {
    /// `ImageContentSourcePolicy`, operator.openshift.io/v1alpha1, deprecated.
    Icsp,
    /// `ImageDigestMirrorSet`, config.openshift.io/v1.
    Idms,
    /// `ImageTagMirrorSet`, config.openshift.io/v1.
    Itms,
}

impl SetKind {
    /// All three, in the order the nodes' configuration is built from them.
    pub const ALL: [Self; 3] = [Self::Idms, Self::Icsp, Self::Itms];

    /// The `kind` field.
    pub fn name(self) -> &'static str {
        match self {
            Self::Icsp => "ImageContentSourcePolicy",
            Self::Idms => "ImageDigestMirrorSet",
            Self::Itms => "ImageTagMirrorSet",
        }
    }

    /// The field of `spec` that holds the entries.
    pub fn list_field(self) -> &'static str {
        match self {
            Self::Icsp => "repositoryDigestMirrors",
            Self::Idms => "imageDigestMirrors",
            Self::Itms => "imageTagMirrors",
        }
    }

    /// API group, version and plural resource name.
    pub fn api(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Icsp => ("operator.openshift.io", "v1alpha1", "imagecontentsourcepolicies"),
            Self::Idms => ("config.openshift.io", "v1", "imagedigestmirrorsets"),
            Self::Itms => ("config.openshift.io", "v1", "imagetagmirrorsets"),
        }
    }

    /// Whether its mirrors serve pulls by digest; those of an ITMS serve pulls by tag.
    pub fn is_digest(self) -> bool {
        self != Self::Itms
    }
}

/// What may happen once no mirror has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
pub enum MirrorSourcePolicy {
    /// The source is tried last. What an entry without a policy means, and every ICSP.
    #[default]
    AllowContactingSource,
    /// The source is blocked.
    NeverContactSource,
}

impl MirrorSourcePolicy {
    /// The value as it stands in an object.
    pub fn name(self) -> &'static str {
        match self {
            Self::AllowContactingSource => "AllowContactingSource",
            Self::NeverContactSource => "NeverContactSource",
        }
    }
}

/// Mirrors in the order they are tried; most entries have one or two, which then need no allocation.
pub type Mirrors = SmallVec<[Box<str>; 2]>;

/// One source and its mirrors.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// `host[:port][/namespace[/name]]` or `*.domain`; empty where the field is missing.
    #[serde(default)]
    pub source: Box<str>,
    /// `host[:port][/namespace[/name]]`, in the order they are tried.
    #[serde(default, deserialize_with = "null_as_empty")]
    pub mirrors: Mirrors,
    /// As written; see [`Entry::policy`] for what it means.
    #[serde(default)]
    pub mirror_source_policy: Option<MirrorSourcePolicy>,
}

impl Entry {
    /// The policy in force.
    pub fn policy(&self) -> MirrorSourcePolicy {
        self.mirror_source_policy.unwrap_or_default()
    }

    /// Whether it has a mirror that is not the source itself. Without one the nodes drop the entry, its
    /// policy included.
    ///
    /// Follows `runtime-utils pkg/registries/registries.go` `mirrorsContainsARealMirror`.
    pub fn is_effective(&self) -> bool {
        self.mirrors.iter().any(|mirror| *mirror != self.source)
    }
}

fn null_as_empty<'de, D: Deserializer<'de>>(input: D) -> Result<Mirrors, D::Error> {
    Ok(Option::deserialize(input)?.unwrap_or_default())
}

/// A mirror set: the entries of one ICSP, IDMS or ITMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorSet {
    /// Which kind it is.
    pub kind: SetKind,
    /// `metadata.name`.
    pub name: Box<str>,
    /// `metadata.resourceVersion`, empty in files.
    pub resource_version: Box<str>,
    /// The annotation `mirrorguard.io/exempt`, empty where there is none.
    pub exempt: Box<str>,
    /// The entries in the order of the object.
    pub entries: Vec<Entry>,
}

impl MirrorSet {
    /// A set that no cluster has seen yet.
    pub fn new(kind: SetKind, name: &str, entries: Vec<Entry>) -> Self {
        Self { kind, name: name.into(), resource_version: "".into(), exempt: "".into(), entries }
    }

    /// Its kind and name.
    pub fn id(&self) -> ObjectId {
        ObjectId::new(self.kind.name(), "", &self.name)
    }

    /// The path of a field of one entry: `spec.imageDigestMirrors[2].source`.
    pub fn field_path(&self, entry: usize, field: &str) -> String {
        format!("spec.{}[{entry}].{field}", self.kind.list_field())
    }

    /// The path of what says the policy of one entry: an ICSP has no field for it, and its source stands for it.
    pub fn policy_path(&self, entry: usize) -> String {
        self.field_path(entry, if self.kind == SetKind::Icsp { "source" } else { "mirrorSourcePolicy" })
    }

    /// The entries that take part in the nodes' configuration, with their index.
    pub fn effective_entries(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.entries.iter().enumerate().filter(|(_, entry)| entry.is_effective())
    }
}
