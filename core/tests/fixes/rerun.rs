//! Applies all fixes of a file, as `lint --fix` does, and then again: the second time changes nothing.

use std::collections::BTreeSet;

use jiff::civil::date;
use mirrorguard_core::{
    objects::{
        Object,
        manifest::{self, Located, Reading},
    },
    report::{Files, Places, Reviewed, fix_all, review_each},
    review::{Reviewer, Sequence, Verdict},
    rules::{FileObject, Settings},
    state::State,
    write::Write,
};

/// How a file is fixed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mode {
    /// Whether its objects are reviewed as writes to an empty cluster, one after another.
    as_writes: bool,
    /// Whether fixes are applied that change pulls.
    unsafe_fixes: bool,
}

impl Mode {
    pub(crate) const ALL: [Self; 4] = [
        Self { as_writes: false, unsafe_fixes: false },
        Self { as_writes: false, unsafe_fixes: true },
        Self { as_writes: true, unsafe_fixes: false },
        Self { as_writes: true, unsafe_fixes: true },
    ];
}

/// The objects of one file.
struct File<'a> {
    reading: Reading,
    errors: usize,
    settings: &'a Settings,
    mode: Mode,
}

impl<'a> File<'a> {
    fn new(text: String, settings: &'a Settings, mode: Mode) -> Self {
        let reading = manifest::read(NAME, text);
        Self { errors: reading.errors.len(), reading, settings, mode }
    }

    fn verdicts(&self) -> Vec<Verdict> {
        let (objects, today) = (self.reading.objects.iter().map(|located| &located.object), date(2026, 1, 1));
        if self.mode.as_writes {
            return Sequence::onto(&[], self.settings, today).review_all(objects);
        }
        let state: State = objects.clone().map(Object::valid_part).collect();
        let reviewer = Reviewer::new(&state, self.settings, today);
        objects
            .map(|object| Write::existing(object).map(|write| reviewer.review(&write)).unwrap_or_default())
            .collect()
    }

    fn places_of(&self) -> impl Iterator<Item = (&Object, Option<&Located>)> {
        self.reading.objects.iter().map(|located| (&located.object, Some(located)))
    }
}

const NAME: &str = "cluster.yaml";

impl Files for File<'_> {
    fn located(&self) -> impl Iterator<Item = &Located> {
        self.reading.objects.iter().chain(&self.reading.misnamed)
    }

    fn places(&self) -> Places<'_> {
        let misnamed = self.reading.misnamed.iter().map(|located| (&located.object, Some(located)));
        misnamed.chain(self.places_of()).collect()
    }

    fn errors_in(&self, _: &str) -> usize {
        self.errors
    }

    fn review(&self) -> Vec<Reviewed<'_>> {
        let mut verdicts = self.verdicts().into_iter();
        let mut reviewed = review_each(self.places_of(), |_| verdicts.next().unwrap_or_default());
        let misnamed = self.reading.misnamed.iter().map(|located| Reviewed {
            object: located.object.id(),
            place: Some(located),
            verdict: Verdict::default(),
        });
        reviewed.extend(misnamed);
        let state = State::default();
        let rules = Reviewer::new(&state, self.settings, date(2026, 1, 1));
        for one in &mut reviewed {
            if let Some(place) = one.place {
                one.add(rules.review_file(&FileObject { written: &place.written, earlier: None }, ""));
            }
        }
        reviewed
    }

    fn replace(&mut self, _: &str, reading: Reading) {
        self.reading = reading;
    }
}

/// Fixes a file twice. Fails if that breaks it, defines an object twice, or changes something at the second time.
pub(crate) fn rerun(text: &str, settings: &Settings, mode: Mode) -> Result<(), String> {
    let mut file = File::new(text.to_owned(), settings, mode);
    let before = ids(&file);
    let fixed = fix_all(&mut file, mode.unsafe_fixes);
    let Some((_, after)) = fixed.files.get(NAME) else { return Ok(()) };
    let failure = |what: &str| Err(format!("all fixes {what}\nafter:\n{after}\nbefore:"));
    if !fixed.skipped.is_empty() {
        return failure(&format!("include broken ones: {:?}", fixed.skipped));
    }
    if has_repeats(&ids(&file)) && !has_repeats(&before) {
        return failure("repeat an object");
    }
    let mut again = File::new(after.clone(), settings, mode);
    match fix_all(&mut again, mode.unsafe_fixes).files.get(NAME) {
        Some((_, after)) => failure(&format!("change something again:\n{after}\n")),
        None => Ok(()),
    }
}

fn ids(file: &File<'_>) -> Vec<String> {
    file.located().map(|located| located.object.id().to_string()).collect()
}

fn has_repeats(ids: &[String]) -> bool {
    ids.iter().collect::<BTreeSet<_>>().len() < ids.len()
}
