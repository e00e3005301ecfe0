//! Derives the annotation's value from the mirror sets, where one is right in every release.

use super::{
    CatalogMirrors, Disagreeing, Obstacle, Release, Releases,
    catalogs::{self, DEFAULT_NAMESPACE},
    placement::{mirror_of, place},
};
use crate::{
    context::View,
    node::{Rendering, why_not_rendered},
    objects::reference::DockerReference,
};

/// The annotation's value for some releases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derivation {
    /// The annotation's value, or why there is none.
    pub value: Result<String, Obstacle>,
    /// Each catalog of the release. It has no mirrors where a pull from them would fail.
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

impl Derivations {
    /// Derives for releases with four catalogs and for those with three. A scan of all mirror sets, because an entry of
    /// any of them can keep the nodes from getting a file.
    pub fn of(view: View<'_>) -> Self {
        Self::unless(view, why_not_rendered(view).as_deref())
    }

    /// The same as if the nodes got a file: without a scan, for a single decision.
    pub fn if_rendered(view: View<'_>) -> Self {
        Self::unless(view, None)
    }

    fn unless(view: View<'_>, not_rendered: Option<&str>) -> Self {
        let three = Release::THREE_CATALOGS.into();
        Self {
            four: derive_unless(view, not_rendered, &Releases::default()),
            three: derive_unless(view, not_rendered, &three),
        }
    }

    /// The derivation that is right in all of the releases.
    pub fn for_releases(&self, releases: &Releases) -> &Derivation {
        if releases.begin_at(Release::THREE_CATALOGS) { &self.three } else { &self.four }
    }
}

/// Derives the value for releases.
///
/// A value is returned only where the nodes get a file, and where the models of both eras resolve every catalog to the
/// place that this file names. Sets that HyperShift manages are left out: they are not the management cluster's own.
pub fn derive(view: View<'_>, releases: &Releases) -> Derivation {
    derive_unless(view, why_not_rendered(view).as_deref(), releases)
}

/// Derives the value unless there is a reason why the nodes get no file.
fn derive_unless(view: View<'_>, not_rendered: Option<&str>, releases: &Releases) -> Derivation {
    let view = view.without_managed_sets();
    let rendering = Rendering::new(view);
    let error = rendering.error().map(|error| error.to_string());
    let not_rendered = not_rendered.or(error.as_deref());
    let mut obstacle = None;
    let mut mirrored = Vec::new();
    let mut is_covered = false;
    for catalog in catalogs::catalogs_of(releases) {
        is_covered |= view.nearest(&catalog.image(), |_| true).is_some();
        let placed = match not_rendered {
            Some(why) => Err(Obstacle::NotRendered(why.to_owned())),
            None => place(view, &rendering, catalog),
        };
        mirrored.push(placed.unwrap_or_else(|found| {
            obstacle.get_or_insert(found);
            CatalogMirrors::new(catalog, Vec::new())
        }));
    }
    let value = match obstacle {
        Some(obstacle) if is_covered => Err(obstacle),
        _ => derive_value(&mirrored),
    };
    Derivation { value, catalogs: mirrored }
}

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

/// Checks that both eras resolve every catalog as the mirror sets do: the replace era can only use the first
/// mirror, the list era must have all in order. A mirror that gives no image reference is right in neither.
pub(super) fn prove(value: &str, catalogs: &[CatalogMirrors]) -> Result<(), Obstacle> {
    for CatalogMirrors { catalog, mirrors, decided_by } in catalogs {
        if let Some(bad) = mirrors.iter().find(|mirror| DockerReference::parse(mirror).is_err()) {
            return Err(Obstacle::NoReference(mirror_of(bad, catalog).to_owned(), decided_by.clone()));
        }
    }
    let overrides = catalogs::parse(value).unwrap_or_default();
    for CatalogMirrors { catalog, mirrors, .. } in catalogs {
        let image = catalog.image();
        // Each era must have exactly one result: with several, HyperShift takes one at random.
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
mod against_nodes;
#[cfg(test)]
mod tests;
