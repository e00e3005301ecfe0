//! What is known of the cluster, looked up at each look at the metrics.

use std::{fmt, sync::Arc};

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
use mirrorguard_core::objects::{Kind, SetKind};

#[derive(Debug)]
pub(super) struct StateCollector {
    pub(super) source: Source,
    pub(super) readiness: Arc<Readiness>,
}

impl Collector for StateCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let gauge = MetricType::Gauge;
        let ready = u32::from(self.readiness.not_ready().is_none());
        let help = "1 while requests should be sent here, as /readyz says.";
        ConstGauge::new(ready).encode(encoder.encode_descriptor("ready", help, None, gauge)?)?;

        let state = self.source.current();
        let help = "Mirror sets that decisions are based on.";
        let mut sets = encoder.encode_descriptor("mirror_sets", help, None, gauge)?;
        for kind in SetKind::ALL {
            let count = state.context().count(kind);
            ConstGauge::new(number(count)).encode(sets.encode_family(&[("kind", kind.name())])?)?;
        }
        let help = "HostedClusters that decisions are based on.";
        let hosted = ConstGauge::new(number(state.context().hosted_clusters().count()));
        hosted.encode(encoder.encode_descriptor("hosted_clusters", help, None, gauge)?)?;
        self.source.health().map_or(Ok(()), |health| watches(&mut encoder, health))
    }
}

fn watches(encoder: &mut DescriptorEncoder<'_>, health: &Health) -> fmt::Result {
    let help = "When the apiserver last answered the watch, Unix time; a watch is taken up anew within five minutes.";
    let seconds = Unit::Seconds;
    let mut metric =
        encoder.encode_descriptor("watch_contact_timestamp", help, Some(&seconds), MetricType::Gauge)?;
    for (kind, watch) in health.all() {
        let contact = i64::try_from(watch.contact()).unwrap_or(i64::MAX);
        ConstGauge::new(contact).encode(metric.encode_family(&[("kind", kind.name())])?)?;
    }
    let help = "Failures to list or to watch.";
    let mut metric = encoder.encode_descriptor("watch_errors", help, None, MetricType::Counter)?;
    for (kind, watch) in health.all() {
        ConstCounter::new(watch.errors()).encode(metric.encode_family(&[("kind", kind.name())])?)?;
    }
    let help = "Decisions that found the apiserver ahead of the watch, and listed the kind for themselves.";
    let mut metric = encoder.encode_descriptor("watch_behind_decisions", help, None, MetricType::Counter)?;
    for kind in SetKind::ALL.map(Kind::Set) {
        let behind = ConstCounter::new(health.of(kind).behind());
        behind.encode(metric.encode_family(&[("kind", kind.name())])?)?;
    }
    Ok(())
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
