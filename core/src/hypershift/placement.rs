//! Where the mirror sets place the index image of a catalog, and which objects decide that.

use std::fmt;

use super::{Obstacle, catalogs::Catalog};
use crate::{
    context::{EntryRef, View},
    node::{Deciding, Rendering, deciding, rewrite},
    objects::{
        ImageConfig, ObjectId, Pull,
        reference::{Image, ReferenceError},
        scope::names_registry,
    },
};

/// Where one catalog's index image is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogMirrors {
    /// The catalog.
    pub catalog: &'static Catalog,
    /// Its index image at each mirror, in the order of the mirrors, without a tag.
    pub mirrors: Vec<String>,
    /// What decides that.
    pub decided_by: Deciders,
}

impl CatalogMirrors {
    /// A catalog at mirrors that no object decides.
    pub fn new(catalog: &'static Catalog, mirrors: Vec<String>) -> Self {
        Self { catalog, mirrors, decided_by: Deciders::default() }
    }

    /// The namespace at each mirror; an error where a mirror gives the index image another name.
    pub(super) fn namespaces(&self) -> Result<Vec<String>, Obstacle> {
        let mut namespaces = Vec::new();
        for mirror in &self.mirrors {
            let Some(namespace) = self.catalog.namespace_of(mirror) else {
                return Err(Obstacle::Renamed(self.catalog.image(), mirror.clone(), self.decided_by.clone()));
            };
            namespaces.push(namespace.to_owned());
        }
        Ok(namespaces)
    }
}

/// The first few fields that decide where a catalog is pulled from. Displayed as their objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deciders {
    /// Each object with the path of the field.
    pub fields: Vec<(ObjectId, String)>,
    /// How many objects have none of these fields, but others that decide.
    pub more: usize,
}

/// More fields than these are not kept.
const KEPT: usize = 3;

impl Deciders {
    /// The first of these fields, and the number of the other objects. The fields of one object must be adjacent.
    pub fn new(mut fields: Vec<(ObjectId, String)>) -> Self {
        let mut rest = fields.split_off(fields.len().min(KEPT));
        rest.retain(|(object, _)| fields.last().is_none_or(|(last, _)| object != last));
        rest.dedup_by(|(object, _), (before, _)| object == before);
        Self { fields, more: rest.len() }
    }
}

impl fmt::Display for Deciders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<_> = self.fields.iter().map(|(object, _)| object.to_string()).collect();
        names.dedup();
        f.write_str(&names.join(", "))?;
        if self.more > 0 { write!(f, " and {} more", self.more) } else { Ok(()) }
    }
}

/// Where the nodes' file places a catalog's index image: at the mirrors for a pull by tag, since the catalogs are
/// pulled by tag, and where the deciding scope has none, at those for a pull by digest, since many people who mirror
/// catalogs write digest sets only. An obstacle, if a pull through these mirrors fails.
pub(super) fn place<'a>(
    view: View<'a>,
    rendering: &Rendering<'a>,
    catalog: &'static Catalog,
) -> Result<CatalogMirrors, Obstacle> {
    let image = catalog.image();
    let found =
        deciding(view, rendering, &image).map_err(|error| Obstacle::NotRendered(error.to_string()))?;
    let Some(found) = found else { return Ok(CatalogMirrors::new(catalog, Vec::new())) };
    let (pull, mirrors) = places_by_tag(&found);
    let decided_by = deciders(view, &found, pull);
    // What follows the source in the image follows the mirror in the place.
    let rest = rewrite(&image, found.source.unwrap_or(&image), "");
    for place in &mirrors {
        check_pull(place, &rest, &decided_by)?;
    }
    Ok(CatalogMirrors { catalog, mirrors, decided_by })
}

/// The places for a pull by tag, or else for one by digest.
fn places_by_tag(found: &Deciding<'_>) -> (Pull, Vec<String>) {
    match found.places_for(Pull::Tag) {
        by_tag if by_tag.is_empty() => (Pull::Digest, found.places_for(Pull::Digest)),
        by_tag => (Pull::Tag, by_tag),
    }
}

/// Checks that nodes can pull from a place; they fail at one that they cannot read, later mirrors included. `rest` is
/// the part of the place that is not the mirror.
fn check_pull(place: &str, rest: &str, decided_by: &Deciders) -> Result<(), Obstacle> {
    let Err(error) = Image::parse_canonical(place) else { return Ok(()) };
    let mirror = place.strip_suffix(rest).unwrap_or(place).to_owned();
    if error == ReferenceError::NotCanonical && !names_registry(place) {
        return Err(Obstacle::Unqualified(mirror, decided_by.clone()));
    }
    Err(Obstacle::NoReference(mirror, decided_by.clone()))
}

/// What to name as the mirror of a catalog's place, where only the place is known: its namespace, or the whole place if
/// the index image has another name there.
pub fn mirror_of<'p>(place: &'p str, catalog: &Catalog) -> &'p str {
    catalog.namespace_of(place).unwrap_or(place)
}

/// The entries that give a scope its mirrors for these pulls, and the list of the image configuration because of
/// which the scope is in the file, if it is not a source itself.
fn deciders(view: View<'_>, found: &Deciding<'_>, pull: Pull) -> Deciders {
    let Some(source) = found.source else { return Deciders::default() };
    let mut entries: Vec<_> = view.entries(source).filter(|entry| entry.serves(pull)).collect();
    entries.sort_by_key(EntryRef::order);
    let listed = (source != found.scope).then(|| listing(view.image_config(), &found.scope)).flatten();
    let entries =
        entries.into_iter().map(|entry| (entry.set.id(), entry.set.field_path(entry.index, "source")));
    Deciders::new(listed.into_iter().chain(entries).collect())
}

/// The field of the image configuration that lists a scope.
fn listing(config: &ImageConfig, scope: &str) -> Option<(ObjectId, String)> {
    let lists = [
        ("blockedRegistries", &config.blocked_registries),
        ("insecureRegistries", &config.insecure_registries),
    ];
    lists.into_iter().find_map(|(list, scopes)| {
        let at = scopes.iter().position(|listed| listed == scope)?;
        Some((ObjectId::new("Image", "", "cluster"), format!("spec.registrySources.{list}[{at}]")))
    })
}
