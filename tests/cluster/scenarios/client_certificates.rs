//! The API server authenticates with a client certificate.

use std::fs;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::cluster::{Cluster, nothing_is_left};
use crate::http;
use crate::load::call;
use crate::release::NAMESPACE;
use crate::routing::CONFIGURATIONS;
use crate::webhook_client::CLIENT_CA;

scenarios![with_a_client_ca_only_the_api_server_gets_an_answer];

const MAP: &str = "webhook-clients";

fn with_a_client_ca_only_the_api_server_gets_an_answer(cluster: &mut Cluster) -> Result<()> {
    let ca = fs::read_to_string(cluster.plane.path(CLIENT_CA))?;
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": MAP, "namespace": NAMESPACE},
        "data": {"clients.crt": ca},
    });
    cluster.plane.apply(&map)?;
    let checked = json!({"mode": "selfManaged", "clientCA": {"configMap": MAP, "key": "clients.crt"}});
    for (certificates, answered, reason) in [
        (checked, false, "a client without a certificate"),
        (json!({"mode": "selfManaged"}), true, "the same client where no certificate is required"),
    ] {
        cluster.install_with(certificates)?;
        // Waits until the API server gets an answer.
        cluster.start_pod()?;
        let address = cluster.pod()?.address(&Value::from("webhook"))?;
        // A server may only refuse after the handshake, as far as a client sees it.
        let request = "GET / HTTP/1.0\r\n\r\n";
        let called =
            call(&cluster.plane, CONFIGURATIONS[0], address).and_then(|c| http::exchange(c, request));
        ensure!(called.is_ok() == answered, "{reason}: {called:?}");
    }
    cluster.uninstall()?;
    cluster.plane.kubectl(&["delete", "configmap", MAP, "--namespace", NAMESPACE], "")?.succeeded()?;
    nothing_is_left(cluster)?;
    cluster.install_as_before()
}
