//! Writers, and apiservers with no open connection, who are never to get anything but an answer.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::certificates::{Connection, connect};
use crate::control_plane::{ControlPlane, send};
use crate::injection::bundle_of;
use crate::kubelet::Pod;
use crate::objects::{entry, icsp, idms};
use crate::release::Release;
use crate::renewal::certificates;
use crate::routing::CONFIGURATIONS;
use crate::wait::eventually;

/// How many answers everybody has before the change begins, and again after it.
const ANSWERS: usize = 25;

/// For that many; generous, as the machine may be busy.
const DEADLINE: Duration = Duration::from_mins(1);

/// Between two requests of one worker: the load is to be steady, not heavy.
const PAUSE: Duration = Duration::from_millis(20);

const ICSPS: &str = "/apis/operator.openshift.io/v1alpha1/imagecontentsourcepolicies?dryRun=All";
const IDMSS: &str = "/apis/config.openshift.io/v1/imagedigestmirrorsets?dryRun=All";

/// Makes a change while objects are written through the apiserver, and while each pod is called by new
/// connections that trust what the configurations say. None of either may fail.
pub(crate) fn under_load<T>(
    plane: &ControlPlane,
    pods: &[&Pod],
    change: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let mut workers: Vec<Box<dyn Fn() -> Result<()> + Send + '_>> =
        vec![Box::new(|| admitted(plane)), Box::new(|| denied(plane))];
    for pod in pods {
        let address = pod.address(&"webhook".into())?;
        workers.extend(CONFIGURATIONS.map(|kind| -> Box<dyn Fn() -> Result<()> + Send + '_> {
            Box::new(move || call(plane, kind, address).map(drop))
        }));
    }
    let counts: Vec<AtomicUsize> = workers.iter().map(|_| AtomicUsize::new(0)).collect();
    let (stop, failed) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|scope| {
        let running: Vec<_> = workers
            .into_iter()
            .zip(&counts)
            .map(|(worker, count)| scope.spawn(|| work(worker, count, &stop, &failed)))
            .collect();
        let changed = answered(&counts, &failed).and_then(|()| change());
        let after = answered(&counts, &failed);
        stop.store(true, Ordering::Release);
        for worker in running {
            worker.join().map_err(|_| anyhow::anyhow!("a worker panicked"))??;
        }
        after?;
        changed
    })
}

/// Connects to a pod as an apiserver does that has no connection yet.
pub(crate) fn call(plane: &ControlPlane, kind: &str, address: SocketAddr) -> Result<Connection> {
    let bundle = bundle_of(plane, kind)?;
    connect(certificates(&bundle)?, address, &Release::server_name())
        .with_context(|| format!("{address} is not trusted by the {kind}"))
}

fn work(
    worker: impl Fn() -> Result<()>,
    count: &AtomicUsize,
    stop: &AtomicBool,
    failed: &AtomicBool,
) -> Result<()> {
    while !stop.load(Ordering::Acquire) {
        if let Err(error) = worker() {
            failed.store(true, Ordering::Release);
            let answers = count.load(Ordering::Acquire);
            return Err(error.context(format!("under load, after {answers} answers")));
        }
        count.fetch_add(1, Ordering::AcqRel);
        thread::park_timeout(PAUSE);
    }
    Ok(())
}

/// Waits until everybody has some more answers, or somebody has failed.
fn answered(counts: &[AtomicUsize], failed: &AtomicBool) -> Result<()> {
    let now = || counts.iter().map(|count| count.load(Ordering::Acquire));
    let goals: Vec<usize> = now().map(|count| count + ANSWERS).collect();
    eventually(DEADLINE, "answers under load", || {
        if failed.load(Ordering::Acquire) {
            return Ok(());
        }
        ensure!(now().zip(&goals).all(|(count, goal)| count >= *goal), "too few");
        Ok(())
    })?;
    ensure!(!failed.load(Ordering::Acquire), "a worker has failed");
    Ok(())
}

fn admitted(plane: &ControlPlane) -> Result<()> {
    let object = idms("load", &[entry("quay.io/load/app", "mirror.example.com/load/app")]);
    let answer = send(plane.connect()?, "POST", IDMSS, &object)?;
    ensure!(answer.status == 201, "not admitted: {answer:?}");
    Ok(())
}

fn denied(plane: &ControlPlane) -> Result<()> {
    let object: Value = icsp("load", &[entry("https://quay.io/load/app", "mirror.example.com/load/app")]);
    let answer = send(plane.connect()?, "POST", ICSPS, &object)?;
    ensure!(
        answer.status == 403 && answer.body.contains("[invalid-source]"),
        "no denial of ours: {answer:?}"
    );
    Ok(())
}
