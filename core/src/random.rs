//! Random numbers for tests, the same on every machine.

/// `SplitMix64`: enough to choose from short lists.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number less than `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        // Reduced first, to fit any `usize`.
        usize::try_from((mixed ^ (mixed >> 31)) % 1_000_003).unwrap() % end
    }

    /// True once in so many times.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// Up to `most` of the texts.
    pub(crate) fn some_of(&mut self, texts: &[&str], most: usize) -> Vec<String> {
        (0..self.below(most + 1)).map(|_| self.one_of(texts).to_owned()).collect()
    }
}
