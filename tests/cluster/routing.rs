//! Leads the apiserver's webhook calls to the pod.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::json::{items, text};
use crate::kubelet::Pod;
use crate::namespace::Ground;

/// The kinds of webhook configurations.
pub(crate) const CONFIGURATIONS: [&str; 2] =
    ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"];

/// The `EndpointSlice` of the first pod.
pub(crate) const FIRST: &str = "test";

/// What the `EndpointSlice` controller knows about a pod.
#[derive(Clone, Copy)]
enum Stage {
    Serving,
    /// It has got SIGTERM, and its last known readiness probe succeeded.
    Terminating,
}

impl Stage {
    fn conditions(self) -> Value {
        match self {
            Self::Serving => json!({"ready": true, "serving": true, "terminating": false}),
            Self::Terminating => json!({"ready": false, "serving": true, "terminating": true}),
        }
    }
}

/// Makes the namespace's Services, and so the webhooks, lead to this ready pod.
pub(crate) fn lead_to(plane: &ControlPlane, namespace: &str, pod: &Pod) -> Result<()> {
    let services = plane.get(&["services", "--namespace", namespace])?;
    for service in items(&services["items"]) {
        ensure!(
            pod.is_selected_by(&service["spec"]["selector"]),
            "the Service selects other pods: {service}"
        );
        if plane.ground == Ground::Namespace {
            plane.apply(&endpoints(service, pod, FIRST, Stage::Serving)?)?;
        }
    }
    if plane.ground == Ground::Host {
        call_by_url(plane, items(&services["items"]), pod)?;
    }
    Ok(())
}

/// Makes the namespace's Services lead to another ready pod as well, in a separate `EndpointSlice`. On the host the
/// webhooks continue to call the first.
pub(crate) fn lead_also_to(plane: &ControlPlane, namespace: &str, pod: &Pod, slice: &str) -> Result<()> {
    publish(plane, namespace, pod, slice, Stage::Serving)
}

/// Stops leading the Services to a pod that is terminating, while another one is ready.
pub(crate) fn lead_away_from(
    plane: &ControlPlane,
    namespace: &str,
    pod: &Pod,
    slice: &str,
    other: &Pod,
) -> Result<()> {
    if plane.ground == Ground::Host {
        let services = plane.get(&["services", "--namespace", namespace])?;
        return call_by_url(plane, items(&services["items"]), other);
    }
    publish(plane, namespace, pod, slice, Stage::Terminating)
}

/// On the host the configurations have the URL of a pod, which an upgrade cannot undo: removes those that are left, so
/// that the upgrade creates them again.
pub(crate) fn remove_urls(plane: &ControlPlane) -> Result<()> {
    if plane.ground == Ground::Namespace {
        return Ok(());
    }
    plane.kubectl(&["delete", &CONFIGURATIONS.join(","), "--all"], "")?.succeeded().map(drop)
}

/// Removes an `EndpointSlice` once its pod is gone.
pub(crate) fn remove_slice(plane: &ControlPlane, namespace: &str, slice: &str) -> Result<()> {
    let services = plane.get(&["services", "--namespace", namespace])?;
    items(&services["items"]).iter().try_for_each(|service| {
        let name = format!("{}-{slice}", text(service, "/metadata/name")?);
        let delete = ["delete", "endpointslice", &name, "--namespace", namespace, "--ignore-not-found"];
        plane.kubectl(&delete, "")?.succeeded().map(drop)
    })
}

fn publish(plane: &ControlPlane, namespace: &str, pod: &Pod, slice: &str, stage: Stage) -> Result<()> {
    if plane.ground == Ground::Host {
        return Ok(());
    }
    let services = plane.get(&["services", "--namespace", namespace])?;
    items(&services["items"])
        .iter()
        .try_for_each(|service| plane.apply(&endpoints(service, pod, slice, stage)?))
}

/// Removes all `EndpointSlices`, as their controller would.
pub(crate) fn remove_slices(plane: &ControlPlane, namespace: &str) -> Result<()> {
    plane.kubectl(&["delete", "endpointslices", "--all", "--namespace", namespace], "")?.succeeded()?;
    Ok(())
}

/// A port of a Service by its own name or number, as the pod serves it.
fn target(service: &Value, port: &Value, pod: &Pod) -> Result<SocketAddr> {
    let known = items(&service["spec"]["ports"])
        .iter()
        .find(|known| known["name"] == *port || known["port"] == *port);
    known.map_or_else(
        || anyhow::bail!("no port {port} in {service}"),
        |known| pod.address(&known["targetPort"]),
    )
}

fn endpoints(service: &Value, pod: &Pod, slice: &str, stage: Stage) -> Result<Value> {
    let name = text(service, "/metadata/name")?;
    let mut addresses = Vec::new();
    let mut ports = Vec::new();
    for port in items(&service["spec"]["ports"]) {
        let address = pod.address(&port["targetPort"])?;
        addresses = vec![address.ip()];
        ports.push(json!({"name": port["name"], "port": address.port(), "protocol": port["protocol"]}));
    }
    Ok(json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": format!("{name}-{slice}"),
            "namespace": service["metadata"]["namespace"],
            "labels": {"kubernetes.io/service-name": name},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": addresses, "conditions": stage.conditions()}],
        "ports": ports,
    }))
}

/// On the host no Service leads anywhere: the webhooks get the loopback address of the pod.
fn call_by_url(plane: &ControlPlane, services: &[Value], pod: &Pod) -> Result<()> {
    for kind in CONFIGURATIONS {
        for mut configuration in items(&plane.get(&[kind])?["items"]).to_vec() {
            for webhook in configuration["webhooks"].as_array_mut().into_iter().flatten() {
                let client = &mut webhook["clientConfig"];
                let Some(url) = url(client, services, pod)? else { continue };
                *client = json!({"url": url, "caBundle": client["caBundle"]});
            }
            plane.kubectl(&["replace", "-f", "-"], &configuration.to_string())?.succeeded()?;
        }
    }
    Ok(())
}

/// The address of the pod, for a webhook that is called through its Service or at another pod.
fn url(client: &Value, services: &[Value], pod: &Pod) -> Result<Option<String>> {
    if let (Some(called), [service, ..]) = (client["url"].as_str(), services) {
        let (_, path) =
            called.trim_start_matches("https://").split_once('/').context("a URL without a path")?;
        let address = target(service, &service["spec"]["ports"][0]["name"], pod)?;
        return Ok(Some(format!("https://{address}/{path}")));
    }
    let called = &client["service"];
    let found = services.iter().find(|service| service["metadata"]["name"] == called["name"]);
    let Some(service) = found else { return Ok(None) };
    let address = target(service, &called["port"], pod)?;
    Ok(Some(format!("https://{address}{}", text(called, "/path")?)))
}
