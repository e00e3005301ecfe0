//! HyperShift's part of the drawing.

use super::{Drawing, place::path_of};
use crate::cli::{
    paint::{BOLD, CYAN, DIM, YELLOW},
    tree::Branch,
};
use mirrorguard_core::{
    explanation::{Candidate, Divergence, ExplainedLookup, Explanation, LookupKind, MatchingSource},
    hypershift::Era,
};

impl Drawing<'_> {
    pub(super) fn hypershift(&self, explanation: &Explanation<'_>) -> Branch {
        let forbidden = explanation.pulls.iter().any(|pull| !pull.blockers.is_empty());
        let look_ups = explanation.lookups.iter().map(|look_up| self.look_up(look_up, forbidden));
        let reads = "reads the management cluster's IDMS and ICSP, never ITMS or image.config";
        Branch::new("in HyperShift").styled(BOLD).styled_note(reads, DIM).with(look_ups)
    }

    fn look_up(&self, look_up: &ExplainedLookup<'_>, forbidden: bool) -> Branch {
        let (name, ends_with_source) = match look_up.kind {
            LookupKind::Release => ("release look-up", true),
            // The first mirror that can be parsed is all that is asked.
            LookupKind::Metadata(Era::Exact) => {
                ("metadata look-up, 4.14 to 4.16", look_up.sources.is_empty())
            }
            LookupKind::Metadata(Era::Prefix) => ("metadata look-up, 4.17 and later", true),
        };
        let mut branch = Branch::new(name).styled(CYAN);
        if look_up.sources.len() > 1 {
            branch = branch.styled_note("AT RANDOM one of these sources, its mirrors in order", YELLOW);
        }
        let sources = look_up.sources.iter().map(|source| self.source(look_up.kind, source));
        let skipped = look_up.errors.iter().map(|error| Branch::new("skipped").note(&**error).styled(YELLOW));
        branch.with(sources).with(skipped).with(ends_with_source.then(|| itself(look_up, forbidden)))
    }

    fn source(&self, kind: LookupKind, reading: &MatchingSource<'_>) -> Branch {
        let MatchingSource { source, entries, candidates, later_order } = reading;
        let mut branch = Branch::new(*source);
        for entry in entries {
            branch = branch.styled_note(format!("{} {}", entry.set.id(), path_of(*entry)), DIM);
        }
        let several = candidates.len() > 1;
        let first_only = "up to 4.17 only the first of them is really tried";
        let first_only =
            (several && kind == LookupKind::Release).then(|| Branch::new(first_only).styled(YELLOW));
        let later = later_order.as_ref().map(|order| {
            let number = |wanted: &String| {
                candidates.iter().position(|c| c.reference == *wanted).map_or(0, |at| at + 1)
            };
            let numbers: Vec<_> = order.iter().map(|wanted| number(wanted).to_string()).collect();
            let text = format!("from 5.1 on sorted by name: {}", numbers.join(", then "));
            Branch::new(text).styled(YELLOW)
        });
        let candidates = candidates.iter().enumerate().map(|(at, candidate)| self.candidate(at, candidate));
        branch.with(candidates).with(first_only).with(later)
    }

    fn candidate(&self, at: usize, candidate: &Candidate) -> Branch {
        let branch = Branch::new(format!("{}. {}", at + 1, self.short(&candidate.reference)));
        match candidate.differs {
            None => branch,
            Some(Divergence::Elsewhere) => {
                branch.styled_note("DIFFERS: the nodes never pull from there", YELLOW)
            }
            Some(Divergence::WithoutTag) => branch.styled_note("DIFFERS: the tag is lost", YELLOW),
        }
    }
}

/// The image itself, which is asked last, or alone.
fn itself(look_up: &ExplainedLookup<'_>, forbidden: bool) -> Branch {
    let head = if look_up.sources.is_empty() {
        "not redirected: the image as it is"
    } else {
        "last, the image as it is"
    };
    let branch = Branch::new(head);
    match (look_up.only_nodes_redirect, forbidden) {
        (true, _) => branch.styled_note("DIFFERS: the nodes go to mirrors", YELLOW),
        (false, true) => branch.styled_note("DIFFERS: the nodes never ask the source", YELLOW),
        (false, false) => branch,
    }
}
