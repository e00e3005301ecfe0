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

/// A complete `HostedCluster`, with these annotations.
pub(crate) fn hosted_cluster(name: &str, annotations: &Value) -> Value {
    let publish = |service: &str, hostname: &str| {
        let strategy =
            json!({"type": "Route", "route": {"hostname": format!("{hostname}.{name}.example.com")}});
        json!({"service": service, "servicePublishingStrategy": strategy})
    };
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
                publish("APIServer", "api"),
                publish("OAuthServer", "oauth"),
                publish("Konnectivity", "konnectivity"),
                publish("Ignition", "ignition"),
            ],
        },
    })
}
