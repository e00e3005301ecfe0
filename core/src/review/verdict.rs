//! The result of a review.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::{
    hypershift::Origin,
    node::Impact,
    rules::{Finding, Level, Rule},
};

/// The longest warning that an API server does not truncate, in bytes.
const WARNING_MAX: usize = 256;

/// A finding of a rule, and its level.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// The rule that found it.
    pub rule: &'static Rule,
    /// [`Level::Warn`] or [`Level::Deny`].
    pub level: Level,
    /// What was found.
    pub finding: Finding,
}

impl Diagnostic {
    /// `[rule-id] path: what is wrong. What happens because of it. Fix: …`, on one line.
    pub fn line(&self) -> String {
        let Finding { path, fix, .. } = &self.finding;
        let fix = if fix.is_empty() { String::new() } else { format!(". Fix: {}", fix.title) };
        format!("[{}] {path}: {}{fix}", self.rule.id, self.finding.message())
    }

    /// A key for each of its faults: the rule, and the fault's own. A fault with the same key in another state of the
    /// object is the same fault.
    fn keys(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.finding.faults().map(|key| (self.rule.id, key))
    }

    /// Whether it still applies if the write is rejected. A finding about the write's impact on nodes does not, since a
    /// rejected write has none, unless that finding is what rejects it.
    pub(super) fn applies_to_a_rejected_write(&self) -> bool {
        self.level == Level::Deny || !self.rule.only_when_admitted
    }
}

/// The faults of another state of an object, by the keys of its findings.
pub(super) struct Known<'a>(BTreeSet<(&'static str, &'a str)>);

impl<'a> Known<'a> {
    pub(super) fn of(diagnostics: &'a [Diagnostic]) -> Self {
        Self(diagnostics.iter().flat_map(Diagnostic::keys).collect())
    }

    /// Whether the other state had one of the faults of a finding.
    pub(super) fn shares(&self, diagnostic: &Diagnostic) -> bool {
        diagnostic.keys().any(|key| self.0.contains(&key))
    }

    /// Whether the other state had every fault of a finding. One new fault makes the whole finding new.
    pub(super) fn contains(&self, diagnostic: &Diagnostic) -> bool {
        diagnostic.keys().all(|key| self.0.contains(&key))
    }
}

/// A finding that the configuration exempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exempted {
    /// The rule that found it.
    pub rule: &'static str,
    /// The level that it would have.
    pub level: Level,
    /// Why it is exempt.
    pub reason: String,
    /// The last day of the exemption.
    pub until: Date,
}

/// The verdict on one write.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// The findings, in the order of the rules.
    pub diagnostics: Vec<Diagnostic>,
    /// The findings that are exempt.
    pub exempted: Vec<Exempted>,
    /// The exemptions of findings that are reported again, because the last day has passed.
    pub lapsed: Vec<Exempted>,
    /// The impact on the nodes of an admitted write of a mirror set, or of a setting in a sequence, if it is
    /// known.
    pub impact: Option<Impact>,
    /// What the catalog overrides that were filled in come from, if they were.
    pub filled_in_from: Option<Origin>,
    /// Messages that are not findings of a rule: `(level, text)`.
    pub remarks: Vec<(Level, String)>,
}

impl Verdict {
    /// A verdict with findings only.
    pub(super) fn of(diagnostics: Vec<Diagnostic>) -> Self {
        Self { diagnostics, ..Self::default() }
    }

    /// Adds another verdict on the same object, for a report. `filled_in_from` is not merged: only the answer of the
    /// mutating webhook has it.
    pub fn extend(&mut self, other: Self) {
        self.diagnostics.extend(other.diagnostics);
        self.exempted.extend(other.exempted);
        self.lapsed.extend(other.lapsed);
        self.remarks.extend(other.remarks);
        self.impact = self.impact.or(other.impact);
    }

    /// Whether the write is admitted.
    pub fn is_allowed(&self) -> bool {
        self.denials().next().is_none()
    }

    /// The lines of a denial.
    pub fn denials(&self) -> impl Iterator<Item = String> {
        self.remarks_at(Level::Deny).chain(self.diagnostics_at(Level::Deny).map(Diagnostic::line))
    }

    /// The warnings, each short enough not to be truncated: if one is too long, its fix is a second one. An exemption
    /// is one of them only where it prevents a denial.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        let exempted = self.exempted.iter().filter(|exempted| exempted.level == Level::Deny);
        let lapsed = self.lapsed.iter().filter(|lapsed| lapsed.level == Level::Deny);
        self.remarks_at(Level::Warn)
            .map(shortened)
            .chain(self.diagnostics_at(Level::Warn).flat_map(as_warnings))
            .chain(exempted.map(exemption_warning))
            .chain(lapsed.map(lapsed_warning))
    }

    fn diagnostics_at(&self, level: Level) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(move |diagnostic| diagnostic.level == level)
    }

    fn remarks_at(&self, level: Level) -> impl Iterator<Item = String> {
        self.remarks.iter().filter(move |(at, _)| *at == level).map(|(_, text)| text.clone())
    }

    /// The ids of the rules that found something, each once.
    pub fn rule_ids(&self) -> Vec<&'static str> {
        let mut ids: Vec<_> = self.diagnostics.iter().map(|diagnostic| diagnostic.rule.id).collect();
        // The findings of a rule follow one another in the verdict of a webhook, so that adjacent ids are enough. A
        // report sorts them by line, but does not ask for the ids.
        ids.dedup();
        ids
    }
}

/// A finding as one warning, or as two if the first would be truncated: the message, then the fix.
fn as_warnings(diagnostic: &Diagnostic) -> Vec<String> {
    let line = diagnostic.line();
    if line.len() <= WARNING_MAX {
        return vec![line];
    }
    let Diagnostic { rule, finding, .. } = diagnostic;
    let mut warnings = vec![shortened(format!("[{}] {}: {}", rule.id, finding.path, finding.message()))];
    if !finding.fix.is_empty() {
        warnings.push(shortened(format!("[{}] Fix: {}", rule.id, finding.fix.title)));
    }
    warnings
}

fn exemption_warning(Exempted { rule, reason, until, .. }: &Exempted) -> String {
    shortened(format!("[{rule}] exempt until {until}: {reason}"))
}

fn lapsed_warning(Exempted { rule, reason, until, .. }: &Exempted) -> String {
    shortened(format!("[{rule}] exempt until {until}, which has passed: {reason}"))
}

fn shortened(mut text: String) -> String {
    const ELLIPSIS: &str = "…";
    if text.len() > WARNING_MAX {
        text.truncate(text.floor_char_boundary(WARNING_MAX - ELLIPSIS.len()));
        text.push_str(ELLIPSIS);
    }
    text
}
