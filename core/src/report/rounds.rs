//! Applies fixes to files, round after round, until none is left.
//!
//! A fix that breaks a file is skipped. One that does not remove its finding is taken back, so that the same fix is not
//! applied again and again.

mod obstacle;
mod round;
mod taken;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use self::{
    obstacle::left_alone,
    round::{Accepted, Chosen, Edited, Round},
};
use super::{Places, Reviewed, findings};
use crate::{
    objects::{
        ObjectId,
        manifest::{self, Located, Reading},
    },
    review::Diagnostic,
    rules::Applicability,
};

/// The most rounds: a fix may make room for another one.
const MAX_ROUNDS: usize = 50;

/// Objects of files that can be read again after an edit.
pub trait Files {
    /// Every object of the files, also those that no API server accepts.
    fn located(&self) -> impl Iterator<Item = &Located>;

    /// Every object, also those that are not to be changed.
    fn places(&self) -> Places<'_>;

    /// How many errors a file had when it was first read.
    fn errors_in(&self, file: &str) -> usize;

    /// Reviews the objects of the files.
    fn review(&self) -> Vec<Reviewed<'_>>;

    /// Puts objects in the place of those that were read from the same file before.
    fn replace(&mut self, file: &str, reading: Reading);
}

/// What was fixed.
#[derive(Debug, Default)]
pub struct Fixed {
    /// The texts of the changed files by name, before and after.
    pub files: BTreeMap<String, (String, String)>,
    /// How many fixes were applied.
    pub count: usize,
    /// The fixes that were skipped because they would break a file, each in a sentence without a full stop.
    pub skipped: Vec<String>,
    /// The fixes that cannot be made by editing the files, each in a sentence without a full stop. None is there twice.
    pub left_alone: BTreeSet<String>,
}

/// A problem of an object, however many findings it has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Fault {
    object: ObjectId,
    file: String,
    rule: &'static str,
    key: String,
}

impl Fault {
    fn new(one: &Reviewed<'_>, diagnostic: &Diagnostic) -> Self {
        let file = one.place.map_or("", |place| &place.source.name).to_owned();
        let key = diagnostic.finding.key.clone();
        Self { object: one.object.clone(), file, rule: diagnostic.rule.id, key }
    }
}

type Counts = BTreeMap<Fault, usize>;

