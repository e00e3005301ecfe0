//! The log of the webhook: lines for people, or one JSON object per line.

use std::{
    fmt,
    io::{self, IsTerminal},
};

use serde::{Serializer, ser::SerializeMap};
use serde_json::Value;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt, filter_fn},
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    layer::SubscriberExt,
    registry::LookupSpan,
};

use super::traces::{self, Traces, is_request_span};

/// Fields that contain ids separated by commas: lists in JSON, which `tracing` does not have.
const LISTS: [&str; 2] = ["rules", "exempted"];

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Logs to standard error from now on, and sends spans to `traces`.
pub fn start(form: Form, filter: EnvFilter, traces: Option<&Traces>) {
    traces::install(tracing_subscriber::registry().with(lines(form, filter)), traces);
}

/// The layer that writes the log: everything that passes the filter, except the spans of requests.
fn lines(form: Form, filter: EnvFilter) -> impl Layer<Registry> + Send + Sync {
    let mut lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    if !io::stderr().is_terminal() {
        lines.set_ansi(false);
    }
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match form {
        Form::Text => Box::new(lines),
        Form::Json => Box::new(lines.event_format(JsonLines)),
    };
    lines.with_filter(filter.and(filter_fn(|metadata| !is_request_span(metadata))))
}

/// `{"timestamp":…,"level":…,"message":…,…,"target":…}`
struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let mut fields = Fields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        let target = fields.target.as_deref().unwrap_or(metadata.target());
        let line = line(&time, *metadata.level(), &fields.all, target).map_err(|_| fmt::Error)?;
        writeln!(writer, "{line}")
    }
}

/// One line: the message comes before the other fields, which keep their order.
fn line(
    time: &str,
    level: Level,
    fields: &[(&'static str, Value)],
    target: &str,
) -> Result<String, Box<dyn std::error::Error>> {
    let mut bytes = Vec::new();
    let mut json = serde_json::Serializer::new(&mut bytes);
    let mut map = json.serialize_map(None)?;
    map.serialize_entry("timestamp", time)?;
    map.serialize_entry("level", level.as_str())?;
    let message = fields.iter().filter(|(name, _)| *name == "message");
    let others = fields.iter().filter(|(name, _)| *name != "message");
    for (name, value) in message.chain(others) {
        map.serialize_entry(name, value)?;
    }
    map.serialize_entry("target", target)?;
    SerializeMap::end(map)?;
    Ok(String::from_utf8(bytes)?)
}

/// The fields of an event, in order.
#[derive(Default)]
struct Fields {
    all: Vec<(&'static str, Value)>,
    /// The target of an event that came through the `log` crate.
    target: Option<String>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        match field.name() {
            "log.target" => self.target = value.as_str().map(str::to_owned),
            // Module, file and line of such an event.
            name if name.starts_with("log.") => {}
            name => self.all.push((name, value)),
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let is_list = LISTS.contains(&field.name());
        self.put(field, if is_list { value.split(',').collect() } else { value.into() });
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::traces::Step;

    #[test]
    fn without_a_collector_nobody_takes_the_spans() {
        let subscriber = tracing_subscriber::registry().with(lines(Form::Json, EnvFilter::new("trace")));
        tracing::subscriber::with_default(subscriber, || {
            assert!(Step::Review.span().is_disabled());
            assert!(!tracing::info_span!("of another target").is_disabled());
        });
    }
}
