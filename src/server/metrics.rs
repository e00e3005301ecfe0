//! What is counted. Names and units follow the Prometheus conventions.

use std::{sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use crate::{review::Verdict, rules::Level};

/// Every metric of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    duration: Histogram,
    findings: Family<FindingLabels, Counter>,
    exemptions: Family<ExemptionLabels, Counter>,
    unverified: Counter,
    /// Unix time, in seconds, at which the serving certificate ends.
    pub certificate_end: Gauge<f64, AtomicU64>,
    /// Attempts to load a changed certificate that failed.
    pub certificate_failures: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    endpoint: &'static str,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FindingLabels {
    rule: &'static str,
    level: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ExemptionLabels {
    rule: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("mirrorguard");
        let buckets = [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.01, 0.05, 0.25, 1.0, 3.0];
        let metrics = Self {
            requests: Family::default(),
            duration: Histogram::new(buckets),
            findings: Family::default(),
            exemptions: Family::default(),
            unverified: Counter::default(),
            certificate_end: Gauge::default(),
            certificate_failures: Counter::default(),
            registry: Registry::default(),
        };
        registry.register("admission_requests", "Admission reviews answered", metrics.requests.clone());
        registry.register_with_unit(
            "admission_duration",
            "Time from the whole body to the answer",
            Unit::Seconds,
            metrics.duration.clone(),
        );
        registry.register("findings", "Findings of the rules", metrics.findings.clone());
        registry.register(
            "exempted_findings",
            "Findings that counted for nothing by an exemption",
            metrics.exemptions.clone(),
        );
        registry.register(
            "unverified_decisions",
            "Decisions taken while the apiserver could not be asked for the mirror sets",
            metrics.unverified.clone(),
        );
        registry.register(
            "certificate_expiry_timestamp_seconds",
            "When the serving certificate ends, Unix time",
            metrics.certificate_end.clone(),
        );
        registry.register(
            "certificate_reload_failures",
            "Changed certificates that could not be loaded; the old one stays",
            metrics.certificate_failures.clone(),
        );
        Self { registry, ..metrics }
    }
}

impl Metrics {
    /// Counts an answer.
    pub fn answered(&self, endpoint: &'static str, verdict: &Verdict, took: Duration) {
        let result = if verdict.is_allowed() { "allowed" } else { "denied" };
        self.requests.get_or_create(&RequestLabels { endpoint, result }).inc();
        self.duration.observe(took.as_secs_f64());
        for judged in &verdict.judged {
            let level = if judged.level == Level::Deny { "deny" } else { "warn" };
            self.findings.get_or_create(&FindingLabels { rule: judged.rule.id, level }).inc();
        }
        for exempted in &verdict.exempted {
            self.exemptions.get_or_create(&ExemptionLabels { rule: exempted.rule }).inc();
        }
    }

    /// Counts a body that could not be read.
    pub fn refused(&self, endpoint: &'static str) {
        self.requests.get_or_create(&RequestLabels { endpoint, result: "unreadable" }).inc();
    }

    /// Counts a decision that could not be compared with the apiserver.
    pub fn unverified(&self) {
        self.unverified.inc();
    }

    /// All of it in the text format of `OpenMetrics`.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
