//! The state of a cluster, from the watches of a live one or from files.

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

use std::{
    io,
    process::Output,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use kube::client::AuthError;
use mirrorguard_core::state::State;
use tokio::sync::watch;

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

/// The cause of an error, without the repetitions in the texts of kube.
pub fn cause(error: &kube::Error) -> String {
    if let kube::Error::Api(status) = error {
        return format!("{} ({})", status.message, status.code);
    }
    if is_timeout(error) {
        return "the API server did not respond in time".to_owned();
    }
    match failed_plugin(error) {
        Some(output) => {
            format!("the credential plugin (exec) {}; log in again", describe_plugin_failure(output))
        }
        None => innermost(error),
    }
}

/// The output of a credential plugin that failed, if that is the cause: one is run again when a token expires.
fn failed_plugin(error: &kube::Error) -> Option<&Output> {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if let Some(AuthError::AuthExecRun { out, .. }) = error.downcast_ref() {
            return Some(out);
        }
        cause = error.source();
    }
    None
}

/// How many characters of a plugin's output a message has.
const MAX_OUTPUT: usize = 200;

/// How a credential plugin failed, and the first line that it wrote to standard error. Its standard output, which may
/// have a token, and its arguments are never shown.
pub fn describe_plugin_failure(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let shown: String = line.chars().filter(|letter| !letter.is_control()).take(MAX_OUTPUT).collect();
    let rest = if line.chars().count() > MAX_OUTPUT { "…" } else { "" };
    let separator = if shown.is_empty() { "" } else { ": " };
    format!("failed with {}{separator}{shown}{rest}", output.status)
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

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    use super::*;

    fn failed(stderr: &str) -> Output {
        Output {
            status: ExitStatus::from_raw(255 << 8),
            stdout: b"token".to_vec(),
            stderr: stderr.as_bytes().to_vec(),
        }
    }

    #[test]
    fn only_the_first_line_of_a_failed_plugin_is_shown() {
        let long = "x".repeat(MAX_OUTPUT + 1);
        let cut = format!(": {}…", "x".repeat(MAX_OUTPUT));
        let table = [
            ("", "", "nothing was written"),
            ("\n  expired\nusage: …\n", ": expired", "more lines"),
            ("\u{1b}[31mexpired", ": [31mexpired", "colors"),
            (&*long, &*cut, "a long line"),
        ];
        for (stderr, expected, reason) in table {
            let described = describe_plugin_failure(&failed(stderr));
            assert_eq!(described, format!("failed with exit status: 255{expected}"), "{reason}");
        }
    }

    #[test]
    fn a_plugin_that_fails_at_a_request_is_described_without_its_output() {
        let error =
            AuthError::AuthExecRun { cmd: "SECRET=x plugin".to_owned(), out: failed("expired").into() };
        for error in [
            kube::Error::Service(Box::new(AuthError::AuthExecRun {
                cmd: "SECRET=x plugin".to_owned(),
                out: failed("expired").into(),
            })),
            kube::Error::Auth(error),
        ] {
            let described = cause(&error);
            assert!(described.contains("255: expired"), "{described}");
            assert!(!described.contains("SECRET") && !described.contains("token"), "{described}");
        }
    }
}
