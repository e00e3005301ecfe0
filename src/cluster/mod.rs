//! Where the state comes from: a live cluster's watches, or files that are looked at again and again.

mod exclude;
mod files;
mod health;
mod inventory;
mod listing;
mod live;
mod object;
mod topology;
mod workload;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use mirrorguard_core::state::State;
use tokio::sync::watch;

pub use exclude::Exclude;
pub use files::{FileState, read_path};
pub use health::{Health, WatchHealth};
pub use inventory::{Readings, read_inventory, read_workloads};
pub use listing::{Listing, list, metadata_of_sets};
pub use live::LiveState;
pub use topology::is_hosted_control_plane;

/// What went wrong, in the fewest words: kube's own texts say it several times.
pub fn cause(error: &kube::Error) -> String {
    if let kube::Error::Api(status) = error {
        return format!("{} ({})", status.message, status.code);
    }
    innermost(error)
}

/// What an error says at its root.
pub fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// The newest state, shared by those who change it and those who decide on it, and who can wait for a change.
#[derive(Debug, Default)]
pub struct Shared {
    state: watch::Sender<Arc<State>>,
    /// How many parts are still to be read for the first time.
    pending: AtomicU64,
}

impl Shared {
    /// A state that is complete once `parts` parts have been read.
    fn waiting_for(parts: u64) -> Arc<Self> {
        Arc::new(Self { pending: AtomicU64::new(parts), ..Self::default() })
    }

    /// The state as it is known.
    pub fn current(&self) -> Arc<State> {
        Arc::clone(&self.state.borrow())
    }

    /// Learns of each change: `changed` waits for the next one.
    pub fn subscribe(&self) -> watch::Receiver<Arc<State>> {
        self.state.subscribe()
    }

    /// Whether every part has been read at least once.
    pub fn is_synced(&self) -> bool {
        self.pending.load(Ordering::Acquire) == 0
    }

    fn part_is_read(&self) {
        self.pending.fetch_sub(1, Ordering::AcqRel);
    }

    fn change(&self, change: impl FnOnce(&State) -> State) {
        self.state.send_modify(|state| *state = Arc::new(change(state)));
    }
}

/// Where decisions get their state from.
#[derive(Debug, Clone)]
pub enum Source {
    /// Files.
    Files(Arc<FileState>),
    /// A cluster.
    Live(Arc<LiveState>),
}

impl Source {
    /// What is known now.
    pub fn current(&self) -> Arc<State> {
        self.shared().current()
    }

    /// Whether everything has been read at least once.
    pub fn is_synced(&self) -> bool {
        self.shared().is_synced()
    }

    /// What the cluster holds at this moment, however far the watches have come; or what is known and why
    /// the apiserver could not be asked.
    pub async fn fresh(&self) -> Result<Arc<State>, (Arc<State>, String)> {
        match self {
            Self::Files(files) => Ok(files.shared().current()),
            Self::Live(live) => live.fresh().await.map_err(|why| (self.current(), why)),
        }
    }

    /// How the watches are doing; files have none.
    pub fn health(&self) -> Option<&Health> {
        match self {
            Self::Files(_) => None,
            Self::Live(live) => Some(live.health()),
        }
    }

    /// The state that is shared.
    pub fn shared(&self) -> &Shared {
        match self {
            Self::Files(files) => files.shared(),
            Self::Live(live) => live.shared(),
        }
    }
}
