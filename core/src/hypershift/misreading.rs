//! How releases read a catalog overrides value that someone typed, if that is not what was meant.

use std::fmt;

use super::{
    CatalogEra, CatalogMirrors, Derivation, Placement, Readers, Reading, Releases,
    catalogs::{self, Catalog, CatalogOverrides, DEFAULT_NAMESPACE, DEFAULT_REGISTRY, EmptySides},
    derive::prove,
    reading::readings,
};
use crate::objects::{reference::DockerReference, scope::names_registry};

/// One way in which some releases do not read a value as it was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misreading {
    /// The releases.
    pub readers: Readers,
    /// What they do.
    pub problem: Problem,
}

/// What releases do with a value that was meant otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// No part of the value is a pair of a source and a place.
    NoPair,
    /// The whole value has no effect on any catalog.
    Void(Unused),
    /// This source has no effect, others have.
    Ignored(String, Unused),
    /// This part is no pair of a source and a place, and has no effect.
    Dropped(String),
    /// Go's random map order decides between these; none where they are too many to follow.
    Random(Vec<String>),
    /// An image is looked for at the first, where the text of the value means the second.
    Elsewhere(String, String),
    /// What is looked for is no image reference.
    Unreadable(String),
    /// What is looked for names no registry.
    Unqualified(String),
}

/// Why a source has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unused {
    /// No image of a catalog contains it.
    NoImage,
    /// It is none of the two that releases of [`Span::LISTED_CATALOGS`] use.
    NotListed,
}

impl fmt::Display for Misreading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { readers, problem } = self;
        write!(f, "releases {readers} {problem}")
    }
}

impl fmt::Display for Problem {
    /// What follows the releases that have the problem.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPair => f.write_str("ignore the whole value, because no part of it is SOURCE=MIRROR"),
            Self::Void(Unused::NoImage) => {
                f.write_str("ignore the whole value, because no catalog image contains any of its sources")
            }
            Self::Void(Unused::NotListed) => write!(
                f,
                "ignore the whole value, because the only sources that they use are {DEFAULT_NAMESPACE} and \
                 {DEFAULT_REGISTRY}"
            ),
            Self::Ignored(source, Unused::NoImage) => {
                write!(f, "ignore the source \"{source}\", which no catalog image contains")
            }
            Self::Ignored(source, Unused::NotListed) => write!(
                f,
                "ignore the source \"{source}\", because the only sources that they use are {DEFAULT_NAMESPACE} and \
                 {DEFAULT_REGISTRY}"
            ),
            Self::Dropped(part) => write!(f, "ignore the part \"{part}\", which has no {}", missing_in(part)),
            Self::Random(choices) if choices.is_empty() => {
                f.write_str("choose at random between many places")
            }
            Self::Random(choices) => write!(f, "choose at random: {}", choices.join(" or ")),
            Self::Elsewhere(actual, meant) => write!(f, "look for {actual} instead of {meant}"),
            Self::Unreadable(actual) => {
                write!(f, "look for \"{actual}\", which is not a valid image reference")
            }
            Self::Unqualified(actual) => {
                write!(f, "look for \"{actual}\", which names no registry: the host needs a dot or a port")
            }
        }
    }
}

/// What a part of a value lacks that is no pair.
fn missing_in(part: &str) -> &'static str {
    match part.split_once('=') {
        None => "\"=\"",
        Some(("", _)) => "source",
        Some(_) => "mirror",
    }
}

/// How releases misread a value. It means what its text says, and also the mirrors that `placed` has for a catalog, if
/// that is given. A value that has no effect on any release is not misread.
pub fn misreadings(
    value: &str,
    releases: &Releases,
    placement: Placement,
    placed: Option<&Derivation>,
) -> Vec<Misreading> {
    let readings = readings(value, releases, placement);
    readings.iter().flat_map(|reading| find_in_reading(reading, releases, placed)).collect()
}

fn find_in_reading(
    reading: &Reading<'_>,
    releases: &Releases,
    placed: Option<&Derivation>,
) -> Vec<Misreading> {
    let misread = |problem| Misreading { readers: reading.readers, problem };
    let pairs = reading.overrides.0.iter();
    let (used, unused): (Vec<_>, Vec<_>) = pairs.partition(|(source, _)| is_used(reading, source, releases));
    // Of pairs with an empty side, those that releases up to 4.17 keep and that have no effect; later ones drop them.
    let (incomplete, ignored): (Vec<_>, Vec<_>) = unused.into_iter().partition(|pair| is_incomplete(pair));
    let ignored: Vec<_> =
        ignored.into_iter().map(|(source, _)| (*source, why_unused(reading, source, releases))).collect();
    if used.is_empty() {
        let is_listed = ignored.iter().any(|(_, why)| *why == Unused::NotListed);
        let why = if is_listed { Unused::NotListed } else { Unused::NoImage };
        return vec![misread(if ignored.is_empty() { Problem::NoPair } else { Problem::Void(why) })];
    }
    let ignored = ignored.into_iter().map(|(source, why)| Problem::Ignored(source.to_owned(), why));
    let incomplete = incomplete.into_iter().flat_map(|(source, places)| {
        places.iter().map(move |place| Problem::Dropped(format!("{source}={place}")))
    });
    let dropped = reading.dropped.iter().map(|part| Problem::Dropped((*part).to_owned()));
    let mut problems: Vec<_> = ignored.chain(incomplete).chain(dropped).collect();
    // Catalogs are read alike, so that one example is enough.
    problems.extend(catalogs::catalogs_of(releases).find_map(|catalog| {
        let known = placed.map(|placed| placed.mirrors_of(catalog)).unwrap_or_default();
        find_for_catalog(reading, catalog, known)
    }));
    problems.into_iter().map(misread).collect()
}

