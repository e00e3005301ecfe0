//! A bound on following every order of replacements: their number grows as a factorial, and their texts with them.

/// Bytes of text and of state that were read or written, and how many may be. Counted, not timed: a value has the same
/// answer on every machine.
pub(super) struct Work {
    spent: usize,
    limit: usize,
}

impl Work {
    /// Nothing yet, of this limit.
    pub(super) fn of(limit: usize) -> Self {
        Self { spent: 0, limit }
    }

    /// Counts what the next step takes. `false` if the step must not be made.
    pub(super) fn spend(&mut self, bytes: usize) -> bool {
        self.spent = self.spent.saturating_add(bytes);
        !self.is_over()
    }

    /// Whether a step was not made.
    pub(super) fn is_over(&self) -> bool {
        self.spent > self.limit
    }

    #[cfg(test)]
    pub(super) fn spent(&self) -> usize {
        self.spent
    }
}
