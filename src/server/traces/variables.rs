//! The variables of the OpenTelemetry specification that are read here: "Environment Variable Specification" and "OTLP
//! Exporter Configuration". The OpenTelemetry libraries read the others.

use std::env;

/// The endpoint of the collector.
const ENDPOINT: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// A variable that is set.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: &'static str,
    pub(super) value: String,
}

/// The endpoint that traces are to be sent to; `None` without an endpoint and where traces are disabled.
pub(super) fn endpoint() -> Option<Variable> {
    if is_disabled() { None } else { first_of(ENDPOINT) }
}

fn is_disabled() -> bool {
    value_of("OTEL_SDK_DISABLED").eq_ignore_ascii_case("true") || value_of("OTEL_TRACES_EXPORTER") == "none"
}

/// The value of a variable; empty if it is not set.
pub(super) fn value_of(name: &str) -> String {
    env::var(name).unwrap_or_default().trim().to_owned()
}

/// The first of the variables that has a value; an empty value counts as not set.
pub(super) fn first_of<const N: usize>(names: [&'static str; N]) -> Option<Variable> {
    names
        .into_iter()
        .map(|name| Variable { name, value: value_of(name) })
        .find(|found| !found.value.is_empty())
}