/// Whether every pair of a source has an empty side.
fn is_incomplete((source, places): &(&str, Vec<&str>)) -> bool {
    source.is_empty() || places.iter().all(|place| place.is_empty())
}

/// Why a source has no effect on any catalog.
fn why_unused(reading: &Reading<'_>, source: &str, releases: &Releases) -> Unused {
    if reading.readers.era == CatalogEra::Replace {
        return Unused::NoImage;
    }
    // One with a tag, `registry.redhat.io/redhat/redhat-operator-index:v4.18`, is contained in an image of one release.
    let may_be_contained = source.starts_with(DEFAULT_NAMESPACE)
        || catalogs::catalogs_of(releases).any(|catalog| catalog.image().contains(source));
    if may_be_contained { Unused::NotListed } else { Unused::NoImage }
}

/// Whether a source has an effect on any catalog.
fn is_used(reading: &Reading<'_>, source: &str, releases: &Releases) -> bool {
    match reading.readers.era {
        CatalogEra::Replace => {
            catalogs::catalogs_of(releases).any(|catalog| reading.tagged(&catalog.image()).contains(source))
        }
        CatalogEra::List => [DEFAULT_NAMESPACE, DEFAULT_REGISTRY].contains(&source),
    }
}

/// What is wrong for one catalog. `known` is where the mirror sets place it, which counts as meant too; empty if no set
/// covers it.
fn find_for_catalog(reading: &Reading<'_>, catalog: &Catalog, known: &[String]) -> Option<Problem> {
    let results = reading.results(catalog);
    let [result] = results.as_slice() else {
        return Some(Problem::Random(results.iter().map(|list| without_tags(reading, list)).collect()));
    };
    if let Some(bad) = result.iter().find(|image| DockerReference::parse(image).is_err()) {
        return Some(Problem::Unreadable(reading.untagged(bad).to_owned()));
    }
    if let Some(bad) = result.iter().find(|image| !names_registry(image)) {
        return Some(Problem::Unqualified(reading.untagged(bad).to_owned()));
    }
    let image = reading.tagged(&catalog.image());
    let mut meant = places_meant(&reading.overrides, &image);
    // A value without a source that covers the image leaves it where it is.
    if meant.is_empty() {
        meant.push(image);
    }
    let expected = reading.usable(&meant);
    let known: Vec<_> = reading.usable(known).iter().map(|place| reading.tagged(place)).collect();
    if result == expected || *result == known {
        return None;
    }
    // Where one list goes on and the other ends, they differ behind the shorter one.
    let shorter = result.len().min(expected.len());
    let at = result.iter().zip(expected).position(|(a, b)| a != b).unwrap_or(shorter);
    let [actual, meant] = [result, expected].map(|places| reading.untagged(place_at(places, at)).to_owned());
    Some(Problem::Elsewhere(actual, meant))
}

fn without_tags(reading: &Reading<'_>, images: &[String]) -> String {
    images.iter().map(|image| reading.untagged(image)).collect::<Vec<_>>().join(" then ")
}

/// The place at an index, or else the first: to name something of a list that ends earlier.
fn place_at(places: &[String], at: usize) -> &str {
    places.get(at).or(places.first()).map(String::as_str).unwrap_or_default()
}

/// Where the text of a value puts an image: the longest source that covers it, replaced by each of its places.
/// Empty if none covers it.
pub(super) fn places_meant(overrides: &CatalogOverrides<'_>, image: &str) -> Vec<String> {
    let covering = overrides.0.iter().filter(|(source, _)| covers(source, image));
    let Some((source, places)) = covering.max_by_key(|(source, _)| source.len()) else { return Vec::new() };
    let rest = &image[source.len()..];
    places.iter().map(|place| format!("{place}{rest}")).collect()
}

fn covers(source: &str, image: &str) -> bool {
    image.strip_prefix(source).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':']))
}

/// A value that every release reads as the text of this one means it, in the form `registry.redhat.io/redhat=…`; `None`
/// if there is none.
pub fn find_correction(value: &str) -> Option<String> {
    let overrides = catalogs::parse(value, EmptySides::Dropped)?;
    let places = catalogs::CATALOGS
        .each_ref()
        .map(|catalog| CatalogMirrors::new(catalog, places_meant(&overrides, &catalog.image())));
    // The pairs are made from one catalog; `prove` finds out whether they are right for the others.
    let [first, ..] = &places;
    let mut pairs = Vec::new();
    for mirror in &first.mirrors {
        pairs.push(format!("{DEFAULT_NAMESPACE}={}", first.catalog.namespace_of(mirror)?));
    }
    let correction = pairs.join(",");
    (!correction.is_empty() && prove(&correction, &places).is_ok()).then_some(correction)
}

#[cfg(test)]
mod tests;
