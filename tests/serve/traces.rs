//! Traces, as a collector receives them.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::collector::{Collector, SentSpan};
use crate::ground::Ground;
use crate::process::{Process, Signal};
use crate::reviews::{ICSP_ALONGSIDE_IDMS, IDMS_FILE, UID, new_icsp, new_idms};

/// How long a webhook may take to stop, draining included.
const END: Duration = Duration::from_secs(20);

/// A caller's span, as the `traceparent` header names it.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn find_span<'a>(spans: &'a [SentSpan], name: &str) -> Result<&'a SentSpan> {
    spans.iter().find(|sent| sent.span.name == name).with_context(|| format!("no span {name} in {spans:#?}"))
}

/// Starts a webhook, sends it one review and stops it; returns the spans and the lines of the log.
fn trace_review(
    review: &Value,
    traceparent: Option<&str>,
    environment: &[(&str, String)],
) -> Result<(Vec<SentSpan>, Vec<Value>)> {
    let collector = Collector::start()?;
    let ground = Ground::new()?;
    ground.write("mirrors/idms.yaml", IDMS_FILE)?;
    let endpoint = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())];
    let mut webhook = ground.start_in(&[&endpoint, environment].concat(), &[])?;
    ground.client(&webhook)?.validate_within(review, traceparent)?;
    webhook.signal(Signal::Interrupt)?;
    ensure!(webhook.ended(END)?.success(), "it failed");
    Ok((collector.spans(), webhook.lines()?))
}

#[test]
fn a_denial_is_a_span_below_the_callers_with_its_steps_below_it() -> Result<()> {
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    let (spans, lines) = trace_review(&new_icsp(), Some(&traceparent), &[])?;
    let request = find_span(&spans, "POST /validate")?;
    ensure!(hex(&request.span.trace_id) == TRACE, "another trace: {request:#?}");
    ensure!(hex(&request.span.parent_span_id) == PARENT, "another parent: {request:#?}");
    ensure!(request.resource["service.name"] == "mirrorguard", "{}", request.resource);
    ensure!(request.resource["service.version"] == env!("CARGO_PKG_VERSION"), "{}", request.resource);
    let expected = json!({
        "http.request.method": "POST", "http.route": "/validate", "http.response.status_code": 200,
        "mirrorguard.uid": UID, "mirrorguard.kind": "ImageContentSourcePolicy", "mirrorguard.name": "new",
        "mirrorguard.operation": "CREATE", "mirrorguard.dry_run": false, "mirrorguard.verdict": "denied",
    });
    for (name, value) in expected.as_object().context("no object")? {
        let attributes = request.attributes();
        ensure!(attributes[name] == *value, "{name} is not {value} in {attributes}");
    }
    for step in ["read", "decode", "fresh", "review", "encode"] {
        let step = find_span(&spans, step)?;
        ensure!(step.span.parent_span_id == request.span.span_id, "not below the request: {step:#?}");
        ensure!(step.span.end_time_unix_nano >= step.span.start_time_unix_nano, "{step:#?}");
    }
    let attributes = find_span(&spans, "review")?.attributes();
    let rules = attributes["mirrorguard.rules"].as_array().context("no rules")?;
    ensure!(rules.contains(&json!(ICSP_ALONGSIDE_IDMS)), "{attributes}");
    ensure!(spans.len() == 6, "other spans too: {spans:#?}");
    let denied = lines.iter().find(|line| line["message"] == "denied").context("no line")?;
    ensure!(denied["trace_id"] == TRACE, "another trace in the log: {denied}");
    Ok(())
}

#[test]
fn without_a_caller_a_trace_begins_here_and_the_variables_are_followed() -> Result<()> {
    let environment = [
        ("OTEL_SERVICE_NAME", "guard".to_owned()),
        ("OTEL_RESOURCE_ATTRIBUTES", "k8s.pod.name=guard-0".to_owned()),
    ];
    let (spans, _) = trace_review(&new_idms("new", 1), None, &environment)?;
    let request = find_span(&spans, "POST /validate")?;
    ensure!(request.span.parent_span_id.is_empty(), "a parent: {request:#?}");
    ensure!(request.attributes()["mirrorguard.verdict"] == "allowed", "{request:#?}");
    ensure!(request.resource["service.name"] == "guard", "{}", request.resource);
    ensure!(request.resource["k8s.pod.name"] == "guard-0", "{}", request.resource);
    Ok(())
}

