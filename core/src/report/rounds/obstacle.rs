//! The fixes that are left to a person, and why.

use std::collections::BTreeSet;

use super::{Files, round::is_for_replaced};
use crate::{
    objects::manifest::Located,
    report::{Places, findings, fix::obstacle},
    rules::{Applicability, Fix, Rule},
};

/// The fixes of what is found in the files that cannot be made by editing them, each in a sentence without a full stop.
pub(super) fn left_alone(files: &impl Files, unsafe_fixes: bool) -> BTreeSet<String> {
    let (reviewed, places) = (files.review(), files.places());
    let mut left = BTreeSet::new();
    for (one, diagnostic) in findings(&reviewed) {
        let fix = &diagnostic.finding.fix;
        if fix.is_applicable()
            && (unsafe_fixes || fix.applicability == Applicability::Safe)
            && let Some(place) = one.place
            && let Some(why) = why_not(place, diagnostic.rule, fix, &places)
        {
            let (file, rule) = (place.place(&diagnostic.finding.path), diagnostic.rule.id);
            left.insert(format!("{file}: {rule} is left to you, because {why}"));
        }
    }
    left
}

fn why_not(place: &Located, rule: &Rule, fix: &Fix, places: &Places<'_>) -> Option<String> {
    if is_for_replaced(place, rule, fix, places) {
        return Some(format!("a later {} replaces the object", place.written.id));
    }
    obstacle(place, fix, places)
}
