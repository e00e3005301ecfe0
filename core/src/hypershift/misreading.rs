//! What releases make of an annotation value that someone typed, where it is not what was meant.

use std::fmt;

use super::{
    Derivation, Release, Releases,
    catalogs::{self, Catalog, CatalogOverrides, DEFAULT_NAMESPACE},
    derive::prove,
};
use crate::objects::reference::DockerReference;

/// Which rules a release reads the annotation by.
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
        eras.into_iter().filter(|(_, from, before)| releases.meet(*from, *before)).map(|(era, ..)| era)
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
                write!(f, "releases {era} pick at random: {}", choices.join(" or "))
            }
            Self::Elsewhere(era, actual, meant) => {
                write!(f, "releases {era} look for {actual}, not for {meant}")
            }
            Self::Unreadable(era, actual) => {
                write!(f, "releases {era} look for \"{actual}\", which is no image reference")
            }
        }
    }
}

/// Judges a value for releases. What the mirror sets say counts as meant too; a value that counts as absent
/// is not misread.
pub fn misreadings(value: &str, releases: &Releases, placed: &Derivation) -> Vec<Misreading> {
    let Some(overrides) = catalogs::parse(value) else { return Vec::new() };
    CatalogEra::of(releases).flat_map(|era| in_era(era, &overrides, releases, placed)).collect()
}

fn in_era(
    era: CatalogEra,
    overrides: &CatalogOverrides<'_>,
    releases: &Releases,
    placed: &Derivation,
) -> Vec<Misreading> {
    let counts = |source: &str| match era {
        CatalogEra::Replace => catalogs::catalogs_of(releases).any(|c| c.image().contains(source)),
        CatalogEra::List => [DEFAULT_NAMESPACE, "registry.redhat.io"].contains(&source),
    };
    let (counting, ignored): (Vec<_>, Vec<_>) = overrides.0.iter().partition(|(source, _)| counts(source));
    if counting.is_empty() {
        return vec![Misreading::Void(era)];
    }
    let mut found: Vec<_> =
        ignored.iter().map(|(source, _)| Misreading::Ignored(era, (*source).to_owned())).collect();
    for catalog in catalogs::catalogs_of(releases) {
        let known = placed.catalogs.iter().find(|c| c.catalog == catalog).map(|c| c.mirrors.as_slice());
        if let Some(misread) = of_catalog(era, overrides, catalog, known.unwrap_or_default()) {
            found.push(misread);
            // The others are read the same way; one example tells.
            break;
        }
    }
    found
}

fn of_catalog(
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
    let meant = meant(overrides, &image);
    // The replace era can only ever use the first place.
    let used = |list: &[String]| match era {
        CatalogEra::Replace => list.iter().take(1).cloned().collect(),
        CatalogEra::List => list.to_vec(),
    };
    let expected = if meant.is_empty() { vec![image.clone()] } else { used(&meant) };
    if *result == expected || *result == used(known) {
        return None;
    }
    let at = result.iter().zip(&expected).position(|(a, b)| a != b).unwrap_or(0);
    let pick = |list: &[String]| list.get(at).or(list.first()).cloned().unwrap_or_default();
    Some(Misreading::Elsewhere(era, pick(result), pick(&expected)))
}

/// Where the text of a value puts an image: the longest source it lies under, exchanged for each place.
fn meant(overrides: &CatalogOverrides<'_>, image: &str) -> Vec<String> {
    let below = |source: &str| {
        image.strip_prefix(source).filter(|rest| rest.is_empty() || rest.starts_with('/')).map(str::to_owned)
    };
    let covering =
        overrides.0.iter().filter_map(|(source, places)| Some((source.len(), below(source)?, places)));
    let longest = covering.max_by_key(|(length, _, _)| *length);
    longest.map_or_else(Vec::new, |(_, rest, places)| places.iter().map(|p| format!("{p}{rest}")).collect())
}

