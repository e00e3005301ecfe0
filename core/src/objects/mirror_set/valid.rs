//! The part of a mirror set that takes part in rules about more than single values: an invalid value has its own
//! finding, and whatever else would be found with it is about a value that nobody meant.

use std::collections::BTreeSet;

use super::{Entry, MirrorSet};
use crate::objects::{
    grammar::{is_valid_mirror, is_valid_source},
    tree::steps,
};

/// A part of an entry. The mirrors are last: `Gaps::has_all_mirrors` depends on the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryPart {
    /// The entry itself.
    Whole,
    /// `source`.
    Source,
    /// `mirrorSourcePolicy`, or another field.
    Field,
    /// All of `mirrors`.
    Mirrors,
    /// An item of `mirrors`.
    Mirror(usize),
}

/// What a set lacks of the object that it was read from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gaps {
    /// The parts of entries that could not be read from a file, by the index of the entry in the whole set; empty
    /// values take their places.
    unreadable: BTreeSet<(usize, EntryPart)>,
    /// For a [`MirrorSet::valid_part`], where each of its entries is in the whole set.
    kept: Option<Vec<Kept>>,
    /// The number of entries that the whole set has besides these.
    left_out: usize,
}

impl Gaps {
    /// Whether the set has everything of the object.
    pub fn is_empty(&self) -> bool {
        self.unreadable.is_empty() && self.kept.is_none()
    }

    /// Whether a part of an entry could be read from its file.
    pub fn is_readable(&self, entry: usize, part: EntryPart) -> bool {
        if self.unreadable.is_empty() {
            return true;
        }
        let (entry, part) = match part {
            EntryPart::Mirror(at) => {
                let (entry, mirror) = self.in_whole(entry, at);
                (entry, EntryPart::Mirror(mirror))
            }
            part => (self.in_whole(entry, 0).0, part),
        };
        // Not `Mirrors` for a mirror: mirrors that are here were read, even if the list may have more.
        ![part, EntryPart::Whole].iter().any(|part| self.unreadable.contains(&(entry, *part)))
    }

    /// Where an entry and its mirror are in the whole set.
    fn in_whole(&self, entry: usize, mirror: usize) -> (usize, usize) {
        match self.kept.as_ref().and_then(|kept| kept.get(entry)) {
            Some(kept) => (kept.entry, kept.mirrors.get(mirror).copied().unwrap_or(mirror)),
            None => (entry, mirror),
        }
    }

    /// Whether all mirrors of an entry could be read, if the entry itself could.
    fn has_all_mirrors(&self, entry: usize) -> bool {
        let (entry, _) = self.in_whole(entry, 0);
        let mirrors = (entry, EntryPart::Mirrors)..(entry + 1, EntryPart::Whole);
        self.unreadable.range(mirrors).next().is_none()
    }

    /// Records that the value at a path could not be read, if it is in the list of entries.
    pub(in crate::objects) fn set_unreadable(&mut self, list_path: &str, path: &str) {
        let Some(below) = path.strip_prefix(list_path) else { return };
        let mut steps = steps(below);
        let Some(entry) = steps.next().and_then(|step| step.parse().ok()) else { return };
        let part = match (steps.next(), steps.next().map(str::parse)) {
            (None, _) => EntryPart::Whole,
            (Some("source"), _) => EntryPart::Source,
            (Some("mirrors"), Some(Ok(at))) => EntryPart::Mirror(at),
            (Some("mirrors"), _) => EntryPart::Mirrors,
            _ => EntryPart::Field,
        };
        self.unreadable.insert((entry, part));
    }
}

/// Where an entry of a valid part and its mirrors are in the whole set.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    entry: usize,
    mirrors: Box<[usize]>,
    /// Whether these are all mirrors of the entry.
    is_whole: bool,
}

impl MirrorSet {
    /// Records that the value at a path could not be read, `spec.imageDigestMirrors[0].source`.
    pub(in crate::objects) fn set_unreadable(&mut self, path: &str) {
        let list_path = self.list_path();
        self.gaps.set_unreadable(&list_path, path);
    }

    /// Whether a part of an entry could be read from its file.
    pub fn is_readable(&self, entry: usize, part: EntryPart) -> bool {
        self.gaps.is_readable(entry, part)
    }

