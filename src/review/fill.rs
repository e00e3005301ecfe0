//! The catalog overrides annotation, filled in.

use json_patch::{AddOperation, Patch, PatchOperation, jsonptr::PointerBuf};
use serde_json::{Map, Value};

use super::{Reviewer, Verdict};
use crate::{
    objects::{HostedCluster, annotation},
    rules::{Check, HostedWrite, Level, RULES},
};

/// What is done to a HostedCluster.
#[derive(Debug, Clone, Default)]
pub struct Filling {
    /// The patch; empty where the object is left as it is.
    pub patch: Patch,
    /// Why it was left although mirror sets speak of the catalogs.
    pub verdict: Verdict,
}

/// Fills the annotation in, or leaves it and says why.
///
/// A value that is there already, an empty one too, is the owner's, unless it is the one we wrote: then it is
/// brought up to date. Filling in twice changes nothing.
///
/// An update that changes nothing that is read here leaves the annotations alone too, even where the mirror sets
/// have moved on: a label or a finalizer is not to send a hosted cluster's catalogs elsewhere.
pub fn fill_in(reviewer: &Reviewer<'_>, old: Option<&HostedCluster>, hosted: &HostedCluster) -> Filling {
    if old == Some(hosted) {
        return Filling::default();
    }
    let write = reviewer.hosted_write(None, hosted);
    let is_ours = hosted.has_derived_overrides();
    if write.leaves_catalogs_alone() || (hosted.speaks_of_catalog_overrides() && !is_ours) {
        return Filling::default();
    }
    filled(reviewer, &write, is_ours)
}

fn filled(reviewer: &Reviewer<'_>, write: &HostedWrite<'_>, is_ours: bool) -> Filling {
    let hosted = write.new;
    match &write.derivations.for_releases(&write.releases()).value {
        Ok(value) if hosted.catalog_overrides() != Some(value) => {
            Filling { patch: patch(hosted, value), ..Filling::default() }
        }
        Ok(_) => Filling::default(),
        Err(obstacle) if is_ours => {
            let text = format!(
                "[catalogs-not-expressible] the catalog overrides filled in earlier stay, although {}. \
                 Fix: mirror the catalogs again, or remove both annotations",
                obstacle.short()
            );
            let verdict = Verdict { remarks: vec![(Level::Warn, text)], ..Verdict::default() };
            Filling { verdict, ..Filling::default() }
        }
        Err(_) => {
            let mut judged = reviewer.judge(RULES, |check, findings| {
                if let Check::HostedCluster(check) = check {
                    check(write, findings);
                }
            });
            judged.retain(|judged| judged.rule.id == "catalogs-not-expressible");
            for judged in &mut judged {
                judged.level = Level::Warn;
            }
            Filling { verdict: Verdict { judged, ..Verdict::default() }, ..Filling::default() }
        }
    }
}

fn patch(hosted: &HostedCluster, value: &str) -> Patch {
    let add = |path: &[&str], value: Value| {
        PatchOperation::Add(AddOperation { path: PointerBuf::from_tokens(path.iter().copied()), value })
    };
    let both = [annotation::CATALOG_OVERRIDES, annotation::DERIVED];
    if hosted.metadata.annotations.is_empty() {
        // Absent, null and {} alike: the whole map is put there.
        let map: Map<_, _> = both.iter().map(|name| ((*name).to_owned(), value.into())).collect();
        return Patch(vec![add(&["metadata", "annotations"], Value::Object(map))]);
    }
    Patch(both.iter().map(|name| add(&["metadata", "annotations", name], value.into())).collect())
}
