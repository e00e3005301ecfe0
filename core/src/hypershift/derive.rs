//! Derives the annotation's value, where one is right in every release.

use std::{borrow::Cow, fmt};

use serde::Serialize;

use super::{
    CatalogMirrors, Disagreeing, Obstacle, Placement, Releases, Span,
    catalogs::{self, Catalog, DEFAULT_NAMESPACE, EmptySides},
    misreading::{misreadings, places_meant},
    placement::{mirror_of, place},
    reading::readings,
    served::served,
};
use crate::{
    context::View,
    node::{Rendering, why_not_rendered},
    objects::reference::DockerReference,
};

/// What a value comes from, in this order: the first that names the default catalogs decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    /// `catalogOverrides.value` of the configuration.
    Configuration,
    /// The mirror sets, as nodes read them.
    MirrorSets,
    /// CatalogSources and ClusterCatalogs of the management cluster, where no mirror set covers a default catalog.
    Catalogs,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Configuration => "the configuration",
            Self::MirrorSets => "the mirror sets",
            Self::Catalogs => "the catalogs of the management cluster",
        })
    }
}

impl Origin {
    /// Its name and the verb before the places that it names.
    pub fn says(self) -> String {
        let verb = if self == Self::Configuration { "says" } else { "say" };
        format!("{self} {verb}")
    }
}

/// The annotation's value for some releases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derivation {
    /// The annotation's value, or why there is none.
    pub value: Result<String, Obstacle>,
    /// What the value comes from, or what stands in its way.
    pub from: Origin,
    /// Each catalog that any of the releases has. It has no mirrors where none is known, or a pull from them would
    /// fail.
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
    /// Derives for releases with four catalogs and for those with three, where the nodes get a file.
    pub fn of(view: View<'_>) -> Self {
        let not_rendered = why_not_rendered(view);
        Self::by(|releases| derive_unless(view, not_rendered.as_deref(), releases))
    }

    /// The same from the mirror sets alone, and as if the nodes got a file.
    pub fn of_mirror_sets(view: View<'_>) -> Self {
        Self::by(|releases| derive_from_sets(view, None, releases))
    }

    fn by(derive: impl Fn(&Releases) -> Derivation) -> Self {
        Self { four: derive(&Releases::default()), three: derive(&Span::THREE_CATALOGS.first().into()) }
    }

    /// The derivation that is right in all of the releases.
    pub fn for_releases(&self, releases: &Releases) -> &Derivation {
        if Span::THREE_CATALOGS.contains_all(releases) { &self.three } else { &self.four }
    }

    /// The configured value where there is one, or else the derivation that is right in all of the releases.
    pub fn or_configured(&self, configured: Option<&str>, releases: &Releases) -> Cow<'_, Derivation> {
        match configured {
            Some(value) => Cow::Owned(configured_value(value, releases)),
            None => Cow::Borrowed(self.for_releases(releases)),
        }
    }
}

/// A configured value, or the obstacle where some release misreads it, and the places that its text means.
fn configured_value(value: &str, releases: &Releases) -> Derivation {
    // An empty value and `=` count as absent: they place nothing. A pair with an empty side means nothing, whatever some
    // releases make of it.
    let overrides = catalogs::parse(value, EmptySides::Dropped).unwrap_or_default();
    let of_catalog = |catalog| CatalogMirrors::new(catalog, places_meant(&overrides, &catalog.image()));
    let found: Vec<_> = catalogs::catalogs_of(releases).map(of_catalog).collect();
    // With this placement every release reads the annotation, and those with a list use all places.
    let value = match misreadings(value, releases, Placement::Management, None).first() {
        Some(misreading) => Err(Obstacle::Configured(misreading.to_string())),
        None => Ok(value.to_owned()),
    };
    Derivation { value, from: Origin::Configuration, catalogs: found }
}

/// Derives the value for releases.
///
/// A value is returned only where the nodes get a file, and where the models of both eras resolve every catalog to the
/// place that this file names. Sets that HyperShift manages are left out: they are not the management cluster's own.
/// Where no set covers a default catalog, the place is the one that a CatalogSource or ClusterCatalog serves it from.
pub fn derive(view: View<'_>, releases: &Releases) -> Derivation {
    derive_unless(view, why_not_rendered(view).as_deref(), releases)
}

