//! Where the mirror sets place an image, without rendering the file.

use super::merge;
use crate::{
    context::{EntryRef, View},
    objects::scope::{matching_prefix, names_registry},
};

/// The nearest source that covers a scope, and the scope at each of its mirrors. Made of the mirror sets alone, while
/// [`super::Deciding`] also reads which scopes the image configuration lists.
#[derive(Debug, Clone)]
pub struct Places<'a> {
    /// The source.
    pub source: &'a str,
    /// The entries with this source, in no particular order.
    pub entries: Vec<EntryRef<'a>>,
    /// The scope at each mirror, in the order they are tried.
    pub places: Vec<String>,
}

impl Places<'_> {
    /// Whether nodes can pull from them: one without a registry stops every pull of the source.
    pub fn are_usable(&self) -> bool {
        self.places.iter().all(|place| names_registry(place))
    }
}

/// Where the entries that count place a repository or a namespace; `None` where no source covers it. `counts` should
/// accept entries for one kind of pull only, as the mirrors of all that it accepts are merged into one list.
pub fn places<'a>(view: View<'a>, scope: &str, counts: impl Fn(&EntryRef<'a>) -> bool) -> Option<Places<'a>> {
    let (source, entries) = view.nearest(scope, counts)?;
    let lists: Vec<_> = entries.iter().map(|found| &*found.entry().mirrors).collect();
    let merged = merge(source, &lists).mirrors;
    let places = merged.iter().map(|mirror| rewrite(scope, source, mirror)).collect();
    Some(Places { source, entries, places })
}

/// A scope that a source matches, at one of the source's mirrors. Neither the port after a wildcard nor that after a host
/// without one is replaced: with source `m.lab` and mirror `n.lab`, `m.lab:5000/x` becomes `n.lab:5000/x`.
///
/// Follows `containers/image pkg/sysregistriesv2` `rewriteReference`.
pub fn rewrite(scope: &str, source: &str, mirror: &str) -> String {
    let end = matching_prefix(scope, source.trim_end_matches('/')).unwrap_or(scope.len());
    format!("{}{}", mirror.trim_end_matches('/'), &scope[end..])
}
