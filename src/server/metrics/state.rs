//! Metrics of the cluster's state, read whenever they are scraped.

use std::{fmt, sync::Arc};

use mirrorguard_core::objects::{Kind, SetKind};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Unit,
};

use crate::{
    cluster::{Health, Source},
    server::Readiness,
};

#[derive(Debug)]
pub(super) struct StateCollector {
    pub(super) source: Source,
    pub(super) readiness: Arc<Readiness>,
}

impl Collector for StateCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let gauge = MetricType::Gauge;
        let ready = u32::from(self.readiness.not_ready().is_none());
        let help = "Whether this replica is ready to serve requests, as reported by /readyz.";
        ConstGauge::new(ready).encode(encoder.encode_descriptor("ready", help, None, gauge)?)?;

        let state = self.source.current();
        let help = "Mirror sets in the state that decisions use.";
        let mut sets = encoder.encode_descriptor("mirror_sets", help, None, gauge)?;
        for kind in SetKind::ALL {
            let count = state.context().count(kind);
            ConstGauge::new(number(count)).encode(sets.encode_family(&[("kind", kind.name())])?)?;
        }
        let help = "HostedClusters in the state that decisions use.";
        let hosted = ConstGauge::new(number(state.context().hosted_clusters().count()));
        hosted.encode(encoder.encode_descriptor("hosted_clusters", help, None, gauge)?)?;
        if let Some(unreadable) = self.source.unreadable() {
            let help = "Objects that cannot be read; the version read before is used if there is one.";
            let mut metric = encoder.encode_descriptor("unreadable_objects", help, None, gauge)?;
            for kind in Kind::ALL {
                let count = ConstGauge::new(number(unreadable.count(kind)));
                count.encode(metric.encode_family(&[("kind", kind.name())])?)?;
            }
        }
        self.source.health().map_or(Ok(()), |health| watches(&mut encoder, health))
    }
}

/// The metrics of the watches.
fn watches(encoder: &mut DescriptorEncoder<'_>, health: &Health) -> fmt::Result {
    let help =
        "Last answer of the API server to the watch, as Unix time; a watch is restarted within five minutes.";
    let seconds = Unit::Seconds;
    let mut metric =
        encoder.encode_descriptor("watch_contact_timestamp", help, Some(&seconds), MetricType::Gauge)?;
    for (kind, watch) in health.all() {
        let contact = i64::try_from(watch.contact()).unwrap_or(i64::MAX);
        ConstGauge::new(contact).encode(metric.encode_family(&[("kind", kind.name())])?)?;
    }
    let help = "Failed attempts to list or watch.";
    let mut metric = encoder.encode_descriptor("watch_errors", help, None, MetricType::Counter)?;
    for (kind, watch) in health.all() {
        ConstCounter::new(watch.errors()).encode(metric.encode_family(&[("kind", kind.name())])?)?;
    }
    let help = "Decisions that found the watch behind the API server and listed the kind again.";
    let mut metric = encoder.encode_descriptor("watch_behind_decisions", help, None, MetricType::Counter)?;
    // Only mirror sets are compared with the API server.
    for kind in SetKind::ALL.map(Kind::Set) {
        let behind = ConstCounter::new(health.of(kind).behind());
        behind.encode(metric.encode_family(&[("kind", kind.name())])?)?;
    }
    Ok(())
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