/// Derives the value. `not_rendered` is why the nodes get no file that they can read, if so: the mirror sets then give
/// no value.
fn derive_unless(view: View<'_>, not_rendered: Option<&str>, releases: &Releases) -> Derivation {
    let of_sets = derive_from_sets(view, not_rendered, releases);
    if of_sets.value != Err(Obstacle::NoneMirrored) {
        return of_sets;
    }
    derive_from_catalogs(view, releases).unwrap_or(of_sets)
}

/// Derives the value from the catalogs of the management cluster; `None` where they serve no mirrored index image.
fn derive_from_catalogs(view: View<'_>, releases: &Releases) -> Option<Derivation> {
    let from = Origin::Catalogs;
    let served = match served(view, releases) {
        Ok(served) => served,
        Err(obstacle) => {
            let unknown = |catalog| CatalogMirrors::new(catalog, Vec::new());
            let catalogs = catalogs::catalogs_of(releases).map(unknown).collect();
            return Some(Derivation { value: Err(obstacle), from, catalogs });
        }
    };
    let value = match derive_value(&served) {
        Err(Obstacle::NoneMirrored) => return None,
        Err(Obstacle::NotMirrored(images)) => Err(Obstacle::NotServed(images)),
        value => value,
    };
    Some(Derivation { value, from, catalogs: served })
}

/// Derives the value from the mirror sets alone. `not_rendered` is as in [`derive_unless`].
fn derive_from_sets(view: View<'_>, not_rendered: Option<&str>, releases: &Releases) -> Derivation {
    let view = view.without_managed_sets();
    let rendering = Rendering::new(view);
    // Checked although the whole view was: a listed scope that had its mirrors from a managed set may now have only a
    // wildcard source above it, which is an error. And for `Derivations::of_mirror_sets`, nothing was checked before.
    let error = rendering.check().err().map(|error| error.to_string());
    let not_rendered = not_rendered.or(error.as_deref());
    let mut obstacle = None;
    let mut mirrored = Vec::new();
    let mut is_covered = false;
    for catalog in catalogs::catalogs_of(releases) {
        is_covered |= view.covers(&catalog.image(), |_| true);
        let placed = match not_rendered {
            Some(why) => Err(Obstacle::NotRendered(why.to_owned())),
            None => place(view, &rendering, catalog),
        };
        mirrored.push(placed.unwrap_or_else(|found| {
            obstacle.get_or_insert(found);
            CatalogMirrors::new(catalog, Vec::new())
        }));
    }
    // If no set covers any catalog, an obstacle does not matter: `derive_value` reports that none is mirrored.
    let value = match obstacle {
        Some(obstacle) if is_covered => Err(obstacle),
        _ => derive_value(&mirrored),
    };
    Derivation { value, from: Origin::MirrorSets, catalogs: mirrored }
}

/// The value for catalogs at these mirrors.
fn derive_value(catalogs: &[CatalogMirrors]) -> Result<String, Obstacle> {
    let namespaces = agreed_namespaces(catalogs)?;
    let pairs: Vec<_> = namespaces.iter().map(|place| format!("{DEFAULT_NAMESPACE}={place}")).collect();
    let value = pairs.join(",");
    prove(&value, catalogs)?;
    Ok(value)
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
        let namespaces = other.namespaces()?;
        if namespaces != agreed {
            return Err(Obstacle::Disagreeing(
                Disagreeing::new(first, &agreed).into(),
                Disagreeing::new(other, &namespaces).into(),
            ));
        }
    }
    Ok(agreed)
}

/// Checks that every release, whichever is asked for, resolves each catalog as the mirror sets do: the replace era can
/// only use the first mirror, the list era must have all in order. A mirror that gives no image reference is right in
/// neither.
pub(super) fn prove(value: &str, catalogs: &[CatalogMirrors]) -> Result<(), Obstacle> {
    for CatalogMirrors { catalog, mirrors, decided_by } in catalogs {
        if let Some(bad) = mirrors.iter().find(|mirror| DockerReference::parse(mirror).is_err()) {
            return Err(Obstacle::NoReference(mirror_of(bad, catalog).to_owned(), decided_by.clone()));
        }
    }
    for reading in readings(value, &Releases::default(), Placement::Management) {
        for CatalogMirrors { catalog, mirrors, .. } in catalogs {
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
mod against_nodes;
#[cfg(test)]
mod origins;
#[cfg(test)]
mod tests;
