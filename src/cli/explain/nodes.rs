//! The nodes' part of the drawing.

use super::{Drawing, place::path_of};
use crate::cli::{
    paint::{BOLD, DIM, RED, YELLOW},
    tree::Branch,
};
use mirrorguard_core::{
    context::EntryRef,
    explanation::{Attempt, Blocker, Covering, Decision, Explanation, NodePull, Part, Question},
    node::PolicyRefusal,
    objects::{MirrorSourcePolicy, reference::ReferenceError},
};

impl Drawing<'_> {
    pub(super) fn nodes(&self, question: &Question, explanation: &Explanation<'_>) -> Branch {
        let branch = Branch::new("on the nodes").styled(BOLD);
        if !question.is_short {
            return branch.with(explanation.pulls.iter().flat_map(|pull| self.pull(pull)));
        }
        let pulls = explanation.pulls.iter().enumerate().map(|(at, pull)| {
            let head = format!("{}. {}", at + 1, self.short(pull.image.as_str()));
            Branch::new(head).styled(BOLD).with(self.pull(pull))
        });
        let why = "the name has no registry: unless the nodes know an alias for it, \
                   unqualified-search-registries are tried in this order";
        branch.note(why).with(pulls)
    }

    fn pull(&self, pull: &NodePull<'_>) -> Vec<Branch> {
        let mut branches = vec![self.decision(pull)];
        let hidden: Vec<_> = pull.covering.iter().filter(|covering| covering.part == Part::Hidden).collect();
        if !hidden.is_empty() {
            let note = "less specific, so that nothing in them counts for this image";
            let hidden = hidden.into_iter().map(|covering| {
                let source = Branch::new(&*covering.entry.entry().source).styled(DIM);
                self.place_noted(source.styled_note(covering.entry.set.id().to_string(), DIM), covering.entry)
            });
            branches.push(Branch::new("hidden").styled_note(note, DIM).with(hidden));
        }
        branches.push(self.attempts(pull));
        branches.extend(pull.refusal.map(|refusal| {
            let why = match refusal {
                PolicyRefusal::Blocked(scope) => format!("its blockedRegistries has {scope}"),
                PolicyRefusal::OnlyPayload(scope) => {
                    format!("its blockedRegistries has only {scope}, the payload's repository, which leaves nothing else allowed")
                }
                PolicyRefusal::NotAllowed => "its allowedRegistries has nothing that covers it".to_owned(),
            };
            let note = format!("image.config.openshift.io/cluster: {why}; policy.json then refuses the image, even from a mirror");
            Branch::new("REFUSED").styled(RED).note(note)
        }));
        branches
    }

    /// What decides, and the entries that say it.
    fn decision(&self, pull: &NodePull<'_>) -> Branch {
        let entries = pull.covering.iter().filter(|covering| covering.part != Part::Hidden);
        let entries: Vec<_> = entries.map(|covering| self.entry(covering)).collect();
        let Some(Decision { scope, mirrors_from }) = pull.decided_by else {
            return Branch::new("no source covers it").with(entries);
        };
        let mut branch = Branch::new(format!("{scope} decides"));
        let is_source = pull.covering.iter().any(|c| {
            *c.entry.entry().source == *scope && matches!(c.part, Part::Tried | Part::OtherPulls(_))
        });
        if !is_source {
            branch = branch.note("from image.config.openshift.io/cluster");
        }
        if let Some(source) = mirrors_from {
            branch = branch.note(format!("with the mirrors of {source}, having none of its own"));
        }
        branch.with(entries)
    }

    fn entry(&self, covering: &Covering<'_>) -> Branch {
        let entry = covering.entry;
        let forbids = entry.entry().policy() == MirrorSourcePolicy::NeverContactSource;
        let branch = self.place_noted(Branch::new(entry.set.id().to_string()), entry);
        match covering.part {
            Part::Tried | Part::Hidden => branch,
            Part::OtherPulls(pull) => {
                let policy = if forbids { "; its NeverContactSource counts all the same" } else { "" };
                branch.styled_note(format!("not asked: {}{policy}", pull.pull_from_mirror()), YELLOW)
            }
            Part::WithoutMirror => {
                let policy = if forbids { ", and so its NeverContactSource has none either" } else { "" };
                branch.styled_note(format!("no effect: it has no mirror besides the source{policy}"), YELLOW)
            }
        }
    }

    /// The same with the path of an entry, and file and line where it has them.
    pub(super) fn place_noted(&self, branch: Branch, entry: EntryRef<'_>) -> Branch {
        let branch = branch.styled_note(path_of(entry), DIM);
        match self.places.place(entry) {
            Some((file, line)) => branch.styled_note(format!("{file}:{line}"), DIM),
            None => branch,
        }
    }

    fn attempts(&self, pull: &NodePull<'_>) -> Branch {
        let attempts = match &pull.attempts {
            Ok(attempts) => attempts,
            Err(error) => return nothing_is_tried(*error),
        };
        if attempts.is_empty() {
            let note = "the source is blocked, and no mirror serves this kind of pull";
            return Branch::new("NOTHING is tried").styled(RED).note(note).with(self.blockers(pull));
        }
        let tries = attempts.iter().enumerate().map(|(at, attempt)| self.attempt(at, attempt));
        let end = (!pull.blockers.is_empty()).then(|| {
            let end = "BLOCKED: the pull ends here, the source is never asked";
            Branch::new(end).styled(RED).with(self.blockers(pull))
        });
        Branch::new("tried in this order").with(tries).with(end)
    }

    fn attempt(&self, at: usize, attempt: &Attempt<'_>) -> Branch {
        let Attempt { reference, is_source, insecure, blocked_by } = attempt;
        let mut branch = Branch::new(format!("{}. {}", at + 1, self.short(reference)));
        if *is_source {
            branch = branch.styled_note(if at == 0 { "as it is" } else { "the source, last" }, DIM);
        }
        if *insecure {
            branch = branch.styled_note("insecure: TLS is not verified", YELLOW);
        }
        match blocked_by {
            Some(scope) => branch.styled_note(format!("BLOCKED: fails at once, {scope} is blocked"), RED),
            None => branch,
        }
    }

    fn blockers(&self, pull: &NodePull<'_>) -> Vec<Branch> {
        let branch = |blocker: &Blocker<'_>| match blocker {
            Blocker::Entry(entry) => {
                let head = Branch::new(format!("NeverContactSource in {}", entry.set.id()));
                self.place_noted(head, *entry)
            }
            Blocker::ImageConfig(scope) => {
                Branch::new(format!("blockedRegistries in image.config.openshift.io/cluster: {scope}"))
            }
        };
        pull.blockers.iter().map(branch).collect()
    }
}

fn nothing_is_tried(error: ReferenceError) -> Branch {
    let note = format!("a mirror makes a reference that cannot be read: {error}");
    Branch::new("NOTHING is tried").styled(RED).note(note)
}
