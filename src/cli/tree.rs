//! Trees of lines, as wide as the terminal.

use termtree::{GlyphPalette, Tree};
use textwrap::core::display_width;

use super::paint::painted;

/// How far a level is indented.
const INDENT: usize = 4;
/// The smallest width of a text.
const LEAST: usize = 30;

/// A line, its notes, and its branches.
#[derive(Debug, Default)]
pub(super) struct Branch {
    head: Words,
    notes: Vec<Words>,
    branches: Vec<Branch>,
}

/// A text in one style.
#[derive(Debug, Default)]
struct Words {
    text: String,
    style: &'static str,
}

impl Branch {
    /// A line. It is never broken, so that names in it can be copied.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { head: Words { text: text.into(), style: "" }, ..Self::default() }
    }

    /// Sets the style of the line.
    pub(super) fn styled(mut self, style: &'static str) -> Self {
        self.head.style = style;
        self
    }

    /// Adds a note, on the same line where there is room, else below.
    pub(super) fn note(self, text: impl Into<String>) -> Self {
        self.styled_note(text, "")
    }

    /// Adds a note in a style.
    pub(super) fn styled_note(mut self, text: impl Into<String>, style: &'static str) -> Self {
        self.notes.push(Words { text: text.into(), style });
        self
    }

    /// Adds branches.
    pub(super) fn with(mut self, branches: impl IntoIterator<Item = Self>) -> Self {
        self.branches.extend(branches);
        self
    }

    /// Draws it, with lines of box characters or of ASCII.
    pub(super) fn draw(self, width: usize, unicode: bool) -> String {
        let ascii = GlyphPalette {
            middle_item: "|",
            last_item: "`",
            item_indent: "-- ",
            middle_skip: "|",
            ..GlyphPalette::new()
        };
        let glyphs = if unicode { GlyphPalette::new() } else { ascii };
        self.tree(width).with_glyphs(glyphs).to_string()
    }

    fn tree(self, width: usize) -> Tree<String> {
        let text = lay_out(&self.head, &self.notes, width);
        let inner = width.saturating_sub(INDENT);
        let branches = self.branches.into_iter().map(|branch| branch.tree(inner));
        Tree::new(text).with_multiline(true).with_leaves(branches)
    }
}

/// The head with each note on the same line while there is room, else below it, folded.
fn lay_out(head: &Words, notes: &[Words], width: usize) -> String {
    let width = width.max(LEAST);
    let mut text = painted(&head.text, head.style);
    let mut used = display_width(&head.text);
    for Words { text: note, style } in notes {
        let needed = 2 + display_width(note);
        if used + needed <= width {
            text += "  ";
            text += &painted(note, style);
            used += needed;
            continue;
        }
        for line in textwrap::wrap(note, width - INDENT) {
            text += "\n    ";
            text += &painted(&line, style);
            used = INDENT + display_width(&line);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Branch {
        let leaf = Branch::new("quay.io/a/b:v1").note("the source itself").note("insecure");
        Branch::new("image").with([Branch::new("nodes").with([leaf]), Branch::new("hypershift")])
    }

    #[test]
    fn notes_are_on_the_line_or_below() {
        let wide = "\
image
├── nodes
│   └── quay.io/a/b:v1  the source itself  insecure
└── hypershift
";
        assert_eq!(tree().draw(80, true), wide);
        let narrow = "\
image
|-- nodes
|   `-- quay.io/a/b:v1
|           the source itself
|           insecure
`-- hypershift
";
        assert_eq!(tree().draw(38, false), narrow);
    }

    #[test]
    fn a_long_note_is_folded_and_a_long_head_is_not() {
        let long = "quay.io/openshift-release-dev/ocp-release:4.20.4-x86_64";
        let drawn = Branch::new("image").with([Branch::new(long).note("one two three four five six seven")]);
        let expected = format!("image\n`-- {long}\n        one two three four five\n        six seven\n");
        assert_eq!(drawn.draw(34, false), expected);
    }
}
