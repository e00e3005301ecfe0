//! What is answered.

use jiff::civil::Date;

use crate::{
    node::Impact,
    rules::{Finding, Level, Rule},
};

/// The longest warning an apiserver hands on whole, in bytes.
const WARNING_MAX: usize = 256;

/// A finding and what it does.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The rule that found it.
    pub rule: &'static Rule,
    /// [`Level::Warn`] or [`Level::Deny`].
    pub level: Level,
    /// What was found.
    pub finding: Finding,
}

impl Judged {
    /// `[rule-id] path: what is wrong: what it does. Fix: …`, on one line.
    pub fn line(&self) -> String {
        let Finding { path, fix, .. } = &self.finding;
        format!("[{}] {path}: {}. Fix: {fix}", self.rule.id, self.finding.message())
    }
}

/// A finding that counts for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exempted {
    /// The rule that found it.
    pub rule: &'static str,
    /// What it would have done.
    pub level: Level,
    /// Why it does not.
    pub reason: String,
    /// The last day on which it does not.
    pub until: Date,
}

/// The verdict over one write.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// Everything found, in the order of the rules.
    pub judged: Vec<Judged>,
    /// What was found and counts for nothing, by the configuration's exemptions.
    pub exempted: Vec<Exempted>,
    /// What the write costs the nodes, where that is known.
    pub impact: Option<Impact>,
    /// Said beside the findings: `(level, text)`.
    pub remarks: Vec<(Level, String)>,
}

impl Verdict {
    /// Whether the write goes through.
    pub fn is_allowed(&self) -> bool {
        self.denials().next().is_none()
    }

    /// The lines of a denial.
    pub fn denials(&self) -> impl Iterator<Item = String> {
        self.remarks_of(Level::Deny).chain(self.judged_at(Level::Deny).map(Judged::line))
    }

    /// The warnings, each short enough to be handed on whole: one that is not gets its fix as a second.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        let judged = self.judged_at(Level::Warn).flat_map(|judged| {
            let line = judged.line();
            if line.len() <= WARNING_MAX {
                return vec![line];
            }
            let Judged { rule, finding, .. } = judged;
            let what = format!("[{}] {}: {}", rule.id, finding.path, finding.message());
            vec![shortened(what), shortened(format!("[{}] Fix: {}", rule.id, finding.fix))]
        });
        let exempted = self.exempted.iter().filter(|exempted| exempted.level == Level::Deny);
        let exempted = exempted.map(|Exempted { rule, reason, until, .. }| {
            shortened(format!("[{rule}] not denied until {until}, by an exemption: {reason}"))
        });
        self.remarks_of(Level::Warn).map(shortened).chain(judged).chain(exempted)
    }

    fn judged_at(&self, level: Level) -> impl Iterator<Item = &Judged> {
        self.judged.iter().filter(move |judged| judged.level == level)
    }

    fn remarks_of(&self, level: Level) -> impl Iterator<Item = String> {
        self.remarks.iter().filter(move |(l, _)| *l == level).map(|(_, text)| text.clone())
    }

    /// The ids of the rules that found something, each once.
    pub fn rule_ids(&self) -> Vec<&'static str> {
        let mut ids: Vec<_> = self.judged.iter().map(|judged| judged.rule.id).collect();
        ids.dedup();
        ids
    }
}

fn shortened(mut text: String) -> String {
    const ELLIPSIS: &str = "…";
    if text.len() > WARNING_MAX {
        text.truncate(text.floor_char_boundary(WARNING_MAX - ELLIPSIS.len()));
        text.push_str(ELLIPSIS);
    }
    text
}
