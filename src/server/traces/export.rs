//! The exporter that the environment asks for.

use std::{
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

use super::variables::{self, Variable};
use crate::cluster::innermost;

/// How long a collector may take to answer if no variable sets it: the default of the specification.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

const PROTOCOL: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
const TIMEOUT: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
const CERTIFICATE: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"];

/// Why traces cannot be sent. Names the variable.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// An unsupported protocol.
    #[error(
        "{variable}: protocol {protocol:?} is not supported; set http/protobuf and an endpoint that accepts it, usually on port 4318"
    )]
    Protocol {
        /// The variable.
        variable: &'static str,
        /// Its value.
        protocol: String,
    },
    /// An endpoint that is not a URL.
    #[error(
        "{variable}: {endpoint:?} is not the URL of a collector, such as http://collector.observability.svc:4318"
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
        "OTEL_EXPORTER_OTLP_CERTIFICATE is required: this machine has no CA certificates to verify {0} with"
    )]
    NoRoots(String),
    /// What the library does not accept.
    #[error("cannot use the variables OTEL_EXPORTER_OTLP_…: {0}")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
}

/// The provider that sends to the collector that the environment names.
pub(super) fn provider() -> Result<Option<SdkTracerProvider>, TraceError> {
    let Some(Variable { name, value: endpoint }) = variables::endpoint() else { return Ok(None) };
    if !is_collector(&endpoint) {
        return Err(TraceError::Endpoint { variable: name, endpoint });
    }
    if let Some(Variable { name, value }) = variables::first_of(PROTOCOL)
        && value != "http/protobuf"
    {
        return Err(TraceError::Protocol { variable: name, protocol: value });
    }
    let milliseconds = variables::first_of(TIMEOUT).and_then(|timeout| timeout.value.parse().ok());
    let timeout = milliseconds.map_or(TIMEOUT_DEFAULT, Duration::from_millis);
    let sender = HyperClient::new(connector(&endpoint)?, timeout, None);
    let client = OnRuntime {
        sender: Arc::new(sender),
        runtime: Handle::current(),
        endpoint,
        fails: AtomicBool::new(false),
    };
    let exporter = SpanExporter::builder().with_http().with_http_client(client).build()?;
    Ok(Some(SdkTracerProvider::builder().with_resource(resource()).with_batch_exporter(exporter).build()))
}

/// The identity of the service: what the variables set, or `mirrorguard`.
fn resource() -> Resource {
    let mut resource = Resource::builder();
    let is_named = !variables::value_of("OTEL_SERVICE_NAME").is_empty()
        || variables::value_of("OTEL_RESOURCE_ATTRIBUTES").contains("service.name=");
    if !is_named {
        resource = resource.with_service_name("mirrorguard");
    }
    let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    resource.with_attribute(version).build()
}

fn is_collector(endpoint: &str) -> bool {
    endpoint.parse::<Uri>().is_ok_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")))
}

fn connector(endpoint: &str) -> Result<HttpsConnector<HttpConnector>, TraceError> {
    let builder = HttpsConnectorBuilder::new();
    let builder = if let Some(Variable { name, value }) = variables::first_of(CERTIFICATE) {
        builder.with_tls_config(config(roots_of(name, Path::new(&value))?))
    } else if endpoint.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:")) {
        builder.with_native_roots().map_err(|_| TraceError::NoRoots(endpoint.to_owned()))?
    } else {
        // Reading the certificates of the machine takes a while, and plain HTTP checks none.
        builder.with_tls_config(config(RootCertStore::empty()))
    };
    Ok(builder.https_or_http().enable_http1().build())
}

fn config(roots: RootCertStore) -> ClientConfig {
    ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()
}

/// The certificates in the file that a variable names.
fn roots_of(variable: &'static str, path: &Path) -> Result<RootCertStore, TraceError> {
    let found = CertificateDer::pem_file_iter(path).map_err(|error| TraceError::Certificate {
        variable,
        path: path.to_owned(),
        why: error.to_string(),
    })?;
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.filter_map(Result::ok));
    if added == 0 {
        let why = "it contains no certificate in PEM form".to_owned();
        return Err(TraceError::Certificate { variable, path: path.to_owned(), why });
    }
    Ok(roots)
}

/// Sends on the runtime: the queue has its own thread, where hyper cannot work. Logs once when sending begins to fail,
/// and once when it works again; the library would log each batch, without the endpoint.
#[derive(Debug)]
struct OnRuntime {
    sender: Arc<HyperClient<HttpsConnector<HttpConnector>>>,
    runtime: Handle,
    endpoint: String,
    fails: AtomicBool,
}

impl OnRuntime {
    /// Logs if sending begins to fail or works again.
    fn log_change(&self, sent: &Result<Response<Bytes>, HttpError>) {
        let why = match sent {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!("the collector answered {}", response.status())),
            Err(error) => Some(innermost(&**error)),
        };
        let endpoint = &*self.endpoint;
        match (why, self.fails.load(Ordering::Relaxed)) {
            (Some(why), false) => {
                warn!(endpoint, "cannot send traces, they are lost until this is fixed: {why}");
            }
            (None, true) => info!(endpoint, "traces are sent again"),
            _ => return,
        }
        // Only a change gets here.
        self.fails.fetch_xor(true, Ordering::Relaxed);
    }
}

#[async_trait]
impl HttpClient for OnRuntime {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sender = Arc::clone(&self.sender);
        let sent = self.runtime.spawn(async move { sender.send_bytes(request).await }).await?;
        self.log_change(&sent);
        sent
    }
}
