//! Applies each fix of a cluster in files, and compares the cluster before and after.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use jiff::civil::date;
use mirrorguard_core::{
    hypershift::{Era, ReleaseLookupEra, metadata_lookup, overrides, release_lookup},
    node::{render, route_pull, validate},
    objects::{
        SetKind, TextEdit, apply_edits,
        manifest::{self, Located, Reading},
        reference::Image,
        to_yaml,
    },
    report::{Places, apply_fix},
    review::{Diagnostic, Reviewer},
    rules::{Applicability, FileObject, Fix, Level, Settings},
    state::State,
    write::Write,
};

use crate::{
    rerun::{Mode, rerun},
    spread::spread,
};

/// A cluster in one file.
pub(crate) struct Cluster<'a> {
    name: &'a str,
    text: String,
    settings: Settings,
    located: Vec<Located>,
    /// Objects that no API server accepts, because of their `apiVersion` or `kind`.
    misnamed: Vec<Located>,
    /// The cluster with these objects.
    state: State,
    /// What rules are asked about: the same without invalid values.
    valid: State,
}

/// The fixes that were tried, and those that do not hold.
#[derive(Default)]
pub(crate) struct Proof {
    /// How many, by rule.
    pub(crate) tried: BTreeMap<&'static str, usize>,
    failures: Vec<String>,
}

impl Proof {
    /// Panics with the smallest failure of each kind, if there is one.
    pub(crate) fn assert_holds(&self) {
        let mut kinds: BTreeMap<String, Vec<&String>> = BTreeMap::new();
        for failure in &self.failures {
            kinds.entry(kind_of(failure)).or_default().push(failure);
        }
        let mut text = String::new();
        for (kind, failures) in kinds {
            let smallest = failures.iter().min_by_key(|failure| failure.len()).map_or("", |failure| failure);
            let _ = writeln!(text, "{} fail: {kind}\n{smallest}\n", failures.len());
        }
        assert!(text.is_empty(), "of {:?}\n{text}", self.tried);
    }
}

/// The rule, what does not hold, and the rule of the first new finding. Words with a slash, a dot or a quote are left
/// out: they are images and values, which differ between failures of one kind. `("` begins the rule of a finding.
fn kind_of(failure: &str) -> String {
    let line = failure.lines().next().unwrap_or_default();
    let words = line.split(' ').filter(|word| !word.contains(['/', '.', '"']) || word.contains("(\""));
    words.take(4).collect::<Vec<_>>().join(" ")
}

