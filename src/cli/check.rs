//! `mirrorguard check`.

mod evaluate;
mod outcome;
mod status;

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
    evaluate::{Configuration, Endpoints, Observed, Unread, Webhook, evaluate},
    outcome::{is_ours, outcome_of},
    status::{Check, Status},
};
use super::{
    Answer,
    connect::{Connection, advice, connect, runtime},
    output::Output,
    paint::{GREEN, RED, YELLOW, painted},
    words::plural,
};
use crate::{certificates::ConfigurationKind, cluster::cause};

const HELP: &str = "\
Output:
  stdout  a line for each check, and a fix for each failed one; or JSON with check, status (ok, failed, unknown, skipped), message and remedy of each check
  stderr  a summary

Exit codes:
  0  all checks passed
  1  a check failed
  2  usage or I/O error, or a check without a result, for example because of a missing permission

Examples:
  mirrorguard check
  mirrorguard check --webhook-configuration mirrorguard.mirrorguard
  mirrorguard check -o json | jq -r '.checks[] | select(.status == \"failed\").remedy'";

/// Check that the webhook works in the cluster
///
/// Checks the cluster of the current kubeconfig: the webhook configurations exist and trust a CA, their Service has
/// ready pods, and the webhook denies an invalid mirror set and admits a valid one. Both writes are dry runs: nothing
/// is stored.
///
/// Needs list on validatingwebhookconfigurations and mutatingwebhookconfigurations (only get with
/// --webhook-configuration), list on endpointslices, and create on imagedigestmirrorsets, which a dry run needs too.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct CheckArgs {
    /// Name of the webhook configurations. Defaults to all that contain webhooks of mirrorguard
    #[arg(long, value_name = "NAME")]
    pub(super) webhook_configuration: Option<String>,
}

