//! The examples on the pages of the rules, which the tests of the command line, the router and a real API server use.
//!
//! The fence of a YAML block says what it is. `denied`, `warned` and `allowed` are examples: their last object is the
//! one that is checked, the others exist already. `before` has objects that exist already for the next example.
//! `settings` is the configuration of all examples after it.
#![expect(clippy::panic, reason = "a page that cannot be read is a mistake in the repository")]

use mirrorguard_core::{
    objects::manifest,
    rules::{Check, RULES, rule},
};
use serde_json::Value;

/// The documented verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Denied,
    Warned,
    Allowed,
}

/// An example.
#[derive(Debug, Clone)]
pub(crate) struct Example {
    /// Id of the rule whose page has it.
    pub(crate) rule: &'static str,
    /// The line on the page where it starts.
    line: usize,
    pub(crate) expected: Expected,
    /// The configuration, YAML; empty for the default one.
    pub(crate) settings: String,
    /// The objects that exist already, YAML.
    pub(crate) before: String,
    /// The example itself, YAML.
    pub(crate) text: String,
}

impl Example {
    /// Its place, for the message of a failed test.
    pub(crate) fn place(&self) -> String {
        format!("core/src/rules/{}.md:{}: {:?}", self.rule.replace('-', "_"), self.line, self.expected)
    }

    /// The objects that exist before the write, and the object that is written.
    pub(crate) fn write(&self) -> (Vec<Value>, Value) {
        let mut there = documents(&self.before);
        let mut block = documents(&self.text);
        let Some(written) = block.pop() else { panic!("{}: an empty block", self.place()) };
        there.extend(block);
        (there, written)
    }
}

/// The examples that a webhook is called for: those of mirror sets and HostedClusters. Only the command line checks the
/// image configuration, and objects as they are written in files.
#[allow(dead_code, reason = "the command line checks all of them")]
pub(crate) fn examples_of_writes() -> impl Iterator<Item = Example> {
    let about_writes = examples()
        .into_iter()
        .filter(|example| rule(example.rule).is_none_or(|rule| !matches!(rule.check, Check::File(_))));
    about_writes.filter(|example| example.write().1["kind"] != "Image")
}

/// The examples of all pages, in the order of the rules and of each page.
pub(crate) fn examples() -> Vec<Example> {
    RULES.iter().flat_map(|rule| on_page(rule.id, rule.page)).collect()
}

fn on_page(rule: &'static str, page: &str) -> Vec<Example> {
    let mut examples = Vec::new();
    let (mut before, mut settings) = (String::new(), String::new());
    let mut lines = page.lines().zip(1..);
    while let Some((fence, line)) = lines.next() {
        let Some(tag) = fence.strip_prefix("```") else { continue };
        let block = lines.by_ref().map(|(text, _)| text).take_while(|text| *text != "```");
        let text: String = block.flat_map(|text| [text, "\n"]).collect();
        let expected = match tag {
            "yaml denied" => Expected::Denied,
            "yaml warned" => Expected::Warned,
            "yaml allowed" => Expected::Allowed,
            "yaml before" => {
                before = text;
                continue;
            }
            "yaml settings" => {
                settings = text;
                continue;
            }
            _ => continue,
        };
        let before = std::mem::take(&mut before);
        examples.push(Example { rule, line, expected, settings: settings.clone(), before, text });
    }
    examples
}

/// The documents of a text, unchanged.
fn documents(text: &str) -> Vec<Value> {
    text.split("\n---\n").filter(|text| !text.trim().is_empty()).map(document).collect()
}

fn document(text: &str) -> Value {
    manifest::read_document("the page of a rule", text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}
