//! What is left of a review once all writes of a sequence are applied.

use super::{Sequence, caused_by, setting_path};
use crate::{
    objects::Object,
    review::{Diagnostic, Verdict, verdict::Known},
    rules::{Level, NodesWrite},
    write::{Operation, Write},
};

/// A write of a sequence that was reviewed.
pub(super) struct Step<'a> {
    verdict: Verdict,
    subject: Subject<'a>,
    /// What is found in the object as it is, next to those that were applied by then.
    at_its_turn: Vec<Diagnostic>,
}

/// What can be reviewed again when everything is applied.
enum Subject<'a> {
    /// The object as it exists after its write.
    Object(Write),
    /// A setting, by its effect on everything else.
    Setting(&'a Object),
    /// Nothing: the write was rejected, or has no findings.
    None,
}

impl<'a> Sequence<'a> {
    pub(super) fn step(&mut self, new: &'a Object) -> Step<'a> {
        let write = self.write_of(new);
        let verdict = self.apply_as(new, write.as_ref());
        let subject = match write {
            _ if verdict.diagnostics.is_empty() => Subject::None,
            Some(write) if verdict.is_allowed() => Subject::Object(existing(write)),
            Some(_) => Subject::None,
            None => Subject::Setting(new),
        };
        let at_its_turn = self.standing(&subject);
        Step { verdict, subject, at_its_turn }
    }

    /// The verdict on a write, without the warnings that later writes resolve. Those that are left are as they are in
    /// the end: their fixes are for what exists then. No webhook rejects a setting, so that later writes can resolve its
    /// errors too.
    pub(super) fn settle(&self, step: Step<'a>) -> Verdict {
        let Step { mut verdict, subject, at_its_turn } = step;
        let highest = match subject {
            Subject::None => return verdict,
            Subject::Object(_) => Level::Warn,
            Subject::Setting(_) => Level::Deny,
        };
        // What only a write can have, such as a dropped source, is not found in the object as it is, and stays.
        let known = Known::of(&at_its_turn);
        let (standing, others): (Vec<_>, Vec<_>) = verdict
            .diagnostics
            .into_iter()
            .partition(|found| found.level <= highest && known.contains(found));
        verdict.diagnostics = others;
        let standing = Known::of(&standing);
        // One fault that is left is enough (`shares`): later writes may have resolved only the others.
        let left = self.standing(&subject).into_iter().filter(|found| standing.shares(found));
        verdict.diagnostics.extend(left.map(|found| Diagnostic { level: found.level.min(highest), ..found }));
        verdict.diagnostics.sort_by_key(|found| found.rule.id);
        verdict
    }

    /// What is found in an object or setting as it is, without regard to a write.
    fn standing(&self, subject: &Subject<'_>) -> Vec<Diagnostic> {
        match subject {
            Subject::Object(write) => self.reviewer(&self.state).review_for_comparison(write).diagnostics,
            Subject::Setting(setting) => self.standing_of_setting(setting),
            Subject::None => Vec::new(),
        }
    }

    fn standing_of_setting(&self, setting: &Object) -> Vec<Diagnostic> {
        let (reviewer, path) = (self.reviewer(&self.state), setting_path(setting));
        let context = self.state.context();
        let mut standing = match Write::existing(setting) {
            Some(write) => reviewer.review(&write).diagnostics,
            None => reviewer.evaluate_settings(&NodesWrite::existing(context.view(), path)),
        };
        for set in context.shared_sets() {
            let found = reviewer.review(&Write::MirrorSet(Operation::Existing(set.clone()))).diagnostics;
            standing.extend(found.iter().map(|found| caused_by(path, set, found)));
        }
        standing
    }
}

/// The object of a write as it is after it.
fn existing(write: Write) -> Write {
    match write {
        Write::MirrorSet(operation) => Write::MirrorSet(Operation::Existing(operation.object().clone())),
        Write::HostedCluster(operation) => {
            Write::HostedCluster(Operation::Existing(operation.object().clone()))
        }
        Write::ImageConfig(operation) => Write::ImageConfig(Operation::Existing(operation.object().clone())),
    }
}
