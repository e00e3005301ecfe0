//! Waiting for a condition, never for a time.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// Between two attempts; short compared to the start of a process, which most attempts need.
const PAUSE: Duration = Duration::from_millis(25);

/// Tries until an attempt succeeds; after the deadline, fails with the error of the last attempt.
pub(crate) fn eventually<T>(
    deadline: Duration,
    what: &str,
    mut attempt: impl FnMut() -> Result<T>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        match attempt() {
            Ok(found) => return Ok(found),
            Err(missing) if start.elapsed() >= deadline => {
                return Err(missing).with_context(|| format!("waited {deadline:?} for {what}"));
            }
            Err(_) => thread::park_timeout(PAUSE),
        }
    }
}