    /// The set without the entries with an invalid source, without invalid mirrors, and without the entries that lose
    /// their last real mirror with them; but an entry with mirrors that could not be read keeps its source and policy,
    /// which hold whatever these mirrors are. Its paths are those of the whole set. `None` if everything is valid.
    pub fn valid_part(&self) -> Option<Self> {
        if (0..self.entries.len()).all(|at| self.is_valid_entry(at)) {
            return None;
        }
        let kept = self.entries.iter().enumerate().filter_map(|(at, entry)| self.valid_entry(at, entry));
        let (entries, kept): (Vec<_>, _) = kept.unzip();
        let left_out = self.written_entries() - entries.len();
        let gaps = Gaps { kept: Some(kept), left_out, ..self.gaps.clone() };
        Some(Self { entries, gaps, ..self.clone() })
    }

    /// The number of entries of the object, with those that are invalid or could not be read.
    pub fn written_entries(&self) -> usize {
        self.entries.len() + self.gaps.left_out
    }

    /// Whether an entry has its mirrors as they were written: none could not be read, and none was left out as invalid.
    pub fn has_mirrors_as_written(&self, entry: usize) -> bool {
        let kept = self.gaps.kept.as_ref().and_then(|kept| kept.get(entry));
        self.has_all_mirrors(entry) && kept.is_none_or(|kept| kept.is_whole)
    }

    /// Whether all mirrors of an entry are known. An entry without mirrors may have some that could not be read.
    pub fn has_all_mirrors(&self, entry: usize) -> bool {
        self.gaps.has_all_mirrors(entry)
    }

    /// Where an entry and its field are in the set that this is the valid part of: the index of the entry, and the
    /// name of the field, where that differs (`mirrors[1]` for `mirrors[0]`). `None`: the field keeps its name.
    pub(super) fn original_field(&self, entry: usize, field: &str) -> (usize, Option<String>) {
        let Some(kept) = self.gaps.kept.as_ref().and_then(|kept| kept.get(entry)) else {
            return (entry, None);
        };
        let mirror = field.strip_prefix("mirrors[").and_then(|rest| rest.strip_suffix(']'));
        let mirror = mirror.and_then(|index| kept.mirrors.get(index.parse::<usize>().ok()?));
        (kept.entry, mirror.map(|index| format!("mirrors[{index}]")))
    }

    /// Whether an entry has no invalid value.
    pub fn is_valid_entry(&self, at: usize) -> bool {
        let entry = &self.entries[at];
        self.is_valid_but_for_mirrors(at, entry)
            && self.is_readable(at, EntryPart::Mirrors)
            && (0..entry.mirrors.len()).all(|mirror| self.has_valid_mirror(at, entry, mirror))
    }

    /// Whether everything but the mirrors is valid: what an unreadable policy was meant to be is not known either, so such
    /// an entry is left out like one with an invalid source.
    fn is_valid_but_for_mirrors(&self, at: usize, entry: &Entry) -> bool {
        let is_readable =
            [EntryPart::Source, EntryPart::Field].iter().all(|part| self.is_readable(at, *part));
        is_readable && is_valid_source(&entry.source)
    }

    fn has_valid_mirror(&self, at: usize, entry: &Entry, mirror: usize) -> bool {
        self.is_readable(at, EntryPart::Mirror(mirror)) && is_valid_mirror(&entry.mirrors[mirror])
    }

