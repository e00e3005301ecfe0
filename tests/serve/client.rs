//! A client like an API server: it trusts one CA, keeps its connection, and waits for a limited time.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;

use crate::certificates::Serving;
use crate::reviews::UID;

/// For one request and its answer, in an unoptimized build on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// An open connection. It makes progress only while a request is in flight.
pub(crate) struct Client {
    runtime: Runtime,
    sender: Sender,
}

enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

/// TLS that trusts only the CAs of a PEM file.
pub(crate) fn trusting(authorities: &str) -> Result<ClientConfig> {
    Ok(ClientConfig::builder().with_root_certificates(roots(authorities)?).with_no_client_auth())
}

/// The same with a client certificate.
pub(crate) fn presenting(authorities: &str, own: &Serving) -> Result<ClientConfig> {
    let chain = CertificateDer::pem_slice_iter(own.certificate.as_bytes()).collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes())?;
    let config = ClientConfig::builder().with_root_certificates(roots(authorities)?);
    Ok(config.with_client_auth_cert(chain, key)?)
}

fn roots(authorities: &str) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authorities.as_bytes()) {
        roots.add(certificate?)?;
    }
    ensure!(!roots.is_empty(), "no certificate to trust in:\n{authorities}");
    Ok(roots)
}

impl Client {
    /// Connects to localhost, with the HTTP version that both sides support.
    pub(crate) fn connect(address: SocketAddr, tls: ClientConfig) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let sender = in_time(&runtime, "the connection", async {
            let stream = TcpStream::connect(address).await.context("no connection")?;
            let connector = TlsConnector::from(Arc::new(tls));
            let stream =
                connector.connect(ServerName::try_from("localhost")?, stream).await.context("no TLS")?;
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let stream = TokioIo::new(stream);
            if is_http2 {
                let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await?;
                tokio::spawn(connection);
                return Ok(Sender::Http2(sender));
            }
            let (sender, connection) = http1::handshake(stream).await?;
            tokio::spawn(connection);
            Ok(Sender::Http1(sender))
        })?;
        Ok(Self { runtime, sender })
    }

    /// Whether HTTP/2 was negotiated.
    pub(crate) fn is_http2(&self) -> bool {
        matches!(self.sender, Sender::Http2(_))
    }

    /// Sends a review.
    pub(crate) fn validate(&mut self, review: &Value) -> Result<Answer> {
        self.validate_within(review, None)
    }

    /// The same within a trace of the client.
    pub(crate) fn validate_within(&mut self, review: &Value, traceparent: Option<&str>) -> Result<Answer> {
        in_time(&self.runtime, "the answer", send_review(&mut self.sender, review, traceparent))
    }
}

/// Sends several reviews at once on one HTTP/2 connection, as an API server does.
pub(crate) fn validate_together(client: &Client, reviews: &[Value]) -> Result<Vec<Answer>> {
    let Sender::Http2(sender) = &client.sender else { bail!("not HTTP/2") };
    let answers = reviews.iter().map(|review| {
        let mut sender = Sender::Http2(sender.clone());
        async move { send_review(&mut sender, review, None).await }
    });
    in_time(&client.runtime, "all answers", futures::future::try_join_all(answers))
}

async fn send_review(sender: &mut Sender, review: &Value, traceparent: Option<&str>) -> Result<Answer> {
    let uri = match sender {
        Sender::Http1(_) => "/validate",
        Sender::Http2(_) => "https://localhost/validate",
    };
    let request = Request::post(uri).header("host", "localhost").header("content-type", "application/json");
    let request =
        traceparent.into_iter().fold(request, |request, value| request.header("traceparent", value));
    let request = request.body(Full::new(Bytes::from(review.to_string())))?;
    let response = sender.send(request).await.context("no answer")?;
    let status = response.status().as_u16();
    let is_last = response.headers().get("connection").is_some_and(|value| value == "close");
    let body = response.into_body().collect().await.context("no whole answer")?.to_bytes();
    Ok(Answer { is_last, ..Answer::read(status, &body)? })
}

impl Sender {
    /// Sends once the connection is free. Unlike an API server, it does not reconnect if the connection is closed.
    async fn send(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        match self {
            Self::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
            Self::Http2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }
}

fn in_time<T>(runtime: &Runtime, what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let limited = async { tokio::time::timeout(PATIENCE, work).await };
    runtime.block_on(limited).with_context(|| format!("waited {PATIENCE:?} for {what}"))?
}

/// The answer to a review.
#[derive(Debug)]
pub(crate) struct Answer {
    status: u16,
    review: Value,
    /// Whether it asks to close the connection.
    pub(crate) is_last: bool,
}

impl Answer {
    /// Reads the body of a response.
    pub(crate) fn read(status: u16, body: &[u8]) -> Result<Self> {
        let text = String::from_utf8_lossy(body);
        let review = serde_json::from_slice(body).with_context(|| format!("{status}, not JSON: {text}"))?;
        Ok(Self { status, review, is_last: false })
    }

    /// Expects an admission.
    pub(crate) fn allowed(&self) -> Result<()> {
        let response = self.response()?;
        ensure!(response["allowed"] == true, "denied: {response}");
        Ok(())
    }

    /// Expects a denial for this rule and no other.
    pub(crate) fn denied_for(&self, rule: &str) -> Result<()> {
        let response = self.response()?;
        ensure!(response["allowed"] == false, "admitted, although [{rule}] should deny it: {response}");
        let message = response["status"]["message"].as_str().context("a denial without a message")?;
        let start = format!("[{rule}] ");
        let is_only_reason = message.lines().all(|line| line.starts_with(&start));
        ensure!(!message.is_empty() && is_only_reason, "not only for [{rule}]: {message}");
        Ok(())
    }

    /// Expects a refusal with this HTTP status, as a `Status` with a message for the API server to pass on.
    pub(crate) fn refused_with(&self, expected: u16) -> Result<()> {
        let Self { status, review, .. } = self;
        let has_message = review["message"].as_str().is_some_and(|message| !message.is_empty());
        let is_status = review["kind"] == "Status" && review["code"] == expected;
        ensure!(*status == expected && is_status && has_message, "{status}: {review}");
        Ok(())
    }

    fn response(&self) -> Result<&Value> {
        let Self { status, review, .. } = self;
        let response = &review["response"];
        ensure!(*status == 200 && response["uid"] == UID, "{status}, not the answer to our review: {review}");
        Ok(response)
    }
}
