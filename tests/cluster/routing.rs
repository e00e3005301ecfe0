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

/// Makes the ready pod the one that the namespace's Services, and so the webhooks, lead to.
pub(crate) fn lead_to(plane: &ControlPlane, namespace: &str, pod: &Pod) -> Result<()> {
    let services = plane.get(&["services", "--namespace", namespace])?;
    for service in items(&services["items"]) {
        ensure!(
            pod.is_selected_by(&service["spec"]["selector"]),
            "the Service selects other pods: {service}"
        );
        if plane.ground == Ground::Namespace {
            plane.apply(&endpoints(service, pod, "test")?)?;
        }
    }
    if plane.ground == Ground::Host {
        call_by_url(plane, items(&services["items"]), pod)?;
    }
    Ok(())
}

/// Makes a second ready pod one that the namespace's Services lead to as well. On the host the webhooks go on
/// calling the first.
pub(crate) fn lead_also_to(plane: &ControlPlane, namespace: &str, pod: &Pod) -> Result<()> {
    if plane.ground == Ground::Host {
        return Ok(());
    }
    let services = plane.get(&["services", "--namespace", namespace])?;
    items(&services["items"]).iter().try_for_each(|service| plane.apply(&endpoints(service, pod, "second")?))
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

fn endpoints(service: &Value, pod: &Pod, suffix: &str) -> Result<Value> {
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
            "name": format!("{name}-{suffix}"),
            "namespace": service["metadata"]["namespace"],
            "labels": {"kubernetes.io/service-name": name},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": addresses, "conditions": {"ready": true}}],
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

/// The pod's address for a webhook that is still to be called through its Service.
fn url(client: &Value, services: &[Value], pod: &Pod) -> Result<Option<String>> {
    let called = &client["service"];
    let found = services.iter().find(|service| service["metadata"]["name"] == called["name"]);
    let Some(service) = found else { return Ok(None) };
    let address = target(service, &called["port"], pod)?;
    Ok(Some(format!("https://{address}{}", text(called, "/path")?)))
}
