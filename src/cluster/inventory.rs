//! Reads the objects other than mirror sets that an audit checks. Objects that cannot be read are reported and skipped.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use k8s_openapi::{
    ByteString,
    api::{
        apps::v1::Deployment,
        core::v1::{ConfigMap, Secret},
    },
};
use kube::{
    Api, Client, Error,
    api::ListParams,
    core::{ApiResource, DynamicObject, GroupVersionKind},
};
use mirrorguard_core::{
    inventory::{CaBundle, Inventory, PullSecret, Workload},
    objects::HostedCluster,
};
use serde::Deserialize;

use super::{permission::Permission, workload::workload};

/// How many Deployments are listed per page.
const PAGE: u32 = 250;
const LIST_DEPLOYMENTS: Permission = Permission { verb: "list", group: "apps", resource: "deployments" };
const GET_SECRETS: Permission = Permission { verb: "get", group: "", resource: "secrets" };
const GET_CONFIG_MAPS: Permission = Permission { verb: "get", group: "", resource: "configmaps" };
const GET_IMAGES: Permission = Permission { verb: "get", group: "config.openshift.io", resource: "images" };
/// The key with the credentials of a pull secret.
const DOCKER_CONFIG: &str = ".dockerconfigjson";

/// The objects that could be read, and a description of those that could not.
#[derive(Debug, Default)]
pub struct Readings {
    /// The objects.
    pub inventory: Inventory,
    /// A line for each group of objects that could not be read, with the missing permission or the error.
    pub unread: Vec<String>,
}

/// Reads the objects of these hosted clusters and of the nodes.
pub async fn read_inventory(client: &Client, hosted_clusters: Vec<Arc<HostedCluster>>) -> Readings {
    let mut reader = Reader { client, unread: BTreeMap::new() };
    let mut inventory = Inventory { hosted_clusters, ..Inventory::default() };
    inventory.workloads = reader.workloads(&inventory.hosted_clusters).await;
    inventory.pull_secrets = reader.pull_secrets(&inventory.hosted_clusters).await;
    inventory.ca_bundles = reader.ca_bundles(&inventory.hosted_clusters).await;
    Readings { inventory, unread: reader.into_lines() }
}

/// Reads only the overrides that hosted control planes run with.
pub async fn read_workloads(client: &Client, hosted_clusters: Vec<Arc<HostedCluster>>) -> Readings {
    let mut reader = Reader { client, unread: BTreeMap::new() };
    let workloads = reader.workloads(&hosted_clusters).await;
    let inventory = Inventory { hosted_clusters, workloads, ..Inventory::default() };
    Readings { inventory, unread: reader.into_lines() }
}

struct Reader<'a> {
    client: &'a Client,
    /// The objects that could not be read, by description and reason: objects that failed for different reasons are on
    /// different lines.
    unread: BTreeMap<(&'static str, String), BTreeSet<String>>,
}

