//! An OpenTelemetry collector on loopback: receives OTLP over HTTP and keeps the spans.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context as _, Result, ensure};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value as Any};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::{Value, json};

/// Listens until the test's process ends.
pub(crate) struct Collector {
    address: SocketAddr,
    received: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
}

/// A span that was sent, and the attributes of its resource.
#[derive(Debug, Clone)]
pub(crate) struct SentSpan {
    pub(crate) span: Span,
    pub(crate) resource: Value,
}

impl SentSpan {
    /// The attributes of the span.
    pub(crate) fn attributes(&self) -> Value {
        object(&self.span.attributes)
    }
}

impl Collector {
    pub(crate) fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let received = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&received);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // The test misses what is not an export.
                if let Ok(request) = read(&stream) {
                    // Before the answer: after it the webhook may end, and the test reads the spans.
                    shared.lock().unwrap_or_else(PoisonError::into_inner).push(request);
                    answer(&stream).ok();
                }
            }
        });
        Ok(Self { address, received })
    }

    /// The URL that it receives spans at.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The spans that it has received.
    pub(crate) fn spans(&self) -> Vec<SentSpan> {
        let received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        let mut spans = Vec::new();
        for group in received.iter().flat_map(|request| &request.resource_spans) {
            let resource = group.resource.as_ref();
            let resource = resource.map_or(Value::Null, |resource| object(&resource.attributes));
            for span in group.scope_spans.iter().flat_map(|scope| &scope.spans) {
                spans.push(SentSpan { span: span.clone(), resource: resource.clone() });
            }
        }
        spans
    }
}

fn read(stream: &TcpStream) -> Result<ExportTraceServiceRequest> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut length = None;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').context("not a header")?;
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.trim().parse()?);
        }
    }
    ensure!(first.starts_with("POST /v1/traces "), "asked for {first}");
    let mut body = vec![0; length.context("no length")?];
    reader.read_exact(&mut body)?;
    Ok(ExportTraceServiceRequest::decode(&*body)?)
}

fn answer(mut stream: &TcpStream) -> std::io::Result<()> {
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    stream.write_all(answer.as_bytes())
}

fn object(attributes: &[KeyValue]) -> Value {
    attributes.iter().map(|pair| (pair.key.clone(), json_of(pair.value.as_ref()))).collect()
}

fn json_of(value: Option<&AnyValue>) -> Value {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Any::StringValue(text)) => json!(text),
        Some(Any::BoolValue(value)) => json!(value),
        Some(Any::IntValue(value)) => json!(value),
        Some(Any::DoubleValue(value)) => json!(value),
        Some(Any::ArrayValue(array)) => array.values.iter().map(|value| json_of(Some(value))).collect(),
        _ => Value::Null,
    }
}
