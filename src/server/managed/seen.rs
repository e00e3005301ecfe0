//! What was read last, and since when it has been unchanged.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::{ManagedOptions, QUIET, SHORTEST, access::SecretReading};
use crate::certificates::{Configuration, Lifetimes, Reading, Situation};

#[derive(Debug)]
pub(super) struct Seen {
    secret: Reading,
    /// The version of the Secret, for the next write.
    version: Option<String>,
    secret_since: Instant,
    configurations: Vec<Configuration>,
    bundles_since: Instant,
}

impl Seen {
    pub(super) fn new(secret: SecretReading, configurations: Vec<Configuration>) -> Self {
        let now = Instant::now();
        let SecretReading { reading, version } = secret;
        Self { secret: reading, version, secret_since: now, configurations, bundles_since: now }
    }

    /// Replaces the configurations.
    pub(super) fn set_configurations(&mut self, configurations: Vec<Configuration>) {
        if !self.configurations.iter().map(bundles).eq(configurations.iter().map(bundles)) {
            self.bundles_since = Instant::now();
        }
        self.configurations = configurations;
    }

    /// Replaces the Secret.
    pub(super) fn set_secret(&mut self, secret: SecretReading) {
        if self.secret != secret.reading {
            self.secret_since = Instant::now();
        }
        self.secret = secret.reading;
        self.version = secret.version;
    }

    /// The version of the Secret.
    pub(super) fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The situation from which the next step follows.
    pub(super) fn situation<'a>(&'a self, options: &'a ManagedOptions) -> Situation<'a> {
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

    /// How long to wait for a change: long while nothing is pending, but never so long that a step would be late by
    /// much of its time. That is a third of a lifetime for a renewal, and one or two overlaps after a change.
    pub(super) fn pause(&self, lifetimes: Lifetimes) -> Duration {
        let Lifetimes { serving, overlap, .. } = lifetimes;
        let since = self.secret_since.max(self.bundles_since);
        let recent = SignedDuration::try_from(since.elapsed()).is_ok_and(|elapsed| elapsed <= overlap * 2);
        let step = if recent { (overlap / 4).min(serving / 30) } else { serving / 30 };
        Duration::try_from(step).unwrap_or(QUIET).clamp(SHORTEST, QUIET)
    }
}

fn elapsed(since: Instant) -> SignedDuration {
    SignedDuration::try_from(since.elapsed()).unwrap_or_default()
}

/// What of a configuration counts as a change: not its version.
fn bundles(configuration: &Configuration) -> (&'static str, &[Vec<u8>]) {
    (configuration.kind.name(), &configuration.bundles)
}
