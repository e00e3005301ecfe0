//! Values that are known only once a template is filled in: `${MIRROR}`, `{{hub … hub}}`, `'{{ .Values.mirror }}'`.
//!
//! Such a value takes part in no rule. Everything else of its object does.

use serde_json::Value;

use crate::objects::{
    CatalogKind, HostedCluster, Kind, Object, annotation,
    schema::{UnknownField, join},
    tree::{Data, Node},
};

/// A scope that no image has, by RFC 2606. It takes the place of a value that could not be read in a list of the image
/// configuration, whose items have no other way of being left out without moving the ones after them.
const NO_SCOPE: &str = "placeholder.invalid";

/// The paths of the placeholders in `metadata` and `spec`, in the order of the document. Of a ClusterVersion, which is read
/// from files that were exported from a cluster, also those in `status`.
pub(super) fn find_placeholders(kind: Kind, object: &Node) -> Vec<String> {
    let parts: &[&str] = match kind {
        Kind::ClusterVersion => &["metadata", "spec", "status"],
        _ => &["metadata", "spec"],
    };
    let mut paths = Vec::new();
    for part in parts {
        if let Some(node) = object.get(part) {
            add_placeholders(node, part, &mut paths);
        }
    }
    paths
}

/// The paths of the placeholders in a node, which is at `path`.
pub(super) fn add_placeholders(node: &Node, path: &str, paths: &mut Vec<String>) {
    match &node.data {
        Data::Scalar(Value::String(text)) if is_placeholder(text) => paths.push(path.to_owned()),
        Data::Scalar(_) => {}
        Data::List(items) => {
            for (at, item) in items.iter().enumerate() {
                add_placeholders(item, &format!("{path}[{at}]"), paths);
            }
        }
        Data::Map(fields) => {
            for field in fields {
                add_placeholders(&field.value, &join(path, &field.name), paths);
            }
        }
    }
}

/// The first placeholder that is not in quotes, such as `{{ .Values.mirror }}`: to YAML, it is a map in a map. The object
/// is none before the template is filled in.
pub(super) fn find_blank<'n>(text: &str, object: &'n Node) -> Option<&'n Node> {
    match &object.data {
        Data::Scalar(_) => None,
        Data::List(items) => items.iter().find_map(|item| find_blank(text, item)),
        Data::Map(_) if text.get(object.span.start..).is_some_and(|text| text.starts_with("{{")) => {
            Some(object)
        }
        Data::Map(fields) => fields.iter().find_map(|field| find_blank(text, &field.value)),
    }
}

/// Whether a string has a part that a template replaces.
pub fn is_placeholder(text: &str) -> bool {
    text.contains("{{") || text.contains("${")
}

/// Whether an object of a kind is read in spite of placeholders, without these values. Of the others, few fields are
/// read: with a placeholder in one of them, the object is skipped as a template.
pub(super) fn is_read_in_part(kind: Kind) -> bool {
    match kind {
        Kind::Set(_) | Kind::HostedCluster | Kind::ImageConfig => true,
        Kind::ClusterVersion
        | Kind::Catalog(_)
        | Kind::ClusterImagePolicy
        | Kind::ImagePolicy
        | Kind::MachineConfiguration => false,
    }
}

/// Whether a field may be one that rules read, because its name is a placeholder.
pub(super) fn is_open_field(field: &UnknownField) -> bool {
    is_placeholder(&field.name)
}

/// Whether a path is that of a name or namespace, which is kept as it is written, even with a placeholder: it tells the
/// objects of a file apart.
pub fn is_name(path: &str) -> bool {
    ["metadata.name", "metadata.generateName", "metadata.namespace"].contains(&path)
}

/// Whether a rule reads the value at a path.
pub(super) fn is_read(kind: Kind, path: &str) -> bool {
    const HOSTED: [&str; 7] = [
        "spec.release",
        "spec.olmCatalogPlacement",
        HostedCluster::SOURCES_PATH,
        "spec.pullSecret",
        "spec.additionalTrustBundle",
        "spec.pausedUntil",
        "spec.configuration",
    ];
    if is_name(path) || ["spec", "metadata", "metadata.annotations", "status"].contains(&path) {
        return true;
    }
    if let Some(annotation) = path.strip_prefix(annotation::PATH_PREFIX) {
        let is_hosted = kind == Kind::HostedCluster && annotation.starts_with(annotation::HYPERSHIFT_PREFIX);
        return is_hosted || annotation.starts_with(annotation::OUR_PREFIX);
    }
    match kind {
        Kind::Set(set) => path.starts_with(&format!("spec.{}", set.list_field())),
        Kind::HostedCluster => HOSTED.iter().any(|field| path.starts_with(field)),
        Kind::ImageConfig => path.starts_with("spec.registrySources"),
        Kind::ClusterVersion => path.starts_with("status.desired"),
        Kind::ClusterImagePolicy | Kind::ImagePolicy => path.starts_with("spec.scopes"),
        Kind::MachineConfiguration => path.starts_with("spec.nodeDisruptionPolicy"),
        Kind::Catalog(CatalogKind::CatalogSource) => ["spec.image", "spec.sourceType"].contains(&path),
        Kind::Catalog(CatalogKind::ClusterCatalog) => {
            path.starts_with("spec.source") || path == "spec.availabilityMode"
        }
    }
}

