//! Trees of lines, as wide as the terminal.

use textwrap::core::display_width;

use super::paint::painted;

/// How far a level is indented.
const INDENT: usize = 4;
/// The smallest width of a text, in a narrow terminal or far down a tree.
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
    pub(super) fn draw(&self, width: usize, unicode: bool) -> String {
        let glyphs = if unicode { &BOXES } else { &ASCII };
        let mut drawn = lay_out(&self.head, &self.notes, width) + "\n";
        self.draw_branches(width, glyphs, "", &mut drawn);
        drawn
    }

    /// Draws its branches, with the prefix before each line.
    fn draw_branches(&self, width: usize, glyphs: &Glyphs, prefix: &str, drawn: &mut String) {
        let width = width.saturating_sub(INDENT);
        for (at, branch) in self.branches.iter().enumerate() {
            let is_last = at + 1 == self.branches.len();
            let (mut glyph, below) =
                if is_last { (glyphs.last, "    ") } else { (glyphs.middle, glyphs.below_middle) };
            for line in lay_out(&branch.head, &branch.notes, width).lines() {
                drawn.extend([prefix, glyph, line, "\n"]);
                glyph = below;
            }
            branch.draw_branches(width, glyphs, &format!("{prefix}{below}"), drawn);
        }
    }
}

/// What is drawn before the lines of a branch, [`INDENT`] wide.
struct Glyphs {
    middle: &'static str,
    below_middle: &'static str,
    last: &'static str,
}

const BOXES: Glyphs = Glyphs { middle: "├── ", below_middle: "│   ", last: "└── " };
const ASCII: Glyphs = Glyphs { middle: "|-- ", below_middle: "|   ", last: "`-- " };

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
        // The leaf has 30 columns here: one too few for both notes on its line.
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
