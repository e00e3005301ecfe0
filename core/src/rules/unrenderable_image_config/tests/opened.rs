//! Sources that insecure registries open.

use super::{Case, Cluster, EMPTY, FINE, SOURCE};

/// Insecure registries below a source.
pub(super) fn opened_sources() -> Vec<Case> {
    let below = Cluster {
        sources: "insecureRegistries: [m.lab, docker.io/library]",
        entry: "!docker.io=m.lab/hub",
        ..EMPTY
    };
    vec![
        Case {
            cluster: below,
            in_config: &["spec.registrySources.insecureRegistries[1]"],
            in_set: SOURCE,
            reason: "mirrors are inherited, but not the policy",
        },
        Case { cluster: Cluster { entry: "docker.io=m.lab/hub", ..below }, reason: "no policy", ..FINE },
        Case {
            cluster: Cluster { entry: "!docker.io/library=m.lab/hub", ..below },
            reason: "the source itself is listed",
            ..FINE
        },
        Case {
            cluster: Cluster { entry: "!docker.io/library/x=m.lab/hub", ..below },
            reason: "the source is below the scope",
            ..FINE
        },
        Case {
            cluster: Cluster {
                sources: "insecureRegistries: [docker.io/library], blockedRegistries: [docker.io/library]",
                ..below
            },
            reason: "the scope is blocked itself",
            ..FINE
        },
        Case {
            cluster: Cluster {
                sources: "insecureRegistries: [docker.io/library, docker.io/library/x]",
                ..below
            },
            in_config: &["spec.registrySources.insecureRegistries[0]"],
            in_set: SOURCE,
            reason: "of nested scopes the one that opens the source",
        },
    ]
}
