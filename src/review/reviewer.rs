//! Asks the rules about a write, and decides what their findings do.

use std::{cell::OnceCell, collections::BTreeSet};

use jiff::civil::Date;

use super::{Judged, State, Verdict, exempt::exempt};
use crate::{
    context::Overlay,
    objects::{HostedCluster, ImageConfig, MirrorSet},
    rules::{Check, Finding, HostedWrite, Level, Operation, RULES, Rule, SetWrite, Settings},
};

/// Judges writes against what is known of a cluster.
#[derive(Debug, Clone, Copy)]
pub struct Reviewer<'a> {
    /// The cluster.
    pub state: &'a State,
    /// The configuration.
    pub settings: &'a Settings,
    /// The day, in UTC, by which exemptions end.
    pub today: Date,
}

impl<'a> Reviewer<'a> {
    /// Judges a mirror set that is created, updated, deleted, or simply there.
    ///
    /// An update that leaves the entries as they were is never judged, and what was wrong before is no
    /// reason to deny: it warns. A deletion only ever warns.
    pub fn review_set(
        &self,
        operation: Operation,
        old: Option<&'a MirrorSet>,
        new: Option<&'a MirrorSet>,
    ) -> Verdict {
        let Some(subject) = new.or(old) else { return Verdict::default() };
        if let (Operation::Update, Some(old), Some(new)) = (operation, old, new)
            && old.entries == new.entries
        {
            return Verdict::default();
        }
        let context = self.state.context();
        let overlays = [old, new].map(|set| set.map(|set| Overlay::new(context, set)));
        let [before, after] = overlays
            .each_ref()
            .map(|overlay| context.view_with(subject.kind, &subject.name, overlay.as_ref()));
        let others = context.view_with(subject.kind, &subject.name, None);
        let before = if operation == Operation::Existing { after } else { before };
        let write = SetWrite {
            operation,
            old,
            new,
            before,
            after,
            others,
            settings: self.settings,
            change: OnceCell::new(),
            shared: OnceCell::new(),
        };
        let mut verdict = Verdict { judged: self.judge_set(&write), ..Verdict::default() };
        if operation == Operation::Update && !verdict.is_allowed() {
            let as_it_was = SetWrite {
                operation: Operation::Existing,
                old: None,
                new: old,
                after: before,
                shared: OnceCell::new(),
                ..write.clone()
            };
            excuse(&mut verdict, &self.judge_set(&as_it_was));
        }
        exempt(&mut verdict, &subject.into(), &self.settings.exemptions, self.today);
        if operation == Operation::Delete {
            verdict.judged.iter_mut().for_each(|judged| judged.level = Level::Warn);
        }
        if verdict.is_allowed() {
            verdict.impact = write.change().map(|change| change.impact);
        } else {
            // What is refused costs the nodes nothing.
            verdict.judged.retain(|judged| judged.level == Level::Deny || judged.rule.id != "node-impact");
        }
        verdict
    }

    /// Judges a HostedCluster that is created, updated, or simply there.
    pub fn review_hosted(&self, old: Option<&HostedCluster>, new: &HostedCluster) -> Verdict {
        if old == Some(new) {
            return Verdict::default();
        }
        let judge = |old, new| {
            let write = self.hosted_write(old, new);
            self.judge(RULES, |check, findings| match check {
                Check::HostedCluster(check) => check(&write, findings),
                Check::MirrorSet(_) | Check::ImageConfig(_) | Check::Cluster => {}
            })
        };
        let mut verdict = Verdict { judged: judge(old, new), ..Verdict::default() };
        if let (Some(old), false) = (old, verdict.is_allowed()) {
            excuse(&mut verdict, &judge(None, old));
        }
        exempt(&mut verdict, &new.into(), &self.settings.exemptions, self.today);
        verdict
    }

    /// Judges the image configuration by itself; what was wrong with the old one only warns.
    pub fn review_image_config(&self, old: Option<&ImageConfig>, new: &ImageConfig) -> Verdict {
        let judge = |config: &ImageConfig| {
            self.judge(RULES, |check, findings| {
                if let Check::ImageConfig(check) = check {
                    check(config, findings);
                }
            })
        };
        let mut verdict = Verdict { judged: judge(new), ..Verdict::default() };
        if let (Some(old), false) = (old, verdict.is_allowed()) {
            excuse(&mut verdict, &judge(old));
        }
        exempt(&mut verdict, &new.into(), &self.settings.exemptions, self.today);
        verdict
    }

    /// A write of a HostedCluster as the rules are given it.
    pub(super) fn hosted_write<'h>(
        &'h self,
        old: Option<&'h HostedCluster>,
        new: &'h HostedCluster,
    ) -> HostedWrite<'h> {
        HostedWrite {
            old,
            new,
            cluster: self.state.context().view(),
            derivations: self.state.derivations(),
            settings: self.settings,
        }
    }

    fn judge_set(&self, write: &SetWrite<'_>) -> Vec<Judged> {
        self.judge(RULES, |check, findings| match check {
            Check::MirrorSet(check) => check(write, findings),
            Check::HostedCluster(_) | Check::ImageConfig(_) | Check::Cluster => {}
        })
    }

    pub(super) fn judge(
        &self,
        rules: &'static [Rule],
        ask: impl Fn(Check, &mut Vec<Finding>),
    ) -> Vec<Judged> {
        let mut judged = Vec::new();
        let mut findings = Vec::new();
        for rule in rules {
            let level = self.settings.level(rule);
            if level == Level::Off {
                continue;
            }
            ask(rule.check, &mut findings);
            let is_set = self.settings.levels.contains_key(rule.id);
            let judge = |finding: Finding| {
                let level = finding.by_default.filter(|_| !is_set).unwrap_or(level);
                Judged { rule, level: level.min(finding.at_most), finding }
            };
            judged.extend(findings.drain(..).map(judge));
        }
        judged
    }
}

/// What was found in the old state too only warns.
fn excuse(verdict: &mut Verdict, old: &[Judged]) {
    let known: BTreeSet<_> = old.iter().map(|judged| (judged.rule.id, &*judged.finding.key)).collect();
    for judged in &mut verdict.judged {
        if known.contains(&(judged.rule.id, &*judged.finding.key)) {
            judged.level = judged.level.min(Level::Warn);
        }
    }
}
