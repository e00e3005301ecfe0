//! Lists that concern the release image.

use super::{BLOCKED, Case, Cluster, EMPTY, FINE, SOURCE};

/// Blocked registries that cover the payload.
pub(super) fn blocked_payloads() -> Vec<Case> {
    let mirrored = "quay.io/openshift-release-dev/ocp-release=m.lab/ocp";
    vec![
        FINE,
        Case {
            cluster: Cluster {
                sources: "blockedRegistries: [quay.io, quay.io/openshift-release-dev]",
                entry: mirrored,
                ..EMPTY
            },
            in_config: BLOCKED,
            in_set: SOURCE,
            reason: "two blocked registries cover the mirrored payload",
        },
        Case {
            cluster: Cluster { sources: "blockedRegistries: [quay.io]", entry: mirrored, ..EMPTY },
            reason: "one does",
            ..FINE
        },
        Case {
            cluster: Cluster {
                sources: "blockedRegistries: [quay.io, quay.io/openshift-release-dev]",
                entry: "docker.io=m.lab",
                ..EMPTY
            },
            in_config: BLOCKED,
            in_set: &[],
            reason: "the payload has no mirror, so that both are dropped, before and after the write of the IDMS",
        },
        Case {
            cluster: Cluster {
                sources: "blockedRegistries: [quay.io/openshift-release-dev, registry.redhat.io/rhel7]",
                entry: "*.redhat.io=m.lab/x",
                ..EMPTY
            },
            in_config: BLOCKED,
            in_set: SOURCE,
            reason: "a wildcard over another blocked registry",
        },
        Case {
            cluster: Cluster { sources: "blockedRegistries: [quay.io]", entry: "quay.io=m3/x", ..EMPTY },
            in_config: BLOCKED,
            in_set: &["spec.imageDigestMirrors[0].mirrors[0]"],
            reason: "the mirror of the payload has no host",
        },
        Case {
            cluster: Cluster {
                sources: "blockedRegistries: [quay.io]",
                entry: "quay.io=m3/x",
                payload: "quay.io/openshift-release-dev/ocp-release:4.18.5-x86_64",
                ..EMPTY
            },
            in_config: BLOCKED,
            in_set: &[],
            reason: "a payload by tag uses no digest mirror",
        },
    ]
}

/// Blocked registries whose payload has a mirror, and that do not become what they say.
pub(super) fn mirrored_payloads() -> Vec<Case> {
    let mirrored = "quay.io/openshift-release-dev/ocp-release=m.lab/ocp";
    vec![
        Case {
            cluster: Cluster {
                sources: "blockedRegistries: [quay.io/openshift-release-dev/ocp-release]",
                entry: mirrored,
                ..EMPTY
            },
            in_config: BLOCKED,
            in_set: SOURCE,
            reason: "all that is blocked is the mirrored payload, which becomes all that is allowed",
        },
        Case {
            cluster: Cluster {
                sources: "blockedRegistries: [quay.io/openshift-release-dev/ocp-release, docker.io]",
                entry: mirrored,
                ..EMPTY
            },
            reason: "something else is blocked",
            ..FINE
        },
        Case {
            cluster: Cluster {
                sources: "blockedRegistries: [quay.io]",
                entry: "quay.io/openshift-release-dev=quay.io/mirror",
                ..EMPTY
            },
            in_config: BLOCKED,
            in_set: &[],
            reason: "the mirror of the payload is blocked, too",
        },
    ]
}
