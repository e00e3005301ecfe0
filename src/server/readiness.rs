//! Whether requests should be sent here.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use crate::cluster::Source;

/// What `/readyz` and the metrics tell.
#[derive(Debug)]
pub struct Readiness {
    source: Source,
    stopping: AtomicBool,
    untrusted: Mutex<Option<String>>,
}

impl Readiness {
    pub(super) fn of(source: Source) -> Self {
        Self { source, stopping: AtomicBool::new(false), untrusted: Mutex::new(None) }
    }

    /// Why no requests should be sent, if so.
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

    /// Says why apiservers would not trust this server; `None` where they do.
    pub fn untrusted(&self, why: Option<String>) {
        *self.untrusted.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// No more requests should be sent; those that come are still answered.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }
}
