//! Plays the kubelet, and the Deployment's controller, for one pod.
//!
//! The pod is really created, so that the apiserver defaults it, mounts its token and holds it against the
//! namespace's pod security level; what comes back is run as the kubelet would run it.

mod container;
mod facts;
mod volumes;

use std::fs;
use std::net::SocketAddr;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use self::container::Ports;
use self::volumes::Volume;
use crate::control_plane::ControlPlane;
use crate::http;
use crate::json::{items, text};
use crate::process::{EndedEarly, Process};
use crate::wait::eventually;

const READY_DEADLINE: Duration = Duration::from_secs(30);

/// One running pod; dropping it kills its process.
pub(crate) struct Pod {
    /// As the apiserver admitted it.
    object: Value,
    volumes: Vec<Volume>,
    ports: Ports,
    process: Process,
}

impl Pod {
    /// Creates a pod from the Deployment's template, starts its container and waits until it is ready.
    pub(crate) fn start(plane: &ControlPlane, deployment: &Value) -> Result<Self> {
        Self::run(plane, create(plane, deployment)?)
    }

    /// Starts another pod next to the first, on separate ports, since all have the node's address.
    /// No two that run at once may have the same number, from 1 on.
    pub(crate) fn start_another(plane: &ControlPlane, deployment: &Value, number: u64) -> Result<Self> {
        let mut deployment = deployment.clone();
        let container = deployment
            .pointer_mut("/spec/template/spec/containers/0")
            .context("a Deployment without a container")?;
        let mut text = container.to_string();
        for port in items(&container["ports"]) {
            let declared = port["containerPort"].as_u64().context("a port without a number")?;
            text = text.replace(&declared.to_string(), &(declared + 1000 * number).to_string());
        }
        *container = serde_json::from_str(&text)?;
        Self::run(plane, create(plane, &deployment)?)
    }

    fn run(plane: &ControlPlane, object: Value) -> Result<Self> {
        let folder = plane.path(text(&object, "/metadata/name")?);
        let volumes = volumes::lay_out(plane, &object, &folder)?;
        let ports = Ports::of(only_container(&object)?, plane)?;
        let process = container::start(plane, &object, &volumes, &ports)?;
        let mut pod = Self { object, volumes, ports, process };
        pod.wait_until_ready()?;
        Ok(pod)
    }

    /// Brings the volumes up to date with what they show, as the kubelet does every minute or so.
    pub(crate) fn sync_volumes(&self, plane: &ControlPlane) -> Result<()> {
        self.volumes.iter().try_for_each(|volume| volume.publish(plane, &self.object))
    }

    /// Ends the pod as the kubelet does: SIGTERM, then an end within the grace period.
    pub(crate) fn stop(self, plane: &ControlPlane) -> Result<ExitStatus> {
        self.begin_stop()?;
        self.finish_stop(plane)
    }

    /// The first half of it.
    pub(crate) fn begin_stop(&self) -> Result<()> {
        self.process.terminate()
    }

    /// The second half of it.
    pub(crate) fn finish_stop(mut self, plane: &ControlPlane) -> Result<ExitStatus> {
        let grace = self.object.pointer("/spec/terminationGracePeriodSeconds").and_then(Value::as_u64);
        let status =
            self.process.wait_after_sigterm(Duration::from_secs(grace.context("no grace period")?))?;
        let (namespace, name) =
            (text(&self.object, "/metadata/namespace")?, text(&self.object, "/metadata/name")?);
        let delete = ["delete", "pod", "--namespace", namespace, name, "--grace-period=0", "--force"];
        plane.kubectl(&delete, "")?.succeeded()?;
        Ok(status)
    }

    /// Where a port of the container, given by name or number, really listens.
    pub(crate) fn address(&self, port: &Value) -> Result<SocketAddr> {
        self.ports.address(port)
    }

