//! Fills in the catalog overrides annotation.

use std::slice;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Diagnostic, Reviewer, Verdict};
use crate::{
    objects::{HostedCluster, annotation},
    rules::{HostedWrite, Level, catalogs_not_expressible},
    write::Operation,
};

/// The result of filling in a HostedCluster's catalog overrides.
#[derive(Debug, Clone, Default)]
pub struct Filling {
    /// The patch; empty if the object is not changed.
    pub patch: Patch,
    /// What the value comes from, or why the object is not changed although the catalogs are mirrored.
    pub verdict: Verdict,
}

/// A JSON patch (RFC 6902) that consists of `add` operations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Patch(Vec<Addition>);

/// An `add` operation of a JSON patch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "op", rename = "add")]
struct Addition {
    /// A JSON pointer (RFC 6901).
    path: String,
    /// The new value.
    value: Value,
}

impl Patch {
    /// Whether it has no operations.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Fills in the annotation, or explains why not.
///
/// An existing value, even an empty one, belongs to the owner and is left alone. Only a value that mirrorguard filled
/// in itself is updated. Filling in twice changes nothing.
///
/// An update that changes nothing that is read here does not change the annotations either, even if the mirror sets
/// have changed: a label or a finalizer must not move a hosted cluster's catalogs.
pub fn fill_in(reviewer: &Reviewer<'_>, operation: Operation<&HostedCluster>) -> Filling {
    let Some(hosted) = operation.after().copied() else { return Filling::default() };
    if operation.before().copied() == Some(hosted) {
        return Filling::default();
    }
    let write = reviewer.hosted_write(None, hosted);
    let is_ours = hosted.has_derived_overrides();
    if write.leaves_catalogs_alone() || (hosted.has_catalog_overrides_annotation() && !is_ours) {
        return Filling::default();
    }
    let derivation = write.derivation();
    match &derivation.value {
        Ok(value) if hosted.catalog_overrides() == Some(value) => Filling::default(),
        Ok(value) => {
            let verdict = Verdict { filled_in_from: Some(derivation.from), ..Verdict::default() };
            Filling { patch: patch(hosted, value), verdict }
        }
        Err(obstacle) if is_ours => {
            // The rule of `not_expressible` reports nothing for an object that has the annotation.
            let text = format!(
                "[catalogs-not-expressible] the catalog overrides that mirrorguard filled in are kept, but are out of \
                 date: {}. Fix: mirror the catalogs again, or remove both annotations",
                obstacle.short()
            );
            let verdict = Verdict { remarks: vec![(Level::Warn, text)], ..Verdict::default() };
            Filling { verdict, ..Filling::default() }
        }
        Err(_) => Filling { verdict: Verdict::of(not_expressible(reviewer, &write)), ..Filling::default() },
    }
}

/// Why no value is right, as warnings: filling in rejects no write. If the rule is set to reject, the validating
/// webhook does.
fn not_expressible(reviewer: &Reviewer<'_>, write: &HostedWrite<'_>) -> Vec<Diagnostic> {
    let mut found = reviewer.evaluate_hosted(slice::from_ref(&catalogs_not_expressible::RULE), write);
    for diagnostic in &mut found {
        diagnostic.level = Level::Warn;
    }
    found
}

/// Sets both annotations to the value. While they are equal, mirrorguard may update it; see
/// [`HostedCluster::has_derived_overrides`].
fn patch(hosted: &HostedCluster, value: &str) -> Patch {
    let both = [annotation::CATALOG_OVERRIDES, annotation::DERIVED];
    if hosted.metadata.annotations.is_empty() {
        // The map may be absent or null, and nothing can be added below it: it is added as a whole.
        let map: Map<_, _> = both.iter().map(|name| ((*name).to_owned(), value.into())).collect();
        return Patch(vec![Addition { path: "/metadata/annotations".to_owned(), value: map.into() }]);
    }
    // `add` also replaces a value, here that of an earlier filling.
    let additions = both.iter().map(|name| {
        let path = format!("/metadata/annotations/{}", name.replace('~', "~0").replace('/', "~1"));
        Addition { path, value: value.into() }
    });
    Patch(additions.collect())
}
