//! The annotation `hypershift.openshift.io/olm-catalogs-is-registry-overrides`: how it is parsed, and
//! where each release then looks for the default catalogs.

use std::collections::BTreeSet;

use super::{Releases, Span, work::Work};

/// Registry and namespace of the default catalogs' index images.
pub const DEFAULT_NAMESPACE: &str = "registry.redhat.io/redhat";
/// Registry of the default catalogs' index images.
pub const DEFAULT_REGISTRY: &str = "registry.redhat.io";

/// A default catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Catalog {
    /// Name of its `CatalogSource`.
    pub name: &'static str,
    /// Last path element of its index image.
    pub index: &'static str,
    /// The annotation that names its image directly.
    pub image_annotation: &'static str,
}

impl Catalog {
    /// Its index image without a tag.
    pub fn image(&self) -> String {
        format!("{DEFAULT_NAMESPACE}/{}", self.index)
    }

    /// Its index image in another namespace, without a tag.
    pub fn image_of(&self, namespace: &str) -> String {
        format!("{namespace}/{}", self.index)
    }

    /// The namespace of its index image, without a tag; the inverse of [`Catalog::image_of`]. `None` if the image has
    /// another name.
    pub fn namespace_of<'i>(&self, image: &'i str) -> Option<&'i str> {
        image.strip_suffix(self.index)?.strip_suffix('/')
    }
}

/// The default catalogs. The releases of [`Span::THREE_CATALOGS`] do not have `redhat-marketplace`.
pub const CATALOGS: [Catalog; 4] = [
    Catalog {
        name: "certified-operators",
        index: "certified-operator-index",
        image_annotation: "hypershift.openshift.io/certified-operators-catalog-image",
    },
    Catalog {
        name: "community-operators",
        index: "community-operator-index",
        image_annotation: "hypershift.openshift.io/community-operators-catalog-image",
    },
    Catalog {
        name: "redhat-marketplace",
        index: "redhat-marketplace-index",
        image_annotation: "hypershift.openshift.io/redhat-marketplace-catalog-image",
    },
    Catalog {
        name: "redhat-operators",
        index: "redhat-operator-index",
        image_annotation: "hypershift.openshift.io/redhat-operators-catalog-image",
    },
];

/// The catalogs that any of the releases has.
pub fn catalogs_of(releases: &Releases) -> impl Iterator<Item = &'static Catalog> + use<> {
    let three = Span::THREE_CATALOGS.contains_all(releases);
    CATALOGS.iter().filter(move |catalog| !(three && catalog.name == "redhat-marketplace"))
}

/// The annotation's value: sources in the order they first appear, each with its places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogOverrides<'a>(pub Vec<(&'a str, Vec<&'a str>)>);

impl<'a> CatalogOverrides<'a> {
    /// The places of a source.
    pub fn places(&self, source: &str) -> Option<&[&'a str]> {
        self.0.iter().find(|(s, _)| *s == source).map(|(_, places)| places.as_slice())
    }
}

/// What becomes of a pair with nothing before or after the `=`. It depends on the release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmptySides {
    /// It is used: the empty text occurs before every image.
    Kept,
    /// It has no effect.
    Dropped,
}

/// Parses the annotation; `None` where it counts as absent. Pairs without `=` are dropped, spaces are kept.
///
/// Follows `hypershift support/util/util.go` `ConvertImageRegistryOverrideStringToMap`, at release-4.17 for
/// [`EmptySides::Kept`].
pub fn parse(value: &str, empty_sides: EmptySides) -> Option<CatalogOverrides<'_>> {
    if value.is_empty() || value == "=" {
        return None;
    }
    let mut parsed = CatalogOverrides::default();
    for (source, place) in value.split(',').filter_map(|pair| split_pair(pair, empty_sides)) {
        match parsed.0.iter_mut().find(|(known, _)| *known == source) {
            Some((_, places)) => places.push(place),
            None => parsed.0.push((source, vec![place])),
        }
    }
    Some(parsed)
}

/// Whether a value has no effect on any release: each of its parts is empty, or a `=` alone, which releases that keep
/// empty sides replace by itself.
pub fn sets_nothing(value: &str) -> bool {
    value.split(',').all(|part| part.is_empty() || part == "=")
}

