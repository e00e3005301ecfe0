//! The metrics. Names and units follow the Prometheus conventions; no label holds the name of an object.

#[cfg(target_os = "linux")]
mod process;
mod state;

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use mirrorguard_core::{
    objects::{Kind, SetKind},
    review::{Verdict, wire::Request},
    rules::Level,
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};

use self::state::StateCollector;
use super::Readiness;
use crate::cluster::Source;

/// Upper bounds in seconds: a small decision takes a tenth of a millisecond, and an API server waits 5 s.
const BUCKETS: [f64; 11] = [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1.0, 3.0];

/// Every metric of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    unreadable: Family<UnreadableLabels, Counter>,
    duration: Family<EndpointLabels, Histogram, fn() -> Histogram>,
    comparison: Histogram,
    findings: Family<FindingLabels, Counter>,
    exemptions: Family<ExemptionLabels, Counter>,
    unverified: Counter,
    filled_in: Counter,
    /// Expiry of the serving certificate, as Unix time in seconds.
    pub certificate_end: Gauge<f64, AtomicU64>,
    /// Failed attempts to load or renew the certificate.
    pub certificate_failures: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    endpoint: &'static str,
    kind: &'static str,
    operation: &'static str,
    verdict: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UnreadableLabels {
    endpoint: &'static str,
    code: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndpointLabels {
    endpoint: &'static str,
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

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

impl Metrics {
    /// Creates metrics that read the state of `source` and `readiness` whenever they are scraped.
    pub fn new(source: Source, readiness: Arc<Readiness>) -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            unreadable: Family::default(),
            duration: Family::new_with_constructor(histogram),
            comparison: histogram(),
            findings: Family::default(),
            exemptions: Family::default(),
            unverified: Counter::default(),
            filled_in: Counter::default(),
            certificate_end: Gauge::default(),
            certificate_failures: Counter::default(),
        };
        metrics.start_at_zero();
        let mut registry = Registry::default();
        let ours = registry.sub_registry_with_prefix("mirrorguard");
        metrics.register(ours);
        ours.register(
            "build",
            "Version of the running binary",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        ours.register_collector(Box::new(StateCollector { source, readiness }));
        #[cfg(target_os = "linux")]
        process::register(registry.sub_registry_with_prefix("process"));
        metrics.registry = registry;
        metrics
    }

    fn register(&self, ours: &mut Registry) {
        ours.register("admission_requests", "Admission requests answered", self.requests.clone());
        ours.register(
            "unreadable_requests",
            "Request bodies that could not be read, by HTTP status of the answer",
            self.unreadable.clone(),
        );
        ours.register_with_unit(
            "admission_duration",
            "Time from receiving the whole body to the answer",
            Unit::Seconds,
            self.duration.clone(),
        );
        ours.register_with_unit(
            "comparison_duration",
            "Time to compare the mirror sets with those of the API server; part of admission_duration",
            Unit::Seconds,
            self.comparison.clone(),
        );
        ours.register("findings", "Findings, by rule and level", self.findings.clone());
        ours.register(
            "exempted_findings",
            "Findings ignored because of an exemption",
            self.exemptions.clone(),
        );
        ours.register(
            "unverified_decisions",
            "Decisions made while the API server could not be queried for the mirror sets",
            self.unverified.clone(),
        );
        ours.register(
            "filled_in_annotations",
            "Catalog overrides annotations added to HostedClusters",
            self.filled_in.clone(),
        );
        ours.register_with_unit(
            "certificate_expiry_timestamp",
            "Expiry of the serving certificate, as Unix time; 0 if it is valid for the lifetime of the process",
            Unit::Seconds,
            self.certificate_end.clone(),
        );
        ours.register(
            "certificate_reload_failures",
            "Failed attempts to load or renew the certificate; the previous one stays in use. Failed reads of its objects count only while a renewal is due",
            self.certificate_failures.clone(),
        );
    }

    /// Creates the series that alerts use at zero: a rate does not see the step from a missing series to one.
    fn start_at_zero(&self) {
        let sets = SetKind::ALL.map(Kind::Set);
        let hosted = [Kind::HostedCluster];
        let writes = ["CREATE", "UPDATE"];
        let with_deletion = ["CREATE", "UPDATE", "DELETE"];
        // What the webhook configurations of the chart send.
        let table: [(_, &[Kind], &[_], &[_]); 3] = [
            ("validate", &sets, &with_deletion, &["allowed", "denied"]),
            ("validate", &hosted, &writes, &["allowed", "denied"]),
            ("mutate", &hosted, &writes, &["allowed"]),
        ];
        for (endpoint, kinds, operations, verdicts) in table {
            drop(self.duration.get_or_create(&EndpointLabels { endpoint }));
            for kind in kinds.iter().map(|kind| kind.name()) {
                for operation in operations.iter().copied() {
                    for verdict in verdicts.iter().copied() {
                        let labels = RequestLabels { endpoint, kind, operation, verdict };
                        drop(self.requests.get_or_create(&labels));
                    }
                }
            }
        }
    }

    /// Counts an answer.
    pub fn answered(&self, endpoint: &'static str, request: &Request, verdict: &Verdict, took: Duration) {
        let labels = RequestLabels {
            endpoint,
            kind: request.write.kind().name(),
            operation: request.write.operation_name(),
            verdict: if verdict.is_allowed() { "allowed" } else { "denied" },
        };
        self.requests.get_or_create(&labels).inc();
        self.duration.get_or_create(&EndpointLabels { endpoint }).observe(took.as_secs_f64());
        for diagnostic in &verdict.diagnostics {
            let level = if diagnostic.level == Level::Deny { "deny" } else { "warn" };
            self.findings.get_or_create(&FindingLabels { rule: diagnostic.rule.id, level }).inc();
        }
        for exempted in &verdict.exempted {
            self.exemptions.get_or_create(&ExemptionLabels { rule: exempted.rule }).inc();
        }
    }

    /// Counts a body that could not be read.
    pub fn refused(&self, endpoint: &'static str, code: u16) {
        self.unreadable.get_or_create(&UnreadableLabels { endpoint, code }).inc();
    }

    /// Records how long a comparison with the API server took.
    pub fn compared(&self, took: Duration) {
        self.comparison.observe(took.as_secs_f64());
    }

    /// Counts a decision made while the API server could not be queried.
    pub fn unverified(&self) {
        self.unverified.inc();
    }

    /// Counts an annotation that was added.
    pub fn filled_in(&self) {
        self.filled_in.inc();
    }

    /// The metrics in the `OpenMetrics` text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