/// A fault of a finding, the same in every state of the cluster: the rule, and a line of the finding's key.
type Fault = (&'static str, String);

impl<'a> Cluster<'a> {
    pub(crate) fn new(name: &'a str, text: String, settings: Settings) -> Self {
        let reading = manifest::read("cluster.yaml", text.clone());
        let Reading { objects: located, misnamed, .. } = reading;
        let state = located.iter().map(|located| located.object.clone()).collect();
        let valid = located.iter().map(|located| located.object.valid_part()).collect();
        Self { name, text, settings, located, misnamed, state, valid }
    }

    /// Applies each fix by itself, and all of them together, in the modes of `lint --fix`.
    pub(crate) fn prove_fixes(&self, proof: &mut Proof, modes: &[Mode]) {
        for mode in modes {
            if let Err(why) = rerun(&self.text, &self.settings, *mode) {
                proof.failures.push(format!("{why}\n{}: {mode:?}\n{}", self.name, self.text));
            }
        }
        let before = self.diagnostics();
        for fixed in &before {
            let fix = &fixed.finding.fix;
            let Some(text) = self.apply(fix) else { continue };
            *proof.tried.entry(fixed.rule.id).or_default() += 1;
            let after = Cluster::new(self.name, text, self.settings.clone());
            if let Err(why) = self.compare(&before, fixed, &after) {
                let (id, path, title) = (fixed.rule.id, &fixed.finding.path, &fix.title);
                proof.failures.push(format!(
                    "{id}: {why}\n{}: {path}: {title}\nbefore:\n{}\nafter:\n{}",
                    self.name, self.text, after.text
                ));
            }
        }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        let reviewer = Reviewer::new(&self.valid, &self.settings, date(2026, 1, 1));
        let objects = self.located.iter().map(|located| &located.object);
        let writes = objects.filter_map(Write::existing);
        let of_writes = writes.map(|write| reviewer.review(&write));
        let files = self.in_file().map(|located| {
            let written = FileObject { written: &located.written, earlier: None };
            reviewer.review_file(&written, located.object.exemption_request())
        });
        of_writes.chain(files).flat_map(|verdict| verdict.diagnostics).collect()
    }

    fn in_file(&self) -> impl Iterator<Item = &Located> {
        self.located.iter().chain(&self.misnamed)
    }

    /// The file after a fix; `None` if a person has to make it.
    fn apply(&self, fix: &Fix) -> Option<String> {
        let places: Places<'_> = self.in_file().map(|located| (&located.object, Some(located))).collect();
        let applied = apply_fix(None, fix, &places)?;
        let edits: Vec<_> = applied
            .edits
            .into_iter()
            .map(|edit| TextEdit { range: edit.start..edit.end, text: edit.text })
            .collect();
        let mut text = apply_edits(&self.text, &edits);
        let taken: BTreeSet<_> = self.in_file().map(|located| located.object.id()).collect();
        for object in applied.objects {
            assert!(!taken.contains(&object.id()), "{}: {} exists:\n{text}", self.name, object.id());
            text = format!("{}\n---\n{}", text.trim_end(), to_yaml(&object));
        }
        Some(text)
    }

    /// Whether the fix of `fixed`, one of the findings `before`, leads to `after` as it should.
    fn compare(&self, before: &[Diagnostic], fixed: &Diagnostic, after: &Self) -> Result<(), String> {
        let found = after.diagnostics();
        let others: Vec<_> = before.iter().filter(|other| other.finding != fixed.finding).cloned().collect();
        let mut left = faults(std::slice::from_ref(fixed), Level::Warn);
        left.retain(|fault| faults(&found, Level::Warn).contains(fault));
        // Another finding may have the same fault; that one is not fixed.
        if !left.is_subset(&faults(&others, Level::Warn)) {
            return Err(format!("still found: {left:?}"));
        }
        let known: BTreeSet<_> = faults(before, Level::Deny).into_iter().map(rule_and_value).collect();
        let errors = faults(&found, Level::Deny).into_iter();
        let new: Vec<_> = errors.filter(|fault| !known.contains(&rule_and_value(fault.clone()))).collect();
        let is_unread = fixed.rule.id.starts_with("unknown-");
        if !new.is_empty() {
            // What is invalid, or not read because of its name, takes part in no other rule until then.
            let shows_more = fixed.rule.id.starts_with("invalid-") || is_unread;
            return if shows_more { Ok(()) } else { Err(format!("new errors: {new:?}")) };
        }
        // The API server has no object with a repeated mirror, so that nothing was pulled by it.
        if [self, after].into_iter().any(Self::has_repeated_mirror) {
            return Ok(());
        }
        let spread = spread(&self.located, &after.located);
        if !spread.is_empty() && !is_unread {
            return Err(format!("spreads values without a registry: {spread:?}"));
        }
        let images = self.images(after);
        // If nothing rendered before, there is nothing to compare.
        let Some(was) = self.pulls(&images) else { return Ok(()) };
        let is = after.pulls(&images).ok_or("nothing renders any more")?;
        // What is read from then on may decide pulls that others decided before.
        if is_unread {
            return Ok(());
        }
        let applicability = fixed.finding.fix.applicability;
        for (image, was) in &was {
            // A namespace is no image: a mirror that is only a host makes no reference of it.
            if is[image].is_empty() && image.matches('/').count() == 1 {
                continue;
            }
            compare_pull(image, was, &is[image], applicability)?;
        }
        if applicability == Applicability::Safe { self.compare_lookups(after) } else { Ok(()) }
    }

    /// Whether an IDMS or ITMS lists a mirror twice.
    fn has_repeated_mirror(&self) -> bool {
        let mut sets = self.state.context().view().sets().filter(|set| set.kind != SetKind::Icsp);
        sets.any(|set| (0..set.entries.len()).any(|at| !set.repeated_mirrors(at).is_empty()))
    }

    /// Images at and below every source and mirror, by tag and by digest.
    fn images(&self, other: &Self) -> BTreeSet<String> {
        let sets = self.state.context().view().sets().chain(other.state.context().view().sets());
        let entries = sets.flat_map(|set| &set.entries);
        let scopes = entries.flat_map(|entry| entry.mirrors.iter().chain([&entry.source]));
        let scopes: BTreeSet<_> = scopes.map(|scope| scope.replace('*', "w")).collect();
        let digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        let mut images = BTreeSet::new();
        for scope in scopes {
            for end in ["", "/x"] {
                images.extend([format!("{scope}{end}:1"), format!("{scope}{end}{digest}")]);
            }
        }
        images.retain(|image| Image::parse(image).is_ok_and(|image| image.as_str().contains('/')));
        images
    }

    /// The places that each pull tries; `None` if nothing renders. A pull has none if it is blocked, or if a mirror
    /// makes no valid reference.
    fn pulls(&self, images: &BTreeSet<String>) -> Option<BTreeMap<String, Vec<String>>> {
        let view = self.state.context().view();
        validate(view).ok()?;
        let conf = render(view).ok()?;
        let tries = images.iter().map(|image| {
            let parsed = Image::parse(image).ok()?;
            Some((parsed.as_str().to_owned(), route_pull(&conf, &parsed).tries.unwrap_or_default()))
        });
        Some(tries.flatten().collect())
    }

    /// HyperShift finds every place where it looked before.
    fn compare_lookups(&self, after: &Self) -> Result<(), String> {
        let [was, is] = [self, after].map(Self::lookups);
        for (what, places) in was {
            let lost: Vec<_> = places.difference(&is[&what]).collect();
            if !lost.is_empty() {
                return Err(format!("{what} no longer looks at {lost:?}"));
            }
        }
        Ok(())
    }

    fn lookups(&self) -> BTreeMap<String, BTreeSet<String>> {
        let overrides = overrides(self.state.context().view());
        let mut lookups = BTreeMap::new();
        for repository in ["quay.io/openshift-release-dev/ocp-release", "a.example/x/y", "r.lab:5000/a/b"] {
            let image = format!("{repository}:4.18.5-x86_64");
            for era in [ReleaseLookupEra::Chained, ReleaseLookupEra::Separate] {
                let found = release_lookup(era, &overrides, &image).into_iter();
                let found = found.filter(|place| *place != image).collect();
                lookups.insert(format!("the release lookup of {image}, {era:?}"), found);
            }
            for era in [Era::Exact, Era::Prefix] {
                let found = metadata_lookup(era, &overrides, &image);
                let mut found: BTreeSet<_> =
                    found.map(|found| found.candidates).unwrap_or_default().into_iter().collect();
                // The image itself is tried in any case.
                found.retain(|place| place != repository && *place != image);
                lookups.insert(format!("the metadata lookup of {image}, {era:?}"), found);
            }
        }
        lookups
    }
}

/// A fault without the places that nodes try, which change with the objects around it.
fn rule_and_value((rule, key): Fault) -> Fault {
    (rule, key.split(' ').next().unwrap_or_default().to_owned())
}

/// The faults of the findings that are at least of this level.
fn faults(diagnostics: &[Diagnostic], from: Level) -> BTreeSet<Fault> {
    let counted = diagnostics.iter().filter(|diagnostic| diagnostic.level >= from);
    let keys = counted.flat_map(|diagnostic| {
        diagnostic.finding.key.split('\n').map(|key| (diagnostic.rule.id, key.to_owned()))
    });
    keys.collect()
}

/// No place is lost, and in a safe fix their order is kept. The source is never opened; only an unsafe fix closes it.
/// `was` and `is` are the places that the pull tries before and after the fix.
fn compare_pull(
    image: &str,
    was: &[String],
    is: &[String],
    applicability: Applicability,
) -> Result<(), String> {
    let tries_source = |places: &[String]| places.iter().any(|place| place == image);
    if !tries_source(was) && tries_source(is) {
        return Err(format!("{image} is opened: {was:?}, now {is:?}"));
    }
    let may_close = applicability == Applicability::Unsafe;
    let mut kept: Vec<_> = was.iter().filter(|place| *place != image || !may_close).collect();
    // A place that was listed twice in a row is enough once.
    kept.dedup();
    if !kept.iter().all(|place| is.contains(place)) {
        return Err(format!("{image} loses a place: {was:?}, now {is:?}"));
    }
    let mut rest = is.iter();
    let in_order = kept.iter().all(|place| rest.any(|other| other == *place));
    if !in_order && !may_close {
        return Err(format!("{image} has another order: {was:?}, now {is:?}"));
    }
    Ok(())
}
