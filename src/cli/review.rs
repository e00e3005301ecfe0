//! Reviews the objects that a command has read.

use mirrorguard_core::{
    objects::{CatalogKind, Object, manifest::Located},
    report::{Reviewed, review_each},
    review::{Reviewer, Sequence, Verdict, existing::Found},
    rules::{FileObject, Settings},
    state::State,
    write::Write,
};

use super::input::Input;
use crate::clock::today;

/// Reviews every object of the input for `lint`: as it is, or as a write upon the objects of `against`, and with the
/// rules about files. `audit` and `render` call [`review`].
pub(super) fn review_input<'a>(
    input: &'a Input,
    against: &[Input],
    settings: &Settings,
) -> Vec<Reviewed<'a>> {
    let mut reviewed = if against.is_empty() {
        // An invalid source or mirror is reported in its own object, and plays no part in the review of the others.
        review_existing(input, &input.objects().map(Object::valid_part).collect(), settings)
    } else {
        review_writes(input, against, settings)
    };
    review_files(&mut reviewed, input, settings);
    reviewed.retain(is_reported);
    reviewed
}

/// Reviews every object of the input as it is, in a cluster with this state, without the rules about files. `lint`
/// calls [`review_input`].
pub(super) fn review<'a>(input: &'a Input, state: &State, settings: &Settings) -> Vec<Reviewed<'a>> {
    let mut reviewed = review_existing(input, state, settings);
    reviewed.retain(is_reported);
    reviewed
}

/// Whether a report lists an object. Catalogs are only read to derive catalog overrides: without a finding they count
/// as skipped.
fn is_reported(one: &Reviewed<'_>) -> bool {
    let catalogs = [CatalogKind::CatalogSource, CatalogKind::ClusterCatalog];
    let is_catalog = catalogs.iter().any(|kind| kind.name() == one.object.kind);
    !is_catalog || !one.verdict.diagnostics.is_empty() || !one.verdict.exempted.is_empty()
}

/// Reviews every object as one that exists in a cluster with this state, without the rules about files.
fn review_existing<'a>(input: &'a Input, state: &State, settings: &Settings) -> Vec<Reviewed<'a>> {
    let reviewer = Reviewer::new(state, settings, today());
    // What the nodes get for the release image is reported for the image configuration; for the ClusterVersion only
    // where there is none.
    let has_config = input.objects().any(|object| matches!(object, Object::ImageConfig(it) if it.counts()));
    review_each(input.with_places(), |object| match (object, Write::existing(object)) {
        (_, Some(write)) => reviewer.review(&write),
        (Object::ClusterVersion(_), None) if !has_config => reviewer.review_release_image(),
        (_, None) => Verdict::default(),
    })
}

/// Reviews every object of the input as a write, as if they were applied one after another. The warnings are those that
/// are left when all are applied.
fn review_writes<'a>(input: &'a Input, against: &[Input], settings: &Settings) -> Vec<Reviewed<'a>> {
    let existing = against.iter().flat_map(Input::with_places);
    let existing: Vec<_> = existing.map(|(object, place)| Found { object, live: place.is_none() }).collect();
    let verdicts = Sequence::onto(&existing, settings, today()).review_all(input.objects());
    // One for each object, in the order of `objects`, which is that of `with_places`.
    let mut verdicts = verdicts.into_iter();
    review_each(input.with_places(), |_| verdicts.next().unwrap_or_default())
}

/// Adds what the rules about files find in each object of files, and the objects that only they review.
fn review_files<'a>(reviewed: &mut Vec<Reviewed<'a>>, input: &'a Input, settings: &Settings) {
    // Rules about files read no state.
    let state = State::default();
    let rules = Reviewer::new(&state, settings, today());
    let earlier = input.earlier();
    let file_verdict = |located: &Located, earlier: Option<&str>| {
        let object = FileObject { written: &located.written, earlier };
        rules.review_file(&object, located.object.exemption_request())
    };
    // `reviewed` has one verdict for each object, those of files first and in their order, so the three go together.
    for ((one, located), earlier) in reviewed.iter_mut().zip(&input.located).zip(&earlier) {
        one.add(file_verdict(located, earlier.as_deref()));
    }
    for located in &input.misnamed {
        let mut one =
            Reviewed { object: located.object.id(), place: Some(located), verdict: Verdict::default() };
        one.add(file_verdict(located, None));
        reviewed.push(one);
    }
}
