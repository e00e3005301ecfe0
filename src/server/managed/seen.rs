//! What was read last, and since when it has been unchanged.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::{ManagedOptions, QUIET, SHORTEST, access::SecretReading};
use crate::certificates::{Configuration, Lifetimes, Reading, Situation};

/// The Secret and the configurations as this replica read them last.
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

    /// Replaces the configurations. Only other bundles count as a change.
    pub(super) fn set_configurations(&mut self, configurations: Vec<Configuration>) {
        if !self.configurations.iter().map(bundles).eq(configurations.iter().map(bundles)) {
            self.bundles_since = Instant::now();
        }
        self.configurations = configurations;
    }

    /// Replaces the Secret. Another version with the same content does not count as a change.
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

    /// How long to wait for a change before the next round. No change is reported when time alone makes a step due. So
    /// the pause is a tenth of the time for a renewal, which is a third of a lifetime. The steps that follow a change
    /// come one or two overlaps after it: until then, the pause is at most a quarter of an overlap.
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

/// What of a configuration is compared to notice a change. Its version is not: it changes with labels, too.
fn bundles(configuration: &Configuration) -> (&'static str, &[Vec<u8>]) {
    (configuration.kind.name(), &configuration.bundles)
}
