//! The API server as a client of webhooks: its client certificate, configured as documented by Kubernetes.

use std::fs;
use std::path::Path;

use anyhow::Result;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::certificates::Authority;
use crate::namespace::Ground;
use crate::release::Release;

/// The CA of that certificate, PEM, in the control plane's folder.
pub(crate) const CLIENT_CA: &str = "webhook-client-ca.crt";

/// The file for the apiserver's `--admission-control-config-file`.
pub(crate) const CONFIGURATION: &str = "admission.json";

/// Writes the apiserver's admission configuration, and all that it names.
pub(crate) fn configure(folder: &Path, ground: Ground) -> Result<()> {
    let authority = Authority::new("clients of webhooks")?;
    let client = authority.issue_to_client("kube-apiserver")?;
    // Users are found by the server's name; for a URL the test does not know the port yet.
    let server = if ground == Ground::Namespace { Release::server_name() } else { "*".to_owned() };
    let user = json!({
        "client-certificate-data": BASE64_STANDARD.encode(&client.certificate),
        "client-key-data": BASE64_STANDARD.encode(&client.key),
    });
    let kubeconfig = json!({"apiVersion": "v1", "kind": "Config", "users": [{"name": server, "user": user}]});
    let file = folder.join("webhook-client.json");
    let plugins = ["ValidatingAdmissionWebhook", "MutatingAdmissionWebhook"].map(|name| {
        json!({"name": name, "configuration": {
            "apiVersion": "apiserver.config.k8s.io/v1", "kind": "WebhookAdmissionConfiguration",
            "kubeConfigFile": file,
        }})
    });
    let admission = json!({
        "apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration", "plugins": plugins,
    });
    fs::write(&file, kubeconfig.to_string())?;
    fs::write(folder.join(CONFIGURATION), admission.to_string())?;
    fs::write(folder.join(CLIENT_CA), authority.pem())?;
    Ok(())
}
