//! The state of a cluster, from the watches of a live one or from files.

mod cause;
mod exclude;
mod files;
mod health;
mod inventory;
mod known;
mod listing;
mod live;
mod object;
mod once;
mod patches;
mod permission;
mod read;
mod topology;
mod unreadable;
mod workload;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use mirrorguard_core::state::State;
use tokio::sync::watch;

pub use cause::{cause, describe_plugin_failure, innermost, is_timeout};
pub use exclude::Exclude;
pub use files::FileState;
pub use health::{Health, WatchHealth};
pub use inventory::{Readings, read_inventory, read_workloads};
pub use listing::{ListError, Listed, Listing, list, metadata_of_sets};
pub use live::LiveState;
pub use once::Once;
pub use permission::Permission;
pub use read::{Budget, Manifests, Pipes, is_readable, read_bytes, read_path, text_of};
pub use topology::is_hosted_control_plane;
pub use unreadable::{Unread, Unreadable};

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

    /// The known state with the mirror sets that the API server has at this moment, even if the watches are behind; files
    /// are not read again. If the API server cannot be queried, the known state and the reason.
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

    /// The objects that cannot be read; `None` for files, of which none may be unreadable.
    pub fn unreadable(&self) -> Option<&Unreadable> {
        match self {
            Self::Files(_) => None,
            Self::Live(live) => Some(live.unreadable()),
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
