//! The tests, by topic.

use anyhow::Result;

use crate::cluster::Cluster;

/// The name of a test, a sentence, and its function.
pub(crate) type Scenario = (&'static str, fn(&mut Cluster) -> Result<()>);

/// Lists a file's tests under their functions' names; one that is left out is dead code to the compiler.
macro_rules! scenarios {
    ($($test:ident),+ $(,)?) => {
        pub(super) const SCENARIOS: &[$crate::scenarios::Scenario] = &[$((stringify!($test), $test)),+];
    };
}

mod admission_policies;
mod audit;
mod availability;
mod cert_manager;
mod chart;
mod client_certificates;
mod conversions;
mod forms;
mod gitops;
mod helm_test;
mod hosted_clusters;
mod hosted_control_plane;
mod mirror_sets;
mod old_objects;
mod permissions;
mod races;
mod release;
mod rule_pages;
mod self_managed;
mod server;
mod service_ca;
mod unreachable;
mod upgrade;

/// Every test.
pub(crate) fn all() -> impl Iterator<Item = Scenario> {
    let topics = [
        mirror_sets::SCENARIOS,
        old_objects::SCENARIOS,
        races::SCENARIOS,
        conversions::SCENARIOS,
        hosted_clusters::SCENARIOS,
        audit::SCENARIOS,
        permissions::SCENARIOS,
        rule_pages::SCENARIOS,
        server::SCENARIOS,
        release::SCENARIOS,
        chart::SCENARIOS,
        helm_test::SCENARIOS,
        hosted_control_plane::SCENARIOS,
        gitops::SCENARIOS,
        upgrade::SCENARIOS,
        availability::SCENARIOS,
        unreachable::SCENARIOS,
        forms::SCENARIOS,
        admission_policies::SCENARIOS,
        service_ca::SCENARIOS,
        cert_manager::SCENARIOS,
        self_managed::SCENARIOS,
        client_certificates::SCENARIOS,
    ];
    topics.into_iter().flatten().copied()
}
