//! What decides a pull, found without rendering the whole file.

use std::cmp::Reverse;

use super::{Placed, RenderError, Rendering, rewrite};
use crate::{
    context::View,
    objects::{
        Format, Pull,
        scope::{matching_prefix, matching_scopes},
    },
};

/// The registry of the file that decides where the images of a repository are pulled from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deciding<'a> {
    /// Its scope.
    pub scope: String,
    /// The source whose entries give it its mirrors: its own, or the one above that it inherits from. `None` if it
    /// has no mirrors.
    pub source: Option<&'a str>,
    /// The repository at each mirror, in the order of the file, and the pulls that the mirror serves.
    pub places: Vec<(Pull, String)>,
}

impl Deciding<'_> {
    /// The repository at each mirror for this kind of pull, in the order in which they are tried.
    pub fn places_for(&self, pull: Pull) -> Vec<String> {
        let of_pull = self.places.iter().filter(|(served, _)| *served == pull);
        of_pull.map(|(_, place)| place.clone()).collect()
    }
}

/// The registry that decides where the images of a repository are pulled from; `None` if none covers it. The same as
/// [`super::route_pull`] in the whole file.
pub fn deciding<'a>(
    view: View<'a>,
    rendering: &Rendering<'a>,
    repository: &str,
) -> Result<Option<Deciding<'a>>, RenderError> {
    let Some((scope, _)) = deciding_scope(view, rendering, repository) else { return Ok(None) };
    let placed = rendering.registry_at(scope)?;
    Ok(placed.map(|placed| describe(view, rendering, &placed, repository)))
}

fn describe<'a>(
    view: View<'a>,
    rendering: &Rendering<'a>,
    placed: &Placed<'_>,
    repository: &str,
) -> Deciding<'a> {
    let scope = placed.registry.scope;
    let mirrors = placed.registry.mirrors.iter();
    let own = view.effective(scope).next().map(|found| &*found.entry().source);
    Deciding {
        scope: scope.to_owned(),
        source: own.or_else(|| rendering.inherits_from(scope)),
        places: mirrors.map(|mirror| (mirror.pull, rewrite(repository, scope, &mirror.location))).collect(),
    }
}

/// The scope of the file that decides about a name, and where it ends in the name: the same as [`super::registry_of`]
/// in the whole file, without rendering that. `rendering` is of `view`.
///
/// Follows `containers/image pkg/sysregistriesv2` `FindRegistry`.
pub(super) fn deciding_scope<'a>(
    view: View<'a>,
    rendering: &Rendering<'a>,
    name: &str,
) -> Option<(&'a str, usize)> {
    let mut scopes: Vec<&str> = slashed_sources(view).filter_map(|source| rendering.source(source)).collect();
    // As the file has them, but before those without slashes.
    scopes.sort_unstable();
    scopes.splice(0..0, matching_scopes(name).find_map(|scope| rendering.source(&scope.to_scope())));
    scopes.extend(rendering.listed());
    // The order of `matching_scopes`; a listed scope may have slashes at its end, too.
    let matching = scopes.iter().map(|scope| scope.trim_end_matches('/'));
    let matching = matching.filter_map(|trimmed| Some((trimmed, matching_prefix(name, trimmed)?)));
    let (decides, end) = matching.min_by_key(|(trimmed, _)| (Reverse(trimmed.len()), *trimmed))?;
    // Of scopes that differ only in such slashes, the first in the file.
    let same = scopes.into_iter().filter(|scope| scope.trim_end_matches('/') == decides);
    let first =
        same.min_by_key(|scope| rendering.registry_at(scope).ok().flatten().map(|placed| placed.section));
    first.map(|scope| (scope, end))
}

/// The sources with slashes at their end, which match as if they had none. Only up to 4.15 does the operator accept
/// them; a scan, since there is no end to the slashes that a source may have.
fn slashed_sources(view: View<'_>) -> impl Iterator<Item = &str> {
    let sets = (view.format() == Format::UpTo415).then(|| view.sets()).into_iter().flatten();
    let sources = sets.flat_map(|set| &set.entries).map(|entry| &*entry.source);
    sources.filter(|source| source.ends_with('/'))
}
