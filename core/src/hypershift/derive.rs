//! Derives the annotation's value from the mirror sets, where one is right in every release.

use super::{
    Obstacle, Placement, Releases, Span,
    catalogs::{self, Catalog, DEFAULT_NAMESPACE},
    reading::readings,
};
use crate::{
    context::View,
    node,
    objects::{Pull, reference::DockerReference},
};

/// Where the mirror sets place one catalog's index image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogMirrors {
    /// The catalog.
    pub catalog: &'static Catalog,
    /// Its index image at each mirror, in the order of the mirrors, without a tag. Empty if no mirror set covers
    /// it.
    pub mirrors: Vec<String>,
}

/// The annotation's value for some releases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derivation {
    /// The annotation's value, or why there is none.
    pub value: Result<String, Obstacle>,
    /// Each catalog that any of the releases has, also those without a mirror.
    pub catalogs: Vec<CatalogMirrors>,
}

/// The derivations for every release, made once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derivations {
    /// For releases with four catalogs, and for all releases at once.
    four: Derivation,
    /// For releases that are all without redhat-marketplace.
    three: Derivation,
}

impl Derivation {
    /// The catalog's index image at each mirror, in order, without a tag.
    pub fn mirrors_of(&self, catalog: &Catalog) -> &[String] {
        let found = self.catalogs.iter().find(|found| found.catalog == catalog);
        found.map(|found| found.mirrors.as_slice()).unwrap_or_default()
    }
}

impl Derivations {
    /// Derives for releases with four catalogs and for those with three.
    pub fn of(view: View<'_>) -> Self {
        Self {
            four: derive(view, &Releases::default()),
            three: derive(view, &Span::THREE_CATALOGS.first().into()),
        }
    }

    /// The derivation that is right in all of the releases.
    pub fn for_releases(&self, releases: &Releases) -> &Derivation {
        if Span::THREE_CATALOGS.contains_all(releases) { &self.three } else { &self.four }
    }
}

/// Derives the value for releases.
///
/// A value is returned only where the models of both eras resolve every catalog to the place that the
/// mirror sets name.
pub fn derive(view: View<'_>, releases: &Releases) -> Derivation {
    let catalogs: Vec<_> = catalogs::catalogs_of(releases)
        .map(|catalog| CatalogMirrors { catalog, mirrors: mirrors_of(view, &catalog.image()) })
        .collect();
    Derivation { value: derive_value(&catalogs), catalogs }
}

fn derive_value(catalogs: &[CatalogMirrors]) -> Result<String, Obstacle> {
    let namespaces = agreed_namespaces(catalogs)?;
    let pairs: Vec<_> = namespaces.iter().map(|place| format!("{DEFAULT_NAMESPACE}={place}")).collect();
    let value = pairs.join(",");
    prove(&value, catalogs)?;
    Ok(value)
}

/// The image at each mirror of the most specific source that covers it. Tag sets come first, since the
/// catalogs are pulled by tag; then digest sets, since many mirror catalogs and write only those.
fn mirrors_of(view: View<'_>, image: &str) -> Vec<String> {
    for pull in [Pull::Tag, Pull::Digest] {
        if let Some(found) = node::places(view, image, |found| found.set.kind.pull() == pull) {
            return found.places;
        }
    }
    Vec::new()
}

/// The namespaces that all catalogs are mirrored to, in order.
fn agreed_namespaces(catalogs: &[CatalogMirrors]) -> Result<Vec<String>, Obstacle> {
    let missing = catalogs.iter().filter(|c| c.mirrors.is_empty());
    let missing: Vec<_> = missing.map(|c| c.catalog.image()).collect();
    if missing.len() == catalogs.len() {
        return Err(Obstacle::NoneMirrored);
    }
    if !missing.is_empty() {
        return Err(Obstacle::NotMirrored(missing));
    }
    let Some((first, others)) = catalogs.split_first() else { return Ok(Vec::new()) };
    let agreed = first.namespaces()?;
    for other in others {
        if other.namespaces()? != agreed {
            return Err(Obstacle::Disagreeing(first.catalog.image(), other.catalog.image()));
        }
    }
    Ok(agreed)
}

impl CatalogMirrors {
    /// The namespace at each mirror; an error where a mirror gives the index image another name.
    fn namespaces(&self) -> Result<Vec<String>, Obstacle> {
        let mut namespaces = Vec::new();
        for mirror in &self.mirrors {
            let namespace = mirror.strip_suffix(self.catalog.index).and_then(|rest| rest.strip_suffix('/'));
            let Some(namespace) = namespace else {
                return Err(Obstacle::Renamed(self.catalog.image(), mirror.clone()));
            };
            namespaces.push(namespace.to_owned());
        }
        Ok(namespaces)
    }
}

