//! A page of Markdown for a terminal.

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use textwrap::{Options, WordSplitter};

use super::paint::{BOLD, CYAN, DIM, PLAIN, painted};

/// Longer lines are hard to read, however wide the terminal is.
const WIDEST: usize = 100;

/// Makes headings bold, folds paragraphs, and indents code, which is otherwise left as it is.
pub(super) fn for_terminal(markdown: &str, width: usize) -> String {
    let mut page = Page { width: width.min(WIDEST), ..Page::default() };
    for event in Parser::new(markdown) {
        page.add(event);
    }
    page.text
}

#[derive(Default)]
struct Page {
    text: String,
    width: usize,
    /// The text that is folded next.
    open: String,
    /// The next numbers of the open lists; `None` for lists of bullets.
    lists: Vec<Option<u64>>,
    /// The beginning of the next folded line.
    bullet: String,
    in_code: bool,
}

impl Page {
    fn add(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.in_code => {
                for line in text.lines() {
                    self.text += format!("    {line}").trim_end();
                    self.text.push('\n');
                }
            }
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.open += &text,
            // Spaces are not broken, so that a command can be copied.
            Event::Code(code) => self.open += &painted(&code.replace(' ', "\u{a0}"), CYAN),
            Event::SoftBreak | Event::HardBreak => self.open.push(' '),
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Heading { .. } | Tag::Strong => self.open += BOLD,
            Tag::List(first) => {
                self.fold();
                self.lists.push(*first);
            }
            Tag::Item => {
                self.bullet = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("  {}. ", *number - 1)
                    }
                    _ => "  - ".to_owned(),
                };
            }
            Tag::CodeBlock(kind) => {
                self.in_code = true;
                // What the fence says after the language, such as `warned`, becomes a comment.
                let words = match kind {
                    CodeBlockKind::Fenced(info) => info.split_once(' ').map(|(_, rest)| rest),
                    CodeBlockKind::Indented => None,
                };
                if let Some(words) = words {
                    self.text.extend(["    ", DIM, "# ", words, PLAIN, "\n"]);
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Strong => self.open += PLAIN,
            TagEnd::Heading(_) => {
                self.open += PLAIN;
                self.fold();
                self.text.push('\n');
            }
            TagEnd::Paragraph => {
                self.fold();
                self.text.push('\n');
            }
            TagEnd::Item => self.fold(),
            TagEnd::List(_) => {
                self.lists.pop();
                self.text.push('\n');
            }
            TagEnd::CodeBlock => {
                self.in_code = false;
                self.text.push('\n');
            }
            _ => {}
        }
    }

    /// Moves the open text to the page, folded; the bullet of its item comes before it once.
    fn fold(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let after = " ".repeat(self.bullet.len());
        let options = Options::new(self.width)
            .initial_indent(&self.bullet)
            .subsequent_indent(&after)
            .word_splitter(WordSplitter::NoHyphenation)
            .break_words(false);
        self.text += &textwrap::fill(&self.open, options).replace('\u{a0}', " ");
        self.text.push('\n');
        self.open.clear();
        self.bullet.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirrorguard_core::rules::RULES;

    #[test]
    fn markdown_becomes_readable() {
        let markdown = "# a-rule\n\nOne two three `four five` six.\nSeven **eight**.\n\n## Example\n\n\
                        ```yaml denied\na:\n\n  - b\n```\n\n1. First step of it all.\n2. Second.\n\n- A bullet\n";
        let expected = "\
\u{1b}[1ma-rule\u{1b}[0m

One two three \u{1b}[36mfour five\u{1b}[0m
six. Seven \u{1b}[1meight\u{1b}[0m.

\u{1b}[1mExample\u{1b}[0m

    \u{1b}[2m# denied\u{1b}[0m
    a:

      - b

  1. First step of it
     all.
  2. Second.

  - A bullet

";
        assert_eq!(for_terminal(markdown, 24), expected);
    }

    /// The letters of a text, without spaces, marks, numbers and colors.
    fn letters(text: &str) -> String {
        let text = anstream::adapter::strip_str(text).to_string();
        text.chars().filter(|c| c.is_alphanumeric() && !c.is_ascii_digit()).collect()
    }

    #[test]
    fn every_page_keeps_its_words() {
        for rule in RULES {
            // The language of a fence is not shown, the words after it are.
            let source =
                rule.page.replace("```yaml", "```").replace("```console", "```").replace("```text", "```");
            assert_eq!(letters(&for_terminal(rule.page, 60)), letters(&source), "{}", rule.id);
        }
    }
}
