//! Writers, and apiservers with no open connection, who are never to get anything but an answer.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
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

/// Does one thing, again and again.
pub(crate) type Worker<'a> = Box<dyn Fn() -> Result<()> + Send + 'a>;

/// Makes a change while objects are written through the apiserver, and while each pod is called by new
/// connections that trust what the configurations say. None of either may fail.
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

/// One who writes mirror sets that are admitted, and one whose are denied; nothing is stored.
pub(crate) fn writers(plane: &ControlPlane) -> Vec<Worker<'_>> {
    vec![Box::new(|| admitted(plane)), Box::new(|| denied(plane))]
}

/// Makes a change while these work. None may fail.
pub(crate) fn under_load_of<T>(workers: Vec<Worker<'_>>, change: impl FnOnce() -> Result<T>) -> Result<T> {
    let counts: Vec<AtomicUsize> = workers.iter().map(|_| AtomicUsize::new(0)).collect();
    let (stop, failure) = (AtomicBool::new(false), Failure::default());
    thread::scope(|scope| {
        for (worker, count) in workers.into_iter().zip(&counts) {
            scope.spawn(|| work(worker, count, &stop, &failure));
        }
        let done = answered(&counts, &failure).and_then(|()| change()).and_then(|changed| {
            answered(&counts, &failure)?;
            Ok(changed)
        });
        stop.store(true, Ordering::Release);
        // What failed first is the cause of all else.
        let changed = done.map_err(|error| failure.tell(error)).ok();
        failure.told()?;
        changed.context("nothing was changed")
    })
}

/// What the first worker that failed has to say.
#[derive(Default)]
struct Failure(Mutex<Option<anyhow::Error>>);

impl Failure {
    fn lock(&self) -> MutexGuard<'_, Option<anyhow::Error>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, error: anyhow::Error) {
        self.lock().get_or_insert(error);
    }

    fn is_told(&self) -> bool {
        self.lock().is_some()
    }

    fn told(&self) -> Result<()> {
        self.lock().take().map_or(Ok(()), Err)
    }
}

/// Connects to a pod as an apiserver does that has no connection yet.
pub(crate) fn call(plane: &ControlPlane, kind: &str, address: SocketAddr) -> Result<Connection> {
    let bundle = bundle_of(plane, kind)?;
    connect(certificates(&bundle)?, address, &Release::server_name())
        .with_context(|| format!("{address} is not trusted by the {kind}"))
}

fn work(worker: impl Fn() -> Result<()>, count: &AtomicUsize, stop: &AtomicBool, failure: &Failure) {
    while !stop.load(Ordering::Acquire) {
        if let Err(error) = worker() {
            let answers = count.load(Ordering::Acquire);
            failure.tell(error.context(format!("under load, after {answers} answers")));
            return;
        }
        count.fetch_add(1, Ordering::AcqRel);
        thread::park_timeout(PAUSE);
    }
}

/// Waits until everybody has some more answers, or somebody has failed.
fn answered(counts: &[AtomicUsize], failure: &Failure) -> Result<()> {
    let now = || counts.iter().map(|count| count.load(Ordering::Acquire));
    let goals: Vec<usize> = now().map(|count| count + ANSWERS).collect();
    eventually(DEADLINE, "answers under load", || {
        if failure.is_told() {
            return Ok(());
        }
        ensure!(now().zip(&goals).all(|(count, goal)| count >= *goal), "too few");
        Ok(())
    })?;
    ensure!(!failure.is_told(), "a worker has failed");
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
