//! HostedClusters to review in tests, from YAML.

use jiff::civil::date;

use super::{Finding, Settings};
use crate::{
    objects::{MirrorSet, Object, manifest},
    review::Reviewer,
    state::State,
    write::{Operation, Write},
};

/// What one rule finds in the HostedCluster clusters/lab with a release image, annotations and more of its spec (both
/// as the inside of a flow mapping), when it is created next to mirror sets.
pub(super) fn findings_in_hosted(
    rule: &str,
    image: &str,
    annotations: &str,
    spec: &str,
    sets: &[MirrorSet],
) -> Vec<Finding> {
    let yaml = format!(
        "apiVersion: hypershift.openshift.io/v1beta1\nkind: HostedCluster\n\
         metadata: {{name: lab, namespace: clusters, annotations: {{{annotations}}}}}\n\
         spec: {{release: {{image: \"{image}\"}}, {spec}}}\n"
    );
    let mut reading = manifest::read("hosted", yaml);
    assert!(reading.errors.is_empty(), "{:?}", reading.errors);
    let Object::HostedCluster(hosted) = reading.objects.remove(0).object else { unreachable!() };
    let state: State = sets.iter().cloned().map(Object::from).collect();
    let settings = Settings::default();
    let write = Write::HostedCluster(Operation::Create(hosted));
    let verdict = Reviewer::new(&state, &settings, date(2026, 1, 1)).review(&write);
    let own = verdict.diagnostics.into_iter().filter(|diagnostic| diagnostic.rule.id == rule);
    own.map(|diagnostic| diagnostic.finding).collect()
}