/// The parts of a value that are dropped when it is parsed. Nothing between two commas is no part.
pub fn dropped_parts(value: &str, empty_sides: EmptySides) -> impl Iterator<Item = &str> {
    let parts = value.split(',').filter(|part| !part.is_empty());
    parts.filter(move |part| split_pair(part, empty_sides).is_none())
}

/// The source and the place of a pair; `None` if it is dropped.
fn split_pair(pair: &str, empty_sides: EmptySides) -> Option<(&str, &str)> {
    let (source, place) = pair.split_once('=')?;
    let is_dropped = empty_sides == EmptySides::Dropped && (source.is_empty() || place.is_empty());
    (!is_dropped).then_some((source, place))
}

/// The value of the annotation as HyperShift writes it on a command line from [`Span::SORTS_MIRRORS`] on: sorted, `=`
/// for nothing.
///
/// Follows `hypershift support/util/util.go` `ConvertOpenShiftImageRegistryOverridesToCommandLineFlag`.
pub fn command_line(overrides: Option<&CatalogOverrides<'_>>) -> String {
    let mut sources: Vec<_> = overrides.into_iter().flat_map(|overrides| &overrides.0).collect();
    sources.sort_unstable_by_key(|(source, _)| *source);
    let mut pairs = Vec::new();
    for (source, places) in sources {
        let mut places = places.clone();
        places.sort_unstable();
        pairs.extend(places.iter().map(|place| format!("{source}={place}")));
    }
    if pairs.is_empty() { "=".to_owned() } else { pairs.join(",") }
}

/// A Go map of up to this many keys is gone through in the order of insertion, from a random start.
const SMALL_MAP: usize = 8;
/// Bytes of work, after which no further order is followed. A value of a few pairs takes some hundred; only one whose
/// places contain its sources takes so many, and its result is random.
const MAX_WORK: usize = 1 << 20;
/// As many results are enough to show that a value is random, where not all were found.
const SOME_RESULTS: usize = 8;

/// Every image that a release of [`Span::REPLACED_CATALOGS`] may pull for a catalog's image: each source found anywhere
/// in it is replaced by its places in turn, the sources in the order of a Go map. Of a value with too many orders to
/// follow all of them, some of the images, at least two, or none.
///
/// Follows `hypershift control-plane-operator/controllers/hostedcontrolplane/olm/catalogs.go`
/// `getCatalogToImageWithISImageRegistryOverrides` at release-4.16.
pub fn replace_era(overrides: &CatalogOverrides<'_>, image: &str) -> BTreeSet<String> {
    replace_within(&mut Work::of(MAX_WORK), overrides, image)
}

fn replace_within(work: &mut Work, overrides: &CatalogOverrides<'_>, image: &str) -> BTreeSet<String> {
    let sources = &overrides.0;
    let results = if sources.len() > SMALL_MAP {
        in_any_order(work, sources, image)
    } else {
        from_any_start(work, sources, image)
    };
    match results.len() {
        _ if !work.is_over() => results,
        // One result of several is not the answer.
        0 | 1 => BTreeSet::new(),
        _ => results.into_iter().take(SOME_RESULTS).collect(),
    }
}

