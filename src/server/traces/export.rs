//! The exporter that the environment asks for.
//!
//! The variables are those of the OpenTelemetry specification, "Environment Variable Specification" and "OTLP Exporter
//! Configuration". The libraries read most of them; what they leave to us is read here.

use std::{
    env,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::http::Uri;
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use opentelemetry_http::{HttpClient, HttpError, Request, Response, hyper::HyperClient};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio::runtime::Handle;
use tracing::{info, warn};

use crate::cluster::innermost;

/// How long a collector may take where no variable says it.
const PATIENCE: Duration = Duration::from_secs(10);

const ENDPOINT: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const PROTOCOL: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
const TIMEOUT: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
const CERTIFICATE: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"];

/// Why traces cannot be sent; names the variable.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// A protocol other than the one that is spoken.
    #[error(
        "{variable}: cannot speak {protocol:?}; set http/protobuf, and an endpoint that takes it, port 4318 mostly"
    )]
    Protocol {
        /// The variable.
        variable: &'static str,
        /// Its value.
        protocol: String,
    },
    /// An endpoint that is none.
    #[error(
        "{variable}: {endpoint:?} is no URL of a collector, such as http://collector.observability.svc:4318"
    )]
    Endpoint {
        /// The variable.
        variable: &'static str,
        /// Its value.
        endpoint: String,
    },
    /// CA certificates that cannot be read.
    #[error("{variable}: cannot read certificates from {path}: {why}")]
    Certificate {
        /// The variable.
        variable: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// No CA certificate on this machine.
    #[error(
        "OTEL_EXPORTER_OTLP_CERTIFICATE is missing: this machine has no CA certificates to check {0} with"
    )]
    NoRoots(String),
    /// What the library does not understand, an endpoint that is no URL above all.
    #[error("traces cannot be sent as the variables OTEL_EXPORTER_OTLP_… say: {0}")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
}

/// The provider that sends to the collector that is named.
pub(super) fn provider() -> Result<Option<SdkTracerProvider>, TraceError> {
    let Some((variable_of_endpoint, endpoint)) = variable(ENDPOINT).filter(|_| !is_off()) else {
        return Ok(None);
    };
    if !is_collector(&endpoint) {
        return Err(TraceError::Endpoint { variable: variable_of_endpoint, endpoint });
    }
    if let Some((variable, protocol)) = variable(PROTOCOL)
        && protocol != "http/protobuf"
    {
        return Err(TraceError::Protocol { variable, protocol });
    }
    let milliseconds = variable(TIMEOUT).and_then(|(_, value)| value.parse().ok());
    let patience = milliseconds.map_or(PATIENCE, Duration::from_millis);
    let sender = HyperClient::new(connector(&endpoint)?, patience, None);
    let client = OnRuntime {
        sender: Arc::new(sender),
        runtime: Handle::current(),
        endpoint,
        fails: AtomicBool::new(false),
    };
    let exporter = SpanExporter::builder().with_http().with_http_client(client).build()?;
    let mut resource = Resource::builder();
    if variable(["OTEL_SERVICE_NAME"]).is_none()
        && !env_of("OTEL_RESOURCE_ATTRIBUTES").contains("service.name=")
    {
        resource = resource.with_service_name("mirrorguard");
    }
    let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = resource.with_attribute(version).build();
    Ok(Some(SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build()))
}

fn is_collector(endpoint: &str) -> bool {
    endpoint.parse::<Uri>().is_ok_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")))
}

fn is_off() -> bool {
    env_of("OTEL_SDK_DISABLED").eq_ignore_ascii_case("true") || env_of("OTEL_TRACES_EXPORTER") == "none"
}

fn env_of(name: &str) -> String {
    env::var(name).unwrap_or_default().trim().to_owned()
}

/// The first of the variables that has a value; an empty one counts as not set.
fn variable<const N: usize>(names: [&'static str; N]) -> Option<(&'static str, String)> {
    names.into_iter().map(|name| (name, env_of(name))).find(|(_, value)| !value.is_empty())
}

fn connector(endpoint: &str) -> Result<HttpsConnector<HttpConnector>, TraceError> {
    let tls = match variable(CERTIFICATE) {
        Some((variable, path)) => Some(trusting(variable, Path::new(&path))?),
        None => None,
    };
    let builder = HttpsConnectorBuilder::new();
    let builder = match tls {
        Some(roots) => builder.with_tls_config(config(roots)),
        None if endpoint.starts_with("https:") => {
            builder.with_native_roots().map_err(|_| TraceError::NoRoots(endpoint.to_owned()))?
        }
        // The machine's certificates take a while to read, and nothing is to be checked.
        None => builder.with_tls_config(config(RootCertStore::empty())),
    };
    Ok(builder.https_or_http().enable_http1().build())
}

fn config(roots: RootCertStore) -> ClientConfig {
    ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()
}

fn trusting(variable: &'static str, path: &Path) -> Result<RootCertStore, TraceError> {
    let failed = |why: String| TraceError::Certificate { variable, path: path.to_owned(), why };
    let mut roots = RootCertStore::empty();
    let found = CertificateDer::pem_file_iter(path).map_err(|error| failed(error.to_string()))?;
    let (added, _) = roots.add_parsable_certificates(found.filter_map(Result::ok));
    if added == 0 { Err(failed("there is none in PEM form".to_owned())) } else { Ok(roots) }
}

/// Sends on the runtime: the queue has a thread of its own, where hyper cannot work. Tells once that the collector
/// does not take what is sent, and once that it does again; the library would tell for each batch, naming nobody.
#[derive(Debug)]
struct OnRuntime {
    sender: Arc<HyperClient<HttpsConnector<HttpConnector>>>,
    runtime: Handle,
    endpoint: String,
    fails: AtomicBool,
}

impl OnRuntime {
    fn tell(&self, sent: &Result<Response<Bytes>, HttpError>) {
        let why = match sent {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!("it answers {}", response.status())),
            Err(error) => Some(innermost(&**error)),
        };
        let endpoint = &*self.endpoint;
        match (why, self.fails.load(Ordering::Relaxed)) {
            (Some(why), false) => warn!(endpoint, "traces cannot be sent, those of now are lost: {why}"),
            (None, true) => info!(endpoint, "traces are sent again"),
            _ => return,
        }
        self.fails.fetch_xor(true, Ordering::Relaxed);
    }
}

#[async_trait]
impl HttpClient for OnRuntime {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sender = Arc::clone(&self.sender);
        let sent = self.runtime.spawn(async move { sender.send_bytes(request).await }).await?;
        self.tell(&sent);
        sent
    }
}
