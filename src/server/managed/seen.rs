//! What was read last, and since when it has been so.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::{ManagedOptions, QUIET, SHORTEST};
use crate::certificates::{Configuration, Lifetimes, Reading, Situation};

#[derive(Debug)]
pub(super) struct Seen {
    secret: Reading,
    secret_since: Instant,
    configurations: Vec<Configuration>,
    bundles_since: Instant,
}

impl Seen {
    pub(super) fn new(secret: Reading, configurations: Vec<Configuration>) -> Self {
        let now = Instant::now();
        Self { secret, secret_since: now, configurations, bundles_since: now }
    }

    /// Notes the configurations as they are now.
    pub(super) fn configurations(&mut self, configurations: Vec<Configuration>) {
        let bundles = |all: &[Configuration]| {
            all.iter().map(|one| (one.kind.name(), one.bundles.clone())).collect::<Vec<_>>()
        };
        if bundles(&self.configurations) != bundles(&configurations) {
            self.bundles_since = Instant::now();
        }
        self.configurations = configurations;
    }

    /// Notes the Secret as it is now.
    pub(super) fn secret(&mut self, secret: Reading) {
        if self.secret != secret {
            self.secret_since = Instant::now();
        }
        self.secret = secret;
    }

    pub(super) fn situation<'a>(&'a self, options: &'a ManagedOptions) -> Situation<'a> {
        let elapsed = |since: Instant| SignedDuration::try_from(since.elapsed()).unwrap_or_default();
        Situation {
            secret: &self.secret,
            configurations: &self.configurations,
            names: &options.names,
            lifetimes: options.lifetimes,
            secret_unchanged: elapsed(self.secret_since),
            bundles_unchanged: elapsed(self.bundles_since),
            now: Timestamp::now(),
        }
    }

    /// How long to wait for a change: as long as nothing is pending, and never so long that a step would
    /// be late by much of its time.
    pub(super) fn pause(&self, lifetimes: Lifetimes) -> Duration {
        let Lifetimes { serving, overlap, .. } = lifetimes;
        let since = self.secret_since.max(self.bundles_since);
        let recent = SignedDuration::try_from(since.elapsed()).is_ok_and(|elapsed| elapsed <= overlap * 2);
        let step = if recent { (overlap / 4).min(serving / 30) } else { serving / 30 };
        Duration::try_from(step).unwrap_or(QUIET).clamp(SHORTEST, QUIET)
    }
}
