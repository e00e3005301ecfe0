//! `mirrorguard rules`.

use anyhow::{Result, bail};
use clap::Args;
use mirrorguard_core::{
    config,
    rules::{self, Level, Rule},
};
use serde::Serialize;

use super::{
    Answer,
    output::Output,
    page,
    paint::{DIM, RED, YELLOW, painted},
};

const HELP: &str = "\
Output:
  stdout  a line for each rule, with id, default level and summary; or the page of the rule, formatted on a terminal and Markdown elsewhere

Exit codes:
  0  the list or the page was printed
  2  usage error, or no rule has this ID

Examples:
  mirrorguard rules
  mirrorguard rules root-level-source
  mirrorguard rules -o json | jq -r '.[] | select(.level == \"deny\").id'";

/// List the rules, or explain one
///
/// The page of a rule explains what it finds, the symptoms in the cluster, examples with and without a finding, the
/// fix, and the configuration of the rule. The list includes the rules that only audit checks.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(super) struct RulesArgs {
    /// ID of the rule to explain
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

impl RuleJson {
    fn without_page(rule: &Rule) -> Self {
        Self { id: rule.id, level: rule.level, summary: rule.summary, page: None }
    }
}

pub(super) fn run(args: &RulesArgs, output: &Output) -> Result<Answer> {
    if let Some(id) = &args.id {
        let Some(rule) = rules::rule(id) else { bail!(config::unknown_rule(id)) };
        if output.is_json() {
            output.json(&RuleJson { page: Some(rule.page), ..RuleJson::without_page(rule) })?;
        } else if Output::to_terminal() {
            output.result(&page::for_terminal(rule.page, Output::width()))?;
        } else {
            output.result(rule.page)?;
        }
        return Ok(Answer::Yes);
    }
    if output.is_json() {
        output.json(&rules::RULES.iter().map(RuleJson::without_page).collect::<Vec<_>>())?;
    } else {
        // In a pipe each rule is on one line, for grep.
        let width = if Output::to_terminal() { Output::width() } else { usize::MAX };
        output.result(&rules::RULES.iter().map(|rule| line(rule, width)).collect::<String>())?;
    }
    Ok(Answer::Yes)
}

/// Id, level and summary; the summary is folded below itself.
fn line(rule: &Rule, width: usize) -> String {
    // The widths of the columns, and the least width that a summary is folded to.
    const ID: usize = 34;
    const LEVEL: usize = 5;
    const LEAST: usize = 30;
    let (level, style) = match rule.level {
        Level::Deny => ("deny", RED),
        Level::Warn => ("warn", YELLOW),
        Level::Off => ("off", DIM),
    };
    let indent = ID + LEVEL + 2;
    let room = if width < indent + LEAST { usize::MAX } else { width - indent };
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
        let plain = [200, 71, 50].map(|width| anstream::adapter::strip_str(&line(&rule, width)).to_string());
        let one = "some-rule                          deny  one two three four five six seven eight\n";
        assert_eq!(plain[0], one);
        let two = "some-rule                          deny  one two three four five six\n                                         seven eight\n";
        assert_eq!(plain[1], two);
        assert_eq!(plain[2], one, "no room to fold into");
    }
}
