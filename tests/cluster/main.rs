//! End-to-end tests: the chart and the binary on a real kube-apiserver, with kubectl and Helm as clients.
//!
//! Without a kubelet, [`kubelet`] plays its part; all else is real.
//! `cargo test --test cluster` runs them; `MIRRORGUARD_TEST_NO_NETNS=1` makes them do without namespaces.

#![expect(clippy::print_stderr, reason = "progress is told where the test harness tells its own")]

mod answer;
mod binaries;
mod certificates;
mod cluster;
mod control_plane;
mod http;
mod json;
mod kubelet;
mod namespace;
mod objects;
mod process;
mod release;
mod routing;
mod scenarios;
mod wait;

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use libtest_mimic::{Arguments, Conclusion, Failed, Trial};

use self::binaries::Binaries;
use self::cluster::Cluster;
use self::scenarios::Scenario;

/// Set when all is up; empty while tests are only listed.
type Shared = Arc<Mutex<Option<Cluster>>>;

fn main() -> ExitCode {
    match run(Arguments::from_args()) {
        Ok(conclusion) => conclusion.exit_code(),
        Err(error) => {
            eprintln!("the control plane for the tests did not start: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: Arguments) -> Result<Conclusion> {
    // They share one cluster, and mirror sets are cluster-wide.
    arguments.test_threads = Some(1);
    let cluster = Shared::default();
    let trials: Vec<Trial> = scenarios::all().map(|scenario| trial(scenario, &cluster)).collect();
    let wanted = trials.iter().any(|trial| !arguments.is_filtered_out(trial));
    if wanted && !arguments.list {
        // Built before there is a namespace, in which no module could be downloaded.
        let binaries = Binaries::find()?;
        let ground = namespace::enter()?;
        *cluster.lock().unwrap_or_else(PoisonError::into_inner) = Some(Cluster::start(binaries, ground)?);
    }
    Ok(libtest_mimic::run(&arguments, trials))
}

fn trial((name, test): Scenario, cluster: &Shared) -> Trial {
    let cluster = Arc::clone(cluster);
    Trial::test(name, move || {
        // A failed test poisons the lock; its mess is swept all the same.
        let mut cluster = cluster.lock().unwrap_or_else(PoisonError::into_inner);
        let cluster = cluster.as_mut().ok_or("there is no cluster")?;
        let outcome = test(cluster);
        let swept = cluster.sweep();
        outcome.and(swept).map_err(|error| explained(&error, cluster))
    })
}

/// The error, and below it what the processes said last.
fn explained(error: &anyhow::Error, cluster: &Cluster) -> Failed {
    let logs = process::tails(&cluster.plane.logs()).unwrap_or_default();
    format!("{error:#}\n\n{logs}").into()
}