/// As [`replace_era`] for a map of few keys.
fn from_any_start(work: &mut Work, sources: &[Override<'_>], image: &str) -> BTreeSet<String> {
    let mut results = BTreeSet::new();
    // At least once: without sources the image stays as it is.
    for start in 0..sources.len().max(1) {
        let mut text = image.to_owned();
        for source in sources[start..].iter().chain(&sources[..start]) {
            let Some(replaced) = replace(work, &text, source) else { return results };
            text = replaced;
        }
        results.insert(text);
    }
    results
}

type Override<'a> = (&'a str, Vec<&'a str>);

/// The image after the turn of one source: its first occurrence is replaced by the first place, then the first one that
/// is left, if any, by the second, and so on. `None` if that is too much work.
fn replace(work: &mut Work, image: &str, (source, places): &Override<'_>) -> Option<String> {
    let mut text = image.to_owned();
    for place in places {
        if !work.spend(text.len() + place.len()) {
            return None;
        }
        if !text.contains(source) {
            break;
        }
        text = text.replacen(source, place, 1);
    }
    Some(text)
}

/// As [`replace_era`] for a map of more keys, whose order can be any.
fn in_any_order(work: &mut Work, sources: &[Override<'_>], image: &str) -> BTreeSet<String> {
    // Most sources never occur, whatever was replaced before. They change nothing, and leaving them out leaves fewer
    // orders. It takes work of its own: where it is too much, all are followed.
    let before = &mut Work::of(MAX_WORK);
    let reachable = explore(before, sources, image, false);
    let texts: usize = reachable.iter().map(String::len).sum();
    let mut relevant = Vec::new();
    for source in sources {
        if !before.spend(texts) || reachable.iter().any(|text| text.contains(source.0)) {
            relevant.push(source.clone());
        }
    }
    explore(work, &relevant, image, true)
}

/// Replaces by the sources in every order, each at most once.
///
/// With `final_only` it returns the images after the last turn, as HyperShift does: every source that is left may have
/// the next turn, and one that does not occur loses it. Without, it returns every image on the way: a turn that changes
/// nothing leads to no other image, so only sources that occur get one. If following all orders is too much work, it
/// returns what was found so far.
fn explore(work: &mut Work, sources: &[Override<'_>], image: &str, final_only: bool) -> BTreeSet<String> {
    let all: Vec<usize> = (0..sources.len()).collect();
    let mut seen = BTreeSet::from([(image.to_owned(), all.clone())]);
    let mut waiting = vec![(image.to_owned(), all)];
    let mut results = BTreeSet::new();
    while let Some((text, left)) = waiting.pop() {
        // Each source that is left is looked for.
        if !work.spend(text.len() * (left.len() + 1)) {
            return results;
        }
        let occur: Vec<bool> = left.iter().map(|at| text.contains(sources[*at].0)).collect();
        // The turns that are left change nothing.
        let done = !occur.contains(&true);
        if done || !final_only {
            results.insert(text.clone());
        }
        if done {
            continue;
        }
        for (at, _) in left.iter().zip(&occur).filter(|(_, occurs)| final_only || **occurs) {
            let rest: Vec<_> = left.iter().copied().filter(|other| other != at).collect();
            let Some(replaced) = replace(work, &text, &sources[*at]) else { return results };
            if !work.spend(replaced.len() + size_of_val(&*rest)) {
                return results;
            }
            let state = (replaced, rest);
            if seen.insert(state.clone()) {
                waiting.push(state);
            }
        }
    }
    results
}

/// Every list of index images that a release of [`Span::LISTED_CATALOGS`] may try for a catalog, each in order. Only
/// two sources count, [`DEFAULT_NAMESPACE`] and its registry; with both, HyperShift takes them in random order, and
/// each order gives a list.
///
/// Follows `hypershift support/catalogs/images.go` `computeCatalogImages`.
pub fn list_era(overrides: &CatalogOverrides<'_>, catalog: &Catalog) -> Vec<Vec<String>> {
    let of_namespace: Option<Vec<_>> =
        overrides.places(DEFAULT_NAMESPACE).map(|places| places.iter().map(ToString::to_string).collect());
    let of_registry: Option<Vec<_>> = overrides
        .places(DEFAULT_REGISTRY)
        .map(|places| places.iter().map(|place| namespace_at(place)).collect());
    let lists = match (of_namespace, of_registry) {
        (None, None) => vec![vec![DEFAULT_NAMESPACE.to_owned()]],
        (Some(places), None) | (None, Some(places)) => vec![places],
        // The registry's places are appended to what is there; the namespace's replace it. So if the registry is taken
        // first, only the namespace's are left.
        (Some(namespace), Some(registry)) => vec![namespace.clone(), [namespace, registry].concat()],
    };
    lists.into_iter().map(|places| places.iter().map(|place| catalog.image_of(place)).collect()).collect()
}

/// Where a release of [`Span::LISTED_CATALOGS`] expects the namespace of the catalogs at a place of the registry.
fn namespace_at(place: &str) -> String {
    if place.contains('/') { place.to_owned() } else { format!("{place}/redhat") }
}

#[cfg(test)]
mod tests;
