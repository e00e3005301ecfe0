//! A limit on how often objects are written.

use std::time::{Duration, Instant};

/// How many writes may follow one another. A damaged Secret takes seven, each of which may be lost to another replica
/// and tried again; this is enough for two of them.
const BURST: u32 = 32;

/// The writes that are left. A client that reverts each of them uses them up, however long each round takes.
#[derive(Debug)]
pub(super) struct Writes {
    left: u32,
    /// After this time, one more write is allowed.
    interval: Duration,
    /// Up to this time, elapsed intervals have been turned into writes.
    counted: Instant,
}

impl Writes {
    pub(super) fn new(interval: Duration, now: Instant) -> Self {
        Self { left: BURST, interval, counted: now }
    }

    /// Takes one write, and returns whether it is allowed.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        while self.left < BURST && now.saturating_duration_since(self.counted) >= self.interval {
            self.left += 1;
            self.counted += self.interval;
        }
        // Time in which no write was missing is not saved up for later.
        if self.left == BURST {
            self.counted = now;
        }
        let is_left = self.left > 0;
        self.left = self.left.saturating_sub(1);
        is_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_that_are_always_reverted_become_rare() {
        const SECOND: Duration = Duration::from_secs(1);
        struct Case {
            /// The seconds at which a write is tried.
            tries: Vec<u64>,
            /// How many of them are allowed.
            allowed: usize,
            reason: &'static str,
        }
        let begin = Instant::now();
        let table = [
            Case { tries: vec![0; 32], allowed: 32, reason: "two repairs, and lost races" },
            Case { tries: vec![0; 100], allowed: 32, reason: "another client reverts each" },
            Case {
                tries: [vec![0; 32], vec![1, 2, 3, 4, 5]].concat(),
                allowed: 34,
                reason: "then one every two seconds",
            },
            Case { tries: vec![0, 10, 20, 30, 40, 50, 60, 70, 80, 90], allowed: 10, reason: "rare writes" },
            Case {
                tries: vec![1000; 100],
                allowed: 32,
                reason: "writes that were not used are not saved up",
            },
        ];
        for Case { tries, allowed, reason } in table {
            let mut writes = Writes::new(2 * SECOND, begin);
            let mut count = 0;
            for second in tries {
                if writes.take(begin + Duration::from_secs(second)) {
                    count += 1;
                }
            }
            assert_eq!(count, allowed, "{reason}");
        }
    }
}
