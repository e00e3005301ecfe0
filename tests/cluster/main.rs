//! End-to-end tests: the chart and the binary on a real kube-apiserver, with kubectl and Helm as clients.
//!
//! There is no kubelet, [`kubelet`] simulates it; everything else is real.
//! `cargo test --test cluster` runs them; with `MIRRORGUARD_TEST_NO_NETNS=1` they run without namespaces.

#![expect(clippy::print_stderr, reason = "progress is printed where the test harness prints its own")]

mod answer;
mod binaries;
mod cert_manager;
mod certificates;
mod cluster;
mod control_plane;
mod failures;
mod http;
mod injection;
mod json;
mod kubelet;
mod lifecycle;
mod load;
mod namespace;
mod objects;
#[path = "../pages/mod.rs"]
mod pages;
mod process;
#[path = "../programs/mod.rs"]
mod programs;
mod release;
mod renewal;
mod rollout;
mod routing;
mod scenarios;
mod service_ca;
mod wait;
mod webhook_client;

use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use libtest_mimic::{Arguments, Conclusion, Failed, Trial};

use self::binaries::Binaries;
use self::cluster::Cluster;
use self::namespace::Ground;
use self::scenarios::Scenario;

/// What the tests share, one after another.
struct Shared {
    binaries: Binaries,
    ground: Ground,
    /// None after a test has failed: the next one starts a new cluster instead of using what was left.
    cluster: Option<Cluster>,
}

fn main() -> ExitCode {
    match run(Arguments::from_args()) {
        Ok(conclusion) => conclusion.exit_code(),
        Err(error) => {
            eprintln!("failed to start the control plane of the tests: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: Arguments) -> Result<Conclusion> {
    // They share one cluster, and mirror sets are cluster-wide.
    arguments.test_threads = Some(1);
    // Empty while nothing is to run, as under `--list`.
    let shared = Arc::new(Mutex::new(None));
    let trials: Vec<Trial> = scenarios::all().map(|scenario| trial(scenario, &shared)).collect();
    let wanted = trials.iter().any(|trial| !arguments.is_filtered_out(trial));
    if wanted && !arguments.list {
        // Built before there is a namespace, in which no module could be downloaded.
        let binaries = Binaries::find()?;
        let ground = namespace::enter()?;
        let cluster = Some(Cluster::start(binaries.clone(), ground)?);
        *lock(&shared) = Some(Shared { binaries, ground, cluster });
    }
    Ok(libtest_mimic::run(&arguments, trials))
}

fn trial((name, test): Scenario, shared: &Arc<Mutex<Option<Shared>>>) -> Trial {
    let shared = Arc::clone(shared);
    Trial::test(name, move || {
        let mut shared = lock(&shared);
        let shared = shared.as_mut().ok_or("there is no cluster")?;
        let mut cluster = match shared.cluster.take() {
            Some(cluster) => cluster,
            None => Cluster::start(shared.binaries.clone(), shared.ground)?,
        };
        test(&mut cluster).and_then(|()| cluster.sweep()).map_err(|error| with_logs(&error, &cluster))?;
        shared.cluster = Some(cluster);
        Ok(())
    })
}

/// The error, and below it the end of every log.
fn with_logs(error: &anyhow::Error, cluster: &Cluster) -> Failed {
    let logs = process::tails(&cluster.plane.logs()).unwrap_or_default();
    format!("{error:#}\n\n{logs}").into()
}

/// The lock, also after a panic of a test: it took its cluster with it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
