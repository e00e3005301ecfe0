//! ICSP, IDMS and ITMS as one type.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeMap};
use smallvec::SmallVec;

use super::{ObjectId, reference::Image};

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

    /// The pulls that its mirrors serve.
    pub fn pull(self) -> Pull {
        match self {
            Self::Icsp | Self::Idms => Pull::Digest,
            Self::Itms => Pull::Tag,
        }
    }

    /// Whether its mirrors serve digest pulls.
    pub fn is_digest(self) -> bool {
        self.pull() == Pull::Digest
    }
}

/// How an image is pulled. A mirror serves one of the two; displayed as `digest` and `tag`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pull {
    /// By digest, with or without a tag.
    Digest,
    /// By tag.
    Tag,
}

impl Pull {
    /// Both, digest pulls first.
    pub const ALL: [Self; 2] = [Self::Digest, Self::Tag];

    /// How this image is pulled; one with a tag and a digest is pulled by digest.
    pub fn of(image: &Image) -> Self {
        if image.is_digested() { Self::Digest } else { Self::Tag }
    }

    /// The value of `pull-from-mirror` in registries.conf.
    pub fn pull_from_mirror(self) -> &'static str {
        match self {
            Self::Digest => "digest-only",
            Self::Tag => "tag-only",
        }
    }
}

impl fmt::Display for Pull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Digest => "digest",
            Self::Tag => "tag",
        })
    }
}

/// What may happen once no mirror has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize)]
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

/// One source and its mirrors. Written without the fields that are empty or absent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// `host[:port][/namespace[/name]]` or `*.domain`; empty where the field is missing.
    #[serde(default)]
    pub source: Box<str>,
    /// `host[:port][/namespace[/name]]`, in the order they are tried.
    #[serde(default, deserialize_with = "null_as_empty", skip_serializing_if = "Mirrors::is_empty")]
    pub mirrors: Mirrors,
    /// As written; see [`Entry::policy`] for what it means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror_source_policy: Option<MirrorSourcePolicy>,
}

impl Entry {
    /// The policy in force.
    pub fn policy(&self) -> MirrorSourcePolicy {
        self.mirror_source_policy.unwrap_or_default()
    }

    /// The mirrors other than the source itself, with their index.
    pub fn real_mirrors(&self) -> impl Iterator<Item = (usize, &str)> {
        let mirrors = self.mirrors.iter().map(|mirror| &**mirror).enumerate();
        mirrors.filter(|(_, mirror)| *mirror != &*self.source)
    }

    /// Whether it has a mirror other than the source itself. Without one the nodes drop the entry, its
    /// policy included.
    ///
    /// Follows `runtime-utils pkg/registries/registries.go` `mirrorsContainsARealMirror`.
    pub fn is_effective(&self) -> bool {
        self.real_mirrors().next().is_some()
    }
}

fn null_as_empty<'de, D: Deserializer<'de>>(input: D) -> Result<Mirrors, D::Error> {
    Ok(Option::deserialize(input)?.unwrap_or_default())
}

/// A mirror set: the entries of one ICSP, IDMS or ITMS. Written as an object with its kind, name and entries
/// alone.
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

impl Serialize for MirrorSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Metadata<'a> {
            name: &'a str,
        }

        let (group, version, _) = self.kind.api();
        let mut object = serializer.serialize_map(Some(4))?;
        object.serialize_entry("apiVersion", &format_args!("{group}/{version}"))?;
        object.serialize_entry("kind", self.kind.name())?;
        object.serialize_entry("metadata", &Metadata { name: &self.name })?;
        object.serialize_entry("spec", &BTreeMap::from([(self.kind.list_field(), &self.entries)]))?;
        object.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_set_is_written_with_what_it_has() {
        let entries = vec![
            Entry {
                source: "quay.io/a".into(),
                mirrors: ["m.lab/a".into()].into_iter().collect(),
                mirror_source_policy: Some(MirrorSourcePolicy::NeverContactSource),
            },
            Entry { source: "quay.io/b".into(), mirrors: Mirrors::new(), mirror_source_policy: None },
        ];
        let expected = json!({
            "apiVersion": "config.openshift.io/v1",
            "kind": "ImageTagMirrorSet",
            "metadata": {"name": "a"},
            "spec": {"imageTagMirrors": [
                {"source": "quay.io/a", "mirrors": ["m.lab/a"], "mirrorSourcePolicy": "NeverContactSource"},
                {"source": "quay.io/b"},
            ]},
        });
        assert_eq!(serde_json::to_value(MirrorSet::new(SetKind::Itms, "a", entries)).unwrap(), expected);
    }

    #[test]
    fn real_mirrors_are_those_other_than_the_source() {
        let entry = Entry {
            source: "quay.io/a".into(),
            mirrors: ["quay.io/a", "m.lab/a"].map(Box::from).into_iter().collect(),
            mirror_source_policy: None,
        };
        assert_eq!(entry.real_mirrors().collect::<Vec<_>>(), [(1, "m.lab/a")]);
    }
}
