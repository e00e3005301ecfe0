//! Spans of requests, and their way to an OpenTelemetry collector.
//!
//! A request is one span, its steps are spans below it. Where no collector is named in the environment nothing is
//! set up, and a span costs a look at a flag.

mod export;

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use opentelemetry::{
    Array, StringValue, Value,
    propagation::TextMapPropagator,
    trace::{TraceContextExt, TracerProvider},
};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::{
    propagation::TraceContextPropagator,
    trace::{SdkTracer, SdkTracerProvider},
};
use tracing::{Span, Subscriber, field::Empty, info_span, warn};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt};
use tracing_subscriber::registry::LookupSpan;

pub use self::export::TraceError;
use mirrorguard_core::review::{Verdict, wire};

/// The target of every span here, and of nothing else: logs leave it out, traces take nothing but it.
pub(super) const TARGET: &str = "mirrorguard::trace";

/// How long the end waits for a collector to take what is left.
const LAST: Duration = Duration::from_secs(2);

/// How a request is told to the collector: a provider with its queue.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// What the standard variables of OpenTelemetry ask for; `None` where they name no collector. Has to be called
    /// on the runtime that is to send.
    pub fn from_environment() -> Result<Option<Self>, TraceError> {
        Ok(export::provider()?.map(|provider| Self { provider }))
    }

    /// What turns spans of `tracing` into those of OpenTelemetry.
    pub(super) fn layer<S>(&self) -> OpenTelemetryLayer<S, SdkTracer>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let tracer = self.provider.tracer("mirrorguard");
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
    }

    /// Sends what is left, and waits for it a little.
    pub async fn flush(self) {
        // It waits on its thread; this one may be the only one of the runtime, which has to send meanwhile.
        let ended = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(LAST)).await;
        if let Ok(Err(error)) = ended {
            warn!("some traces were not sent: {error}");
        }
    }
}

/// A step of a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// The body arrives.
    Read,
    /// It is parsed.
    Decode,
    /// The mirror sets are compared with the apiserver's.
    Fresh,
    /// The rules are asked.
    Review,
    /// The answer is written.
    Encode,
}

impl Step {
    pub(super) fn span(self) -> Span {
        match self {
            Self::Read => info_span!(target: TARGET, "read"),
            Self::Decode => info_span!(target: TARGET, "decode"),
            Self::Fresh => info_span!(target: TARGET, "fresh"),
            Self::Review => info_span!(target: TARGET, "review"),
            Self::Encode => info_span!(target: TARGET, "encode"),
        }
    }

    /// Does something within the step's span.
    pub(super) fn of<T>(self, work: impl FnOnce() -> T) -> T {
        self.span().in_scope(work)
    }
}

/// The span of a request, below the one that `traceparent` names.
pub(super) fn request(endpoint: &'static str, headers: &HeaderMap) -> Span {
    let span = info_span!(
        target: TARGET,
        "request",
        otel.name = format_args!("POST /{endpoint}"),
        otel.kind = "server",
        http.request.method = "POST",
        http.route = format_args!("/{endpoint}"),
        http.response.status_code = Empty,
        mirrorguard.uid = Empty,
        mirrorguard.kind = Empty,
        mirrorguard.namespace = Empty,
        mirrorguard.name = Empty,
        mirrorguard.operation = Empty,
        mirrorguard.dry_run = Empty,
        mirrorguard.verdict = Empty,
    );
    if !span.is_disabled() {
        let parent = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
        // Only a span that has begun already refuses a parent.
        let _ = span.set_parent(parent);
    }
    span
}

/// Notes what was asked.
pub(super) fn record_request(request: &wire::Request) {
    let span = Span::current();
    if span.is_disabled() {
        return;
    }
    span.record("mirrorguard.uid", &*request.uid);
    span.record("mirrorguard.kind", request.write.kind().name());
    if let Some(namespace) = &request.namespace {
        span.record("mirrorguard.namespace", &**namespace);
    }
    span.record("mirrorguard.name", &*request.name);
    span.record("mirrorguard.operation", request.write.operation_name());
    span.record("mirrorguard.dry_run", request.dry_run);
}

/// Notes which rules found something.
pub(super) fn record_verdict(verdict: &Verdict) {
    let span = Span::current();
    if span.is_disabled() {
        return;
    }
    let ids = verdict.rule_ids().into_iter().map(StringValue::from).collect();
    span.set_attribute("mirrorguard.rules", Value::Array(Array::String(ids)));
    span.set_attribute("mirrorguard.verdict", word(verdict));
}

/// Notes the answer.
pub(super) fn answered(verdict: &Verdict) {
    let span = Span::current();
    span.record("mirrorguard.verdict", word(verdict));
    span.record("http.response.status_code", i64::from(StatusCode::OK.as_u16()));
}

/// Notes the refusal of a body.
pub(super) fn refused(status: StatusCode) {
    Span::current().record("http.response.status_code", i64::from(status.as_u16()));
}

/// The id of the trace that this is part of, as collectors write it.
pub(super) fn current_id() -> Option<String> {
    let span = Span::current();
    if span.is_disabled() {
        return None;
    }
    let context = span.context();
    let context = context.span().span_context().clone();
    context.is_valid().then(|| context.trace_id().to_string())
}

fn word(verdict: &Verdict) -> &'static str {
    if verdict.is_allowed() { "allowed" } else { "denied" }
}