/// Checks that both eras resolve every catalog as the mirror sets do: the replace era can only use the first
/// mirror, the list era must have all in order. A mirror that gives no image reference is right in neither.
pub(super) fn prove(value: &str, catalogs: &[CatalogMirrors]) -> Result<(), Obstacle> {
    for CatalogMirrors { catalog, mirrors } in catalogs {
        if let Some(bad) = mirrors.iter().find(|mirror| DockerReference::parse(mirror).is_err()) {
            let namespace = bad.strip_suffix(&format!("/{}", catalog.index));
            return Err(Obstacle::NoReference(namespace.unwrap_or(bad).to_owned()));
        }
    }
    for reading in readings(value, &Releases::default(), Placement::Management) {
        for CatalogMirrors { catalog, mirrors } in catalogs {
            // There must be exactly one result: with several, HyperShift takes one at random.
            let places = reading.places(catalog);
            if !places.iter().map(Vec::as_slice).eq([reading.usable(mirrors)]) {
                return Err(Obstacle::Misread(catalog.image(), reading.readers.span));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use SetKind::{Icsp, Idms, Itms};

    use super::*;
    use crate::{
        context::Context,
        hypershift::Release,
        objects::{Entry, MirrorSet, Object, SetKind},
    };

    type Entries<'a> = &'a [(&'a str, &'a [&'a str])];
    type Sets<'a> = &'a [(SetKind, Entries<'a>)];

    fn derived(sets: Sets<'_>, releases: &Releases) -> Result<String, Obstacle> {
        let mut context = Context::default();
        for (at, (kind, entries)) in sets.iter().enumerate() {
            let entries = entries.iter().map(|(source, mirrors)| entry(source, mirrors)).collect();
            context.insert(Object::from(MirrorSet::new(*kind, &format!("s{at}"), entries)));
        }
        derive(context.view(), releases).value
    }

    fn entry(source: &str, mirrors: &[&str]) -> Entry {
        Entry {
            source: source.into(),
            mirrors: mirrors.iter().map(|m| Box::from(*m)).collect(),
            mirror_source_policy: None,
        }
    }

    const INDEXES: [&str; 4] = [
        "registry.redhat.io/redhat/certified-operator-index",
        "registry.redhat.io/redhat/community-operator-index",
        "registry.redhat.io/redhat/redhat-marketplace-index",
        "registry.redhat.io/redhat/redhat-operator-index",
    ];

    #[test]
    fn a_value_is_right_in_every_release() {
        let table: [(Sets<'_>, &str, &str); 5] = [
            (
                &[(Itms, &[("registry.redhat.io/redhat", &["m/redhat"])])],
                "registry.redhat.io/redhat=m/redhat",
                "a namespace",
            ),
            (
                &[(Idms, &[("registry.redhat.io", &["m/redhat.io"])])],
                "registry.redhat.io/redhat=m/redhat.io/redhat",
                "a registry: the namespace is appended to its mirror",
            ),
            (
                &[(Idms, &[("*.redhat.io", &["m/x"])])],
                "registry.redhat.io/redhat=m/x/redhat",
                "a wildcard: likewise",
            ),
            (
                &[
                    (Idms, &[("registry.redhat.io/redhat", &["digest/x"])]),
                    (Itms, &[("registry.redhat.io", &["tag"])]),
                ],
                "registry.redhat.io/redhat=tag/redhat",
                "tag sets come first",
            ),
            (
                &[(Itms, &[("registry.redhat.io/redhat", &["a/r", "b/r"])])],
                "registry.redhat.io/redhat=a/r,registry.redhat.io/redhat=b/r",
                "mirrors keep their order",
            ),
        ];
        for (sets, expected, reason) in table {
            assert_eq!(derived(sets, &Releases::default()), Ok(expected.to_owned()), "{reason}");
        }
    }

    #[test]
    fn there_is_no_value_where_none_is_right() {
        let [certified, community, marketplace, operators] = INDEXES.map(str::to_owned);
        let table: [(Sets<'_>, Obstacle, &str); 4] = [
            (
                &[(Itms, &[("registry.redhat.io/redhat", &["a/registry.redhat.io/redhat", "b/r"])])],
                Obstacle::Misread(certified.clone(), Span::REPLACED_CATALOGS),
                "the second mirror would be put into the first",
            ),
            (&[], Obstacle::NoneMirrored, "no mirror set"),
            (
                &[(Itms, &[(INDEXES[3], &["m/redhat/redhat-operator-index"])])],
                Obstacle::NotMirrored(vec![certified, community, marketplace]),
                "only one catalog",
            ),
            (
                &[(
                    Itms,
                    &[("registry.redhat.io/redhat", &["m/redhat"]), (INDEXES[3], &["m/mine/our-index"])],
                )],
                Obstacle::Renamed(operators, "m/mine/our-index".to_owned()),
                "a renamed index",
            ),
        ];
        for (sets, expected, reason) in table {
            assert_eq!(derived(sets, &Releases::default()), Err(expected), "{reason}");
        }
    }

    #[test]
    fn a_mirror_that_gives_no_image_reference_gives_no_value() {
        let table = [
            ("m.lab/redhat/", "a trailing slash"),
            ("m.lab/Redhat", "an upper-case path"),
            ("https://m.lab/redhat", "a URL"),
            ("m.lab/redhat:v1", "a tag"),
            ("", "an empty mirror"),
            ("m.lab/a,b", "a comma"),
            ("m.lab/a=b", "an equals sign"),
        ];
        for (mirror, reason) in table {
            for kind in [Icsp, Idms, Itms] {
                let entries: Entries<'_> = &[("registry.redhat.io/redhat", &["m.lab/redhat", mirror])];
                let found = derived(&[(kind, entries)], &Releases::default());
                let expected = Obstacle::NoReference(mirror.to_owned());
                assert_eq!(found, Err(expected), "{kind:?} {mirror}: {reason}");
            }
        }
    }

    #[test]
    fn the_marketplace_is_needed_until_4_21() {
        let sets: Sets<'_> = &[(
            Itms,
            &[
                (INDEXES[0], &["m/r/certified-operator-index"]),
                (INDEXES[1], &["m/r/community-operator-index"]),
                (INDEXES[3], &["m/r/redhat-operator-index"]),
            ],
        )];
        let without = Releases::from(Span::THREE_CATALOGS.first());
        assert_eq!(derived(sets, &without), Ok("registry.redhat.io/redhat=m/r".to_owned()));
        let with = Releases::from("4.21".parse::<Release>().unwrap());
        assert_eq!(derived(sets, &with), Err(Obstacle::NotMirrored(vec![INDEXES[2].to_owned()])));
    }
}
