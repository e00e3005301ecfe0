//! Byte offsets of characters.

/// Converts the character offsets of the parser to byte offsets.
pub(super) struct Offsets<'t> {
    pub(super) text: &'t str,
    /// The byte offset of every 64th character; empty for ASCII text.
    marks: Vec<usize>,
}

impl<'t> Offsets<'t> {
    const STEP: usize = 64;

    pub(super) fn of(text: &'t str) -> Self {
        let marks = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().step_by(Self::STEP).map(|(byte, _)| byte).collect()
        };
        Self { text, marks }
    }

    pub(super) fn byte(&self, character: usize) -> usize {
        if self.marks.is_empty() {
            return character.min(self.text.len());
        }
        let mark = self.marks.get(character / Self::STEP).copied().unwrap_or(self.text.len());
        let rest = self.text[mark..].char_indices().nth(character % Self::STEP);
        rest.map_or(self.text.len(), |(byte, _)| mark + byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn character_offsets_become_byte_offsets() {
        let table =
            [("plain text".repeat(30), "one byte each"), ("aü日𝄞\r\n".repeat(70), "several bytes each")];
        for (text, reason) in table {
            let offsets = Offsets::of(&text);
            for (at, (byte, _)) in text.char_indices().enumerate() {
                assert_eq!(offsets.byte(at), byte, "{reason}: character {at}");
            }
            assert_eq!(offsets.byte(text.len() + 1), text.len(), "{reason}: beyond the end");
        }
    }
}
