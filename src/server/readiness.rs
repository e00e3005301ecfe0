//! Whether this replica is ready to serve requests.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use crate::cluster::Source;

/// What `/readyz` and the metrics report.
#[derive(Debug)]
pub struct Readiness {
    source: Source,
    stopping: AtomicBool,
    /// Why API servers do not accept the serving certificate. For one from files, only because of its names; always
    /// `None` for a self-signed one.
    untrusted: Mutex<Option<String>>,
}

impl Readiness {
    pub(super) fn new(source: Source) -> Self {
        Self { source, stopping: AtomicBool::new(false), untrusted: Mutex::new(None) }
    }

    /// Why this replica is not ready, with a line end; `None` if it is.
    pub fn not_ready(&self) -> Option<String> {
        if self.is_stopping() {
            return Some("shutting down\n".to_owned());
        }
        if !self.source.is_synced() {
            return Some("the mirror sets have not been read yet\n".to_owned());
        }
        let untrusted = self.untrusted.lock().unwrap_or_else(PoisonError::into_inner);
        untrusted.as_ref().map(|why| format!("{why}\n"))
    }

    /// Sets the reason why API servers do not accept the serving certificate; `None` if they do.
    pub fn set_untrusted(&self, why: Option<String>) {
        *self.untrusted.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Reports that the server shuts down. It still answers the requests that it gets.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }
}
