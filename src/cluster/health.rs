//! How the watches are doing: counted where it happens, read where metrics are written.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::UNIX_EPOCH,
};

use mirrorguard_core::objects::Kind;

/// What is known of one kind's watch.
#[derive(Debug, Default)]
pub struct WatchHealth {
    contact: AtomicU64,
    errors: AtomicU64,
    behind: AtomicU64,
}

impl WatchHealth {
    /// When the apiserver last answered the watch, Unix time in seconds; 0 before it did.
    pub fn contact(&self) -> u64 {
        self.contact.load(Ordering::Relaxed)
    }

    /// How often listing or watching failed.
    pub fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    /// How often a decision found that the apiserver was ahead of the watch.
    pub fn behind(&self) -> u64 {
        self.behind.load(Ordering::Relaxed)
    }

    pub(super) fn record_contact(&self) {
        let now = UNIX_EPOCH.elapsed().map_or(0, |now| now.as_secs());
        self.contact.store(now, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn was_behind(&self) {
        self.behind.fetch_add(1, Ordering::Relaxed);
    }
}

/// One for each kind that is read.
#[derive(Debug, Default)]
pub struct Health([WatchHealth; Kind::ALL.len()]);

impl Health {
    /// The watch of a kind.
    pub fn of(&self, kind: Kind) -> &WatchHealth {
        let place = Kind::ALL.iter().position(|known| *known == kind).unwrap_or_default();
        &self.0[place]
    }

    /// Every watch.
    pub fn all(&self) -> impl Iterator<Item = (Kind, &WatchHealth)> {
        Kind::ALL.into_iter().zip(&self.0)
    }
}
