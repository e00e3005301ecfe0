//! The build with the feature `otel`: spans become those of OpenTelemetry and are sent to a collector.

use std::time::Duration;

use axum::http::HeaderMap;
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
use tracing::{Span, Subscriber, warn};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt};
use tracing_subscriber::{
    Layer, filter::filter_fn, layer::SubscriberExt, registry::LookupSpan, util::SubscriberInitExt,
};

use super::{TraceError, export, is_request_span};

/// How long [`Traces::flush`] waits for the collector.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// Sends spans to a collector: a provider with its queue.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// What the standard variables of OpenTelemetry ask for; `None` if they name no collector. Must be called on the
    /// runtime that is to send.
    pub fn from_environment() -> Result<Option<Self>, TraceError> {
        Ok(export::provider()?.map(|provider| Self { provider }))
    }

    /// Converts spans of `tracing` to those of OpenTelemetry.
    fn layer<S>(&self) -> OpenTelemetryLayer<S, SdkTracer>
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

    /// Sends the spans that are left, and waits up to two seconds for the collector to accept them.
    pub async fn flush(self) {
        // The shutdown blocks its thread, so it gets one of its own: this one may be the only thread of the runtime,
        // which the exporter needs to send the spans.
        let shutdown =
            tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(FLUSH_TIMEOUT)).await;
        if let Ok(Err(error)) = shutdown {
            warn!("some traces were not sent: {error}");
        }
    }
}

/// Installs the log, and sends spans to `traces`.
pub(in crate::server) fn install<S>(log: S, traces: Option<&Traces>)
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    // Not an optional layer: an absent one enables every span.
    match traces {
        Some(traces) => log.with(traces.layer().with_filter(filter_fn(is_request_span))).init(),
        None => log.init(),
    }
}

/// Makes the span a child of the one that the header `traceparent` names.
pub(super) fn set_parent(span: &Span, headers: &HeaderMap) {
    let parent = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
    // Only a span that has already begun refuses a parent.
    let _ = span.set_parent(parent);
}

/// Sets the ids of the rules with findings, and the verdict.
pub(super) fn set_verdict(span: &Span, rules: Vec<&'static str>, verdict: &'static str) {
    let rules = rules.into_iter().map(StringValue::from).collect();
    span.set_attribute("mirrorguard.rules", Value::Array(Array::String(rules)));
    span.set_attribute("mirrorguard.verdict", verdict);
}

/// The id of the trace that the current request is part of, as collectors write it.
pub(in crate::server) fn current_id() -> Option<String> {
    let span = Span::current();
    if span.is_disabled() {
        return None;
    }
    let context = span.context();
    let context = context.span().span_context().clone();
    context.is_valid().then(|| context.trace_id().to_string())
}
