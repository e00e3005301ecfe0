//! The part of the tree about HyperShift.

use mirrorguard_core::{
    explanation::{Candidate, Divergence, ExplainedLookup, Explanation, LookupKind, MatchingSource},
    hypershift::Span,
};

use super::{Drawing, place::path_of};
use crate::cli::{
    paint::{BOLD, CYAN, DIM, YELLOW},
    tree::Branch,
};

impl Drawing<'_> {
    /// Both lookups, each in both of its eras.
    pub(super) fn hypershift(&self, explanation: &Explanation<'_>) -> Branch {
        let nodes_skip_source = explanation.pulls.iter().any(|pull| !pull.blockers.is_empty());
        let lookups = explanation.lookups.iter().map(|lookup| self.lookup(lookup, nodes_skip_source));
        let reads = "uses IDMS and ICSP of the management cluster, and ignores ITMS and image.config";
        Branch::new("in HyperShift").styled(BOLD).styled_note(reads, DIM).with(lookups)
    }

    /// The sources that match in a lookup. `nodes_skip_source` says that the nodes never contact the source of the image.
    fn lookup(&self, lookup: &ExplainedLookup<'_>, nodes_skip_source: bool) -> Branch {
        let name = match lookup.kind {
            LookupKind::Release(era) => format!("release lookup, {era}"),
            LookupKind::Metadata(era) => format!("metadata lookup, {}", era.span()),
        };
        let ends_with_source = lookup.kind.ends_with_image() || lookup.sources.is_empty();
        let mut branch = Branch::new(name).styled(CYAN);
        if lookup.sources.len() > 1 {
            branch =
                branch.styled_note("RANDOM: one of these sources is used, with its mirrors in order", YELLOW);
        }
        let sources = lookup.sources.iter().map(|source| self.source(source));
        let skipped = lookup.errors.iter().map(|error| Branch::new("skipped").note(&**error).styled(YELLOW));
        let crashes = lookup.crashes_on.iter().map(|source| {
            Branch::new(format!("{source} cannot be parsed")).styled_note(
                "CRASHES: the control plane operator, at random, or always without another source",
                YELLOW,
            )
        });
        branch
            .with(crashes)
            .with(sources)
            .with(skipped)
            .with(ends_with_source.then(|| itself(lookup, nodes_skip_source)))
    }

    fn source(&self, reading: &MatchingSource<'_>) -> Branch {
        let MatchingSource { source, entries, candidates, later_order } = reading;
        let mut branch = Branch::new(*source);
        for entry in entries {
            branch = branch.styled_note(format!("{} {}", entry.set.id(), path_of(*entry)), DIM);
        }
        branch =
            branch.with(candidates.iter().enumerate().map(|(at, candidate)| self.candidate(at, candidate)));
        if let Some(order) = later_order {
            let numbers = numbers_of(order, candidates).join(", then ");
            let text = format!("{} they are sorted by name: {numbers}", Span::SORTS_MIRRORS);
            branch = branch.with([Branch::new(text).styled(YELLOW)]);
        }
        branch
    }

    fn candidate(&self, at: usize, candidate: &Candidate) -> Branch {
        let branch = Branch::new(format!("{}. {}", at + 1, self.short(&candidate.reference)));
        match candidate.differs {
            None => branch,
            Some(Divergence::Elsewhere) => {
                branch.styled_note("DIFFERS: nodes never pull from this location", YELLOW)
            }
            Some(Divergence::WithoutTag) => branch.styled_note("DIFFERS: the tag is dropped", YELLOW),
        }
    }
}

/// The numbers in the tree of these references, which are the candidates in another order.
fn numbers_of(references: &[String], candidates: &[Candidate]) -> Vec<String> {
    let mut numbers = Vec::new();
    for reference in references {
        let index = candidates.iter().position(|candidate| candidate.reference == *reference);
        numbers.push(index.map_or(0, |index| index + 1).to_string());
    }
    numbers
}

/// The image itself, which is tried last, or alone if no source matches.
fn itself(lookup: &ExplainedLookup<'_>, nodes_skip_source: bool) -> Branch {
    let head =
        if lookup.sources.is_empty() { "not redirected: the image itself" } else { "the image itself, last" };
    let branch = Branch::new(head);
    match (lookup.only_nodes_redirect, nodes_skip_source) {
        (true, _) => branch.styled_note("DIFFERS: nodes use mirrors", YELLOW),
        (false, true) => branch.styled_note("DIFFERS: nodes never contact the source", YELLOW),
        (false, false) => branch,
    }
}
