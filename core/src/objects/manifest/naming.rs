//! Which kind an object of a file is of, and which one was meant.

use strsim::osa_distance;

use crate::objects::{Kind, SetKind, tree::Node};

/// The kind of an object of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// A kind that is read, in a version that an API server serves.
    Known(Kind),
    /// No kind at all, but probably meant to be this one.
    Meant(Kind),
    /// Another kind.
    Other,
}

/// The kind with this `apiVersion` and `kind`, each empty if it is missing. The object itself is looked at only to
/// find out which kind was meant.
pub(super) fn naming(api_version: &str, kind_name: &str, node: &Node) -> Naming {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    if let Some(kind) = Kind::of(group, kind_name) {
        return match kind {
            _ if is_served(kind, api_version) => Naming::Known(kind),
            // No rule is about catalogs, so one in another version is skipped, not reported.
            Kind::Catalog(_) => Naming::Other,
            _ => Naming::Meant(kind),
        };
    }
    let similar = Kind::all_of_files().filter(|kind| is_similar(*kind, api_version, kind_name));
    match similar.min_by_key(|kind| osa_distance(kind.name(), kind_name)) {
        Some(kind) => Naming::Meant(kind_of_list(api_version, node).unwrap_or(kind)),
        None => Naming::Other,
    }
}

/// Whether an API server of a supported release serves the version.
fn is_served(kind: Kind, api_version: &str) -> bool {
    api_version == kind.api_version()
        || is_old_hosted_cluster(kind, api_version)
        || is_old_signature_policy(kind, api_version)
}

/// Whether it is a ClusterImagePolicy or ImagePolicy in the version of the technology preview, which has the same scopes
/// as the one that followed it.
///
/// Follows `openshift/api config/v1alpha1/types_image_policy.go`.
fn is_old_signature_policy(kind: Kind, api_version: &str) -> bool {
    matches!(kind, Kind::ClusterImagePolicy | Kind::ImagePolicy)
        && api_version == "config.openshift.io/v1alpha1"
}

/// Whether it is a HostedCluster in the version that HyperShift served before v1beta1, and next to it for some
/// releases. Its fields differ.
///
/// Follows `hypershift api/v1alpha1`.
pub(super) fn is_old_hosted_cluster(kind: Kind, api_version: &str) -> bool {
    kind == Kind::HostedCluster && api_version == "hypershift.openshift.io/v1alpha1"
}

/// Whether a name was probably meant to be the kind's. Other groups have kinds with names such as `Image` and
/// `ClusterVersion` too, so for these the `apiVersion` must be the right one.
fn is_similar(kind: Kind, api_version: &str, name: &str) -> bool {
    match kind {
        Kind::Set(_) | Kind::HostedCluster => differs_at_most(name, kind.name(), 2),
        Kind::ImageConfig
        | Kind::ClusterVersion
        | Kind::ClusterImagePolicy
        | Kind::ImagePolicy
        | Kind::MachineConfiguration => {
            api_version == kind.api_version() && differs_at_most(name, kind.name(), 1)
        }
        Kind::Catalog(_) => false,
    }
}

/// Whether a name is another one but for this number of letters, or for upper and lower case.
fn differs_at_most(name: &str, meant: &str, letters: usize) -> bool {
    // Lengths are compared first: the distance takes time and memory for each pair of letters.
    name.eq_ignore_ascii_case(meant)
        || (name.len().abs_diff(meant.len()) <= letters && osa_distance(name, meant) <= letters)
}

