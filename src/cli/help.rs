//! The sections below a command's options: written once, folded for a terminal, formatted in roff for a manual.
//!
//! A line without indentation is a heading. Below it each line is one item, however long: `  key  text`, or prose.
//! Lines that are indented by four, and those under `Examples:`, are commands and stay as they are.

use textwrap::{Options, WordSplitter};

/// A line of a section.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// `Examples:`
    Heading(&'a str),
    /// A command.
    Code(&'a str),
    /// A word and what it means.
    Item(&'a str, &'a str),
    /// Prose.
    Prose(&'a str),
    /// An empty line.
    Blank,
}

/// The lines of a help text.
pub(super) fn lines(help: &str) -> impl Iterator<Item = Line<'_>> {
    let mut in_examples = false;
    help.lines().map(move |line| {
        let text = line.trim_start();
        if text.is_empty() {
            return Line::Blank;
        }
        if text == line {
            in_examples = text == "Examples:";
            return Line::Heading(text);
        }
        if in_examples || line.starts_with("    ") {
            return Line::Code(text);
        }
        text.split_once("  ").map_or(Line::Prose(text), |(key, text)| Line::Item(key, text.trim_start()))
    })
}

/// The text with each item folded below itself. It begins with a heading, which sets the column of the texts below it.
pub(super) fn folded(help: &str, width: usize) -> String {
    let mut folded = Vec::new();
    let mut indent = 0;
    for line in lines(help) {
        folded.push(match line {
            Line::Heading(heading) => {
                indent = column_of(help, heading);
                heading.to_owned()
            }
            Line::Code(code) => format!("  {code}"),
            // The key is filled up to the column, without the two spaces before it.
            Line::Item(key, text) => fold(&format!("  {key:<0$}", indent - 2), indent, text, width),
            Line::Prose(text) => fold("  ", 2, text, width),
            Line::Blank => String::new(),
        });
    }
    folded.join("\n")
}

/// The column of the texts below a heading: two spaces before the longest key, and two after it.
fn column_of(help: &str, heading: &str) -> usize {
    let section = lines(help).skip_while(|line| *line != Line::Heading(heading)).skip(1);
    let mut longest = 0;
    for line in section.take_while(|line| !matches!(line, Line::Heading(_))) {
        if let Line::Item(key, _) = line {
            longest = longest.max(key.len());
        }
    }
    longest + 4
}

/// A text after its first words, folded and indented below itself.
fn fold(first: &str, indent: usize, text: &str, width: usize) -> String {
    let indent = " ".repeat(indent);
    let options = Options::new(width).initial_indent(first).subsequent_indent(&indent);
    textwrap::fill(text, options.word_splitter(WordSplitter::NoHyphenation).break_words(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_folded_below_themselves_and_examples_are_not() {
        let help = "Exit codes:\n  0  all is well with it\n  10  no\n\nOutput:\n  one two three four five\n    ln -s a very long line\n\nExamples:\n  a b c d e f g h i j k l";
        let expected = "Exit codes:\n  0   all is well\n      with it\n  10  no\n\nOutput:\n  one two three four\n  five\n  ln -s a very long line\n\nExamples:\n  a b c d e f g h i j k l";
        assert_eq!(folded(help, 20), expected);
    }
}
