//! The health of the watches: the watches record it, and the metrics report it.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::UNIX_EPOCH,
};

use mirrorguard_core::objects::Kind;

/// The health of the watch of one kind.
#[derive(Debug, Default)]
pub struct WatchHealth {
    contact: AtomicU64,
    errors: AtomicU64,
    behind: AtomicU64,
}

impl WatchHealth {
    /// Time of the last answer of the API server to the watch, as Unix time in seconds; 0 before the first one.
    pub fn contact(&self) -> u64 {
        self.contact.load(Ordering::Relaxed)
    }

    /// Number of failed attempts to list or watch.
    pub fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    /// Number of decisions that found the watch behind the API server.
    pub fn behind(&self) -> u64 {
        self.behind.load(Ordering::Relaxed)
    }

    /// Records an answer of the API server.
    pub(super) fn record_contact(&self) {
        let now = UNIX_EPOCH.elapsed().map_or(0, |now| now.as_secs());
        self.contact.store(now, Ordering::Relaxed);
    }

    /// Counts a failed attempt to list or watch.
    pub(super) fn record_error(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a decision that found the watch behind the API server.
    pub(super) fn record_behind(&self) {
        self.behind.fetch_add(1, Ordering::Relaxed);
    }
}

/// The health of the watch of each kind.
#[derive(Debug, Default)]
pub struct Health([WatchHealth; Kind::ALL.len()]);

impl Health {
    /// The watch of a kind. It must be one of [`Kind::ALL`]: only those are watched.
    pub fn of(&self, kind: Kind) -> &WatchHealth {
        let place = Kind::ALL.iter().position(|known| *known == kind).unwrap_or_default();
        &self.0[place]
    }

    /// Every watch.
    pub fn all(&self) -> impl Iterator<Item = (Kind, &WatchHealth)> {
        Kind::ALL.into_iter().zip(&self.0)
    }
}
