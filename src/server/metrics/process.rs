//! Metrics of the process, with the names that all client libraries of Prometheus use.

use std::{
    fmt, fs, io,
    time::{SystemTime, UNIX_EPOCH},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{TypedMetric, counter::ConstCounter, gauge::ConstGauge},
    registry::{Registry, Unit},
};

/// Ticks per second of the times in `/proc`: Linux' `USER_HZ`, the same on every architecture that is built for.
const TICKS_PER_SECOND: f64 = 100.0;

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
        // Metrics that cannot be read are left out: a wrong zero would be worse.
        if let Some(cpu) = fs::read_to_string("/proc/self/stat").ok().and_then(|stat| cpu_seconds(&stat)) {
            let help = "Total user and system CPU time.";
            put.metric("cpu", help, Some(&seconds), &ConstCounter::new(cpu))?;
        }
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let bytes = Unit::Bytes;
        if let Some(kilobytes) = number_after(&status, "VmRSS:") {
            let metric = ConstGauge::new(as_number(kilobytes * 1024));
            put.metric("resident_memory", "Resident memory size.", Some(&bytes), &metric)?;
        }
        if let Some(kilobytes) = number_after(&status, "VmSize:") {
            let metric = ConstGauge::new(as_number(kilobytes * 1024));
            put.metric("virtual_memory", "Virtual memory size.", Some(&bytes), &metric)?;
        }
        if let Some(threads) = number_after(&status, "Threads:") {
            put.metric("threads", "Number of threads.", None, &ConstGauge::new(as_number(threads)))?;
        }
        if let Ok(count) = open_files() {
            put.metric("open_fds", "Number of open file descriptors.", None, &ConstGauge::new(count))?;
        }
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        if let Some(most) = number_after(&limits, "Max open files") {
            let help = "Maximum number of open file descriptors.";
            put.metric("max_fds", help, None, &ConstGauge::new(as_number(most)))?;
        }
        Ok(())
    }
}

/// Time in user and kernel mode: the fields 14 and 15 of `/proc/PID/stat`, of which the second is the name in brackets.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    // The first field after the name is 3.
    let mut fields = after_name.split_whitespace().skip(14 - 3);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(as_number(user + system) / TICKS_PER_SECOND)
}

/// The first number of the line that begins with this text; `None` for a limit that is `unlimited`.
fn number_after(lines: &str, text: &str) -> Option<u64> {
    let rest = lines.lines().find_map(|line| line.strip_prefix(text))?;
    rest.split_whitespace().next()?.parse().ok()
}

fn open_files() -> io::Result<i64> {
    let count = fs::read_dir("/proc/self/fd")?.count();
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_behind_the_name() {
        let stat = "21149 (a) b (c) R 21129 21129 18636 0 -1 4194304 117 0 0 0 250 50 9 9 20 0 1 0 286587 3133440 390";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(cpu_seconds("21149 (cat) R 1"), None);
    }

    #[test]
    fn numbers_are_read_behind_their_names() {
        let lines = "VmHWM:\t 1736 kB\nVmRSS:\t    1624 kB\nMax open files            20000                20001   files\n\
                     Max cpu time              unlimited            unlimited            seconds\n";
        assert_eq!(number_after(lines, "VmRSS:"), Some(1624));
        assert_eq!(number_after(lines, "Max open files"), Some(20000));
        assert_eq!(number_after(lines, "Max cpu time"), None, "unlimited");
        assert_eq!(number_after(lines, "VmSize:"), None, "missing");
    }
}