    /// The valid part of an entry. One that has no real mirror to begin with is kept: a rule of its own reports it.
    fn valid_entry(&self, at: usize, entry: &Entry) -> Option<(Entry, Kept)> {
        if !self.is_valid_but_for_mirrors(at, entry) {
            return None;
        }
        let mirrors: Box<[_]> =
            (0..entry.mirrors.len()).filter(|mirror| self.has_valid_mirror(at, entry, *mirror)).collect();
        let valid =
            Entry { mirrors: mirrors.iter().map(|at| entry.mirrors[*at].clone()).collect(), ..entry.clone() };
        let loses_its_mirror =
            mirrors.len() < entry.mirrors.len() && !valid.is_effective() && self.gaps.has_all_mirrors(at);
        let is_whole = mirrors.len() == entry.mirrors.len() && self.has_mirrors_as_written(at);
        let mirrors = mirrors.iter().map(|mirror| self.gaps.in_whole(at, *mirror).1).collect();
        let (entry, _) = self.gaps.in_whole(at, 0);
        (!loses_its_mirror).then_some((valid, Kept { entry, mirrors, is_whole }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::SetKind;

    fn set(entries: &[(&str, &[&str])]) -> MirrorSet {
        let entries = entries.iter().map(|(source, mirrors)| Entry {
            source: (*source).into(),
            mirrors: mirrors.iter().map(|mirror| Box::from(*mirror)).collect(),
            mirror_source_policy: None,
        });
        MirrorSet::new(SetKind::Idms, "a", entries.collect())
    }

    /// `path value` of each source and mirror that is left; the paths begin behind the name of the list.
    fn left(set: &MirrorSet) -> Vec<String> {
        let mut left = Vec::new();
        for (at, entry) in set.entries.iter().enumerate() {
            left.push(format!("{} {}", set.field_path(at, "source"), entry.source));
            for (mirror, value) in entry.mirrors.iter().enumerate() {
                left.push(format!("{} {value}", set.field_path(at, &format!("mirrors[{mirror}]"))));
            }
        }
        left.iter().map(|text| text.trim_start_matches("spec.imageDigestMirrors").to_owned()).collect()
    }

    #[test]
    fn invalid_values_are_left_out_and_paths_stay() {
        // The entries, and what is left of them; `None` if all of it is valid.
        type Entries<'a> = &'a [(&'a str, &'a [&'a str])];
        let table: [(Entries<'_>, Option<&[&str]>, &str); 6] = [
            (&[("q.io", &["m"])], None, "all valid"),
            (&[("q.io", &[])], None, "an entry without mirrors is valid"),
            (
                &[("https://q.io", &["m"]), ("q.io", &["m"])],
                Some(&["[1].source q.io", "[1].mirrors[0] m"]),
                "a source",
            ),
            (
                &[("q.io", &["m:v1:", "n"])],
                Some(&["[0].source q.io", "[0].mirrors[1] n"]),
                "the first mirror",
            ),
            (&[("q.io", &["<m>"])], Some(&[]), "the only mirror"),
            (&[("q.io", &["<m>", "q.io"])], Some(&[]), "the only mirror other than the source"),
        ];
        for (entries, expected, reason) in table {
            let valid = set(entries).valid_part().map(|set| left(&set));
            assert_eq!(
                valid,
                expected.map(|left| left.iter().map(|&text| text.to_owned()).collect()),
                "{reason}"
            );
        }
    }

    #[test]
    fn the_valid_part_of_a_valid_part_is_the_same() {
        let mut set = set(&[("", &["m"]), ("q.io", &["m", "<n>", "o"]), ("r.io", &["", "m"])]);
        set.set_unreadable("spec.imageDigestMirrors[0].source");
        set.set_unreadable("spec.imageDigestMirrors[2].mirrors[0]");
        let valid = set.valid_part().unwrap();
        let expected = [
            "[1].source q.io",
            "[1].mirrors[0] m",
            "[1].mirrors[2] o",
            "[2].source r.io",
            "[2].mirrors[1] m",
        ];
        assert_eq!(left(&valid), expected);
        assert_eq!(left(&valid.valid_part().unwrap_or(valid)), expected);
    }

    #[test]
    fn a_valid_part_knows_what_it_lacks() {
        let mut set = set(&[("", &["m"]), ("q.io", &["m", "<n>"]), ("r.io", &["", "m"]), ("s.io", &["m"])]);
        set.set_unreadable("spec.imageDigestMirrors[2].mirrors[0]");
        let valid = set.valid_part().unwrap();
        for set in [&valid, valid.valid_part().as_ref().unwrap_or(&valid)] {
            let whole: Vec<_> = (0..set.entries.len()).map(|at| set.has_mirrors_as_written(at)).collect();
            assert_eq!(whole, [false, false, true], "an invalid mirror, an unreadable one, and all");
            assert_eq!((set.entries.len(), set.written_entries()), (3, 4), "entry 0 has no source");
        }
        assert_eq!(set.written_entries(), 4);
    }

    #[test]
    fn what_could_not_be_read_is_not_valid() {
        // What could not be read, its part, and how many of the source and the two mirrors of entry 0 are left.
        let table = [
            ("[0]", EntryPart::Whole, 0),
            ("[0].source", EntryPart::Source, 0),
            ("[0].mirrors", EntryPart::Mirrors, 3),
            ("[0].mirrorSourcePolicy", EntryPart::Field, 0),
            ("[0].mirrors[0]", EntryPart::Mirror(0), 2),
            // There is no entry 1: entry 0 could be read.
            ("[1].source", EntryPart::Source, 3),
        ];
        for (path, part, expected) in table {
            let mut set = set(&[("q.io", &["m", "n"])]);
            set.set_unreadable(&format!("spec.imageDigestMirrors{path}"));
            assert_eq!(set.is_readable(0, part), path.starts_with("[1]"), "{path}");
            assert_eq!(left(set.valid_part().as_ref().unwrap_or(&set)).len(), expected, "{path}");
        }
    }
}
