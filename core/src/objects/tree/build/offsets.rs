//! Byte offsets of characters, and positions at the end of a text.

use super::Position;

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

/// The position of an error within the text: behind the end of it, if the parser has counted a line that is not there,
/// because the last line does not end.
pub(super) fn within(text: &str, at: Position) -> Position {
    // A line ends with a line feed, a carriage return, or both.
    let is_end =
        |(index, c): &(usize, char)| *c == '\n' || (*c == '\r' && !text[index + 1..].starts_with('\n'));
    let lines = text.char_indices().filter(is_end).count() + 1;
    if at.line <= lines {
        return at;
    }
    let last = text.rsplit(['\n', '\r']).next().unwrap_or_default();
    Position { line: lines, column: last.chars().count() + 1 }
}

#[cfg(test)]
mod tests {
    use super::{super::documents, *};

    #[test]
    fn an_error_at_the_end_is_in_the_last_line() {
        let table = [
            ("a: [", (1, 5), "no line ends"),
            ("{\"a\": 1,\n\"b\": [", (2, 7), "the last line does not end"),
            ("{\"a\": 1,\r\n\"b\": [", (2, 7), "the same in a file of Windows"),
            ("a: [\n", (2, 1), "every line ends"),
            ("a: [}\nb: [", (1, 5), "an error before the end"),
        ];
        for (text, (line, column), reason) in table {
            let (_, failure) = documents(text);
            assert_eq!(failure.map(|(at, _)| at), Some(Position { line, column }), "{reason}");
        }
    }

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
