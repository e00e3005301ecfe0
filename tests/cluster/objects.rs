//! The objects that the tests write.

use serde_json::{Value, json};

/// The namespace of the hosted clusters.
pub(crate) const CLUSTERS: &str = "clusters";

/// An `ImageContentSourcePolicy`.
pub(crate) fn icsp(name: &str, entries: &[Value]) -> Value {
    json!({
        "apiVersion": "operator.openshift.io/v1alpha1",
        "kind": "ImageContentSourcePolicy",
        "metadata": {"name": name},
        "spec": {"repositoryDigestMirrors": entries},
    })
}

/// An `ImageDigestMirrorSet`.
pub(crate) fn idms(name: &str, entries: &[Value]) -> Value {
    json!({
        "apiVersion": "config.openshift.io/v1",
        "kind": "ImageDigestMirrorSet",
        "metadata": {"name": name},
        "spec": {"imageDigestMirrors": entries},
    })
}

/// An `ImageTagMirrorSet`.
pub(crate) fn itms(name: &str, entries: &[Value]) -> Value {
    json!({
        "apiVersion": "config.openshift.io/v1",
        "kind": "ImageTagMirrorSet",
        "metadata": {"name": name},
        "spec": {"imageTagMirrors": entries},
    })
}

/// One source with one mirror.
pub(crate) fn entry(source: &str, mirror: &str) -> Value {
    json!({"source": source, "mirrors": [mirror]})
}

/// The same entry with a `mirrorSourcePolicy`.
pub(crate) fn with_policy(mut entry: Value, policy: &str) -> Value {
    entry["mirrorSourcePolicy"] = policy.into();
    entry
}

/// A mirror set that no configuration of ours admits.
pub(crate) fn invalid_icsp() -> Value {
    icsp("invalid", &[entry("https://quay.io/invalid/app", "mirror.example.com/invalid/app")])
}

/// A complete `HostedCluster`, with these annotations.
pub(crate) fn hosted_cluster(name: &str, annotations: &Value) -> Value {
    json!({
        "apiVersion": "hypershift.openshift.io/v1beta1",
        "kind": "HostedCluster",
        "metadata": {"name": name, "namespace": CLUSTERS, "annotations": annotations},
        "spec": {
            "release": {"image": "quay.io/openshift-release-dev/ocp-release:4.18.9-x86_64"},
            "pullSecret": {"name": "pull-secret"},
            "dns": {"baseDomain": "example.com"},
            "platform": {"type": "None"},
            "olmCatalogPlacement": "management",
            "services": [
                published("APIServer", "api", name),
                published("OAuthServer", "oauth", name),
                published("Konnectivity", "konnectivity", name),
                published("Ignition", "ignition", name),
            ],
        },
    })
}

/// How a service of a hosted cluster is published.
fn published(service: &str, hostname: &str, cluster: &str) -> Value {
    let route = json!({"hostname": format!("{hostname}.{cluster}.example.com")});
    json!({"service": service, "servicePublishingStrategy": {"type": "Route", "route": route}})
}