/// The value that says what was meant and is right in every release, where there is one.
pub fn mended(value: &str) -> Option<String> {
    let overrides = catalogs::parse(value)?;
    let mut places: Option<Vec<super::CatalogMirrors>> = Some(Vec::new());
    for catalog in &catalogs::CATALOGS {
        let mirrors = meant(&overrides, &catalog.image());
        places.as_mut()?.push(super::CatalogMirrors { catalog, mirrors });
    }
    let places = places?;
    let first = places.first()?;
    let namespaces = first.mirrors.iter().map(|m| m.strip_suffix(first.catalog.index)?.strip_suffix('/'));
    let namespaces: Option<Vec<_>> = namespaces.collect();
    let pairs: Vec<_> = namespaces?.iter().map(|place| format!("{DEFAULT_NAMESPACE}={place}")).collect();
    let mended = pairs.join(",");
    (!mended.is_empty() && prove(&mended, &places).is_ok()).then_some(mended)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{context::Context, hypershift::derive};

    fn told(value: &str, minor: Option<u32>) -> Vec<String> {
        let placed = derive(Context::default().view(), &Releases::default());
        let releases = minor.into_iter().map(|minor| Release { major: 4, minor }).collect();
        misreadings(value, &releases, &placed).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn values_are_judged_for_the_release() {
        const NONE: &[&str] = &[];
        let table: [(&str, Option<u32>, &[&str], &str); 12] = [
            ("", None, NONE, "no overrides are wanted"),
            ("=", None, NONE, "the same"),
            ("==", Some(18), &["releases from 4.17 on ignore the whole value"], "not the same"),
            ("registry.redhat.io/redhat=m/redhat", None, NONE, "right in every release"),
            (
                "registry.redhat.io/redhat=a/r,registry.redhat.io/redhat=b/r",
                None,
                NONE,
                "the second place serves later releases",
            ),
            ("registry.redhat.io=m", None, NONE, "a place without a path gets the namespace in both eras"),
            (
                "registry.redhat.io=m/redhat.io",
                Some(18),
                &[
                    "releases from 4.17 on look for m/redhat.io/certified-operator-index, not for m/redhat.io/redhat/certified-operator-index",
                ],
                "the namespace is lost",
            ),
            ("registry.redhat.io=m/redhat.io", Some(16), NONE, "text is replaced up to 4.16"),
            (
                "quay.io=m",
                None,
                &[
                    "releases up to 4.16 ignore the whole value",
                    "releases from 4.17 on ignore the whole value",
                ],
                "no catalog is there",
            ),
            (
                "registry.redhat.io/redhat=m/r,quay.io=m",
                Some(18),
                &["releases from 4.17 on ignore the source \"quay.io\""],
                "one of two",
            ),
            (
                "registry.redhat.io/redhat=m/r,registry.redhat.io=n/x",
                Some(20),
                &[
                    "releases from 4.17 on pick at random: m/r/certified-operator-index or m/r/certified-operator-index then n/x/certified-operator-index",
                ],
                "both sources",
            ),
            (
                "registry.redhat.io/redhat= m/r",
                Some(20),
                &[
                    "releases from 4.17 on look for \" m/r/certified-operator-index\", which is no image reference",
                ],
                "spaces are kept",
            ),
        ];
        for (value, minor, expected, reason) in table {
            assert_eq!(told(value, minor), expected, "{value}: {reason}");
        }
    }

    #[test]
    fn the_mended_value_is_right_in_every_release() {
        assert_eq!(
            mended("registry.redhat.io=m/redhat.io").as_deref(),
            Some("registry.redhat.io/redhat=m/redhat.io/redhat")
        );
        for (value, reason) in [
            ("quay.io=m", "no catalog is there"),
            ("registry.redhat.io=https://m/redhat.io", "a URL would be misread as well"),
            ("registry.redhat.io=m/redhat.io/", "so would a slash too many"),
        ] {
            assert_eq!(mended(value), None, "{value}: {reason}");
        }
    }
}
