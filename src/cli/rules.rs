//! `mirrorguard rules`.

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use super::{
    Answer,
    output::Output,
    page,
    paint::{DIM, RED, YELLOW, painted},
};
use mirrorguard_core::{
    config,
    rules::{self, Level, Rule},
};

const HELP: &str = "\
Output:
  stdout  a line for each rule, with its id, its level where the configuration says nothing, and what it finds; or the rule's page. On a terminal both are folded to its width, elsewhere a page is Markdown

Exit codes:
  0  the list or the page was printed
  2  no rule has this id

Examples:
  mirrorguard rules
  mirrorguard rules root-level-source
  mirrorguard rules -o json | jq -r '.[] | select(.level == \"deny\").id'";

/// List the rules and the checks of audit, or print the page of one
///
/// A page tells what the rule finds, what that does to the cluster and by which symptom it is known, an example
/// that is refused and one that is not, the cure, and how to configure the rule.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct RulesArgs {
    /// The rule or check whose page to print
    pub(super) id: Option<String>,
}

#[derive(Serialize)]
struct RuleJson {
    id: &'static str,
    level: Level,
    summary: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<&'static str>,
}

pub(super) fn run(args: &RulesArgs, output: &Output) -> Result<Answer> {
    if let Some(id) = &args.id {
        let Some(rule) = rules::rule(id) else { bail!(config::unknown_rule(id)) };
        if output.is_json() {
            output.json(&RuleJson {
                id: rule.id,
                level: rule.level,
                summary: rule.summary,
                page: Some(rule.page),
            })?;
        } else if Output::to_terminal() {
            output.result(&page::for_terminal(rule.page, Output::width()))?;
        } else {
            output.result(rule.page)?;
        }
        return Ok(Answer::Yes);
    }
    if output.is_json() {
        let list = rules::RULES.iter().map(|r| RuleJson {
            id: r.id,
            level: r.level,
            summary: r.summary,
            page: None,
        });
        output.json(&list.collect::<Vec<_>>())?;
    } else {
        // A line for each rule is what grep wants.
        let width = if Output::to_terminal() { Output::width() } else { usize::MAX };
        output.result(&rules::RULES.iter().map(|rule| line(rule, width)).collect::<String>())?;
    }
    Ok(Answer::Yes)
}

/// Id, level and summary, the summary folded below itself.
fn line(rule: &Rule, width: usize) -> String {
    const ID: usize = 34;
    const LEVEL: usize = 5;
    let (level, style) = match rule.level {
        Level::Deny => ("deny", RED),
        Level::Warn => ("warn", YELLOW),
        Level::Off => ("off", DIM),
    };
    let indent = ID + LEVEL + 2;
    let room = if width < indent + 30 { usize::MAX } else { width - indent };
    let options = textwrap::Options::new(room).break_words(false);
    let folded = textwrap::wrap(rule.summary, options).join(&format!("\n{}", " ".repeat(indent)));
    format!("{:<ID$} {}{} {folded}\n", rule.id, painted(level, style), " ".repeat(LEVEL - level.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_folded_below_itself() {
        let rule = Rule {
            id: "some-rule",
            level: Level::Deny,
            summary: "one two three four five six seven eight",
            ..mirrorguard_core::rules::RULES[0]
        };
        let line = |width| anstream::adapter::strip_str(&line(&rule, width)).to_string();
        let one = "some-rule                          deny  one two three four five six seven eight\n";
        assert_eq!(line(200), one);
        let two = "some-rule                          deny  one two three four five six\n                                         seven eight\n";
        assert_eq!(line(71), two);
        assert_eq!(line(50), line(200), "no room to fold into");
    }
}
