//! A cluster to audit in tests, from YAML.

use std::collections::BTreeSet;

use jiff::civil::date;

use super::{Finding, Settings};
use crate::{
    inventory::{CaBundle, Inventory, PullSecret, Setting, Workload},
    objects::{Object, manifest},
    review::{Audited, Exempted, Reviewer},
    state::State,
};

/// A cluster: mirror sets, and what else an audit reads.
pub(crate) struct Cluster {
    objects: Vec<Object>,
    pub(crate) inventory: Inventory,
}

impl Cluster {
    /// Mirror sets, `(kind's list field, name, source, mirrors)`.
    pub(crate) fn new(sets: &[(&str, &str, &str, &str)]) -> Self {
        let documents = sets.iter().map(|(field, name, source, mirrors)| {
            let (version, kind) = match *field {
                "repositoryDigestMirrors" => ("operator.openshift.io/v1alpha1", "ImageContentSourcePolicy"),
                "imageTagMirrors" => ("config.openshift.io/v1", "ImageTagMirrorSet"),
                _ => ("config.openshift.io/v1", "ImageDigestMirrorSet"),
            };
            format!(
                "apiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}}}\n\
                 spec: {{{field}: [{{source: \"{source}\", mirrors: [{mirrors}]}}]}}\n"
            )
        });
        Self { objects: read(&documents.collect::<Vec<_>>().join("---\n")), inventory: Inventory::default() }
    }

    /// Adds the HostedCluster clusters/lab of release 4.18, with annotations and with more of its spec, both
    /// as the inside of a flow mapping.
    pub(crate) fn hosted(mut self, annotations: &str, spec: &str) -> Self {
        let text = format!(
            "apiVersion: hypershift.openshift.io/v1beta1\nkind: HostedCluster\n\
             metadata: {{name: lab, namespace: clusters, annotations: {{{annotations}}}}}\n\
             spec: {{release: {{image: \"quay.io/openshift-release-dev/ocp-release:4.18.9-x86_64\"}}, {spec}}}\n"
        );
        for object in read(&text) {
            if let Object::HostedCluster(hosted) = object {
                self.inventory.hosted_clusters.push(hosted);
            }
        }
        self
    }

    /// Adds a workload of the control plane of clusters/lab with its `OPENSHIFT_IMG_OVERRIDES` and
    /// `--registry-overrides`; `=` means none.
    pub(crate) fn started(mut self, name: &str, image: &str, registry: &str) -> Self {
        self.inventory.workloads.push(Workload {
            namespace: "clusters-lab".to_owned(),
            name: name.to_owned(),
            is_operator: false,
            registry_overrides: Some(setting("args", registry)),
            image_overrides: Some(setting("env", image)),
        });
        self
    }

    /// Adds the HyperShift operator with its `--registry-overrides`; `=` means none.
    pub(crate) fn operator(mut self, registry: &str) -> Self {
        self.inventory.workloads.push(Workload {
            namespace: "hypershift".to_owned(),
            name: "operator".to_owned(),
            is_operator: true,
            registry_overrides: Some(setting("args", registry)),
            image_overrides: None,
        });
        self
    }

    /// Adds a pull secret with these entries; `None` is one that cannot be read.
    pub(crate) fn secret(mut self, namespace: &str, name: &str, keys: Option<&[&str]>) -> Self {
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        self.inventory.pull_secrets.push(PullSecret { namespace, name, keys: keys.map(owned) });
        self
    }

    /// Adds the `ConfigMap` of CAs that nodes trust, with these keys; `None` is a reference to one that does not exist.
    pub(crate) fn ca_of_nodes(mut self, keys: Option<&[&str]>) -> Self {
        self.inventory.ca_bundles.push(CaBundle::of_nodes("cas", keys.map(owned)));
        self
    }

    /// The same for the `ConfigMap` of CAs of clusters/lab; the hosted cluster has to be added first.
    pub(crate) fn ca_of_hosted(mut self, keys: Option<&[&str]>) -> Self {
        let bundle = CaBundle::of_hosted(&self.inventory.hosted_clusters[0], keys.map(owned));
        self.inventory.ca_bundles.push(bundle);
        self
    }

    /// Adds the objects of a document.
    pub(crate) fn with(mut self, text: &str) -> Self {
        self.objects.extend(read(text));
        self
    }

    /// The findings of one rule as `Kind/name: key`.
    pub(crate) fn keys(&self, id: &str) -> Vec<String> {
        self.found(id).iter().map(|one| format!("{}: {}", name(one), finding(one).key)).collect()
    }

    /// The findings of one rule.
    pub(crate) fn findings(&self, id: &str) -> Vec<Finding> {
        self.found(id).iter().map(|one| finding(one).clone()).collect()
    }

    fn audited(&self, state: &State, settings: &Settings) -> Vec<Audited> {
        Reviewer::new(state, settings, date(2026, 1, 1)).audit(&self.inventory)
    }

    /// The findings that a configuration exempts.
    pub(crate) fn exempted(&self, settings: &Settings) -> Vec<Exempted> {
        let state = self.objects.iter().cloned().collect();
        self.audited(&state, settings).into_iter().flat_map(|audited| audited.verdict.exempted).collect()
    }

    /// What one rule finds, with the object of each finding. An audit has a verdict of its own for each finding.
    pub(crate) fn found(&self, id: &str) -> Vec<Audited> {
        let state = self.objects.iter().cloned().collect();
        let settings = Settings::default();
        let mut found = self.audited(&state, &settings);
        found.retain(|audited| audited.verdict.rule_ids() == [id]);
        found
    }
}

fn name(audited: &Audited) -> String {
    format!("{}/{}", audited.object.kind, audited.object.name)
}

/// The only finding of its verdict.
fn finding(audited: &Audited) -> &Finding {
    &audited.verdict.diagnostics[0].finding
}

fn setting(path: &str, value: &str) -> Setting {
    Setting { path: path.to_owned(), value: value.to_owned() }
}

fn owned(keys: &[&str]) -> BTreeSet<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

fn read(text: &str) -> Vec<Object> {
    let reading = manifest::read("test", text.to_owned());
    assert!(reading.errors.is_empty(), "{:?}\n{text}", reading.errors);
    reading.objects.into_iter().map(|located| located.object).collect()
}
