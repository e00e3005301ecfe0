//! The state of a cluster, from the watches of a live one or from files.

mod exclude;
mod files;
mod health;
mod inventory;
mod listing;
mod live;
mod object;
mod patches;
mod read;
mod topology;
mod workload;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use mirrorguard_core::state::State;
use tokio::sync::watch;

pub use exclude::Exclude;
pub use files::FileState;
pub use health::{Health, WatchHealth};
pub use inventory::{Readings, read_inventory, read_workloads};
pub use listing::{Listing, list, metadata_of_sets};
pub use live::LiveState;
pub use read::{Budget, Manifests, Pipes, is_readable, read_bytes, read_path, text_of};
pub use topology::is_hosted_control_plane;

/// The cause of an error, without the repetitions in the texts of kube.
pub fn cause(error: &kube::Error) -> String {
    if let kube::Error::Api(status) = error {
        return format!("{} ({})", status.message, status.code);
    }
    if is_timeout(error) {
        return "the API server did not respond in time".to_owned();
    }
    innermost(error)
}

/// Whether an API server did not respond in time.
pub fn is_timeout(error: &kube::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        let is_late = error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::TimedOut);
        if is_late || error.is::<tokio::time::error::Elapsed>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The text of the root cause of an error.
pub fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// The latest state, shared by the tasks that update it and those that use it.
#[derive(Debug, Default)]
pub struct Shared {
    state: watch::Sender<Arc<State>>,
    /// How many parts have not been read yet: the kinds of a cluster, or the files as one.
    pending: AtomicU64,
}

impl Shared {
    /// A state that is complete after `parts` parts have been read.
    fn waiting_for(parts: u64) -> Arc<Self> {
        Arc::new(Self { pending: AtomicU64::new(parts), ..Self::default() })
    }

    /// The current state.
    pub fn current(&self) -> Arc<State> {
        Arc::clone(&self.state.borrow())
    }

    /// A receiver whose `changed` waits for the next change.
    pub fn subscribe(&self) -> watch::Receiver<Arc<State>> {
        self.state.subscribe()
    }

    /// Whether every part has been read at least once.
    pub fn is_synced(&self) -> bool {
        self.pending.load(Ordering::Acquire) == 0
    }

    /// Records that a part was read for the first time. Called once for each part: the count would wrap around below 0.
    fn record_part(&self) {
        self.pending.fetch_sub(1, Ordering::AcqRel);
    }

    /// Replaces the state by what `change` makes of it, and wakes the receivers.
    fn change(&self, change: impl FnOnce(&State) -> State) {
        self.state.send_modify(|state| *state = Arc::new(change(state)));
    }
}

/// The source of the state for decisions.
#[derive(Debug, Clone)]
pub enum Source {
    /// Files.
    Files(Arc<FileState>),
    /// A cluster.
    Live(Arc<LiveState>),
}

impl Source {
    /// The current state.
    pub fn current(&self) -> Arc<State> {
        self.shared().current()
    }

    /// Whether everything has been read at least once.
    pub fn is_synced(&self) -> bool {
        self.shared().is_synced()
    }

    /// The state of the cluster at this moment, even if the watches are behind. If the API server cannot be queried, the
    /// known state and the reason.
    pub async fn fresh(&self) -> Result<Arc<State>, (Arc<State>, String)> {
        match self {
            Self::Files(files) => Ok(files.shared().current()),
            Self::Live(live) => live.fresh().await.map_err(|why| (self.current(), why)),
        }
    }

    /// The health of the watches; `None` for files.
    pub fn health(&self) -> Option<&Health> {
        match self {
            Self::Files(_) => None,
            Self::Live(live) => Some(live.health()),
        }
    }

    /// The shared state.
    pub fn shared(&self) -> &Shared {
        match self {
            Self::Files(files) => files.shared(),
            Self::Live(live) => live.shared(),
        }
    }
}
