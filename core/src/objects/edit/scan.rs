//! Blanks, comments, quotes and lines of a text.

use std::ops::Range;

use super::place::Places;

impl Places<'_> {
    /// The offset behind the closing quote of a text in quotes.
    pub(super) fn quotes_end(self, start: usize) -> usize {
        let text = &self.0[start..];
        let is_double = text.starts_with('"');
        let mut characters = text.char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' if is_double => {
                    characters.next();
                }
                '"' if is_double => return start + at + 1,
                // Two of them are one that is part of the text.
                '\'' if !is_double && text[at + 1..].starts_with('\'') => {
                    characters.next();
                }
                '\'' if !is_double => return start + at + 1,
                _ => {}
            }
        }
        self.0.len()
    }

    /// The end of a text without quotes: the parser may include blanks and a comment.
    pub(super) fn plain_end(self, Range { start, end }: Range<usize>) -> usize {
        let text = &self.0[start..end.max(start)];
        let comment = text.match_indices('#').find(|(at, _)| text[..*at].ends_with([' ', '\t', '\n']));
        start + text[..comment.map_or(text.len(), |(at, _)| at)].trim_end().len()
    }

    /// The next offset from here on where neither a blank, nor a line break, nor a comment is.
    pub(super) fn skip_blanks(self, from: usize) -> usize {
        let mut at = from;
        loop {
            let rest = self.0[at..].trim_start_matches([' ', '\t', '\r', '\n']);
            at = self.0.len() - rest.len();
            if !rest.starts_with('#') {
                return at;
            }
            at = self.line_end(at);
        }
    }

    /// Whether there may be a comment in a range.
    pub(super) fn may_have_comment(self, range: Range<usize>) -> bool {
        let text = &self.0[range];
        text.match_indices('#').any(|(at, _)| text[..at].ends_with([' ', '\t', '\n']))
    }

    /// The start of the line of an offset, behind a byte order mark.
    pub(super) fn line_start(self, at: usize) -> usize {
        let line = self.0[..at].rfind('\n').map_or(0, |newline| newline + 1);
        line + if self.0[line..at].starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 }
    }

    /// How many characters are before an offset on its line.
    pub(super) fn column(self, at: usize) -> usize {
        self.0[self.line_start(at)..at].chars().count()
    }

    /// Whether only blanks are before an offset on its line.
    pub(super) fn is_first_in_line(self, at: usize) -> bool {
        self.0[self.line_start(at)..at].trim().is_empty()
    }

    /// Whether only blanks and the dashes of lists are before an offset on its line, not the `?` of a name.
    pub(super) fn is_first_behind_dashes(self, at: usize) -> bool {
        self.0[self.line_start(at)..at].trim_matches([' ', '\t', '-']).is_empty()
    }

    /// The end of the line of an offset, before its line break.
    pub(super) fn line_end(self, at: usize) -> usize {
        let rest = &self.0[at..];
        let end = rest.find('\n').unwrap_or(rest.len());
        at + rest[..end].trim_end_matches('\r').len()
    }

    /// The end of a line of which only a comment is left after this offset. `None` where anything else follows, as inside
    /// of brackets.
    pub(super) fn tail(self, at: usize) -> Option<usize> {
        let end = self.line_end(at);
        let rest = self.0[at..end].trim_start();
        (rest.is_empty() || rest.starts_with('#')).then_some(end)
    }
}

/// The text up to the next blank, or the end of a value in brackets.
pub(super) fn word(text: &str) -> &str {
    if let Some(end) = text.strip_prefix("!<").and_then(|_| text.find('>')) {
        return &text[..=end];
    }
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, ',' | ']' | '}'));
    &text[..end.unwrap_or(text.len())]
}
