//! HyperShift's lookups of the same image, compared with what the nodes do.

use super::{Attempt, Question};
use crate::{
    context::{EntryRef, View},
    hypershift::{Era, LookupResult, Overrides, ReleaseLookupEra, Span, metadata_lookup, release_lookup},
    objects::reference::{Image, ReferenceError},
};

/// Which lookup, and in which releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupKind {
    /// The lookup of release images.
    Release(ReleaseLookupEra),
    /// The lookup of image metadata.
    Metadata(Era),
}

/// Where one of HyperShift's lookups tries an image.
#[derive(Debug)]
pub struct ExplainedLookup<'a> {
    /// Which one.
    pub kind: LookupKind,
    /// Every reference that the image may become, without the original.
    pub candidates: Vec<String>,
    /// The sources that match, by name; where there are several, HyperShift takes one at random.
    pub sources: Vec<MatchingSource<'a>>,
    /// The overrides that are skipped with an error.
    pub errors: Vec<String>,
    /// The sources on which the control plane operator crashes: at random, or always if there is no other.
    pub crashes_on: Vec<String>,
    /// Nothing matches, while the nodes use mirrors.
    pub only_nodes_redirect: bool,
}

/// A source that matches an image, and where its mirrors send the lookup.
#[derive(Debug)]
pub struct MatchingSource<'a> {
    /// The source.
    pub source: &'a str,
    /// The entries with this source.
    pub entries: Vec<EntryRef<'a>>,
    /// The image at each mirror, in the order they are tried before [`Span::SORTS_MIRRORS`].
    pub candidates: Vec<Candidate>,
    /// The order in [`Span::SORTS_MIRRORS`], where it is another one.
    pub later_order: Option<Vec<String>>,
}

/// A reference that HyperShift tries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The reference.
    pub reference: String,
    /// How it differs from what the nodes try; `None`: they try the same.
    pub differs: Option<Divergence>,
}

/// How a candidate differs from what the nodes try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Divergence {
    /// The nodes never pull from there.
    Elsewhere,
    /// It is the right repository, but the tag is lost.
    WithoutTag,
}

/// The lookups of an image with these overrides, compared with what the nodes try. `attempts` are those of all
/// pulls of the question, blocked ones too. An error: HyperShift cannot read the image.
pub fn explain_lookups<'a>(
    view: View<'a>,
    overrides: &Overrides<'a>,
    question: &Question,
    attempts: &[&Attempt<'_>],
) -> Result<[ExplainedLookup<'a>; 4], ReferenceError> {
    let reached = attempts.iter().filter(|attempt| attempt.blocked_by.is_none());
    let lookups = Lookups {
        view,
        overrides,
        question,
        reached: reached.filter_map(|attempt| Image::parse_canonical(&attempt.reference).ok()).collect(),
        nodes_redirect: attempts.iter().any(|attempt| !attempt.is_source),
    };
    Ok([
        lookups.explain(LookupKind::Release(ReleaseLookupEra::Chained))?,
        lookups.explain(LookupKind::Release(ReleaseLookupEra::Separate))?,
        lookups.explain(LookupKind::Metadata(Era::Exact))?,
        lookups.explain(LookupKind::Metadata(Era::Prefix))?,
    ])
}

impl LookupKind {
    /// Whether some of the releases with this lookup sort mirrors by name.
    fn sorts_mirrors_later(self) -> bool {
        let span = match self {
            Self::Release(era) => era.span(),
            Self::Metadata(era) => era.span(),
        };
        // Asking for the first such release is enough: no lookup begins after it, and one that has it never ends.
        span.contains(Span::SORTS_MIRRORS.first())
    }

    /// Whether the image itself is tried in the end, after the mirrors of a source that matches.
    pub fn ends_with_image(self) -> bool {
        match self {
            Self::Release(era) => era == ReleaseLookupEra::Separate,
            // Only the first mirror that can be parsed is used.
            Self::Metadata(era) => era == Era::Prefix,
        }
    }

