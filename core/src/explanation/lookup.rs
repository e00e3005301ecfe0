//! HyperShift's look-ups of the same image, held against what the nodes do.

use super::{Attempt, Question};
use crate::{
    context::{EntryRef, View},
    hypershift::{Era, Lookup, Overrides, metadata_lookup, release_lookup},
    objects::reference::{Image, ReferenceError},
};

/// Which look-up, and in which releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookUpKind {
    /// The look-up of release images, in every release.
    Release,
    /// The look-up of image metadata.
    Metadata(Era),
}

/// What one of HyperShift's look-ups makes of an image.
#[derive(Debug)]
pub struct LookUp<'a> {
    /// Which one.
    pub kind: LookUpKind,
    /// Every reference that the image may become, the original left out.
    pub candidates: Vec<String>,
    /// The sources that match, by name; where there are several, HyperShift takes one at random.
    pub sources: Vec<SourceReading<'a>>,
    /// What is skipped with an error.
    pub errors: Vec<String>,
    /// Nothing matches, while the nodes go to mirrors.
    pub only_nodes_redirect: bool,
}

/// What one source makes of an image.
#[derive(Debug)]
pub struct SourceReading<'a> {
    /// The source.
    pub source: &'a str,
    /// The entries that it stands in.
    pub entries: Vec<EntryRef<'a>>,
    /// What its mirrors make of the image, in the order they are tried up to 5.0.
    pub candidates: Vec<Candidate>,
    /// The order from 5.1 on, where it is another one: mirrors are then sorted by name.
    ///
    /// Follows `hypershift support/util/util.go` `ConvertOpenShiftImageRegistryOverridesToCommandLineFlag`.
    pub later_order: Option<Vec<String>>,
}

/// A place that HyperShift tries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The reference.
    pub reference: String,
    /// How it differs from what the nodes try; `None`: they try the same.
    pub differs: Option<Difference>,
}

/// How a candidate differs from what the nodes try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The nodes never go there.
    Elsewhere,
    /// It is the right repository, but the tag is lost.
    WithoutTag,
}

/// The look-ups of an image with these overrides. An error: HyperShift cannot read the image.
pub fn look_ups<'a, 'n, I: Iterator<Item = &'n Attempt<'n>>>(
    view: View<'a>,
    overrides: &Overrides<'a>,
    question: &Question,
    attempts: impl Fn() -> I,
) -> Result<[LookUp<'a>; 3], ReferenceError> {
    let kinds = [LookUpKind::Release, LookUpKind::Metadata(Era::Exact), LookUpKind::Metadata(Era::Prefix)];
    let reached = attempts().filter(|attempt| attempt.blocked_by.is_none());
    let nodes: Vec<Image> =
        reached.filter_map(|attempt| Image::parse_canonical(&attempt.reference).ok()).collect();
    let redirected = attempts().any(|attempt| !attempt.is_source);
    let look_up = |kind: LookUpKind| {
        let Lookup { candidates, errors } = kind.ask(overrides, &question.text)?;
        let mut sources = Vec::new();
        for (source, mirrors) in overrides {
            sources.extend(reading(kind, view, source, mirrors, question, &nodes)?);
        }
        let only_nodes_redirect = redirected && candidates.is_empty();
        Ok(LookUp { kind, candidates, sources, errors, only_nodes_redirect })
    };
    let [release, exact, prefix] = kinds.map(look_up);
    Ok([release?, exact?, prefix?])
}

impl LookUpKind {
    fn ask(self, overrides: &Overrides<'_>, image: &str) -> Result<Lookup, ReferenceError> {
        match self {
            Self::Release => Ok(Lookup { candidates: release_lookup(overrides, image), errors: Vec::new() }),
            Self::Metadata(era) => metadata_lookup(era, overrides, image),
        }
    }
}

fn reading<'a>(
    kind: LookUpKind,
    view: View<'a>,
    source: &'a str,
    mirrors: &[&'a str],
    question: &Question,
    nodes: &[Image],
) -> Result<Option<SourceReading<'a>>, ReferenceError> {
    let ask = |mirrors: Vec<&'a str>| kind.ask(&Overrides::from([(source, mirrors)]), &question.text);
    let found = ask(mirrors.to_vec())?.candidates;
    if found.is_empty() {
        return Ok(None);
    }
    let mut by_name = mirrors.to_vec();
    by_name.sort_unstable();
    // The exact era ended before mirrors were sorted.
    let later =
        if kind == LookUpKind::Metadata(Era::Exact) { found.clone() } else { ask(by_name)?.candidates };
    let later_order = (later != found).then_some(later);
    let candidate = |reference: String| {
        let differs = difference(kind, &reference, question, nodes);
        Candidate { reference, differs }
    };
    // ITMS are not read.
    let mut entries: Vec<_> = view.entries(source).filter(|found| found.set.kind.is_digest()).collect();
    entries.sort_by_key(|found| (found.set.kind, &found.set.name, found.index));
    Ok(Some(SourceReading {
        source,
        entries,
        candidates: found.into_iter().map(candidate).collect(),
        later_order,
    }))
}

fn difference(kind: LookUpKind, reference: &str, question: &Question, nodes: &[Image]) -> Option<Difference> {
    let Ok(image) = Image::parse(reference) else { return Some(Difference::Elsewhere) };
    // What a digest names is the same whatever the tag beside it.
    let what = |image: &Image| image.digest().or(image.tag()).map(str::to_owned);
    if kind != LookUpKind::Metadata(Era::Exact) {
        let same = |tried: &Image| tried.name() == image.name() && what(tried) == what(&image);
        return (!nodes.iter().any(same)).then_some(Difference::Elsewhere);
    }
    if !nodes.iter().any(|tried| tried.name() == image.name()) {
        return Some(Difference::Elsewhere);
    }
    // The digest is put back, the tag is not.
    (!question.images.iter().any(Image::is_digested)).then_some(Difference::WithoutTag)
}