fn count_faults(reviewed: &[Reviewed<'_>]) -> Counts {
    let mut counts = Counts::new();
    for (one, diagnostic) in findings(reviewed) {
        *counts.entry(Fault::new(one, diagnostic)).or_default() += 1;
    }
    counts
}

/// Applies the safe fixes of what `review` finds in the files, and all others if `unsafe_fixes` is set. The files then
/// have the fixed objects.
pub fn fix_all(files: &mut impl Files, unsafe_fixes: bool) -> Fixed {
    let (mut run, mut fixed) = (Run::default(), Fixed::default());
    for _ in 0..MAX_ROUNDS {
        match run.next(files, unsafe_fixes) {
            Next::TakeBack(useless) => run.take_back(files, useless, &mut fixed),
            Next::Apply(round, counts) if !round.chosen.is_empty() => {
                run.apply(files, round, counts, &mut fixed);
            }
            Next::Apply(..) => break,
        }
    }
    fixed.files.retain(|_, (before, after)| before != after);
    fixed.left_alone = left_alone(files, unsafe_fixes);
    fixed
}

/// What is to be done next.
enum Next {
    /// The last round is taken back: it has not removed these faults.
    TakeBack(Vec<Fault>),
    /// A round is applied to files with these faults.
    Apply(Round, Counts),
}

/// What has happened so far.
#[derive(Default)]
struct Run {
    /// How often the fix of each fault may still be applied.
    left: Counts,
    /// The most findings that each fault has had at once.
    most: Counts,
    /// Those that were still found after a round: another fix of it may have been the cause, so that each is tried
    /// again in a round of its own.
    suspects: BTreeSet<Fault>,
    last: Option<Last>,
}

/// The last round.
struct Last {
    applied: Counts,
    /// The faults before it.
    counts: Counts,
    /// The texts before it.
    texts: Vec<(String, String)>,
}

impl Run {
    fn next(&mut self, files: &impl Files, unsafe_fixes: bool) -> Next {
        let reviewed = files.review();
        let counts = count_faults(&reviewed);
        let useless = self.useless(&counts);
        if !useless.is_empty() {
            return Next::TakeBack(useless);
        }
        self.allow(&counts);
        let may_apply = |fault: &Fault, applicability| {
            (unsafe_fixes || applicability == Applicability::Safe) && self.may_fix(fault)
        };
        let is_trusted = |fault: &Fault, at| may_apply(fault, at) && !self.suspects.contains(fault);
        let mut round = Round::choose(files, &reviewed, is_trusted);
        if round.chosen.is_empty() {
            let suspects = self.suspects.iter();
            let mut alone = suspects.map(|suspect| {
                Round::choose(files, &reviewed, |fault, at| fault == suspect && may_apply(fault, at))
            });
            round = alone.find(|round| !round.chosen.is_empty()).unwrap_or_default();
        }
        Next::Apply(round, counts)
    }

    /// The fix of a fault may be applied as often as the fault has been found at once: the fix of another one may show
    /// more of it, as of two mirrors that become the same. Fixes that undo each other come to an end.
    fn allow(&mut self, counts: &Counts) {
        for (fault, count) in counts {
            let most = self.most.entry(fault.clone()).or_default();
            let more = count.saturating_sub(*most);
            *most += more;
            *self.left.entry(fault.clone()).or_default() += more;
        }
    }

    fn may_fix(&self, fault: &Fault) -> bool {
        self.left.get(fault).is_some_and(|left| *left > 0)
    }

    /// Forbids the fixes of faults, however many findings they get.
    fn forbid(&mut self, faults: Vec<Fault>) {
        self.most.extend(faults.iter().map(|fault| (fault.clone(), usize::MAX)));
        self.left.extend(faults.into_iter().map(|fault| (fault, 0)));
    }

    /// The faults that the last round should have removed, and did not.
    fn useless(&self, counts: &Counts) -> Vec<Fault> {
        let count = |counts: &Counts, fault: &Fault| counts.get(fault).copied().unwrap_or_default();
        let Some(last) = &self.last else { return Vec::new() };
        let applied = last.applied.keys();
        applied.filter(|fault| count(counts, fault) >= count(&last.counts, fault)).cloned().collect()
    }

    /// Takes back the last round. What was of use in it may be applied again.
    fn take_back(&mut self, files: &mut impl Files, useless: Vec<Fault>, fixed: &mut Fixed) {
        let Some(Last { applied, texts, .. }) = self.last.take() else { return };
        for (file, text) in texts {
            files.replace(&file, manifest::read(&file, text.clone()));
            if let Some((_, after)) = fixed.files.get_mut(&file) {
                *after = text;
            }
        }
        let was_alone = applied.len() == 1;
        for (fault, count) in applied {
            fixed.count -= count;
            *self.left.entry(fault).or_default() += count;
        }
        if was_alone {
            self.forbid(useless);
        } else {
            self.suspects.extend(useless);
        }
    }

    /// Edits the texts, and reads the objects again.
    fn apply(&mut self, files: &mut impl Files, round: Round, counts: Counts, fixed: &mut Fixed) {
        let Accepted { chosen, files: edited, broken } = round.accept(files);
        for (Chosen { fault, .. }, why) in &broken {
            fixed.skipped.push(format!(
                "the fix of {} for {} is skipped, because it would break {why}",
                fault.rule, fault.object
            ));
        }
        self.forbid(broken.into_iter().map(|(chosen, _)| chosen.fault).collect());
        let mut last = Last { applied: Counts::new(), counts, texts: Vec::new() };
        for (file, Edited { before, after, reading }) in edited {
            files.replace(&file, reading);
            last.texts.push((file.clone(), before.clone()));
            // The text before is that of the first round.
            fixed.files.entry(file).or_insert((before, String::new())).1 = after;
        }
        for Chosen { fault, .. } in chosen {
            self.left.entry(fault.clone()).and_modify(|left| *left = left.saturating_sub(1));
            *last.applied.entry(fault).or_default() += 1;
            fixed.count += 1;
        }
        self.last = Some(last);
    }
}
