//! `mirrorguard rules`.

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use super::{Answer, output::Output};
use crate::{
    config,
    rules::{self, Level},
};

/// List the rules and the checks of audit, or print the page of one
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  mirrorguard rules\n  mirrorguard rules root-level-source")]
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
        } else {
            output.result(rule.page)?;
        }
        return Ok(Answer::Yes);
    }
    if output.is_json() {
        let list =
            rules::all().map(|r| RuleJson { id: r.id, level: r.level, summary: r.summary, page: None });
        output.json(&list.collect::<Vec<_>>())?;
    } else {
        let level = |level| match level {
            Level::Deny => "deny",
            Level::Warn => "warn",
            Level::Off => "off",
        };
        let lines = rules::all().map(|r| format!("{:<34} {:<5} {}\n", r.id, level(r.level), r.summary));
        output.result(&lines.collect::<String>())?;
    }
    Ok(Answer::Yes)
}
