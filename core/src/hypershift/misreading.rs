//! How releases read a catalog overrides value that someone typed, if that is not what was meant.

use std::fmt;

use super::{
    CatalogMirrors, Derivation, Release, Releases,
    catalogs::{self, Catalog, CatalogOverrides, DEFAULT_NAMESPACE},
    derive::prove,
};
use crate::objects::reference::DockerReference;

/// How a release reads the annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CatalogEra {
    /// Up to 4.16: text is replaced.
    Replace,
    /// From 4.17 on: a list of places.
    List,
}

impl CatalogEra {
    /// The eras that the releases are in.
    pub fn of(releases: &Releases) -> impl Iterator<Item = Self> {
        let second = Some(Release::SECOND_ERA);
        let eras = [(Self::Replace, None, second), (Self::List, second, None)];
        eras.into_iter().filter(|(_, from, before)| releases.any_in(*from, *before)).map(|(era, ..)| era)
    }
}

impl fmt::Display for CatalogEra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Replace => "up to 4.16",
            Self::List => "from 4.17 on",
        })
    }
}

/// One way in which a value is not read as it was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misreading {
    /// The whole value has no effect on any catalog.
    Void(CatalogEra),
    /// This source has no effect, others have.
    Ignored(CatalogEra, String),
    /// Go's random map order decides between these.
    Random(CatalogEra, Vec<String>),
    /// An image is looked for at the first, where the text of the value means the second.
    Elsewhere(CatalogEra, String, String),
    /// What is looked for is no image reference.
    Unreadable(CatalogEra, String),
}

impl fmt::Display for Misreading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Void(era) => write!(f, "releases {era} ignore the whole value"),
            Self::Ignored(era, source) => write!(f, "releases {era} ignore the source \"{source}\""),
            Self::Random(era, choices) => {
                write!(f, "releases {era} choose at random: {}", choices.join(" or "))
            }
            Self::Elsewhere(era, actual, meant) => {
                write!(f, "releases {era} look for {actual} instead of {meant}")
            }
            Self::Unreadable(era, actual) => {
                write!(f, "releases {era} look for \"{actual}\", which is not a valid image reference")
            }
        }
    }
}

/// How releases misread a value. A location that the mirror sets give a catalog counts as meant too; a value that
/// counts as absent is not misread.
pub fn misreadings(value: &str, releases: &Releases, placed: &Derivation) -> Vec<Misreading> {
    let Some(overrides) = catalogs::parse(value) else { return Vec::new() };
    CatalogEra::of(releases).flat_map(|era| find_in_era(era, &overrides, releases, placed)).collect()
}

fn find_in_era(
    era: CatalogEra,
    overrides: &CatalogOverrides<'_>,
    releases: &Releases,
    placed: &Derivation,
) -> Vec<Misreading> {
    let (used, ignored): (Vec<_>, Vec<_>) =
        overrides.0.iter().partition(|(source, _)| is_used(era, source, releases));
    if used.is_empty() {
        return vec![Misreading::Void(era)];
    }
    let mut found: Vec<_> =
        ignored.iter().map(|(source, _)| Misreading::Ignored(era, (*source).to_owned())).collect();
    for catalog in catalogs::catalogs_of(releases) {
        let known = placed.catalogs.iter().find(|c| c.catalog == catalog).map(|c| c.mirrors.as_slice());
        if let Some(misread) = find_for_catalog(era, overrides, catalog, known.unwrap_or_default()) {
            found.push(misread);
            // The others are read the same way, so that one example is enough.
            break;
        }
    }
    found
}

/// Whether a source has an effect on any catalog.
fn is_used(era: CatalogEra, source: &str, releases: &Releases) -> bool {
    match era {
        CatalogEra::Replace => catalogs::catalogs_of(releases).any(|c| c.image().contains(source)),
        CatalogEra::List => [DEFAULT_NAMESPACE, "registry.redhat.io"].contains(&source),
    }
}

fn find_for_catalog(
    era: CatalogEra,
    overrides: &CatalogOverrides<'_>,
    catalog: &Catalog,
    known: &[String],
) -> Option<Misreading> {
    let image = catalog.image();
    let results: Vec<Vec<String>> = match era {
        CatalogEra::Replace => {
            catalogs::replace_era(overrides, &image).into_iter().map(|r| vec![r]).collect()
        }
        CatalogEra::List => catalogs::list_era(overrides, catalog),
    };
    let [result] = results.as_slice() else {
        return Some(Misreading::Random(era, results.iter().map(|list| list.join(" then ")).collect()));
    };
    if let Some(bad) = result.iter().find(|place| DockerReference::parse(place).is_err()) {
        return Some(Misreading::Unreadable(era, bad.clone()));
    }
    let mut meant = places_meant(overrides, &image);
    if meant.is_empty() {
        meant.push(image);
    }
    let expected = usable(era, &meant);
    if result == expected || result == usable(era, known) {
        return None;
    }
    let at = result.iter().zip(expected).position(|(a, b)| a != b).unwrap_or(0);
    Some(Misreading::Elsewhere(era, place_at(result, at), place_at(expected, at)))
}

/// The places that an era can use: up to 4.16 only the first.
fn usable(era: CatalogEra, places: &[String]) -> &[String] {
    match era {
        CatalogEra::Replace => &places[..places.len().min(1)],
        CatalogEra::List => places,
    }
}

/// The place at an index, or else the first.
fn place_at(places: &[String], at: usize) -> String {
    places.get(at).or(places.first()).cloned().unwrap_or_default()
}

