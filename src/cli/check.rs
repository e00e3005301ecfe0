//! `mirrorguard check`.

mod judge;
mod tried;

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use clap::Args;
use jiff::Timestamp;
use k8s_openapi::{
    ByteString,
    api::{
        admissionregistration::v1::{
            MutatingWebhookConfiguration, ValidatingWebhookConfiguration, WebhookClientConfig,
        },
        discovery::v1::{Endpoint, EndpointSlice},
    },
};
use kube::{
    Api, Client, Error, Resource, ResourceExt,
    api::{ListParams, PostParams},
    core::{ApiResource, DynamicObject, GroupVersionKind},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use self::{
    judge::{Check, Configuration, Endpoints, Seen, Status, Unread, Webhook, judge},
    tried::{is_ours, tried},
};
use super::{
    Answer,
    input::{self, Connection},
    output::Output,
    paint::{GREEN, RED, YELLOW, painted},
};
use crate::{certificates::ConfigurationKind, cluster::cause};

const HELP: &str = "\
Output:
  stdout  a line for each check, with the remedy where it failed; as JSON checks, each with check, status (ok, failed, unknown, skipped), message and remedy
  stderr  the count

Exit codes:
  0  the webhook guards the cluster
  1  it does not, or not as it should
  2  usage, or something could not be asked, with the right it needs

Examples:
  mirrorguard check
  mirrorguard check --webhook-configuration mirrorguard.mirrorguard
  mirrorguard check -o json | jq -r '.checks[] | select(.status == \"failed\").remedy'";

/// Check that the webhook guards the cluster
///
/// Asks the cluster of the current kubeconfig: are the webhook configurations there, do they trust a CA, does their
/// Service lead to pods that are ready, is a mirror set that no node could render refused by mirrorguard, and one
/// without entries admitted. Both are written with dryRun, so that nothing is stored. Needs get on the configurations
/// (list without --webhook-configuration), list on endpointslices, and create on imagedigestmirrorsets.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct CheckArgs {
    /// Name of the webhook configurations; without it, all that have webhooks of mirrorguard
    #[arg(long, value_name = "NAME")]
    pub(super) webhook_configuration: Option<String>,
}

pub(super) fn run(args: &CheckArgs, output: &Output) -> Result<Answer> {
    let progress = output.progress("asking the cluster of the current kubeconfig");
    let seen = input::runtime()?.block_on(look(args.webhook_configuration.as_deref()))?;
    drop(progress);
    let checks = judge(&seen);
    let count = |status| checks.iter().filter(|check| check.status == status).count();
    let (failed, unknown) = (count(Status::Failed), count(Status::Unknown));
    if output.is_json() {
        let (ok, skipped) = (count(Status::Ok), count(Status::Skipped));
        let summary = json!({"ok": ok, "failed": failed, "unknown": unknown, "skipped": skipped});
        output.json(&json!({"checks": checks, "summary": summary}))?;
    } else {
        output.result(&checks.iter().map(line).collect::<String>())?;
        output.say(&format!("{} checks: {failed} failed, {unknown} not answered\n", checks.len()));
    }
    if failed > 0 {
        return Ok(Answer::No);
    }
    if unknown > 0 {
        bail!("not every check could be answered");
    }
    Ok(Answer::Yes)
}

/// A check for people.
fn line(check: &Check) -> String {
    let (mark, ascii, style) = match check.status {
        Status::Ok => ("✓", "ok  ", GREEN),
        Status::Failed => ("✗", "FAIL", RED),
        Status::Unknown => ("?", "?   ", YELLOW),
        Status::Skipped => ("-", "-   ", YELLOW),
    };
    let mark = painted(if Output::unicode() { mark } else { ascii }, style);
    let remedy = check.remedy.as_ref().map(|remedy| format!("  fix: {remedy}\n")).unwrap_or_default();
    format!("{mark} {}: {}\n{remedy}", check.name, check.message)
}

async fn look(name: Option<&str>) -> Result<Seen> {
    let Connection { client, server } = input::connect().await?;
    let validating = configurations::<ValidatingWebhookConfiguration>(&client, name).await;
    if let Err(error) = &validating
        && !matches!(error, Error::Api(status) if status.code != 401)
    {
        bail!("cannot ask {server} ({}): {}", input::advice(error, ""), cause(error));
    }
    let mutating = configurations::<MutatingWebhookConfiguration>(&client, name).await;
    let (validating, mutating) = (told(validating), told(mutating));
    let mut services: Vec<_> = [&validating, &mutating]
        .into_iter()
        .flat_map(|read| read.iter().flatten())
        .flat_map(|configuration| configuration.webhooks.iter().filter_map(|hook| hook.service.clone()))
        .collect();
    services.sort();
    services.dedup();
    let mut endpoints = Vec::new();
    for (namespace, name) in services {
        let ready = told(ready_endpoints(&client, &namespace, &name).await);
        endpoints.push(Endpoints { namespace, name, ready });
    }
    let bad = tried(write(&client, &unrenderable()).await);
    let good = tried(write(&client, &empty()).await);
    Ok(Seen {
        named: name.map(str::to_owned),
        validating,
        mutating,
        endpoints,
        bad,
        good,
        now: Timestamp::now(),
    })
}