pub(super) fn run(args: &CheckArgs, output: &Output) -> Result<Answer> {
    let observed = runtime()?.block_on(observe(args.webhook_configuration.as_deref(), output))?;
    let checks = evaluate(&observed);
    let [ok, failed, unknown, skipped] = [Status::Ok, Status::Failed, Status::Unknown, Status::Skipped]
        .map(|status| checks.iter().filter(|check| check.status == status).count());
    if output.is_json() {
        let summary = json!({"ok": ok, "failed": failed, "unknown": unknown, "skipped": skipped});
        output.json(&json!({"checks": checks, "summary": summary}))?;
    } else {
        output.result(&checks.iter().map(line).collect::<String>())?;
        output.message(&format!(
            "{}: {failed} failed, {unknown} without a result\n",
            plural(checks.len(), "check")
        ));
    }
    if failed > 0 {
        return Ok(Answer::No);
    }
    if unknown > 0 {
        bail!("{} had no result", plural(unknown, "check"));
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

/// Reads what the checks are about, and tries two writes.
async fn observe(name: Option<&str>, output: &Output) -> Result<Observed> {
    let connection = connect(output).await?;
    let Connection { client, server, .. } = &connection;
    let validating = configurations::<ValidatingWebhookConfiguration>(client, name).await;
    // Without a response, or without a login (401), all checks would fail for the same reason. Any other response of
    // the API server is part of a check.
    if let Err(error) = &validating
        && !matches!(error, Error::Api(status) if status.code != 401)
    {
        bail!("cannot read {server}: {}; {}", server.describe(error), advice(error, ""));
    }
    let mutating = configurations::<MutatingWebhookConfiguration>(client, name).await;
    let (validating, mutating) = (or_unread(validating), or_unread(mutating));
    let mut services = BTreeSet::new();
    for configuration in [&validating, &mutating].into_iter().flatten().flatten() {
        services.extend(configuration.webhooks.iter().filter_map(|hook| hook.service.clone()));
    }
    let mut endpoints = Vec::new();
    for (namespace, name) in services {
        let ready = or_unread(ready_endpoints(client, &namespace, &name).await);
        endpoints.push(Endpoints { namespace, name, ready });
    }
    let invalid = outcome_of(write(client, &invalid_spec()).await);
    let valid = outcome_of(write(client, &empty_spec()).await);
    Ok(Observed {
        named: name.map(str::to_owned),
        validating,
        mutating,
        endpoints,
        invalid,
        valid,
        now: Timestamp::now(),
    })
}

/// The configuration of this name, or all; only those with webhooks of mirrorguard.
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

/// A kind of webhook configuration.
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

/// The number of ready pods of a Service.
async fn ready_endpoints(client: &Client, namespace: &str, service: &str) -> Result<usize, Error> {
    let of_service = ListParams::default().labels(&format!("kubernetes.io/service-name={service}"));
    let slices = Api::<EndpointSlice>::namespaced(client.clone(), namespace).list(&of_service).await?;
    Ok(count_ready(slices.items))
}

/// The number of ready pods. Each address family has slices of its own with the same pods.
fn count_ready(slices: Vec<EndpointSlice>) -> usize {
    let mut pods = BTreeSet::new();
    for endpoint in slices.into_iter().flat_map(|slice| slice.endpoints) {
        // The API defines an endpoint without the condition as ready.
        if endpoint.conditions.as_ref().and_then(|conditions| conditions.ready) != Some(false) {
            pods.insert(pod_of(endpoint));
        }
    }
    pods.len()
}

/// The UID of an endpoint's pod, or its address where it has no pod.
fn pod_of(endpoint: Endpoint) -> String {
    let uid = endpoint.target_ref.and_then(|target| target.uid);
    uid.or_else(|| endpoint.addresses.into_iter().next()).unwrap_or_default()
}

/// Creates a mirror set as a dry run, which stores nothing.
async fn write(client: &Client, spec: &Value) -> Result<(), Error> {
    let gvk = GroupVersionKind::gvk("config.openshift.io", "v1", "ImageDigestMirrorSet");
    let resource = ApiResource::from_gvk_with_plural(&gvk, "imagedigestmirrorsets");
    let api = Api::<DynamicObject>::all_with(client.clone(), &resource);
    let set = DynamicObject::new("mirrorguard-check", &resource).data(json!({ "spec": spec }));
    let dry = PostParams { dry_run: true, field_manager: Some("mirrorguard-check".to_owned()) };
    api.create(&dry, &set).await.map(drop)
}

/// A spec that the schema accepts and that stops rendering on all nodes.
fn invalid_spec() -> Value {
    let source = "mirrorguard.invalid/check";
    let entry = json!({"source": source, "mirrors": [source], "mirrorSourcePolicy": "NeverContactSource"});
    json!({ "imageDigestMirrors": [entry] })
}

/// A spec without findings, whatever the configuration.
fn empty_spec() -> Value {
    json!({ "imageDigestMirrors": [] })
}

/// Turns the error of a failed request into a description.
fn or_unread<T>(read: Result<T, Error>) -> Result<T, Unread> {
    read.map_err(|error| Unread {
        why: cause(&error),
        is_forbidden: matches!(&error, Error::Api(status) if status.code == 403),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(endpoints: &[Value]) -> EndpointSlice {
        let slice = json!({"metadata": {}, "addressType": "IPv4", "endpoints": endpoints});
        serde_json::from_value(slice).unwrap()
    }

    fn pod(address: &str, uid: &str) -> Value {
        json!({"addresses": [address], "targetRef": {"uid": uid}})
    }

    /// An endpoint without a pod.
    fn address(address: &str, ready: Option<bool>) -> Value {
        json!({"addresses": [address], "conditions": {"ready": ready}})
    }

    #[test]
    fn a_pod_is_counted_once_whatever_its_addresses() {
        let ipv4 = slice(&[pod("192.0.2.1", "a"), pod("192.0.2.2", "b")]);
        let ipv6 = slice(&[pod("2001:db8::1", "a"), pod("2001:db8::2", "b")]);
        let manual = slice(&[address("192.0.2.1", Some(true)), address("192.0.2.2", None)]);
        let one_not_ready = slice(&[address("192.0.2.1", Some(false)), address("192.0.2.2", None)]);
        let table = [
            (vec![], 0, "no slice yet"),
            (vec![ipv4, ipv6], 2, "two address families"),
            (vec![manual], 2, "endpoints without pods are distinguished by address"),
            (vec![one_not_ready], 1, "one is not ready"),
        ];
        for (slices, expected, reason) in table {
            assert_eq!(count_ready(slices), expected, "{reason}");
        }
    }
}