/// Where the text of a value puts an image: the longest source that covers it, replaced by each of its places.
pub(super) fn places_meant(overrides: &CatalogOverrides<'_>, image: &str) -> Vec<String> {
    let covering = overrides.0.iter().filter(|(source, _)| covers(source, image));
    let Some((source, places)) = covering.max_by_key(|(source, _)| source.len()) else { return Vec::new() };
    let rest = &image[source.len()..];
    places.iter().map(|place| format!("{place}{rest}")).collect()
}

fn covers(source: &str, image: &str) -> bool {
    image.strip_prefix(source).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The value that means what another one was meant to, and that every release reads so, if there is one.
pub fn find_correction(value: &str) -> Option<String> {
    let overrides = catalogs::parse(value)?;
    let places = catalogs::CATALOGS
        .each_ref()
        .map(|catalog| CatalogMirrors::new(catalog, places_meant(&overrides, &catalog.image())));
    let [first, ..] = &places;
    let mut pairs = Vec::new();
    for mirror in &first.mirrors {
        let namespace = mirror.strip_suffix(first.catalog.index)?.strip_suffix('/')?;
        pairs.push(format!("{DEFAULT_NAMESPACE}={namespace}"));
    }
    let correction = pairs.join(",");
    (!correction.is_empty() && prove(&correction, &places).is_ok()).then_some(correction)
}

#[cfg(test)]
mod tests {
    use CatalogEra::{List, Replace};
    use Misreading::{Elsewhere, Ignored, Random, Unreadable, Void};

    use super::*;
    use crate::{context::Context, hypershift::derive};

    /// How a minor version of OpenShift 4, or every release, misreads a value.
    fn find(value: &str, minor: Option<u32>) -> Vec<Misreading> {
        let placed = derive(Context::default().view(), &Releases::default());
        let releases = minor.into_iter().map(|minor| Release { major: 4, minor }).collect();
        misreadings(value, &releases, &placed)
    }

    #[test]
    fn a_value_may_be_right() {
        for (value, minor, reason) in [
            ("", None, "no overrides are wanted"),
            ("=", None, "the same"),
            ("registry.redhat.io/redhat=m/redhat", None, "right in every release"),
            (
                "registry.redhat.io/redhat=a/r,registry.redhat.io/redhat=b/r",
                None,
                "the second place serves later releases",
            ),
            ("registry.redhat.io=m", None, "a place without a path gets the namespace in both eras"),
            ("registry.redhat.io=m/redhat.io", Some(16), "text is replaced up to 4.16"),
        ] {
            assert_eq!(find(value, minor), [], "{value}: {reason}");
        }
    }

    #[test]
    fn a_value_is_checked_for_the_release() {
        let [right, wrong] = ["m/redhat.io/redhat", "m/redhat.io"].map(certified_at);
        let [first, second] = ["m/r", "n/x"].map(certified_at);
        let choices = vec![first.clone(), format!("{first} then {second}")];
        for (value, minor, expected, reason) in [
            ("==", Some(18), vec![Void(List)], "unlike =, this is a value"),
            (
                "registry.redhat.io=m/redhat.io",
                Some(18),
                vec![Elsewhere(List, wrong, right)],
                "the namespace is lost",
            ),
            ("quay.io=m", None, vec![Void(Replace), Void(List)], "no catalog is there"),
            (
                "registry.redhat.io/redhat=m/r,quay.io=m",
                Some(18),
                vec![Ignored(List, "quay.io".to_owned())],
                "one of two",
            ),
            (
                "registry.redhat.io/redhat=m/r,registry.redhat.io=n/x",
                Some(20),
                vec![Random(List, choices)],
                "both sources",
            ),
            (
                "registry.redhat.io/redhat= m/r",
                Some(20),
                vec![Unreadable(List, certified_at(" m/r"))],
                "spaces are kept",
            ),
        ] {
            assert_eq!(find(value, minor), expected, "{value}: {reason}");
        }
    }

    /// The first catalog's index image in a namespace.
    fn certified_at(namespace: &str) -> String {
        format!("{namespace}/certified-operator-index")
    }

    /// The sentences are written down here and nowhere else.
    #[test]
    fn a_misreading_is_a_sentence_with_its_values() {
        let [a, b] = ["m/a", "m/b"].map(str::to_owned);
        let table = [
            (Void(Replace), "releases up to 4.16 ignore the whole value"),
            (Ignored(List, a.clone()), "releases from 4.17 on ignore the source \"m/a\""),
            (Random(List, vec![a.clone(), b.clone()]), "releases from 4.17 on choose at random: m/a or m/b"),
            (Elsewhere(Replace, a.clone(), b), "releases up to 4.16 look for m/a instead of m/b"),
            (
                Unreadable(List, a),
                "releases from 4.17 on look for \"m/a\", which is not a valid image reference",
            ),
        ];
        for (misreading, expected) in table {
            assert_eq!(misreading.to_string(), expected);
        }
    }

    #[test]
    fn the_correction_is_right_in_every_release() {
        assert_eq!(
            find_correction("registry.redhat.io=m/redhat.io").as_deref(),
            Some("registry.redhat.io/redhat=m/redhat.io/redhat")
        );
        for (value, reason) in [
            ("quay.io=m", "no catalog is there"),
            ("registry.redhat.io=https://m/redhat.io", "a URL would be misread as well"),
            ("registry.redhat.io=m/redhat.io/", "so would a slash too many"),
        ] {
            assert_eq!(find_correction(value), None, "{value}: {reason}");
        }
    }
}
