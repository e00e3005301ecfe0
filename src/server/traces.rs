//! Spans of requests, and how they reach an OpenTelemetry collector.
//!
//! A request is one span, and its steps are child spans. Builds with the feature `otel` send them to the collector that
//! the environment names; in other builds, and without a collector, every span is disabled and costs one look at a flag.

#[cfg(feature = "otel")]
mod export;
#[cfg(feature = "otel")]
#[path = "traces/otel.rs"]
mod sender;
#[cfg(not(feature = "otel"))]
#[path = "traces/absent.rs"]
mod sender;
mod variables;

use axum::http::{HeaderMap, StatusCode};
use tracing::{Metadata, Span, field::Empty, info_span};

#[cfg(feature = "otel")]
pub use self::export::TraceError;
pub use self::sender::Traces;
pub(super) use self::sender::{current_id, install};
use mirrorguard_core::review::{Verdict, wire};

/// The target of every span in this module, and of nothing else: logs leave these spans out, traces contain only them.
const TARGET: &str = "mirrorguard::trace";

/// Whether this is a span of a request or of one of its steps.
pub(super) fn is_request_span(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target() == TARGET
}

/// A step of a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// The body arrives.
    Read,
    /// The body is parsed.
    Decode,
    /// The mirror sets are compared with those of the API server.
    Fresh,
    /// The rules are evaluated.
    Review,
    /// The answer is written.
    Encode,
}

impl Step {
    /// The span of this step.
    pub(super) fn span(self) -> Span {
        match self {
            Self::Read => info_span!(target: TARGET, "read"),
            Self::Decode => info_span!(target: TARGET, "decode"),
            Self::Fresh => info_span!(target: TARGET, "fresh"),
            Self::Review => info_span!(target: TARGET, "review"),
            Self::Encode => info_span!(target: TARGET, "encode"),
        }
    }

    /// Runs `work` within the span of this step.
    pub(super) fn of<T>(self, work: impl FnOnce() -> T) -> T {
        self.span().in_scope(work)
    }
}

/// The span of a request, a child of the one that the header `traceparent` names.
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
        sender::set_parent(&span, headers);
    }
    span
}

/// Records which write is reviewed, in the span of the request. Called outside of the spans of its steps.
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

/// Records the verdict and the rules with findings in the span of [`Step::Review`], within which it is called.
/// [`record_answer`] later records the verdict in the span of the request. The rules are an array, which `Span::record`
/// cannot take.
pub(super) fn record_verdict(verdict: &Verdict) {
    let span = Span::current();
    if !span.is_disabled() {
        sender::set_verdict(&span, verdict.rule_ids(), verdict_name(verdict));
    }
}

/// Records the verdict and the status of the answer in the span of the request. Called outside of the spans of its
/// steps, after [`record_verdict`].
pub(super) fn record_answer(verdict: &Verdict) {
    let span = Span::current();
    span.record("mirrorguard.verdict", verdict_name(verdict));
    span.record("http.response.status_code", i64::from(StatusCode::OK.as_u16()));
}

/// Records in the span of the request that its body was refused: such a request has no verdict.
pub(super) fn record_refusal(status: StatusCode) {
    Span::current().record("http.response.status_code", i64::from(status.as_u16()));
}

fn verdict_name(verdict: &Verdict) -> &'static str {
    if verdict.is_allowed() { "allowed" } else { "denied" }
}
