//! Traces, as a collector gets them.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::collector::{Collector, Told};
use crate::ground::Ground;
use crate::process::{Process, Signal};
use crate::reviews::{ICSP_ALONGSIDE_IDMS, IDMS_FILE, UID, new_icsp, new_idms};

/// Draining included.
const END: Duration = Duration::from_secs(20);

/// A caller's span, as the `traceparent` header names it.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn named<'a>(spans: &'a [Told], name: &str) -> Result<&'a Told> {
    spans.iter().find(|told| told.span.name == name).with_context(|| format!("no span {name} in {spans:#?}"))
}

/// Asks one webhook one thing and ends it; tells the spans and the lines of the log.
fn traced(
    review: &Value,
    traceparent: Option<&str>,
    environment: &[(&str, String)],
) -> Result<(Vec<Told>, Vec<Value>)> {
    let collector = Collector::start()?;
    let ground = Ground::new()?;
    ground.write("mirrors/idms.yaml", IDMS_FILE)?;
    let endpoint = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())];
    let mut webhook = ground.start_in(&[&endpoint, environment].concat(), &[])?;
    ground.client(&webhook)?.validate_within(review, traceparent)?;
    webhook.signal(Signal::Interrupt)?;
    ensure!(webhook.ended(END)?.success(), "a bad end");
    Ok((collector.spans(), webhook.lines()?))
}

#[test]
fn a_denial_is_a_span_below_the_callers_with_its_steps_below_it() -> Result<()> {
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    let (spans, lines) = traced(&new_icsp(), Some(&traceparent), &[])?;
    let request = named(&spans, "POST /validate")?;
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
        let step = named(&spans, step)?;
        ensure!(step.span.parent_span_id == request.span.span_id, "not below the request: {step:#?}");
        ensure!(step.span.end_time_unix_nano >= step.span.start_time_unix_nano, "{step:#?}");
    }
    let judge = named(&spans, "review")?.attributes();
    let rules = judge["mirrorguard.rules"].as_array().context("no rules")?;
    ensure!(rules.contains(&json!(ICSP_ALONGSIDE_IDMS)), "{judge}");
    ensure!(spans.len() == 6, "other spans too: {spans:#?}");
    let denied = lines.iter().find(|line| line["message"] == "denied").context("no line")?;
    ensure!(denied["trace_id"] == TRACE, "the log leads elsewhere: {denied}");
    Ok(())
}

#[test]
fn without_a_caller_a_trace_begins_here_and_the_variables_are_followed() -> Result<()> {
    let environment = [
        ("OTEL_SERVICE_NAME", "guard".to_owned()),
        ("OTEL_RESOURCE_ATTRIBUTES", "k8s.pod.name=guard-0".to_owned()),
    ];
    let (spans, _) = traced(&new_idms("new", 1), None, &environment)?;
    let request = named(&spans, "POST /validate")?;
    ensure!(request.span.parent_span_id.is_empty(), "a parent: {request:#?}");
    ensure!(request.attributes()["mirrorguard.verdict"] == "allowed", "{request:#?}");
    ensure!(request.resource["service.name"] == "guard", "{}", request.resource);
    ensure!(request.resource["k8s.pod.name"] == "guard-0", "{}", request.resource);
    Ok(())
}

#[test]
fn what_is_not_to_be_sampled_or_is_switched_off_is_not_sent() -> Result<()> {
    let table = [
        (Some(format!("00-{TRACE}-{PARENT}-00")), vec![], "the caller does not sample"),
        (None, vec![("OTEL_TRACES_SAMPLER", "always_off".to_owned())], "nor do we"),
        (None, vec![("OTEL_SDK_DISABLED", "true".to_owned())], "switched off"),
        (None, vec![("OTEL_TRACES_EXPORTER", "none".to_owned())], "traces switched off"),
    ];
    for (traceparent, environment, reason) in table {
        let (spans, _) = traced(&new_icsp(), traceparent.as_deref(), &environment)?;
        ensure!(spans.is_empty(), "{reason}: {spans:#?}");
    }
    Ok(())
}

#[test]
fn a_collector_that_does_not_answer_keeps_nobody_waiting() -> Result<()> {
    let ground = Ground::new()?;
    // The kernel takes connections and bytes for it; nobody reads them.
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let table = [
        (
            crate::webhook::free_address()?,
            Duration::from_secs(3),
            "those of now are lost: Connection refused",
            "it is not there",
        ),
        (
            silent.local_addr()?,
            Duration::from_millis(4500),
            "stopped",
            "it takes what is sent, and says nothing",
        ),
    ];
    for (collector, most, told, reason) in table {
        let endpoint = [("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{collector}"))];
        let mut webhook = ground.start_in(&endpoint, &[])?;
        ground.client(&webhook)?.validate(&new_idms("new", 1))?.allowed()?;
        let end = Instant::now();
        webhook.signal(Signal::Interrupt)?;
        ensure!(webhook.ended(END)?.success(), "a bad end: {reason}");
        let took = end.elapsed();
        ensure!(took < most, "{reason}: it took {took:?}");
        webhook.logged(END, told)?;
    }
    Ok(())
}

#[test]
fn variables_that_cannot_be_followed_are_refused_at_the_start() -> Result<()> {
    let ground = Ground::new()?;
    let missing = ground.path("missing.crt").display().to_string();
    let here = || ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317".to_owned());
    let table = [
        (
            vec![here(), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc".to_owned())],
            "OTEL_EXPORTER_OTLP_PROTOCOL: cannot speak \"grpc\"; set http/protobuf",
        ),
        (
            vec![here(), ("OTEL_EXPORTER_OTLP_CERTIFICATE", missing)],
            "OTEL_EXPORTER_OTLP_CERTIFICATE: cannot read certificates from ",
        ),
        (
            vec![("OTEL_EXPORTER_OTLP_ENDPOINT", "no URL".to_owned())],
            "OTEL_EXPORTER_OTLP_ENDPOINT: \"no URL\" is no URL of a collector",
        ),
    ];
    for (environment, expected) in table {
        let mut process = Process::start(ground.arguments(), &environment, ground.path("log"))?;
        let status = process.ended(END)?;
        let log = process.log()?;
        ensure!(status.code() == Some(2) && log.contains(expected), "{status}, no {expected:?} in {log}");
    }
    Ok(())
}
