//! The parts of a file that the fixes of a round change.

use std::collections::{BTreeMap, BTreeSet};

/// What an edit does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Adds items to the end of a list.
    Append,
    /// Adds an object to the end of a file.
    NewDocument,
    /// Adds an object to a list, behind another one. The end of a file may be the place of a new item and of a new
    /// document: both cannot be inserted there.
    NewItem,
    /// Anything else.
    Other,
}

/// The edits of one file, by range. No two of them overlap.
#[derive(Debug, Default)]
pub(super) struct Taken(BTreeMap<(usize, usize), (Role, BTreeSet<String>)>);

impl Taken {
    /// Whether an edit touches none of these. What is inserted where another edit begins, ends or inserts may be part of
    /// what that edit is about; only different items or objects can follow one another.
    pub(super) fn is_free(&self, start: usize, end: usize, role: Role, text: &str) -> bool {
        if start == end
            && role != Role::Other
            && let Some((other, texts)) = self.0.get(&(start, end))
        {
            return *other == role && !texts.contains(text);
        }
        let before = self.0.range(..=(start, end)).next_back();
        let after = self.0.range((start, end)..).next();
        ![before, after].into_iter().flatten().any(|(other, _)| touch(*other, (start, end)))
    }

    pub(super) fn insert(&mut self, start: usize, end: usize, role: Role, text: &str) {
        let (_, texts) = self.0.entry((start, end)).or_insert_with(|| (role, BTreeSet::new()));
        texts.insert(text.to_owned());
    }
}

/// Whether two ranges overlap, or one is an insertion at an end of the other.
fn touch(one: (usize, usize), other: (usize, usize)) -> bool {
    let is_insertion = one.0 == one.1 || other.0 == other.1;
    if is_insertion { one.0 <= other.1 && other.0 <= one.1 } else { one.0 < other.1 && other.0 < one.1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_different_items_are_inserted_at_one_place() {
        use Role::{Append, NewDocument, NewItem, Other};
        let mut taken = Taken::default();
        taken.insert(10, 20, Other, "");
        taken.insert(30, 30, Append, "a");
        taken.insert(40, 40, NewDocument, "a");
        let table = [
            (0, 10, Other, "", true, "before"),
            (20, 25, Other, "", true, "behind"),
            (15, 16, Other, "", false, "inside"),
            (5, 25, Other, "", false, "around"),
            (10, 20, Other, "", false, "the same"),
            (10, 10, Other, "x", false, "an insertion at the beginning"),
            (20, 20, Append, "x", false, "an insertion at the end"),
            (25, 30, Other, "", false, "up to an insertion"),
            (30, 30, Append, "b", true, "another item"),
            (30, 30, Append, "a", false, "the same item"),
            (30, 30, Other, "b", false, "a field"),
            (40, 40, NewDocument, "b", true, "another object"),
            (40, 40, NewItem, "b", false, "an object in a list where one begins behind it"),
            (40, 40, Append, "b", false, "an item where an object begins"),
        ];
        for (start, end, role, text, expected, reason) in table {
            assert_eq!(taken.is_free(start, end, role, text), expected, "{reason}");
        }
    }
}
