//! What a pod gets to know about itself from the kubelet.

use anyhow::Result;
use serde_json::Value;

use crate::control_plane::ControlPlane;
use crate::json::text;

/// A field of the pod by the path that the downward API gives it.
pub(super) fn field(plane: &ControlPlane, pod: &Value, path: &str) -> Result<String> {
    match path {
        "status.podIP" | "status.hostIP" => Ok(plane.ground.address().to_string()),
        _ => Ok(text(pod, &format!("/{}", path.replace('.', "/")))?.to_owned()),
    }
}

/// A token of the pod's `ServiceAccount` that is bound to the pod.
pub(super) fn token(plane: &ControlPlane, pod: &Value) -> Result<String> {
    let namespace = text(pod, "/metadata/namespace")?;
    let account = text(pod, "/spec/serviceAccountName")?;
    let bound = ["--bound-object-kind=Pod", "--bound-object-name", text(pod, "/metadata/name")?];
    let mut arguments = vec!["create", "token", account, "--namespace", namespace, "--duration=1h"];
    arguments.extend(bound);
    Ok(plane.kubectl(&arguments, "")?.succeeded()?.stdout.trim().to_owned())
}
