//! The build without the feature `otel`: no traces are recorded.

use std::{
    convert::Infallible,
    future::{Ready, ready},
};

use axum::http::HeaderMap;
use tracing::{Span, Subscriber, warn};
use tracing_subscriber::util::SubscriberInitExt;

use super::variables::{self, Variable};

/// Traces that the environment asks for, and that this build cannot record.
#[derive(Debug)]
pub struct Traces {
    endpoint: Variable,
}

impl Traces {
    /// What the standard variables of OpenTelemetry ask for; `None` if they ask for no traces.
    pub fn from_environment() -> Result<Option<Self>, Infallible> {
        Ok(variables::endpoint().map(|endpoint| Self { endpoint }))
    }

    /// Returns at once: nothing was recorded.
    pub fn flush(self) -> Ready<()> {
        ready(())
    }
}

/// Installs the log. Warns if traces are asked for.
pub(in crate::server) fn install(log: impl Subscriber + Send + Sync, traces: Option<&Traces>) {
    log.init();
    if let Some(Traces { endpoint: Variable { name, value } }) = traces {
        warn!(
            endpoint = value,
            "{name} is set, but this build records no traces: use the image or the binary of a release, or build \
             with --features otel"
        );
    }
}

/// Every span is disabled in this build.
pub(super) fn set_parent(_: &Span, _: &HeaderMap) {}

/// Every span is disabled in this build.
pub(super) fn set_verdict(_: &Span, _: Vec<&'static str>, _: &'static str) {}

/// No request is part of a trace in this build.
pub(in crate::server) fn current_id() -> Option<String> {
    None
}
