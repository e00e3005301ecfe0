//! How often may be written.

use std::time::{Duration, Instant};

/// So many writes may follow one another; no step of a certificate's life takes that many.
pub(super) const AT_ONCE: u32 = 8;

/// The writes that are left. Somebody who undoes each of them uses them up, however long each of the rounds is.
#[derive(Debug)]
pub(super) struct Writes {
    left: u32,
    /// After this long one more is left.
    every: Duration,
    counted: Instant,
}

impl Writes {
    pub(super) fn new(every: Duration, now: Instant) -> Self {
        Self { left: AT_ONCE, every, counted: now }
    }

    /// Whether one may be done now.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        while self.left < AT_ONCE && now.saturating_duration_since(self.counted) >= self.every {
            self.left += 1;
            self.counted += self.every;
        }
        if self.left == AT_ONCE {
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
    fn who_undoes_every_write_gets_one_now_and_then() {
        const SECOND: Duration = Duration::from_secs(1);
        let begin = Instant::now();
        // The seconds at which writes are tried one after another, how many of them are done, and why.
        let table: [(&[u64], u32, &str); 5] = [
            (&[0; 8], 8, "what a new certificate needs, and lost races"),
            (&[0; 100], 8, "a fight"),
            (&[0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5], 10, "then one each two seconds"),
            (&[0, 10, 20, 30, 40, 50, 60, 70, 80, 90], 10, "who writes seldom never waits"),
            (&[1000; 100], 8, "what was not written for long is not saved up"),
        ];
        for (tries, expected, reason) in table {
            let mut writes = Writes::new(2 * SECOND, begin);
            let done =
                tries.iter().filter(|after| writes.take(begin + SECOND * u32::try_from(**after).unwrap()));
            assert_eq!(done.count(), usize::try_from(expected).unwrap(), "{reason}");
        }
    }
}
