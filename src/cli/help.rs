//! The sections below a command's options: written once, folded for a terminal, set in roff for a manual.
//!
//! A line at the left edge is a heading. Below it each line is one item, however long: `  key  text`, or prose.
//! What is indented by four or stands under `Examples:` is typed by people, and stays as it is.

use textwrap::{Options, WordSplitter};

/// A line of a section.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// `Examples:`
    Heading(&'a str),
    /// What is typed.
    Code(&'a str),
    /// A word and what it means.
    Item(&'a str, &'a str),
    /// Prose.
    Prose(&'a str),
    /// Nothing.
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

/// The text with each item folded below itself.
pub(super) fn folded(help: &str, width: usize) -> String {
    let mut folded = Vec::new();
    let column = |heading: &str| {
        let section = lines(help).skip_while(|line| *line != Line::Heading(heading)).skip(1);
        let section = section.take_while(|line| !matches!(line, Line::Heading(_)));
        let keys =
            section.filter_map(|line| if let Line::Item(key, _) = line { Some(key.len()) } else { None });
        keys.max().unwrap_or_default() + 4
    };
    let fold = |first: &str, after: usize, text: &str| {
        let after = " ".repeat(after);
        let options = Options::new(width).initial_indent(first).subsequent_indent(&after);
        textwrap::fill(text, options.word_splitter(WordSplitter::NoHyphenation).break_words(false))
    };
    let mut indent = 0;
    for line in lines(help) {
        folded.push(match line {
            Line::Heading(heading) => {
                indent = column(heading);
                heading.to_owned()
            }
            Line::Code(code) => format!("  {code}"),
            Line::Item(key, text) => fold(&format!("  {key:<0$}", indent - 2), indent, text),
            Line::Prose(text) => fold("  ", 2, text),
            Line::Blank => String::new(),
        });
    }
    folded.join("\n")
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
