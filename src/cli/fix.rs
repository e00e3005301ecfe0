//! `mirrorguard lint --fix`: applies fixes to files, until none is left.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
};

use anyhow::{Context as _, Result, bail};
use mirrorguard_core::{
    objects::{ObjectId, TextEdit, apply_edits, manifest, to_yaml},
    report::{AppliedFix, FileEdit, Places, Reviewed, apply_fix, findings},
    rules::Applicability,
};
use similar::TextDiff;

use super::{input::Input, output::Output, words::plural};

/// The number of rounds: a fix may make room for another one.
const MAX_ROUNDS: usize = 10;

/// Which fixes are applied, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct FixOptions {
    /// Also those after which nodes or HyperShift pull differently.
    pub(super) unsafe_fixes: bool,
    /// Shows the changes instead of writing them.
    pub(super) diff: bool,
}

/// The texts of files, by name, before and after.
#[derive(Debug, Default)]
pub(super) struct Fixed {
    files: BTreeMap<String, (String, String)>,
    count: usize,
}

/// Applies the fixes of what `review` finds, round after round. The input then has the fixed objects.
pub(super) fn fix_all(
    input: &mut Input,
    against: &[Input],
    options: FixOptions,
    review: impl Fn(&Input) -> Vec<Reviewed<'_>>,
) -> Result<Fixed> {
    if input.located.is_empty() && input.misnamed.is_empty() {
        bail!("--fix requires files: specify PATH");
    }
    let mut fixed = Fixed::default();
    for _ in 0..MAX_ROUNDS {
        let (round, count) = {
            let reviewed = review(input);
            let places = against.iter().chain([&*input]).flat_map(Input::with_places).collect();
            Round::choose(input, &reviewed, &places, options)
        };
        if count == 0 {
            break;
        }
        fixed.count += count;
        fixed.apply(input, round)?;
    }
    Ok(fixed)
}

/// The edits of one round, by file. No two of them overlap.
struct Round(BTreeMap<String, Vec<TextEdit>>);

impl Round {
    fn choose(
        input: &Input,
        reviewed: &[Reviewed<'_>],
        places: &Places<'_>,
        options: FixOptions,
    ) -> (Self, usize) {
        let files: BTreeMap<_, _> =
            input.located.iter().map(|located| (&*located.source.name, &*located.source.text)).collect();
        let (mut round, mut count, mut created) = (Self(BTreeMap::new()), 0, BTreeSet::new());
        for (one, diagnostic) in findings(reviewed) {
            let fix = &diagnostic.finding.fix;
            if fix.applicability == Applicability::Unsafe && !options.unsafe_fixes {
                continue;
            }
            let Some(applied) = apply_fix(one.place, fix, places) else { continue };
            // An object that no edit can change is left to a person.
            let only_new = applied.objects.len() == fix.objects.len();
            let Some(place) = one.place.filter(|_| only_new) else { continue };
            let Some(edits) = with_new_objects(applied, &place.source.name, &files, &mut created) else {
                continue;
            };
            // Not the files of `--against`.
            if edits.iter().all(|edit| files.contains_key(&*edit.file)) && round.add(edits) {
                count += 1;
            }
        }
        (round, count)
    }

    /// Adds edits, unless one of them touches a place that another fix changes.
    fn add(&mut self, edits: Vec<FileEdit>) -> bool {
        let is_free = |edit: &FileEdit| {
            let others = self.0.get(&edit.file).into_iter().flatten();
            others.into_iter().all(|other| edit.end <= other.range.start || other.range.end <= edit.start)
        };
        if !edits.iter().all(is_free) {
            return false;
        }
        for FileEdit { file, start, end, text } in edits {
            let edits = self.0.entry(file).or_default();
            edits.push(TextEdit { range: start..end, text });
            edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
        }
        true
    }
}

/// The edits of a fix, and one that adds its new objects at the end of a file. `None` where they cannot be added: to
/// JSON, or next to a new object of the same name.
fn with_new_objects(
    applied: AppliedFix<'_>,
    file: &str,
    files: &BTreeMap<&str, &str>,
    created: &mut BTreeSet<ObjectId>,
) -> Option<Vec<FileEdit>> {
    let mut edits = applied.edits;
    let text = files.get(file)?;
    let is_json = text.trim_start().starts_with(['{', '[']);
    for object in &applied.objects {
        if is_json || !created.insert(object.id()) {
            return None;
        }
        let newline = if text.ends_with('\n') { "" } else { "\n" };
        let text_added = format!("{newline}---\n{}", to_yaml(object));
        edits.push(FileEdit { file: file.to_owned(), start: text.len(), end: text.len(), text: text_added });
    }
    Some(edits)
}

impl Fixed {
    /// Whether nothing changes.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Edits the texts, and reads the objects again.
    fn apply(&mut self, input: &mut Input, Round(round): Round) -> Result<()> {
        let mut texts = BTreeMap::new();
        for located in input.located.iter().chain(&input.misnamed) {
            let source = &located.source;
            if let Some(edits) = round.get(&source.name) {
                texts
                    .entry(source.name.clone())
                    .or_insert_with(|| (source.text.clone(), apply_edits(&source.text, edits)));
            }
        }
        let (located, misnamed) = (std::mem::take(&mut input.located), std::mem::take(&mut input.misnamed));
        let mut done = BTreeSet::new();
        let objects = located.into_iter().map(|one| (one, false));
        for (one, is_misnamed) in objects.chain(misnamed.into_iter().map(|one| (one, true))) {
            let name = one.source.name.clone();
            match texts.get(&name) {
                None if is_misnamed => input.misnamed.push(one),
                None => input.located.push(one),
                Some((_, after)) if done.insert(name.clone()) => {
                    let reading = manifest::read(&name, after.clone());
                    // The file may have had errors before: one more is the fault of the edits.
                    if let Some(error) = reading.errors.get(errors_in(input, &name)) {
                        bail!("a fix would break {name}, which is unchanged: {error}");
                    }
                    input.located.extend(reading.objects);
                    input.misnamed.extend(reading.misnamed);
                }
                Some(_) => {}
            }
        }
        // The text before is that of the first round.
        for (name, (before, after)) in texts {
            self.files.entry(name).or_insert((before, String::new())).1 = after;
        }
        Ok(())
    }

    /// Writes the files, or prints how they change.
    pub(super) fn finish(&self, options: FixOptions, output: &Output) -> Result<()> {
        let mut diff = String::new();
        for (name, (before, after)) in &self.files {
            if options.diff {
                let lines = TextDiff::from_lines(before, after);
                let _ = write!(diff, "{}", lines.unified_diff().header(name, name));
            } else {
                fs::write(name, after).with_context(|| format!("cannot write {name}"))?;
            }
        }
        output.result(&diff)?;
        let files = plural(self.files.len(), "file");
        let count = match self.count {
            1 => "1 fix".to_owned(),
            count => format!("{count} fixes"),
        };
        output.message(&match (self.count, options.diff) {
            (0, _) => "no fix applies\n".to_owned(),
            (_, true) => format!("{count} would change {files}\n"),
            (_, false) => format!("{count} applied to {files}\n"),
        });
        Ok(())
    }
}

/// How many errors a file had before.
fn errors_in(input: &Input, name: &str) -> usize {
    let places = input.unread.iter().filter_map(|unread| unread.place.as_ref());
    places.filter(|(file, _)| file == name).count()
}
