//! The fixes of one round: no two of them change the same part of a file.

use std::{
    collections::{BTreeMap, BTreeSet},
    ptr,
};

use super::{
    Fault, Files,
    taken::{Role, Taken},
};
use crate::{
    objects::{
        Change, MirrorSet, Object, ObjectId, Origin, SetKind, TextEdit, apply_edits,
        manifest::{self, Located, Reading},
    },
    report::{FileEdit, Places, Reviewed, apply_fix, findings},
    rules::{Applicability, Fix, Rule},
};

/// A fix that is to be applied.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    pub(super) fault: Fault,
    edits: Vec<FileEdit>,
}

/// The fixes of a round.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) chosen: Vec<Chosen>,
}

impl Round {
    /// Chooses fixes that can be made by editing the files.
    pub(super) fn choose(
        files: &impl Files,
        reviewed: &[Reviewed<'_>],
        may_apply: impl Fn(&Fault, Applicability) -> bool,
    ) -> Self {
        let mut choice = Choice::new(files);
        let mut round = Self::default();
        for (one, diagnostic) in findings(reviewed) {
            let fault = Fault::new(one, diagnostic);
            let fix = &diagnostic.finding.fix;
            if may_apply(&fault, fix.applicability)
                && let Some(place) = one.place
                && !is_for_replaced(place, diagnostic.rule, fix, &choice.places)
                && let Some(edits) = choice.edits(place, fix)
            {
                round.chosen.push(Chosen { fault, edits });
            }
        }
        round
    }

    /// The fixes after which every file is as readable as before. One that breaks a file only next to others is left to
    /// the next round.
    pub(super) fn accept(self, files: &impl Files) -> Accepted {
        let originals = originals(files);
        let mut accepted = Accepted::default();
        let mut pending = vec![self.chosen];
        while let Some(mut part) = pending.pop() {
            let together: Vec<_> = [&accepted.chosen[..], &part].concat();
            match edited(files, &originals, &together) {
                Ok(edited) => (accepted.chosen, accepted.files) = (together, edited),
                Err(_) if part.len() > 1 => {
                    let second = part.split_off(part.len() / 2);
                    pending.extend([second, part]);
                }
                Err(_) => {
                    let alone = part.pop();
                    accepted.broken.extend(alone.and_then(|one| {
                        let why = edited(files, &originals, std::slice::from_ref(&one)).err()?;
                        Some((one, why))
                    }));
                }
            }
        }
        accepted
    }
}

/// The fixes of a round that are applied, and what comes of it.
#[derive(Debug, Default)]
pub(super) struct Accepted {
    pub(super) chosen: Vec<Chosen>,
    /// The files that they change, by name.
    pub(super) files: BTreeMap<String, Edited>,
    /// The fixes that break a file by themselves, each with the error.
    pub(super) broken: Vec<(Chosen, String)>,
}

/// A file before and after fixes.
#[derive(Debug)]
pub(super) struct Edited {
    pub(super) before: String,
    pub(super) after: String,
    /// What is read of the text after them.
    pub(super) reading: Reading,
}

/// A file as it is before a round.
struct Original<'f> {
    text: &'f str,
    /// How many objects it has.
    objects: usize,
    /// How many of them are mirror sets without an entry.
    empty: usize,
}

fn originals(files: &impl Files) -> BTreeMap<&str, Original<'_>> {
    let mut originals = BTreeMap::new();
    for located in files.located() {
        let text = &*located.source.text;
        let original =
            originals.entry(&*located.source.name).or_insert(Original { text, objects: 0, empty: 0 });
        original.objects += 1;
        original.empty += usize::from(is_empty(located));
    }
    originals
}

/// Whether an object is a mirror set without an entry.
fn is_empty(located: &Located) -> bool {
    let Object::MirrorSet(set) = &located.object else { return false };
    set.origin == Origin::Object && set.entries.is_empty()
}

