//! Reviews the objects that a command has read.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mirrorguard_core::{
    objects::{CatalogKind, Object, manifest::Located},
    report::{Reviewed, UnknownValues, review_each},
    review::{Reviewer, Sequence, Verdict, existing::Found},
    rules::{Earlier, FileObject, MigrationObstacle, Settings},
    state::State,
    write::Write,
};

use super::input::{Input, has_same_entries, place_of_name};
use crate::clock::today;

/// Reviews every object of the input for `lint`: as it is, or as a write upon the objects of `against`, and with the
/// rules about files. `audit` and `render` call [`review`].
pub(super) fn review_input<'a>(
    input: &'a Input,
    against: &[Input],
    settings: &Settings,
) -> Vec<Reviewed<'a>> {
    let located = against.iter().flat_map(|input| &input.located);
    let unknown = UnknownValues::of(located.chain(&input.located).chain(&input.misnamed));
    let settings = &Settings {
        open_sources: unknown.open_sources().clone(),
        migration_obstacle: MigrationObstacle::find(input.with_places()),
        ..settings.clone()
    };
    let mut reviewed = if against.is_empty() {
        let clusters = Clusters::of(input);
        review_existing(input, |place| clusters.state_of(place), settings)
    } else {
        review_writes(input, against, settings)
    };
    review_files(&mut reviewed, input, settings);
    unknown.withhold(&mut reviewed);
    reviewed.retain(is_reported);
    sort_by_line(&mut reviewed);
    reviewed
}

/// Sorts the objects of each file by line. The files stay in their order; objects of a cluster come behind them, in
/// theirs.
fn sort_by_line(reviewed: &mut [Reviewed<'_>]) {
    let mut files: HashMap<&str, usize> = HashMap::new();
    for place in reviewed.iter().filter_map(|one| one.place) {
        let next = files.len();
        files.entry(&place.source.name).or_insert(next);
    }
    reviewed.sort_by_cached_key(|one| match one.place {
        Some(place) => (files[&*place.source.name], Some(place.position(""))),
        None => (files.len(), None),
    });
}

/// Reviews every object of the input as it is, in a cluster with this state, without the rules about files. `lint`
/// calls [`review_input`].
pub(super) fn review<'a>(input: &'a Input, state: &State, settings: &Settings) -> Vec<Reviewed<'a>> {
    let mut reviewed = review_existing(input, |_| state, settings);
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

/// The clusters that the objects of an input are of: one, unless install-configs, `ManifestWorks` or `SyncSets` are for
/// several. Then nobody knows which of them the other objects are for, so these are reviewed as a cluster of their own.
struct Clusters<'a> {
    /// All objects where there is one cluster, else those that are for none of `own`.
    common: State,
    /// The clusters by [`Located::cluster`], where there are several.
    own: BTreeMap<&'a str, State>,
}

impl<'a> Clusters<'a> {
    fn of(input: &'a Input) -> Self {
        let clusters = input.located.iter().filter_map(|located| located.cluster.as_deref());
        let mut own: BTreeMap<&str, State> = clusters.map(|cluster| (cluster, State::default())).collect();
        if own.len() < 2 {
            own.clear();
        }
        let mut common = Vec::new();
        for (object, place) in input.with_places() {
            // An invalid source or mirror is reported in its own object, and plays no part in the review of the others.
            let object = object.valid_part();
            match place.and_then(|place| own.get_mut(place.cluster.as_deref()?)) {
                Some(state) => state.insert(object),
                None => common.push(object),
            }
        }
        Self { common: common.into_iter().collect(), own }
    }

    fn state_of(&self, place: Option<&Located>) -> &State {
        let own = place.and_then(|place| self.own.get(place.cluster.as_deref()?));
        own.unwrap_or(&self.common)
    }
}

/// Reviews every object as one that exists in a cluster with the state for its place, without the rules about files.
fn review_existing<'a, 's>(
    input: &'a Input,
    state_of: impl Fn(Option<&Located>) -> &'s State,
    settings: &Settings,
) -> Vec<Reviewed<'a>> {
    // What the nodes get for the release image is reported for the image configuration; for the ClusterVersion only
    // where there is none. One that may be of any cluster counts for all.
    let cluster_of = |place: Option<&'a Located>| place.and_then(|place| place.cluster.as_deref());
    let configs =
        input.with_places().filter(|(object, _)| matches!(object, Object::ImageConfig(it) if it.counts()));
    let configs: BTreeSet<_> = configs.map(|(_, place)| cluster_of(place)).collect();
    let today = today();
    // One for each object, in the order of `with_places`.
    let mut places = input.with_places().map(|(_, place)| place);
    review_each(input.with_places(), |object| {
        let Some(place) = places.next() else { return Verdict::default() };
        let state = state_of(place);
        let has_config = configs.contains(&None) || configs.contains(&cluster_of(place));
        let reviewer = Reviewer::new(state, settings, today);
        match (object, Write::existing(object)) {
            (_, Some(write)) => reviewer.review(&write),
            (Object::ClusterVersion(_), None) if !has_config => reviewer.review_release_image(),
            (_, None) => Verdict::default(),
        }
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
    let file_verdict = |located: &Located, earlier: Option<&Located>| {
        let place = earlier.map(place_of_name);
        let earlier = earlier
            .zip(place.as_deref())
            .map(|(earlier, place)| Earlier { place, has_same_entries: has_same_entries(earlier, located) });
        let object = FileObject { written: &located.written, earlier };
        rules.review_file(&object, located.object.exemption_request())
    };
    // `reviewed` has one verdict for each object, those of files first and in their order, so the three go together.
    for ((one, located), earlier) in reviewed.iter_mut().zip(&input.located).zip(&earlier) {
        one.add(file_verdict(located, *earlier));
    }
    for located in &input.misnamed {
        let mut one =
            Reviewed { object: located.object.id(), place: Some(located), verdict: Verdict::default() };
        one.add(file_verdict(located, None));
        reviewed.push(one);
    }
}