/// The object without what could not be read, at these paths, in its lists of registries. A list of allowed
/// registries of which one is not known allows nothing and forbids nothing.
pub(super) fn without_open_lists(object: Object, unreadable: &[&str]) -> Object {
    let Object::ImageConfig(config) = object else { return object };
    let mut config = config.as_ref().clone();
    let is_open =
        |list: &str| unreadable.iter().any(|path| path.starts_with(&format!("spec.registrySources.{list}")));
    if is_open("allowedRegistries") {
        config.allowed_registries.clear();
    }
    let lists = [
        ("insecureRegistries", &mut config.insecure_registries),
        ("blockedRegistries", &mut config.blocked_registries),
        ("containerRuntimeSearchRegistries", &mut config.container_runtime_search_registries),
    ];
    for (list, scopes) in lists {
        for (at, scope) in scopes.iter_mut().enumerate() {
            if unreadable.contains(&&*format!("spec.registrySources.{list}[{at}]")) {
                NO_SCOPE.clone_into(scope);
            }
        }
    }
    config.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::{SetKind, tree};

    #[test]
    fn placeholders_are_found_by_their_paths() {
        let table: [(&str, &[&str], &str); 6] = [
            ("spec: {a: '${M}'}", &["spec.a"], "of a template of OpenShift"),
            ("spec: {a: [x, '{{ .m }}/y']}", &["spec.a[1]"], "of a chart, in a list"),
            ("spec: {a: '{{hub fromConfigMap hub}}'}", &["spec.a"], "of a policy"),
            ("metadata: {annotations: {a.b/c: '${M}'}}", &["metadata.annotations[a.b/c]"], "in metadata"),
            ("spec: {a: $M, b: '{m}', c: 1}", &[], "no placeholder"),
            ("status: {a: '${M}'}", &[], "no file sets the status"),
        ];
        for (text, expected, reason) in table {
            assert_eq!(
                find_placeholders(Kind::ImageConfig, &tree::documents(text).0[0]),
                expected,
                "{reason}"
            );
        }
    }

    #[test]
    fn only_what_rules_read_is_left_out() {
        let (set, hosted) = (Kind::Set(SetKind::Itms), Kind::HostedCluster);
        let table = [
            (set, "metadata.name", true),
            (set, "metadata.annotations[argocd.argoproj.io/sync-wave]", false),
            (set, "metadata.annotations[mirrorguard.io/exempt]", true),
            (set, "spec.imageTagMirrors[0].source", true),
            (
                hosted,
                "metadata.annotations[hypershift.openshift.io/olm-catalogs-is-registry-overrides]",
                true,
            ),
            (set, "metadata.annotations[hypershift.openshift.io/x]", false),
            (hosted, "spec.release.image", true),
            (hosted, "spec.platform.agent.agentNamespace", false),
            (Kind::ImageConfig, "spec.registrySources.blockedRegistries[0]", true),
            (Kind::ImageConfig, "spec.additionalTrustedCA.name", false),
            (Kind::ClusterVersion, "spec.channel", false),
            (Kind::ClusterVersion, "status.desired.image", true),
            (Kind::ClusterImagePolicy, "spec.policy.rootOfTrust.policyType", false),
            (Kind::ImagePolicy, "spec.scopes[0]", true),
            (Kind::Catalog(CatalogKind::CatalogSource), "spec.displayName", false),
            (Kind::Catalog(CatalogKind::CatalogSource), "spec.image", true),
            (Kind::Catalog(CatalogKind::ClusterCatalog), "spec.source.image.ref", true),
        ];
        for (kind, path, expected) in table {
            assert_eq!(is_read(kind, path), expected, "{} {path}", kind.name());
        }
    }
}
