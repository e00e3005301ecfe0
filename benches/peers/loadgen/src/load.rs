//! Sends load in a closed loop: each worker sends a request, waits for the answer, checks and counts it.

use std::{
    cell::RefCell,
    rc::Rc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    Res,
    client::{Client, Target},
    options::Options,
    process,
};

const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(5);

/// The state that the workers share.
struct Load {
    target: Target,
    /// The end of the warm-up, when counting begins.
    begin: Instant,
    end: Instant,
    max: u64,
    tally: RefCell<Tally>,
}

#[derive(Default)]
struct Tally {
    sent: u64,
    /// Correct answers that arrived after the warm-up, including those to requests sent before its end.
    done: u64,
    bytes_in: u64,
    /// The latency of each request sent after the warm-up.
    micros: Vec<u32>,
    errors: u64,
    first_error: Option<String>,
}

/// Measures the CPU time that the server and this process use.
struct CpuClock {
    server: u32,
    begin: (f64, f64),
}

/// Sends load to the target and returns the measurements.
pub async fn run(options: &Options) -> Res<Value> {
    let target = Target::new(options)?;
    let client = Client::new(&target).await?;
    let server = options.pid.unwrap_or_else(std::process::id);
    process::reset_peak(server)?;
    let begin = Instant::now() + options.warm_up;
    let end = begin + options.duration;
    let load = Rc::new(Load { target, begin, end, max: options.max, tally: RefCell::default() });
    let workers: Vec<_> = (0..options.concurrency)
        .map(|_| tokio::task::spawn_local(send_requests(load.clone(), client.clone())))
        .collect();
    tokio::time::sleep_until(begin.into()).await;
    let cpu = CpuClock::start(server);
    for worker in workers {
        worker.await?;
    }
    let wall = begin.elapsed().as_secs_f64();
    let (server_cpu, own_cpu) = cpu.used();
    let mut tally = load.tally.take();
    tally.micros.sort_unstable();
    let answers = tally.done.max(1);
    Ok(json!({
        "proto": if options.h2 { "h2" } else { "h1" },
        "conc": options.concurrency,
        "done": tally.done,
        "errors": tally.errors,
        "first_error": tally.first_error,
        "wall_s": wall,
        "rps": tally.done as f64 / wall,
        "p50_us": tally.quantile(0.50),
        "p95_us": tally.quantile(0.95),
        "p99_us": tally.quantile(0.99),
        "max_us": tally.quantile(1.0),
        "server_cpu_us_per_req": server_cpu * 1e6 / answers as f64,
        "server_cpu_frac": server_cpu / wall,
        "client_cpu_frac": own_cpu / wall,
        "rss_peak_kib": process::peak_kib(server).ok_or("the server has exited")?,
        "resp_bytes": tally.bytes_in / answers,
    }))
}

async fn send_requests(load: Rc<Load>, mut client: Client) {
    while load.begin_request() {
        let start = Instant::now();
        let answer = client.call(&load.target).await;
        match answer {
            Ok(body) => load.record_answer(start, body.len()),
            Err(error) => {
                load.tally.borrow_mut().record_error(error.to_string());
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }
}

impl Load {
    /// Counts a request to send; `false` when the run is over.
    fn begin_request(&self) -> bool {
        let mut tally = self.tally.borrow_mut();
        tally.sent += 1;
        tally.sent <= self.max && Instant::now() < self.end
    }

    fn record_answer(&self, start: Instant, length: usize) {
        let now = Instant::now();
        let mut tally = self.tally.borrow_mut();
        if now >= self.begin {
            tally.done += 1;
            tally.bytes_in += length as u64;
        }
        if start >= self.begin {
            tally.micros.push(u32::try_from((now - start).as_micros()).unwrap_or(u32::MAX));
        }
    }
}

impl Tally {
    fn record_error(&mut self, error: String) {
        self.errors += 1;
        self.first_error.get_or_insert(error);
    }

    /// A quantile of the latencies, which must be sorted.
    fn quantile(&self, share: f64) -> u32 {
        let rank = (share * self.micros.len() as f64).ceil() as usize;
        self.micros.get(rank.saturating_sub(1)).copied().unwrap_or(0)
    }
}

impl CpuClock {
    fn start(server: u32) -> Self {
        Self { server, begin: Self::read(server) }
    }

    fn used(&self) -> (f64, f64) {
        let now = Self::read(self.server);
        (now.0 - self.begin.0, now.1 - self.begin.1)
    }

    fn read(server: u32) -> (f64, f64) {
        (process::cpu_seconds(server), process::cpu_seconds(std::process::id()))
    }
}
