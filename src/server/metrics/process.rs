//! Metrics of the process, with the names that all client libraries of Prometheus use.

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use procfs::{WithCurrentSystemInfo as _, process::Process};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{TypedMetric, counter::ConstCounter, gauge::ConstGauge},
    registry::{Registry, Unit},
};

#[derive(Debug)]
struct ProcessCollector {
    start: f64,
}

/// Registers the collector in a registry that has the prefix.
pub(super) fn register(registry: &mut Registry) {
    let start = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |now| now.as_secs_f64());
    registry.register_collector(Box::new(ProcessCollector { start }));
}

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut put = Put(&mut encoder);
        let seconds = Unit::Seconds;
        put.metric(
            "start_time",
            "Start time of the process, as Unix time.",
            Some(&seconds),
            &ConstGauge::new(self.start),
        )?;
        // Without /proc the metrics are left out: a wrong zero would be worse.
        let Ok(process) = Process::myself() else { return Ok(()) };
        if let Ok(stat) = process.stat() {
            let cpu = as_number(stat.utime + stat.stime) / as_number(procfs::ticks_per_second());
            put.metric("cpu", "Total user and system CPU time.", Some(&seconds), &ConstCounter::new(cpu))?;
            let (resident, virtual_) = (stat.rss_bytes().get(), stat.vsize);
            let bytes = Unit::Bytes;
            put.metric(
                "resident_memory",
                "Resident memory size.",
                Some(&bytes),
                &ConstGauge::new(as_number(resident)),
            )?;
            put.metric(
                "virtual_memory",
                "Virtual memory size.",
                Some(&bytes),
                &ConstGauge::new(as_number(virtual_)),
            )?;
            put.metric("threads", "Number of threads.", None, &ConstGauge::new(stat.num_threads))?;
        }
        if let Ok(count) = process.fd_count() {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            put.metric("open_fds", "Number of open file descriptors.", None, &ConstGauge::new(count))?;
        }
        if let Ok(limits) = process.limits()
            && let procfs::process::LimitValue::Value(limit) = limits.max_open_files.soft_limit
        {
            put.metric(
                "max_fds",
                "Maximum number of open file descriptors.",
                None,
                &ConstGauge::new(as_number(limit)),
            )?;
        }
        Ok(())
    }
}

struct Put<'a, 'b>(&'a mut DescriptorEncoder<'b>);

impl Put<'_, '_> {
    fn metric(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        metric: &(impl EncodeMetric + TypedMetric),
    ) -> fmt::Result {
        metric.encode(self.0.encode_descriptor(name, help, unit, metric.metric_type())?)
    }
}

#[expect(clippy::cast_precision_loss, reason = "bytes and ticks are exact in a double up to 2^53")]
fn as_number(value: u64) -> f64 {
    value as f64
}
