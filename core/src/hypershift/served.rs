//! Where the catalogs of the management cluster itself serve the default index images from.

use std::collections::BTreeMap;

use super::{
    CatalogMirrors, Deciders, Obstacle, Releases,
    catalogs::{self, DEFAULT_REGISTRY},
};
use crate::{
    context::View,
    objects::{ObjectId, reference::Image, scope::is_nested},
};

/// The repositories that serve an index image, with the objects that name them.
type Served = BTreeMap<String, Vec<(ObjectId, String)>>;

/// Each catalog of the releases at the one repository that a CatalogSource or ClusterCatalog serves it from, other than
/// Red Hat's registry; without mirrors where none does. An obstacle where they serve one catalog from two repositories.
pub(super) fn served(view: View<'_>, releases: &Releases) -> Result<Vec<CatalogMirrors>, Obstacle> {
    let mut by_index = served_by_index(view);
    let mut found = Vec::new();
    for catalog in catalogs::catalogs_of(releases) {
        let repositories = by_index.remove(catalog.index).unwrap_or_default();
        let is_ambiguous = repositories.len() > 1;
        let mirrors = repositories.keys().cloned().collect();
        let decided_by = Deciders::new(repositories.into_values().flatten().collect());
        if is_ambiguous {
            return Err(Obstacle::ServedTwice(catalog.image(), decided_by));
        }
        found.push(CatalogMirrors { catalog, mirrors, decided_by });
    }
    Ok(found)
}

/// The repositories that the catalogs of the management cluster serve from, by their last path element: that of an
/// index image, such as `redhat-operator-index`, whatever the namespace.
fn served_by_index(view: View<'_>) -> BTreeMap<String, Served> {
    let mut by_index: BTreeMap<String, Served> = BTreeMap::new();
    for catalog in view.catalogs() {
        // An image without a registry host does not say where it is.
        let Ok(image) = Image::parse_canonical(&catalog.image) else { continue };
        let repository = image.name();
        if is_nested(repository, DEFAULT_REGISTRY) {
            continue;
        }
        let index = repository.rsplit('/').next().unwrap_or(repository);
        let served = by_index.entry(index.to_owned()).or_default();
        let field = (catalog.id(), catalog.kind.image_path().to_owned());
        served.entry(repository.to_owned()).or_default().push(field);
    }
    by_index
}