#[test]
fn traces_that_are_not_sampled_or_disabled_are_not_sent() -> Result<()> {
    let unsampled = format!("00-{TRACE}-{PARENT}-00");
    let table = [
        (Some(&*unsampled), None, "the caller does not sample"),
        (None, Some(("OTEL_TRACES_SAMPLER", "always_off")), "the webhook does not sample"),
        (None, Some(("OTEL_SDK_DISABLED", "true")), "OpenTelemetry is disabled"),
        (None, Some(("OTEL_TRACES_EXPORTER", "none")), "traces are disabled"),
    ];
    for (traceparent, variable, reason) in table {
        let environment: Vec<_> =
            variable.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        let (spans, _) = trace_review(&new_icsp(), traceparent, &environment)?;
        ensure!(spans.is_empty(), "{reason}: {spans:#?}");
    }
    Ok(())
}

/// Starts a webhook that sends its traces to this address, sends it one review and stops it; returns how long stopping
/// took, and the lines of the log.
fn stop_with_collector(collector: SocketAddr) -> Result<(Duration, Vec<Value>)> {
    let ground = Ground::new()?;
    let endpoint = [("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{collector}"))];
    let mut webhook = ground.start_in(&endpoint, &[])?;
    ground.client(&webhook)?.validate(&new_idms("new", 1))?.allowed()?;
    let begin = Instant::now();
    webhook.signal(Signal::Interrupt)?;
    ensure!(webhook.ended(END)?.success(), "it failed");
    Ok((begin.elapsed(), webhook.lines()?))
}

#[test]
fn a_collector_that_is_not_there_does_not_delay_the_end() -> Result<()> {
    let collector = crate::webhook::free_address()?;
    let (took, lines) = stop_with_collector(collector)?;
    ensure!(took < Duration::from_secs(3), "it took {took:?}");
    let endpoint = format!("http://{collector}");
    let warnings = lines.iter().filter(|line| line["level"] == "WARN" && line["endpoint"] == *endpoint);
    ensure!(warnings.count() == 1, "not one warning that traces are lost: {lines:#?}");
    Ok(())
}

#[test]
fn a_collector_that_does_not_answer_delays_the_end_by_two_seconds() -> Result<()> {
    // The kernel accepts connections and bytes for it; nobody reads them.
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let (took, _) = stop_with_collector(silent.local_addr()?)?;
    ensure!(took < Duration::from_millis(4500), "it took {took:?}");
    Ok(())
}

/// Variables that end the webhook at its start.
struct BadVariables {
    variables: Vec<(&'static str, String)>,
    named: &'static str,
    reason: &'static str,
}

#[test]
fn bad_variables_are_an_error_at_startup() -> Result<()> {
    let ground = Ground::new()?;
    let missing = ground.path("missing.crt").display().to_string();
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317".to_owned());
    let table = [
        BadVariables {
            variables: vec![endpoint.clone(), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc".to_owned())],
            named: "OTEL_EXPORTER_OTLP_PROTOCOL",
            reason: "gRPC is not supported",
        },
        BadVariables {
            variables: vec![endpoint, ("OTEL_EXPORTER_OTLP_CERTIFICATE", missing)],
            named: "OTEL_EXPORTER_OTLP_CERTIFICATE",
            reason: "the file does not exist",
        },
        BadVariables {
            variables: vec![("OTEL_EXPORTER_OTLP_ENDPOINT", "no URL".to_owned())],
            named: "OTEL_EXPORTER_OTLP_ENDPOINT",
            reason: "the endpoint is not a URL",
        },
    ];
    for BadVariables { variables, named, reason } in table {
        let mut process = Process::start(ground.arguments(), &variables, ground.path("log"))?;
        let status = process.ended(END)?;
        let log = process.log()?;
        ensure!(status.code() == Some(2) && log.contains(named), "{reason}: {status}, no {named} in {log}");
    }
    Ok(())
}