/// The files that fixes change; an error that a file has only after them.
fn edited(
    files: &impl Files,
    originals: &BTreeMap<&str, Original<'_>>,
    chosen: &[Chosen],
) -> Result<BTreeMap<String, Edited>, String> {
    let mut by_file: BTreeMap<&str, Vec<TextEdit>> = BTreeMap::new();
    for FileEdit { file, start, end, text } in chosen.iter().flat_map(|chosen| &chosen.edits) {
        by_file.entry(file).or_default().push(TextEdit { range: *start..*end, text: text.clone() });
    }
    let mut edited = BTreeMap::new();
    for (file, mut edits) in by_file {
        let Some(Original { text, objects, empty }) = originals.get(file) else { continue };
        // What is inserted at one place stays in the order of the fixes.
        edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
        let after = apply_edits(text, &edits);
        let reading = manifest::read(file, after.clone());
        // The file may have had errors before: one more is the fault of the edits.
        if let Some(error) = reading.errors.get(files.errors_in(file)) {
            return Err(format!("the file: {error}"));
        }
        if reading.objects.len() + reading.misnamed.len() < *objects {
            return Err(format!("{file}: an object could not be read any more"));
        }
        // Two fixes that each leave an entry may leave none together.
        if reading.objects.iter().filter(|located| is_empty(located)).count() > *empty {
            return Err(format!("{file}: an object would have no entries left"));
        }
        edited.insert(file.to_owned(), Edited { before: (*text).to_owned(), after, reading });
    }
    Ok(edited)
}

/// What fixes are chosen by.
struct Choice<'f> {
    places: Places<'f>,
    originals: BTreeMap<&'f str, Original<'f>>,
    taken: BTreeMap<String, Taken>,
    /// The new objects of this round, by their ids and sources: a second one for a source would repeat the first.
    created: BTreeSet<ObjectId>,
    sources: BTreeSet<(SetKind, Box<str>)>,
}

impl<'f> Choice<'f> {
    fn new(files: &'f impl Files) -> Self {
        Self {
            places: files.places(),
            originals: originals(files),
            taken: BTreeMap::new(),
            created: BTreeSet::new(),
            sources: BTreeSet::new(),
        }
    }

    /// The edits of a fix; `None` if it cannot be made by edits of these files alone, or not next to the ones before.
    fn edits(&mut self, place: &Located, fix: &Fix) -> Option<Vec<FileEdit>> {
        let applied = apply_fix(Some(place), fix, &self.places)?;
        // An object that no edit can change is left to a person.
        if applied.objects.len() != fix.objects.len() || !applied.objects.iter().all(|set| self.is_new(set)) {
            return None;
        }
        let is_append = fix.changes.iter().all(|(_, change)| matches!(change, Change::Append { .. }));
        let role = if is_append { Role::Append } else { Role::Other };
        let mut edits: Vec<_> = applied.edits.into_iter().map(|edit| (role, edit)).collect();
        let role = if place.is_in_list() { Role::NewItem } else { Role::NewDocument };
        for object in &applied.objects {
            let edit = place.addition(object).ok()?;
            edits.push((role, FileEdit::new(&place.source.name, edit)));
        }
        if edits.is_empty() || !edits.iter().all(|(role, edit)| self.is_free(*role, edit)) {
            return None;
        }
        self.take(&edits, &applied.objects);
        Some(edits.into_iter().map(|(_, edit)| edit).collect())
    }

    /// Whether there is neither an object of this name, nor a new one for one of its sources.
    fn is_new(&self, set: &MirrorSet) -> bool {
        let is_taken = self.places.holds(&set.id()) || self.created.contains(&set.id());
        !is_taken && set.entries.iter().all(|entry| !self.sources.contains(&(set.kind, entry.source.clone())))
    }

    /// Whether an edit is one of these files, and of a part that no other fix of the round changes.
    fn is_free(&self, role: Role, FileEdit { file, start, end, text }: &FileEdit) -> bool {
        let taken = self.taken.get(file);
        self.originals.contains_key(&**file)
            && taken.is_none_or(|taken| taken.is_free(*start, *end, role, text))
    }

    fn take(&mut self, edits: &[(Role, FileEdit)], objects: &[MirrorSet]) {
        for (role, FileEdit { file, start, end, text }) in edits {
            self.taken.entry(file.clone()).or_default().insert(*start, *end, *role, text);
        }
        for set in objects {
            self.created.insert(set.id());
            self.sources.extend(set.entries.iter().map(|entry| (set.kind, entry.source.clone())));
        }
    }
}

/// Whether a fix is for an object that a later one of the same name replaces. It never gets to the cluster, so its entries
/// have no effect, and nothing else there needs a change for it; but the API server has to accept it.
pub(super) fn is_for_replaced(place: &Located, rule: &Rule, fix: &Fix, places: &Places<'_>) -> bool {
    let is_other = |other: &Located| !ptr::eq(other, place) && other.cluster == place.cluster;
    let is_replaced = place.has_definite_name() && places.find(&place.written.id).is_some_and(is_other);
    let changes_others = fix.changes.iter().any(|(object, _)| *object != place.written.id);
    is_replaced && (!rule.about_values || changes_others || !fix.objects.is_empty())
}