/// The one of the name, or all with webhooks of ours.
async fn configurations<K>(client: &Client, name: Option<&str>) -> Result<Vec<Configuration>, Error>
where
    K: Resource<DynamicType = (), Scope = kube::core::ClusterResourceScope> + Hooks,
    K: Clone + std::fmt::Debug + DeserializeOwned,
{
    let api = Api::<K>::all(client.clone());
    let found: Vec<K> = match name {
        Some(name) => api.get_opt(name).await?.into_iter().collect(),
        None => api.list(&ListParams::default()).await?.items,
    };
    let read = found.into_iter().map(|found| Configuration {
        kind: K::KIND,
        name: found.name_any(),
        webhooks: found.webhooks(),
    });
    Ok(read.filter(|read| read.webhooks.iter().any(|hook| is_ours(&hook.name))).collect())
}

/// What the two kinds have in common.
trait Hooks {
    const KIND: ConfigurationKind;
    fn webhooks(self) -> Vec<Webhook>;
}

impl Hooks for ValidatingWebhookConfiguration {
    const KIND: ConfigurationKind = ConfigurationKind::Validating;

    fn webhooks(self) -> Vec<Webhook> {
        self.webhooks.into_iter().flatten().map(|hook| webhook(hook.name, hook.client_config)).collect()
    }
}

impl Hooks for MutatingWebhookConfiguration {
    const KIND: ConfigurationKind = ConfigurationKind::Mutating;

    fn webhooks(self) -> Vec<Webhook> {
        self.webhooks.into_iter().flatten().map(|hook| webhook(hook.name, hook.client_config)).collect()
    }
}

fn webhook(name: String, client: WebhookClientConfig) -> Webhook {
    let service = client.service.map(|service| (service.namespace, service.name));
    Webhook { name, bundle: client.ca_bundle.map(|ByteString(bytes)| bytes).unwrap_or_default(), service }
}

async fn ready_endpoints(client: &Client, namespace: &str, service: &str) -> Result<usize, Error> {
    let of_service = ListParams::default().labels(&format!("kubernetes.io/service-name={service}"));
    let slices = Api::<EndpointSlice>::namespaced(client.clone(), namespace).list(&of_service).await?;
    Ok(count_ready(slices.items))
}

/// How many pods are ready. Each address family has slices of its own, in which the same pods are told.
fn count_ready(slices: Vec<EndpointSlice>) -> usize {
    let endpoints = slices.into_iter().flat_map(|slice| slice.endpoints);
    // Who says nothing is ready.
    let ready = endpoints.filter(|e| e.conditions.as_ref().and_then(|c| c.ready) != Some(false));
    let who = |endpoint: Endpoint| {
        let uid = endpoint.target_ref.and_then(|target| target.uid);
        uid.or_else(|| endpoint.addresses.into_iter().next()).unwrap_or_default()
    };
    ready.map(who).collect::<BTreeSet<_>>().len()
}

/// Writes a mirror set without storing it.
async fn write(client: &Client, spec: &Value) -> Result<(), Error> {
    let gvk = GroupVersionKind::gvk("config.openshift.io", "v1", "ImageDigestMirrorSet");
    let resource = ApiResource::from_gvk_with_plural(&gvk, "imagedigestmirrorsets");
    let api = Api::<DynamicObject>::all_with(client.clone(), &resource);
    let set = DynamicObject::new("mirrorguard-check", &resource).data(json!({ "spec": spec }));
    let dry = PostParams { dry_run: true, field_manager: Some("mirrorguard-check".to_owned()) };
    api.create(&dry, &set).await.map(drop)
}

/// What the resource's schema lets through and no node's configuration could be rendered with.
fn unrenderable() -> Value {
    let source = "mirrorguard.invalid/check";
    let entry = json!({"source": source, "mirrors": [source], "mirrorSourcePolicy": "NeverContactSource"});
    json!({ "imageDigestMirrors": [entry] })
}

/// What no rule finds anything in, however strict the configuration.
fn empty() -> Value {
    json!({ "imageDigestMirrors": [] })
}

fn told<T>(read: Result<T, Error>) -> Result<T, Unread> {
    read.map_err(|error| Unread {
        why: cause(&error),
        is_forbidden: matches!(&error, Error::Api(status) if status.code == 403),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_counted_once_whatever_its_addresses() {
        let slice = |endpoints: Value| {
            let slice = json!({"metadata": {}, "addressType": "IPv4", "endpoints": endpoints});
            serde_json::from_value::<EndpointSlice>(slice).unwrap()
        };
        let pod = |address: &str, uid: &str| json!({"addresses": [address], "targetRef": {"uid": uid}});
        let bare = |address: &str, ready: Option<bool>| json!({"addresses": [address], "conditions": {"ready": ready}});
        let table = [
            (vec![], 0, "no slice yet"),
            (
                vec![
                    slice(json!([pod("192.0.2.1", "a"), pod("192.0.2.2", "b")])),
                    slice(json!([pod("2001:db8::1", "a"), pod("2001:db8::2", "b")])),
                ],
                2,
                "two families",
            ),
            (
                vec![slice(json!([bare("192.0.2.1", Some(true)), bare("192.0.2.2", None)]))],
                2,
                "endpoints that somebody wrote by hand are told apart by address",
            ),
            (vec![slice(json!([bare("192.0.2.1", Some(false)), bare("192.0.2.2", None)]))], 1, "one is dead"),
        ];
        for (slices, expected, reason) in table {
            assert_eq!(count_ready(slices), expected, "{reason}");
        }
    }
}
