//! Load: clients that write mirror sets, and new connections to the pods, none of which may fail.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustls::pki_types::CertificateDer;
use serde_json::Value;

use crate::certificates::{Connection, connect, shown};
use crate::control_plane::{ControlPlane, send};
use crate::injection::bundle_of;
use crate::kubelet::Pod;
use crate::objects::{entry, icsp, idms};
use crate::release::Release;
use crate::renewal::certificates;
use crate::routing::CONFIGURATIONS;
use crate::wait::eventually;

/// How many answers each worker gets before the change begins, and again after it.
const ANSWERS: usize = 25;

/// For that many answers; long, because the machine may be busy.
const DEADLINE: Duration = Duration::from_mins(1);

/// Between two requests of one worker: the load should be steady, not heavy.
const PAUSE: Duration = Duration::from_millis(20);

const ICSPS: &str = "/apis/operator.openshift.io/v1alpha1/imagecontentsourcepolicies?dryRun=All";
const IDMSS: &str = "/apis/config.openshift.io/v1/imagedigestmirrorsets?dryRun=All";

/// Repeats one request.
pub(crate) type Worker<'a> = Box<dyn Fn() -> Result<()> + Send + 'a>;

/// Makes a change while objects are written through the apiserver, and while each pod is called by new
/// connections that trust the CAs of the configurations. None may fail.
pub(crate) fn under_load<T>(
    plane: &ControlPlane,
    pods: &[&Pod],
    change: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let mut workers: Vec<Worker<'_>> = writers(plane);
    for pod in pods {
        let address = pod.address(&"webhook".into())?;
        workers.extend(
            CONFIGURATIONS
                .map(|kind| -> Worker<'_> { Box::new(move || call(plane, kind, address).map(drop)) }),
        );
    }
    under_load_of(workers, change)
}

/// One writes mirror sets that are admitted, the other one that are denied; nothing is stored.
pub(crate) fn writers(plane: &ControlPlane) -> Vec<Worker<'_>> {
    vec![Box::new(|| write_admitted(plane)), Box::new(|| write_denied(plane))]
}

/// Makes a change while these work. None may fail.
pub(crate) fn under_load_of<T>(workers: Vec<Worker<'_>>, change: impl FnOnce() -> Result<T>) -> Result<T> {
    let counts: Vec<AtomicUsize> = workers.iter().map(|_| AtomicUsize::new(0)).collect();
    let (stop, failure) = (AtomicBool::new(false), Failure::default());
    thread::scope(|scope| {
        for (worker, count) in workers.into_iter().zip(&counts) {
            scope.spawn(|| work(worker, count, &stop, &failure));
        }
        let done = wait_for_answers(&counts, &failure).and_then(|()| change()).and_then(|changed| {
            wait_for_answers(&counts, &failure)?;
            Ok(changed)
        });
        stop.store(true, Ordering::Release);
        // The first failure is the cause of all others.
        let changed = done.map_err(|error| failure.record(error)).ok();
        failure.take()?;
        changed.context("the change failed")
    })
}

/// The error of the first worker that failed.
#[derive(Default)]
struct Failure(Mutex<Option<anyhow::Error>>);

impl Failure {
    fn lock(&self) -> MutexGuard<'_, Option<anyhow::Error>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, error: anyhow::Error) {
        self.lock().get_or_insert(error);
    }

    fn is_some(&self) -> bool {
        self.lock().is_some()
    }

    fn take(&self) -> Result<()> {
        self.lock().take().map_or(Ok(()), Err)
    }
}

/// Connects to a pod as an API server that has no connection yet.
pub(crate) fn call(plane: &ControlPlane, kind: &str, address: SocketAddr) -> Result<Connection> {
    let bundle = bundle_of(plane, kind)?;
    connect(certificates(&bundle)?, address, &Release::server_name())
        .with_context(|| format!("{address} is not trusted by the {kind}"))
}

/// The certificate that a new connection to a pod gets.
pub(crate) fn served(plane: &ControlPlane, address: SocketAddr) -> Result<CertificateDer<'static>> {
    shown(&call(plane, CONFIGURATIONS[0], address)?)
}

fn work(worker: impl Fn() -> Result<()>, count: &AtomicUsize, stop: &AtomicBool, failure: &Failure) {
    while !stop.load(Ordering::Acquire) {
        if let Err(error) = worker() {
            let answers = count.load(Ordering::Acquire);
            failure.record(error.context(format!("under load, after {answers} answers")));
            return;
        }
        count.fetch_add(1, Ordering::AcqRel);
        thread::park_timeout(PAUSE);
    }
}

/// Waits until every worker has some more answers, or one has failed.
fn wait_for_answers(counts: &[AtomicUsize], failure: &Failure) -> Result<()> {
    let goals: Vec<usize> = counts.iter().map(|count| count.load(Ordering::Acquire) + ANSWERS).collect();
    eventually(DEADLINE, "answers under load", || {
        if failure.is_some() {
            return Ok(());
        }
        let mut pairs = counts.iter().zip(&goals);
        ensure!(pairs.all(|(count, goal)| count.load(Ordering::Acquire) >= *goal), "too few");
        Ok(())
    })?;
    ensure!(!failure.is_some(), "a worker has failed");
    Ok(())
}

fn write_admitted(plane: &ControlPlane) -> Result<()> {
    let object = idms("load", &[entry("quay.io/load/app", "mirror.example.com/load/app")]);
    let answer = send(plane.connect()?, "POST", IDMSS, &object)?;
    ensure!(answer.status == 201, "not admitted: {answer:?}");
    Ok(())
}

fn write_denied(plane: &ControlPlane) -> Result<()> {
    let object: Value = icsp("load", &[entry("https://quay.io/load/app", "mirror.example.com/load/app")]);
    let answer = send(plane.connect()?, "POST", ICSPS, &object)?;
    ensure!(
        answer.status == 403 && answer.body.contains("[invalid-source]"),
        "not denied for invalid-source: {answer:?}"
    );
    Ok(())
}
