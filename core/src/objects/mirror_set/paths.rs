//! Where the values of a mirror set are in the document that it was read from.

use super::{Entry, MirrorSet, SetKind};
use crate::objects::HostedCluster;

/// What a mirror set was read from. It decides how the fields are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// An object of its kind.
    #[default]
    Object,
    /// The `install-config.yaml` of the installer, which makes the object. It has no mirrors for tag pulls.
    InstallConfig,
    /// A HostedCluster, of which HyperShift makes the object in the hosted cluster. It has no mirrors for tag pulls.
    HostedCluster,
}

/// The field of an entry with its policy.
const POLICY: &str = "mirrorSourcePolicy";

impl Origin {
    /// The name that a field of an entry has.
    ///
    /// Follows `openshift/installer pkg/types/installconfig.go`.
    fn field(self, name: &str) -> &str {
        match self {
            Self::InstallConfig if name == POLICY => "sourcePolicy",
            Self::Object | Self::InstallConfig | Self::HostedCluster => name,
        }
    }

    /// A text about the fields of an object, with the names that they have here: `sourcePolicy` for
    /// `mirrorSourcePolicy`.
    pub fn reword(self, text: &str) -> String {
        text.replace(POLICY, self.field(POLICY))
    }
}

impl MirrorSet {
    /// The path of the list of entries: `spec.imageDigestMirrors`.
    pub fn list_path(&self) -> String {
        match (self.origin, self.kind) {
            (Origin::InstallConfig, SetKind::Icsp) => "imageContentSources".to_owned(),
            (Origin::InstallConfig, SetKind::Idms | SetKind::Itms) => "imageDigestSources".to_owned(),
            (Origin::HostedCluster, _) => HostedCluster::SOURCES_PATH.to_owned(),
            (Origin::Object, kind) => format!("spec.{}", kind.list_field()),
        }
    }

    /// The path of an entry: `spec.imageDigestMirrors[2]`.
    pub fn entry_path(&self, entry: usize) -> String {
        let (entry, _) = self.original_field(entry, "");
        format!("{}[{entry}]", self.list_path())
    }

    /// The path of a field of an entry: `spec.imageDigestMirrors[2].source`.
    pub fn field_path(&self, entry: usize, field: &str) -> String {
        let (entry, mirror) = self.original_field(entry, field);
        let field = mirror.as_deref().unwrap_or_else(|| self.origin.field(field));
        format!("{}[{entry}].{field}", self.list_path())
    }

    /// The path at which findings about the policy of an entry are reported. An ICSP has no such field: the path of its
    /// source is used.
    pub fn policy_path(&self, entry: usize) -> String {
        self.field_path(entry, if self.kind == SetKind::Icsp { "source" } else { POLICY })
    }

    /// An entry as it is written in this set.
    pub fn written_entry(&self, entry: &Entry) -> serde_json::Value {
        let mut written = serde_json::to_value(entry).unwrap_or_default();
        if let Some(fields) = written.as_object_mut()
            && let Some(policy) = fields.remove(POLICY)
        {
            fields.insert(self.origin.field(POLICY).to_owned(), policy);
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::objects::MirrorSourcePolicy;

    #[test]
    fn paths_and_fields_are_those_of_the_document() {
        let entry = Entry {
            source: "q.io".into(),
            mirrors: ["m".into()].into_iter().collect(),
            mirror_source_policy: Some(MirrorSourcePolicy::NeverContactSource),
        };
        let table = [
            (
                Origin::Object,
                SetKind::Idms,
                "spec.imageDigestMirrors[0].mirrorSourcePolicy",
                "mirrorSourcePolicy",
            ),
            (Origin::InstallConfig, SetKind::Idms, "imageDigestSources[0].sourcePolicy", "sourcePolicy"),
            (Origin::InstallConfig, SetKind::Icsp, "imageContentSources[0].source", "sourcePolicy"),
            (
                Origin::HostedCluster,
                SetKind::Idms,
                "spec.imageContentSources[0].mirrorSourcePolicy",
                "mirrorSourcePolicy",
            ),
        ];
        for (origin, kind, path, field) in table {
            let set = MirrorSet { origin, ..MirrorSet::new(kind, "a", vec![entry.clone()]) };
            assert_eq!(set.policy_path(0), path);
            let written = json!({"source": "q.io", "mirrors": ["m"], field: "NeverContactSource"});
            assert_eq!(set.written_entry(&entry), written, "{path}");
        }
    }
}
