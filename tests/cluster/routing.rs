//! Leads the apiserver's webhook calls to the pod.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::json::{items, text};
use crate::kubelet::Pod;
use crate::namespace::Ground;

/// What a chart registers webhooks with.
pub(crate) const CONFIGURATIONS: [&str; 2] =
    ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"];

/// The `EndpointSlice` of the first pod.
pub(crate) const FIRST: &str = "test";

/// What the `EndpointSlice` controller knows of a pod.
#[derive(Clone, Copy)]
enum Stage {
    Serving,
    /// It has been told to end, and still answers its readiness probe as far as anybody has seen.
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

/// Makes the ready pod the one that the namespace's Services, and so the webhooks, lead to.
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

/// Makes a further ready pod, in an `EndpointSlice` of its own, one that the namespace's Services lead to as well. On
/// the host the webhooks go on calling the first.
pub(crate) fn lead_also_to(plane: &ControlPlane, namespace: &str, pod: &Pod, slice: &str) -> Result<()> {
    publish(plane, namespace, pod, slice, Stage::Serving)
}

/// Leads nobody to a pod any more that has been told to end, while another one is there.
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

/// On the host the configurations lead to a pod by URL, which an upgrade cannot undo: takes away those that are left,
/// so that it makes them anew.
pub(crate) fn leave_to_upgrade(plane: &ControlPlane) -> Result<()> {
    if plane.ground == Ground::Namespace {
        return Ok(());
    }
    plane.kubectl(&["delete", &CONFIGURATIONS.join(","), "--all"], "")?.succeeded().map(drop)
}

/// Removes an `EndpointSlice` once its pod is gone.
pub(crate) fn forget(plane: &ControlPlane, namespace: &str, slice: &str) -> Result<()> {
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

/// The `EndpointSlice` controller's part, once more: nobody would remove them for us.
pub(crate) fn remove(plane: &ControlPlane, namespace: &str) -> Result<()> {
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

/// Without a network of our own no Service leads anywhere: the webhooks get the pod's loopback address.
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

/// The pod's address for a webhook that is called through its Service, or at another pod.
fn url(client: &Value, services: &[Value], pod: &Pod) -> Result<Option<String>> {
    if let (Some(called), [service, ..]) = (client["url"].as_str(), services) {
        let path = called.rsplit_once('/').map_or("", |(_, path)| path);
        let address = target(service, &service["spec"]["ports"][0]["name"], pod)?;
        return Ok(Some(format!("https://{address}/{path}")));
    }
    let called = &client["service"];
    let found = services.iter().find(|service| service["metadata"]["name"] == called["name"]);
    let Some(service) = found else { return Ok(None) };
    let address = target(service, &called["port"], pod)?;
    Ok(Some(format!("https://{address}{}", text(called, "/path")?)))
}
