//! ICSP, IDMS and ITMS as one type.

mod paths;
mod usable;
mod valid;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeMap};
use smallvec::SmallVec;

pub use self::{
    paths::Origin,
    valid::{EntryPart, Gaps},
};
use super::{ObjectId, reference::Image};

/// The kind of a [`MirrorSet`].
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
    /// All kinds, in the order in which the configuration of the nodes is built from them.
    pub const ALL: [Self; 3] = [Self::Idms, Self::Icsp, Self::Itms];

    /// The `kind` field.
    pub fn name(self) -> &'static str {
        match self {
            Self::Icsp => "ImageContentSourcePolicy",
            Self::Idms => "ImageDigestMirrorSet",
            Self::Itms => "ImageTagMirrorSet",
        }
    }

    /// The field of `spec` with the entries.
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

    /// The pulls that its mirrors are used for.
    pub fn pull(self) -> Pull {
        match self {
            Self::Icsp | Self::Idms => Pull::Digest,
            Self::Itms => Pull::Tag,
        }
    }

    /// Whether its mirrors are used for digest pulls.
    pub fn is_digest(self) -> bool {
        self.pull() == Pull::Digest
    }
}

/// How an image is pulled. A mirror is used for one of the two. Displayed as `digest` and `tag`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pull {
    /// By digest, with or without a tag.
    Digest,
    /// By tag.
    Tag,
}

impl Pull {
    /// Both, digest pulls first.
    pub const ALL: [Self; 2] = [Self::Digest, Self::Tag];

    /// How this image is pulled: by digest if it has one, even with a tag.
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

/// Whether the source is tried after the mirrors. The stricter one is the greater one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize, Serialize)]
pub enum MirrorSourcePolicy {
    /// The source is tried last. The default, and the policy of every ICSP.
    #[default]
    AllowContactingSource,
    /// The source is blocked.
    NeverContactSource,
}

impl MirrorSourcePolicy {
    /// The value in an object.
    pub fn name(self) -> &'static str {
        match self {
            Self::AllowContactingSource => "AllowContactingSource",
            Self::NeverContactSource => "NeverContactSource",
        }
    }
}

/// Mirrors, in the order in which they are tried. One or two mirrors, which is usual, require no allocation.
pub type Mirrors = SmallVec<[Box<str>; 2]>;

/// A source and its mirrors. Serialized without empty fields.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", expecting = "a map")]
pub struct Entry {
    /// `host[:port][/namespace[/name]]` or `*.domain`; empty if the field is missing.
    #[serde(default, deserialize_with = "null_as_empty")]
    pub source: Box<str>,
    /// `host[:port][/namespace[/name]]`, in the order in which they are tried.
    #[serde(default, deserialize_with = "null_as_empty", skip_serializing_if = "Mirrors::is_empty")]
    pub mirrors: Mirrors,
    /// The value in the object; [`Entry::policy`] is the one that applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror_source_policy: Option<MirrorSourcePolicy>,
}

impl Entry {
    /// The policy that applies.
    pub fn policy(&self) -> MirrorSourcePolicy {
        self.mirror_source_policy.unwrap_or_default()
    }

    /// The mirrors other than the source itself, with their index.
    pub fn real_mirrors(&self) -> impl Iterator<Item = (usize, &str)> {
        let mirrors = self.mirrors.iter().map(|mirror| &**mirror).enumerate();
        mirrors.filter(|(_, mirror)| *mirror != &*self.source)
    }

    /// Whether it has a mirror other than the source itself. Nodes ignore an entry without one, including its
    /// policy.
    ///
    /// Follows `runtime-utils pkg/registries/registries.go` `mirrorsContainsARealMirror`.
    pub fn is_effective(&self) -> bool {
        self.real_mirrors().next().is_some()
    }
}

/// An empty value for `null`.
fn null_as_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(input: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(input)?.unwrap_or_default())
}

/// A mirror set: the entries of one ICSP, IDMS or ITMS. Serialized as an object with only its kind, name and
/// entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorSet {
    /// The kind.
    pub kind: SetKind,
    /// `metadata.name`, or `metadata.generateName` where there is no name yet.
    pub name: Box<str>,
    /// `metadata.resourceVersion`; empty in files that were not exported from a cluster.
    pub resource_version: Box<str>,
    /// The annotation `mirrorguard.io/exempt`; empty if there is none.
    pub exempt: Box<str>,
    /// Whether HyperShift manages it, for a management cluster that is a hosted cluster itself: the label
    /// `hypershift.openshift.io/managed` is `true`.
    pub is_managed: bool,
    /// What it was read from.
    pub origin: Origin,
    /// The entries, in the order of the object.
    pub entries: Vec<Entry>,
    /// Which of them could not be read, or are left out.
    pub gaps: Gaps,
}

impl MirrorSet {
    /// A set that is not in a cluster.
    pub fn new(kind: SetKind, name: &str, entries: Vec<Entry>) -> Self {
        Self {
            kind,
            name: name.into(),
            resource_version: "".into(),
            exempt: "".into(),
            is_managed: false,
            origin: Origin::default(),
            entries,
            gaps: Gaps::default(),
        }
    }

    /// Its kind and name.
    pub fn id(&self) -> ObjectId {
        ObjectId::new(self.kind.name(), "", &self.name)
    }

    /// The mirrors of an entry that repeat an earlier one, by their indexes. The schemas of IDMS and ITMS reject them
    /// (`x-kubernetes-list-type: set`), that of ICSP does not.
    pub fn repeated_mirrors(&self, entry: usize) -> Vec<usize> {
        let mut seen = BTreeSet::new();
        let mirrors = &self.entries[entry].mirrors;
        // Mirrors that could not be read are all empty here, but need not be the same.
        let readable = (0..mirrors.len()).filter(|at| self.is_readable(entry, EntryPart::Mirror(*at)));
        readable.filter(|at| !seen.insert(&mirrors[*at])).collect()
    }

    /// The entries that affect the configuration of the nodes, with their index.
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
    fn a_set_is_serialized_without_empty_fields() {
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
