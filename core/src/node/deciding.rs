//! What decides a pull, found without rendering the whole file.

use std::cmp::Reverse;

use super::{Placed, RenderError, Rendering, file_refusal, files, renders, rewrite};
use crate::{
    context::View,
    objects::{
        Pull,
        scope::{Ancestor, ancestors},
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
/// [`super::route_pull`] in the whole file, for an image whose tag or digest is in no scope of its own, and whose host
/// has no port: a scope that is the host without its port is not looked for.
pub fn deciding<'a>(
    view: View<'a>,
    rendering: &Rendering<'a>,
    repository: &str,
) -> Result<Option<Deciding<'a>>, RenderError> {
    let mut scopes: Vec<_> = ancestors(repository).map(Ancestor::to_scope).collect();
    scopes.insert(0, repository.into());
    // The longest scope that is in the file decides, whether it is a parent or a wildcard.
    scopes.sort_by_key(|scope| Reverse(scope.len()));
    for scope in &scopes {
        if let Some(placed) = rendering.registry_at(scope)? {
            return Ok(Some(describe(view, rendering, &placed, repository)));
        }
    }
    Ok(None)
}

fn describe<'a>(
    view: View<'a>,
    rendering: &Rendering<'a>,
    placed: &Placed<'_>,
    repository: &str,
) -> Deciding<'a> {
    let scope = placed.registry.scope;
    let mirrors = placed.registry.mirrors.iter();
    Deciding {
        scope: scope.to_owned(),
        source: own_source(view, scope).or_else(|| rendering.inherits_from(scope)),
        places: mirrors.map(|mirror| (mirror.pull, rewrite(repository, scope, &mirror.location))).collect(),
    }
}

/// The scope as the source of an entry with mirrors.
fn own_source<'a>(view: View<'a>, scope: &str) -> Option<&'a str> {
    let mut entries = view.entries(scope).map(|found| found.entry());
    entries.find(|entry| entry.is_effective()).map(|entry| &*entry.source)
}

/// Why nodes get no file that they can read: in the words of the machine-config operator, which renders none, or in
/// those of a node, which rejects it. `None` if they get one.
pub fn why_not_rendered(view: View<'_>) -> Option<String> {
    // Whether anything is rendered is known without rendering; only the reason needs all of it.
    if !renders(view) {
        return files(view).err().map(|error| error.to_string());
    }
    file_refusal(view, &Rendering::new(view)).map(|refusal| refusal.to_string())
}