    /// Whether a Service with this selector leads to this pod.
    pub(crate) fn is_selected_by(&self, selector: &Value) -> bool {
        let labels = &self.object["metadata"]["labels"];
        selector.as_object().is_some_and(|wanted| wanted.iter().all(|(key, value)| labels[key] == *value))
    }

    /// The status code that a probe of the pod template (for example `readinessProbe`) gets.
    pub(crate) fn probe(&self, which: &str) -> Result<u16> {
        let probe = &only_container(&self.object)?[which]["httpGet"];
        let scheme = text(probe, "/scheme")?;
        ensure!(scheme == "HTTP", "{which} by {scheme}: this kubelet only knows HTTP");
        Ok(http::get(self.address(&probe["port"])?, text(probe, "/path")?)?.status)
    }

    /// The image that a real kubelet would have pulled.
    pub(crate) fn image(&self) -> Result<&str> {
        text(only_container(&self.object)?, "/image")
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let waited = eventually(READY_DEADLINE, "the pod's readiness probe", || {
            // A process that has ended never gets ready.
            if let Err(ended) = self.process.expect_running() {
                return Ok(Err(ended));
            }
            let status = self.probe("readinessProbe")?;
            ensure!((200..400).contains(&status), "the readiness probe answers {status}");
            Ok(Ok(()))
        });
        waited.and_then(|alive| alive)
    }
}

/// Runs a pod whose container ends by itself, and reports its phase to the API server; returns what it has written.
pub(crate) fn run_to_end(plane: &ControlPlane, object: &Value) -> Result<String> {
    let name = text(object, "/metadata/name")?;
    let folder = plane.path(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let container = only_container(object)?;
    let log = plane.logs().join(format!("{}.log", text(container, "/name")?));
    if log.exists() {
        fs::remove_file(&log)?;
    }
    let volumes = volumes::lay_out(plane, object, &folder)?;
    let ports = Ports::of(container, plane)?;
    let mut process = container::start(plane, object, &volumes, &ports)?;
    let ended = process.finish(READY_DEADLINE)?;
    let phase = if ended.success() { "Succeeded" } else { "Failed" };
    let status = json!({"status": {"phase": phase}}).to_string();
    let namespace = text(object, "/metadata/namespace")?;
    let patch = ["patch", "pod", name, "--namespace", namespace, "--subresource=status", "--type=merge"];
    plane.kubectl(&[&patch[..], &["--patch", &status]].concat(), "")?.succeeded()?;
    Ok(fs::read_to_string(log)?)
}

/// Starts a pod that must end at its start; returns how it ended.
pub(crate) fn expect_no_start(plane: &ControlPlane, deployment: &Value) -> Result<EndedEarly> {
    let namespace = text(deployment, "/metadata/namespace")?;
    let started = Pod::start(plane, deployment);
    let delete = ["delete", "pods", "--all", "--namespace", namespace, "--grace-period=0", "--force"];
    plane.kubectl(&delete, "")?.succeeded()?;
    match started {
        Ok(_) => bail!("the pod has started"),
        Err(error) => error.downcast::<EndedEarly>().context("the pod did not end by itself"),
    }
}

/// The Deployment controller's part.
fn create(plane: &ControlPlane, deployment: &Value) -> Result<Value> {
    let template = &deployment["spec"]["template"];
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": template["metadata"], "spec": template["spec"],
    });
    pod["metadata"]["generateName"] = format!("{}-", text(deployment, "/metadata/name")?).into();
    pod["metadata"]["namespace"] = deployment["metadata"]["namespace"].clone();
    let answer = plane.kubectl(&["create", "--output=json", "-f", "-"], &pod.to_string())?.succeeded()?;
    ensure!(answer.stderr.is_empty(), "the apiserver warns about the pod template:\n{}", answer.stderr);
    Ok(serde_json::from_str(&answer.stdout)?)
}

fn only_container(pod: &Value) -> Result<&Value> {
    match items(&pod["spec"]["containers"]) {
        [container] => Ok(container),
        several => anyhow::bail!("this kubelet runs one container in a pod, not {}", several.len()),
    }
}