impl Reader<'_> {
    /// The Deployments with overrides, and the HyperShift operator. Nothing is listed if there are no HostedClusters.
    async fn workloads(&mut self, hosted_clusters: &[Arc<HostedCluster>]) -> Vec<Workload> {
        let mut workloads = Vec::new();
        if hosted_clusters.is_empty() {
            return workloads;
        }
        let api = Api::<Deployment>::all(self.client.clone());
        let mut page = ListParams::default().limit(PAGE);
        loop {
            match api.list(&page).await {
                Ok(list) => {
                    workloads.extend(list.items.iter().filter_map(workload));
                    match list.metadata.continue_.filter(|token| !token.is_empty()) {
                        Some(token) => page = page.continue_token(&token),
                        None => break,
                    }
                }
                Err(error) => {
                    let what = "the overrides that hosted control planes run with";
                    self.unread(what, LIST_DEPLOYMENTS, "all namespaces".to_owned(), &error);
                    break;
                }
            }
        }
        workloads
    }

    async fn pull_secrets(&mut self, hosted_clusters: &[Arc<HostedCluster>]) -> Vec<PullSecret> {
        let (namespace, name) = PullSecret::OF_NODES;
        let mut wanted = BTreeSet::from([(namespace.to_owned(), name.to_owned())]);
        for hosted in hosted_clusters {
            let name = &hosted.spec.pull_secret.name;
            if !name.is_empty() {
                wanted.insert((hosted.metadata.namespace.clone(), name.clone()));
            }
        }
        let mut secrets = Vec::new();
        for (namespace, name) in wanted {
            match Api::<Secret>::namespaced(self.client.clone(), &namespace).get_opt(&name).await {
                Ok(Some(secret)) => {
                    let keys = registries_of(secret.data.as_ref().and_then(|data| data.get(DOCKER_CONFIG)));
                    secrets.push(PullSecret { namespace, name, keys });
                }
                // A missing Secret has no entries to check.
                Ok(None) => {}
                Err(error) => {
                    self.unread("pull secrets", GET_SECRETS, format!("{namespace}/{name}"), &error);
                }
            }
        }
        secrets
    }

    async fn ca_bundles(&mut self, hosted_clusters: &[Arc<HostedCluster>]) -> Vec<CaBundle> {
        let mut bundles = Vec::new();
        if let Some(name) = self.trusted_ca_of_nodes().await
            && let Some(keys) = self.keys_of(CaBundle::NAMESPACE_OF_NODES, &name).await
        {
            bundles.push(CaBundle::of_nodes(&name, keys));
        }
        for hosted in hosted_clusters {
            let name = &hosted.spec.additional_trust_bundle.name;
            if name.is_empty() {
                continue;
            }
            if let Some(keys) = self.keys_of(&hosted.metadata.namespace, name).await {
                bundles.push(CaBundle::of_hosted(hosted, keys));
            }
        }
        bundles
    }

    /// The name of the `ConfigMap` with additional CAs of the nodes; `None` if there is none or it could not be read.
    async fn trusted_ca_of_nodes(&mut self) -> Option<String> {
        let gvk = GroupVersionKind::gvk("config.openshift.io", "v1", "Image");
        let resource = ApiResource::from_gvk_with_plural(&gvk, "images");
        let api = Api::<DynamicObject>::all_with(self.client.clone(), &resource);
        match api.get_opt("cluster").await {
            Ok(image) => {
                let name = image?.data.pointer("/spec/additionalTrustedCA/name")?.as_str()?.to_owned();
                Some(name).filter(|name| !name.is_empty())
            }
            Err(error) => {
                self.unread("additional CAs of the nodes", GET_IMAGES, "cluster".to_owned(), &error);
                None
            }
        }
    }

    /// The keys of a `ConfigMap`; the inner `None` if it does not exist, the outer one if it could not be read.
    async fn keys_of(&mut self, namespace: &str, name: &str) -> Option<Option<BTreeSet<String>>> {
        match Api::<ConfigMap>::namespaced(self.client.clone(), namespace).get_opt(name).await {
            Ok(map) => Some(map.map(|map| {
                let binary = map.binary_data.into_iter().flatten().map(|(key, _)| key);
                map.data.into_iter().flatten().map(|(key, _)| key).chain(binary).collect()
            })),
            Err(error) => {
                self.unread("CAs of mirrors", GET_CONFIG_MAPS, format!("{namespace}/{name}"), &error);
                None
            }
        }
    }

    /// Records an object that could not be read, and why: `permission` is what reading it requires. `what` describes such
    /// objects.
    fn unread(&mut self, what: &'static str, permission: Permission, object: String, error: &Error) {
        self.unread.entry((what, permission.describe(error))).or_default().insert(object);
    }

    fn into_lines(self) -> Vec<String> {
        let mut lines = Vec::new();
        for ((what, why), objects) in self.unread {
            let objects = objects.into_iter().collect::<Vec<_>>().join(", ");
            lines.push(format!("{what} ({objects}): {why}"));
        }
        lines
    }
}

/// The names of the registries in a pull secret, without its credentials; `None` if it cannot be read.
fn registries_of(data: Option<&ByteString>) -> Option<BTreeSet<String>> {
    #[expect(clippy::zero_sized_map_values, reason = "the credentials are skipped while parsing")]
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct DockerConfig {
        #[serde(default)]
        auths: BTreeMap<String, serde::de::IgnoredAny>,
        #[serde(default)]
        cred_helpers: BTreeMap<String, serde::de::IgnoredAny>,
    }
    let config: DockerConfig = serde_json::from_slice(&data?.0).ok()?;
    Some(config.auths.into_keys().chain(config.cred_helpers.into_keys()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_registries_of_a_pull_secret_are_read() {
        let config = r#"{"auths":{"m.lab:8443":{"auth":"c2VjcmV0"}},"credHelpers":{"ecr.example":"x"}}"#;
        let names = ["ecr.example", "m.lab:8443"].map(str::to_owned);
        assert_eq!(registries(config), Some(BTreeSet::from(names)));
        assert_eq!(registries("{}"), Some(BTreeSet::new()));
        assert_eq!(registries("no JSON"), None);
        assert_eq!(registries_of(None), None);
    }

    fn registries(text: &str) -> Option<BTreeSet<String>> {
        registries_of(Some(&ByteString(text.as_bytes().to_vec())))
    }
}