    fn look_up(self, overrides: &Overrides<'_>, image: &str) -> Result<LookupResult, ReferenceError> {
        match self {
            Self::Release(era) => Ok(LookupResult {
                candidates: release_lookup(era, overrides, image),
                ..LookupResult::default()
            }),
            Self::Metadata(era) => metadata_lookup(era, overrides, image),
        }
    }
}

/// What every lookup of one image reads.
struct Lookups<'a, 'o> {
    view: View<'a>,
    overrides: &'o Overrides<'a>,
    question: &'o Question,
    /// The images that the nodes try and reach.
    reached: Vec<Image>,
    /// Whether the nodes try anything else than the source.
    nodes_redirect: bool,
}

impl<'a> Lookups<'a, '_> {
    fn explain(&self, kind: LookupKind) -> Result<ExplainedLookup<'a>, ReferenceError> {
        let LookupResult { candidates, errors, crashes_on } =
            kind.look_up(self.overrides, &self.question.text)?;
        let mut sources = Vec::new();
        for (source, mirrors) in self.overrides {
            sources.extend(self.matching_source(kind, source, mirrors)?);
        }
        let only_nodes_redirect = self.nodes_redirect && candidates.is_empty();
        Ok(ExplainedLookup { kind, candidates, sources, errors, crashes_on, only_nodes_redirect })
    }

    /// What one source does with the image, as if there were no other; `None` where it does not match.
    fn matching_source(
        &self,
        kind: LookupKind,
        source: &'a str,
        mirrors: &[&'a str],
    ) -> Result<Option<MatchingSource<'a>>, ReferenceError> {
        let references = self.candidates(kind, source, mirrors)?;
        if references.is_empty() {
            return Ok(None);
        }
        let mut later_order = None;
        if kind.sorts_mirrors_later() {
            let mut by_name = mirrors.to_vec();
            by_name.sort_unstable();
            let later = self.candidates(kind, source, &by_name)?;
            later_order = Some(later).filter(|later| *later != references);
        }
        // HyperShift does not read ITMS.
        let mut entries: Vec<_> =
            self.view.entries(source).filter(|found| found.set.kind.is_digest()).collect();
        entries.sort_by_key(EntryRef::order);
        let candidates = references.into_iter().map(|reference| self.candidate(kind, reference)).collect();
        Ok(Some(MatchingSource { source, entries, candidates, later_order }))
    }

    /// The references that the image becomes where this is the only source.
    fn candidates(
        &self,
        kind: LookupKind,
        source: &str,
        mirrors: &[&str],
    ) -> Result<Vec<String>, ReferenceError> {
        let overrides = Overrides::from([(source, mirrors.to_vec())]);
        Ok(kind.look_up(&overrides, &self.question.text)?.candidates)
    }

    fn candidate(&self, kind: LookupKind, reference: String) -> Candidate {
        let differs = self.divergence(kind, &reference);
        Candidate { reference, differs }
    }

    /// How a candidate differs from what the nodes try and reach; `None`: they reach the same.
    fn divergence(&self, kind: LookupKind, reference: &str) -> Option<Divergence> {
        let Ok(image) = Image::parse(reference) else { return Some(Divergence::Elsewhere) };
        let mut same_repository = self.reached.iter().filter(|tried| tried.name() == image.name());
        let is_exact_era = kind == LookupKind::Metadata(Era::Exact);
        let is_reached = if is_exact_era {
            // Such a candidate is the mirror alone, without tag and digest.
            same_repository.next().is_some()
        } else {
            same_repository.any(|tried| version(tried) == version(&image))
        };
        if !is_reached {
            return Some(Divergence::Elsewhere);
        }
        // In the exact era HyperShift puts the digest back afterwards, but not the tag. All images of a question have
        // the same digest and tag.
        let loses_tag = is_exact_era && !self.question.images.iter().any(Image::is_digested);
        loses_tag.then_some(Divergence::WithoutTag)
    }
}

/// The digest, or the tag where there is no digest: with a digest, the tag changes nothing.
fn version(image: &Image) -> Option<&str> {
    image.digest().or(image.tag())
}
