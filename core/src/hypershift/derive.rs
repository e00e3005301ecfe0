//! The annotation's value from the mirror sets, where one is right in every release.

use super::{
    Obstacle, Release, Releases,
    catalogs::{self, Catalog, DEFAULT_NAMESPACE},
};
use crate::{context::View, node, objects::reference::DockerReference};

/// Where the mirror sets place one catalog's index image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogMirrors {
    /// The catalog.
    pub catalog: &'static Catalog,
    /// Its index image at each mirror, in the order of the mirrors, without a tag.
    pub mirrors: Vec<String>,
}

/// What the mirror sets say about the catalogs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derivation {
    /// The annotation's value, or why there is none.
    pub value: Result<String, Obstacle>,
    /// Each catalog of the release.
    pub catalogs: Vec<CatalogMirrors>,
}

/// What the mirror sets say, worked out once for every release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derivations {
    four: Derivation,
    three: Derivation,
}

impl Derivations {
    /// Derives for releases with four catalogs and for those with three.
    pub fn of(view: View<'_>) -> Self {
        Self {
            four: derive(view, &Releases::default()),
            three: derive(view, &Release::THREE_CATALOGS.into()),
        }
    }

    /// The derivation that is right in all of the releases.
    pub fn for_releases(&self, releases: &Releases) -> &Derivation {
        if releases.begin_at(Release::THREE_CATALOGS) { &self.three } else { &self.four }
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
    let value = agreed_namespaces(&catalogs).and_then(|namespaces| {
        let pairs: Vec<_> = namespaces.iter().map(|place| format!("{DEFAULT_NAMESPACE}={place}")).collect();
        let value = pairs.join(",");
        prove(&value, &catalogs).map(|()| value)
    });
    Derivation { value, catalogs }
}

/// The image at each mirror of the most specific source that covers it. Tag sets come first, since the
/// catalogs are pulled by tag; then digest sets, since many mirror catalogs and write only those.
fn mirrors_of(view: View<'_>, image: &str) -> Vec<String> {
    let nearest = |by_digest| node::places(view, image, |found| found.set.kind.is_digest() == by_digest);
    nearest(false).or_else(|| nearest(true)).map(|found| found.places).unwrap_or_default()
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
    let namespaces = |of: &CatalogMirrors| -> Result<Vec<String>, Obstacle> {
        let namespace = |mirror: &String| {
            let kept = mirror.strip_suffix(of.catalog.index).and_then(|rest| rest.strip_suffix('/'));
            let renamed = || Obstacle::Renamed(of.catalog.image(), mirror.clone());
            kept.map(str::to_owned).ok_or_else(renamed)
        };
        of.mirrors.iter().map(namespace).collect()
    };
    let mut agreed: Option<(Vec<String>, &CatalogMirrors)> = None;
    for catalog in catalogs {
        let own = namespaces(catalog)?;
        match &agreed {
            Some((others, first)) if *others != own => {
                return Err(Obstacle::Disagreeing(first.catalog.image(), catalog.catalog.image()));
            }
            Some(_) => {}
            None => agreed = Some((own, catalog)),
        }
    }
    Ok(agreed.map(|(namespaces, _)| namespaces).unwrap_or_default())
}

/// Whether both eras read the value as the mirror sets mean it: the replace era can only ever use the
/// first mirror, the list era must have all in order. A mirror that gives no image reference is right in
/// neither.
pub(super) fn prove(value: &str, catalogs: &[CatalogMirrors]) -> Result<(), Obstacle> {
    for CatalogMirrors { catalog, mirrors } in catalogs {
        if let Some(bad) = mirrors.iter().find(|mirror| DockerReference::parse(mirror).is_err()) {
            let namespace = bad.strip_suffix(&format!("/{}", catalog.index));
            return Err(Obstacle::NoReference(namespace.unwrap_or(bad).to_owned()));
        }
    }
    let overrides = catalogs::parse(value).unwrap_or_default();
    for CatalogMirrors { catalog, mirrors } in catalogs {
        let image = catalog.image();
        let replaced = catalogs::replace_era(&overrides, &image);
        if !replaced.iter().eq(mirrors.first()) {
            return Err(Obstacle::Misread(image, "up to 4.16"));
        }
        let listed = catalogs::list_era(&overrides, catalog);
        if !listed.iter().eq([mirrors]) {
            return Err(Obstacle::Misread(image, "from 4.17 on"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use SetKind::{Idms, Itms};

    use super::*;
    use crate::{
        context::Context,
        objects::{Entry, MirrorSet, Object, SetKind},
    };

    type Entries<'a> = &'a [(&'a str, &'a [&'a str])];
    type Sets<'a> = &'a [(SetKind, Entries<'a>)];

    fn derived(sets: Sets<'_>, releases: &Releases) -> Result<String, String> {
        let set = |(at, (kind, entries)): (usize, &(SetKind, Entries<'_>))| {
            let entry = |(source, mirrors): &(&str, &[&str])| Entry {
                source: (*source).into(),
                mirrors: mirrors.iter().map(|m| Box::from(*m)).collect(),
                mirror_source_policy: None,
            };
            let entries = entries.iter().map(entry).collect();
            Object::from(MirrorSet::new(*kind, &format!("s{at}"), entries))
        };
        let context: Context = sets.iter().enumerate().map(set).collect();
        derive(context.view(), releases).value.map_err(|obstacle| obstacle.to_string())
    }

    const INDEXES: [&str; 4] = [
        "registry.redhat.io/redhat/certified-operator-index",
        "registry.redhat.io/redhat/community-operator-index",
        "registry.redhat.io/redhat/redhat-marketplace-index",
        "registry.redhat.io/redhat/redhat-operator-index",
    ];

    #[test]
    fn a_value_is_right_everywhere_or_there_is_none() {
        let table: [(Sets, Result<&str, &str>, &str); 9] = [
            (
                &[(Itms, &[("registry.redhat.io/redhat", &["m/redhat"])])],
                Ok("registry.redhat.io/redhat=m/redhat"),
                "namespace",
            ),
            (
                &[(Idms, &[("registry.redhat.io", &["m/redhat.io"])])],
                Ok("registry.redhat.io/redhat=m/redhat.io/redhat"),
                "a registry source is carried down to the namespace",
            ),
            (
                &[(Idms, &[("*.redhat.io", &["m/x"])])],
                Ok("registry.redhat.io/redhat=m/x/redhat"),
                "a wildcard too",
            ),
            (
                &[
                    (Idms, &[("registry.redhat.io/redhat", &["digest/x"])]),
                    (Itms, &[("registry.redhat.io", &["tag"])]),
                ],
                Ok("registry.redhat.io/redhat=tag/redhat"),
                "tag sets come first",
            ),
            (
                &[(Itms, &[("registry.redhat.io/redhat", &["a/r", "b/r"])])],
                Ok("registry.redhat.io/redhat=a/r,registry.redhat.io/redhat=b/r"),
                "mirrors in order",
            ),
            (
                &[(Itms, &[("registry.redhat.io/redhat", &["a/registry.redhat.io/redhat", "b/r"])])],
                Err(
                    "releases up to 4.16 would not look for registry.redhat.io/redhat/certified-operator-index where the mirror sets place it",
                ),
                "the second mirror would be put into the first",
            ),
            (&[], Err("no mirror set covers the index images of the default catalogs"), "nothing"),
            (
                &[(Itms, &[(INDEXES[3], &["m/redhat/redhat-operator-index"])])],
                Err(
                    "no mirror set covers registry.redhat.io/redhat/certified-operator-index, registry.redhat.io/redhat/community-operator-index, registry.redhat.io/redhat/redhat-marketplace-index",
                ),
                "only one catalog",
            ),
            (
                &[(
                    Itms,
                    &[("registry.redhat.io/redhat", &["m/redhat"]), (INDEXES[3], &["m/mine/our-index"])],
                )],
                Err(
                    "mirror \"m/mine/our-index\" gives registry.redhat.io/redhat/redhat-operator-index another name",
                ),
                "a renamed index",
            ),
        ];
        for (sets, expected, reason) in table {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(derived(sets, &Releases::default()), expected, "{reason}");
        }
    }

    #[test]
    fn a_mirror_that_gives_no_image_reference_gives_no_value() {
        let table = [
            ("m.lab/redhat/", "a slash too many"),
            ("m.lab/Redhat", "a path is lower case"),
            ("https://m.lab/redhat", "a URL"),
            ("m.lab/redhat:v1", "a tag"),
            ("", "nothing"),
            ("m.lab/a,b", "two in one"),
            ("m.lab/a=b", "a pair"),
        ];
        for (mirror, reason) in table {
            for kind in [SetKind::Icsp, Idms, Itms] {
                let found = derived(
                    &[(kind, &[("registry.redhat.io/redhat", &["m.lab/redhat", mirror])])],
                    &Releases::default(),
                );
                let expected = format!("mirror \"{mirror}\" gives no valid image reference");
                assert_eq!(found, Err(expected), "{kind:?} {mirror}: {reason}");
            }
        }
    }

    #[test]
    fn the_marketplace_is_needed_until_4_21() {
        let entries = [0, 1, 3].map(|at| {
            (
                INDEXES[at],
                [
                    "m/r/certified-operator-index",
                    "m/r/community-operator-index",
                    "",
                    "m/r/redhat-operator-index",
                ][at],
            )
        });
        let entries = entries.map(|(source, mirror)| (source, [mirror]));
        let entries: Vec<(&str, &[&str])> = entries.iter().map(|(s, m)| (*s, m.as_slice())).collect();
        let sets = [(SetKind::Itms, entries.as_slice())];
        let release = |minor| Releases::from(Release { major: 4, minor });
        assert_eq!(derived(&sets, &release(22)), Ok("registry.redhat.io/redhat=m/r".to_owned()));
        assert_eq!(
            derived(&sets, &release(21)),
            Err("no mirror set covers registry.redhat.io/redhat/redhat-marketplace-index".to_owned())
        );
    }
}
