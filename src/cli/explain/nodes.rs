//! The part of the tree about nodes.

use mirrorguard_core::{
    context::EntryRef,
    explanation::{Attempt, Blocker, Covering, Decision, Explanation, NodePull, Part, PullError, Question},
    node::PolicyRefusal,
    objects::MirrorSourcePolicy,
};

use super::{
    Drawing,
    place::{path_of, place_of},
};
use crate::cli::{
    paint::{BOLD, DIM, RED, YELLOW},
    tree::Branch,
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
        let why = "the name has no registry: unless the nodes have an alias for it, \
                   unqualified-search-registries are tried in this order";
        branch.note(why).with(pulls)
    }

    fn pull(&self, pull: &NodePull<'_>) -> Vec<Branch> {
        let mut branches = vec![self.decision(pull)];
        branches.extend(self.ignored(pull));
        branches.push(self.attempts(pull));
        branches.extend(pull.refusal.map(rejected));
        branches
    }

    /// The entries that a more specific source overrides.
    fn ignored(&self, pull: &NodePull<'_>) -> Option<Branch> {
        let mut ignored = Vec::new();
        for Covering { entry, part } in &pull.covering {
            if *part == Part::Hidden {
                let source = Branch::new(&*entry.entry().source).styled(DIM);
                let source = source.styled_note(entry.set.id().to_string(), DIM);
                ignored.push(self.with_place(source, *entry));
            }
        }
        if ignored.is_empty() {
            return None;
        }
        let note = "a more specific source applies";
        Some(Branch::new("ignored").styled_note(note, DIM).with(ignored))
    }

    /// The source that applies, and its entries.
    fn decision(&self, pull: &NodePull<'_>) -> Branch {
        let entries = pull.covering.iter().filter(|covering| covering.part != Part::Hidden);
        let scope = pull.decided_by.map(|decision| decision.scope);
        let entries: Vec<_> = entries.map(|covering| self.entry(covering, scope)).collect();
        let Some(Decision { scope, mirrors_from, opens }) = pull.decided_by else {
            return Branch::new("no source matches").with(entries);
        };
        let mut branch = Branch::new(format!("{scope} applies"));
        // Otherwise only a list of image.config has this scope: nodes drop a `WithoutMirror` entry.
        let is_source = pull.covering.iter().any(|c| {
            *c.entry.entry().source == *scope && matches!(c.part, Part::Tried | Part::OtherPulls(_))
        });
        if !is_source {
            branch = branch.note("from image.config.openshift.io/cluster");
        }
        if let Some(source) = mirrors_from {
            branch = branch.note(format!("inherits the mirrors of {source}"));
        }
        if let Some(source) = opens {
            branch =
                branch.styled_note(format!("NeverContactSource of {source} does not apply to it"), YELLOW);
        }
        branch.with(entries)
    }

    /// An entry that covers the image, where this scope applies. The policy applies to its own source only.
    fn entry(&self, covering: &Covering<'_>, scope: Option<&str>) -> Branch {
        let entry = covering.entry;
        let forbids = entry.entry().policy() == MirrorSourcePolicy::NeverContactSource;
        let branch = self.with_place(Branch::new(entry.set.id().to_string()), entry);
        match covering.part {
            Part::Tried | Part::Hidden => branch,
            Part::OtherPulls(kind) => {
                let applies = forbids && scope == Some(&*entry.entry().source);
                let policy = if applies { "; NeverContactSource still applies" } else { "" };
                branch.styled_note(format!("not used: only for {kind} pulls{policy}"), YELLOW)
            }
            Part::WithoutMirror => {
                let policy = if forbids { ", so NeverContactSource is ignored" } else { "" };
                branch.styled_note(format!("no effect: no mirror other than the source{policy}"), YELLOW)
            }
        }
    }

    /// Adds the path of an entry, and its file and line where it is in a file.
    pub(super) fn with_place(&self, branch: Branch, entry: EntryRef<'_>) -> Branch {
        let branch = branch.styled_note(path_of(entry), DIM);
        match place_of(self.places, entry) {
            Some((file, line)) => branch.styled_note(format!("{file}:{line}"), DIM),
            None => branch,
        }
    }

    fn attempts(&self, pull: &NodePull<'_>) -> Branch {
        let attempts = match &pull.attempts {
            Ok(attempts) => attempts,
            Err(error) => return nothing_tried(error),
        };
        if attempts.is_empty() {
            let note = "the source is blocked, and no mirror is configured for this kind of pull";
            return Branch::new("NO LOCATION is tried").styled(RED).note(note).with(self.blockers(pull));
        }
        let tries = attempts.iter().enumerate().map(|(at, attempt)| self.attempt(at, attempt));
        let branch = Branch::new("tried in this order").with(tries);
        if pull.blockers.is_empty() {
            return branch;
        }
        let end = "BLOCKED: the pull fails here, without a fallback to the source";
        branch.with([Branch::new(end).styled(RED).with(self.blockers(pull))])
    }

    fn attempt(&self, at: usize, attempt: &Attempt<'_>) -> Branch {
        let Attempt { reference, is_source, insecure, blocked_by } = attempt;
        let mut branch = Branch::new(format!("{}. {}", at + 1, self.short(reference)));
        if *is_source {
            branch =
                branch.styled_note(if at == 0 { "the image itself" } else { "fallback to the source" }, DIM);
        }
        if *insecure {
            branch = branch.styled_note("insecure: the TLS certificate is not verified", YELLOW);
        }
        match blocked_by {
            Some(scope) => branch.styled_note(format!("BLOCKED: fails, because {scope} is blocked"), RED),
            None => branch,
        }
    }

    fn blockers(&self, pull: &NodePull<'_>) -> Vec<Branch> {
        pull.blockers.iter().map(|blocker| self.blocker(blocker)).collect()
    }

    fn blocker(&self, blocker: &Blocker<'_>) -> Branch {
        match blocker {
            Blocker::Entry(entry) => {
                let head = Branch::new(format!("NeverContactSource in {}", entry.set.id()));
                self.with_place(head, *entry)
            }
            Blocker::ImageConfig(scope) => {
                Branch::new(format!("blockedRegistries in image.config.openshift.io/cluster: {scope}"))
            }
        }
    }
}

/// The rejection of an image by policy.json.
fn rejected(refusal: PolicyRefusal<'_>) -> Branch {
    let why = match refusal {
        PolicyRefusal::Blocked(scope) => format!("blockedRegistries contains {scope}"),
        PolicyRefusal::OnlyPayload(scope) => {
            format!(
                "blockedRegistries contains only {scope}, the repository of the release image, so no image is allowed"
            )
        }
        PolicyRefusal::NotAllowed => "allowedRegistries contains no scope of the image".to_owned(),
    };
    let note = format!(
        "image.config.openshift.io/cluster: {why}; policy.json rejects the image, even from a mirror"
    );
    Branch::new("REJECTED").styled(RED).note(note)
}

fn nothing_tried(error: &PullError) -> Branch {
    let note = match error {
        PullError::Reference(error) => format!("a mirror results in an invalid reference: {error}"),
        PullError::File(refusal) => {
            format!("nodes cannot read registries.conf, and every pull fails: {refusal}")
        }
    };
    Branch::new("NO LOCATION is tried").styled(RED).note(note)
}
