//! Edits of a text by byte ranges.

use std::ops::Range;

/// Replaces a byte range of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEdit {
    /// The range; empty for an insertion.
    pub range: Range<usize>,
    /// What takes its place.
    pub text: String,
}

/// Sorts edits. `None` if two of them overlap. Insertions at one place become one, in their order, since the sort is
/// stable.
pub(super) fn join(mut edits: Vec<TextEdit>) -> Option<Vec<TextEdit>> {
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let mut joined: Vec<TextEdit> = Vec::with_capacity(edits.len());
    for edit in edits {
        match joined.last_mut() {
            Some(last) if last.range == edit.range && edit.range.is_empty() => last.text.push_str(&edit.text),
            Some(last) if last.range.end > edit.range.start => return None,
            _ => joined.push(edit),
        }
    }
    Some(joined)
}

/// Applies edits that are sorted and do not overlap.
pub fn apply_edits(text: &str, edits: &[TextEdit]) -> String {
    let mut edited = String::with_capacity(text.len());
    let mut from = 0;
    for TextEdit { range, text: new } in edits {
        edited.push_str(&text[from..range.start]);
        edited.push_str(new);
        from = range.end;
    }
    edited.push_str(&text[from..]);
    edited
}
