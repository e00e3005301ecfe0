//! A client that calls the webhook as an API server does.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context as _, Result};
use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The `AdmissionReview` of creating an object.
pub(super) fn review(object: &Value, resource: &str) -> Value {
    let (group, version) = object["apiVersion"].as_str().and_then(|v| v.split_once('/')).unwrap_or_default();
    let (kind, metadata) = (&object["kind"], &object["metadata"]);
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "6f1c0b4e-0d2c-4c8e-9d53-3f1f0c1c2d10",
            "kind": { "group": group, "version": version, "kind": kind },
            "resource": { "group": group, "version": version, "resource": resource },
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "operation": "CREATE",
            "userInfo": { "username": "kubeadmin", "groups": ["system:authenticated"] },
            "object": object,
            "oldObject": null,
            "dryRun": false,
        },
    })
}

#[derive(Deserialize)]
struct Review {
    response: Response,
}

/// The response of an `AdmissionReview`.
#[derive(Deserialize)]
pub(super) struct Response {
    pub(super) allowed: bool,
    #[serde(default)]
    pub(super) warnings: Vec<String>,
    pub(super) status: Option<Status>,
    /// A JSON patch in base64.
    pub(super) patch: Option<String>,
}

/// Why a request is denied.
#[derive(Deserialize)]
pub(super) struct Status {
    pub(super) message: String,
}

/// A client that trusts the CA of the webhook only.
pub(super) struct Client {
    address: SocketAddr,
    tls: TlsConnector,
}

impl Client {
    /// A client for the webhook at an address, with its CA in PEM.
    pub(super) fn new(address: SocketAddr, ca: &str) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).context("cannot parse the generated CA")?)?;
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Ok(Self { address, tls: TlsConnector::from(Arc::new(config)) })
    }

    /// Sends a review over TLS on a new connection.
    pub(super) async fn send(&self, path: &str, review: &Value) -> Result<Response> {
        let stream = TcpStream::connect(self.address).await.context("cannot connect to the webhook")?;
        let stream = self
            .tls
            .connect(ServerName::try_from("localhost")?, stream)
            .await
            .context("TLS handshake failed")?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let request = Request::post(path)
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(review.to_string())))?;
        let response = sender.send_request(request).await.context("the webhook did not respond")?;
        let body = response.into_body().collect().await?.to_bytes();
        let review: Review =
            serde_json::from_slice(&body).context("cannot parse the response of the webhook")?;
        Ok(review.response)
    }
}