/// The kind of mirror set with this `apiVersion` and the list that the object has in its `spec`. Where there is one, it
/// is the kind that was meant, whichever other kind the name is closer to.
fn kind_of_list(api_version: &str, node: &Node) -> Option<Kind> {
    let spec = node.get("spec")?;
    let kinds = SetKind::ALL.into_iter().map(|set| (set, Kind::Set(set)));
    let mut kinds =
        kinds.filter(|(set, kind)| kind.api_version() == api_version && spec.get(set.list_field()).is_some());
    kinds.next().map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::tree;

    #[test]
    fn a_wrong_group_version_or_name_is_one_of_ours() {
        use Naming::{Known, Meant, Other};
        let (icsp, idms, hosted) = (Kind::Set(SetKind::Icsp), Kind::Set(SetKind::Idms), Kind::HostedCluster);
        // `apiVersion`, `kind`, the only field of `spec`, and what they are taken for.
        let table = [
            ("config.openshift.io/v1", "ImageDigestMirrorSet", "imageDigestMirrors", Known(idms), "as it is"),
            (
                "operator.openshift.io/v1alpha1",
                "ImageDigestMirrorSet",
                "imageDigestMirrors",
                Meant(idms),
                "group",
            ),
            (
                "config.openshift.io/v1alpha1",
                "ImageDigestMirrorSet",
                "imageDigestMirrors",
                Meant(idms),
                "version",
            ),
            ("v1", "ImageDigestMirrorSet", "imageDigestMirrors", Meant(idms), "no group"),
            ("", "ImageDigestMirrorSet", "imageDigestMirrors", Meant(idms), "no apiVersion"),
            (
                "config.openshift.io/v1",
                "ImageDigestMirorSet",
                "imageDigestMirrors",
                Meant(idms),
                "a letter missing",
            ),
            (
                "config.openshift.io/v1",
                "ImageDigestMirrorset",
                "imageDigestMirrors",
                Meant(idms),
                "lower case",
            ),
            (
                "operator.openshift.io/v1alpha1",
                "ImageDigestMirrorSet",
                "repositoryDigestMirrors",
                Meant(icsp),
                "group and list are an ICSP's",
            ),
            ("hypershift.openshift.io/v1beta1", "HostedCluster", "x", Known(hosted), "as it is"),
            ("hypershift.openshift.io/v1alpha1", "HostedCluster", "x", Known(hosted), "was served"),
            ("hypershift.openshift.io/v1", "HostedCluster", "x", Meant(hosted), "never served"),
            ("hypershift.openshift.io/v1beta1", "HostedControlPlane", "x", Other, "another kind"),
            ("config.openshift.io/v1", "ImageContentPolicy", "x", Other, "another kind of the same group"),
            ("image.openshift.io/v1", "Image", "x", Other, "an image of the registry"),
            ("config.openshift.io/v2", "Image", "x", Meant(Kind::ImageConfig), "version"),
            ("apps.kubeblocks.io/v1alpha1", "ClusterVersion", "x", Other, "of another project"),
            ("v1", "ConfigMap", "x", Other, "another kind"),
            ("", "", "x", Other, "no kind"),
        ];
        for (api_version, kind, list, expected, reason) in table {
            let node = tree::documents(&format!("spec: {{{list}: []}}")).0.remove(0);
            assert_eq!(naming(api_version, kind, &node), expected, "{api_version} {kind}: {reason}");
        }
    }

    #[test]
    fn a_kind_of_files_only_is_one_of_ours_under_a_similar_name() {
        let meant = [
            (
                "config.openshift.io/v1",
                "ClusterImagePolcy",
                Naming::Meant(Kind::ClusterImagePolicy),
                "a letter missing",
            ),
            (
                "operator.openshift.io/v1",
                "MachineConfigurations",
                Naming::Meant(Kind::MachineConfiguration),
                "the plural",
            ),
            ("machineconfiguration.openshift.io/v1", "MachineConfig", Naming::Other, "another kind"),
            (
                "config.openshift.io/v1alpha1",
                "ImagePolicy",
                Naming::Known(Kind::ImagePolicy),
                "the technology preview",
            ),
            (
                "config.openshift.io/v1alpha1",
                "ClusterImagePolicy",
                Naming::Known(Kind::ClusterImagePolicy),
                "the same",
            ),
            (
                "config.openshift.io/v1alpha2",
                "ClusterImagePolicy",
                Naming::Meant(Kind::ClusterImagePolicy),
                "a version that never was",
            ),
        ];
        for (api_version, kind, expected, reason) in meant {
            assert_eq!(
                naming(api_version, kind, &tree::empty_map()),
                expected,
                "{api_version} {kind}: {reason}"
            );
        }
    }
}
