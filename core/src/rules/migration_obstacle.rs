//! What keeps `mirrorguard migrate` from writing anything for files, whichever of their objects it is.

use std::collections::HashMap;

use super::invalid_name::problem_of_name;
use crate::objects::{Entry, MirrorSet, Object, SetKind, manifest::Located};

/// Why `mirrorguard migrate` refuses the reviewed objects as a whole, where that shows in no review of a single one:
/// files have more than the objects that are read from them, and what is invalid plays no part in the review of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MigrationObstacle {
    /// A mirror set has a placeholder, and would be lost.
    Placeholder,
    /// A mirror set has a field that its kind does not have, which would be lost.
    UnknownField,
    /// Two mirror sets of one kind and name have different entries.
    Duplicate,
    /// An invalid source, mirror or name.
    InvalidValue,
}

impl MigrationObstacle {
    /// The first obstacle among the objects that would be given to the command, each with its place in a file if it is
    /// from one.
    pub fn find<'a>(
        objects: impl Iterator<Item = (&'a Object, Option<&'a Located>)> + Clone,
    ) -> Option<Self> {
        let sets = objects.filter_map(|(object, place)| match object {
            Object::MirrorSet(set) => Some((&**set, place)),
            _ => None,
        });
        let has = |is_one: fn(&Located) -> bool| sets.clone().filter_map(|(_, place)| place).any(is_one);
        if has(|located| !located.written.placeholders.is_empty()) {
            return Some(Self::Placeholder);
        }
        if has(|located| !located.written.unknown_fields.is_empty()) {
            return Some(Self::UnknownField);
        }
        if has_duplicate(sets.clone()) {
            return Some(Self::Duplicate);
        }
        let mut sets = sets.map(|(set, _)| set);
        sets.any(is_invalid).then_some(Self::InvalidValue)
    }

    /// What to do before the migration, an imperative.
    pub(super) fn fix(self) -> &'static str {
        match self {
            Self::Placeholder => "render the template first, then run mirrorguard migrate",
            Self::UnknownField => {
                "first correct the unknown fields that mirrorguard lint reports, then run mirrorguard migrate"
            }
            Self::Duplicate => {
                "first keep one definition of each object that is defined twice, then run mirrorguard migrate"
            }
            Self::InvalidValue => FIX_ERRORS,
        }
    }
}

/// What to do where `mirrorguard migrate` refuses what other rules report.
pub(super) const FIX_ERRORS: &str =
    "first fix the errors that mirrorguard lint reports, then run mirrorguard migrate";

/// Whether two sets of one cluster have the same kind and name, and different entries.
fn has_duplicate<'a>(sets: impl Iterator<Item = (&'a MirrorSet, Option<&'a Located>)>) -> bool {
    let mut first: HashMap<_, &[Entry]> = HashMap::new();
    let mut entries = sets.map(|(set, place)| {
        let cluster = place.and_then(|place| place.cluster.as_deref());
        (*first.entry((cluster, set.kind, &*set.name)).or_insert(&set.entries), &set.entries)
    });
    entries.any(|(first, entries)| first != entries)
}

/// Whether an ICSP has a name that an IDMS cannot have, or a set has a value that stops rendering.
fn is_invalid(set: &MirrorSet) -> bool {
    (set.kind == SetKind::Icsp && problem_of_name(&set.name).is_some()) || set.valid_part().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::manifest;

    #[test]
    fn what_stops_the_migration_is_found_in_any_set() {
        let icsp = |name: &str, entries: &str| {
            format!(
                "apiVersion: operator.openshift.io/v1alpha1\nkind: ImageContentSourcePolicy\n\
                 metadata: {{name: {name}}}\nspec: {{repositoryDigestMirrors: [{entries}]}}\n"
            )
        };
        let image = "apiVersion: config.openshift.io/v1\nkind: Image\nmetadata: {name: cluster}\n\
                     spec: {registrySources: {blockedRegistries: ['${B}']}, more: 1}\n";
        let good = icsp("a", "{source: q.io/a, mirrors: [m.lab/a]}");
        let table = [
            (icsp("b", "{source: q.io/b, mirrors: [m.lab/b]}"), None, "another one"),
            (good.clone(), None, "the same again"),
            (image.to_owned(), None, "only mirror sets would be lost"),
            (icsp("b", "{source: '${S}'}"), Some(MigrationObstacle::Placeholder), "a source"),
            (
                icsp("b", "{source: q.io/b, mirrors: [m.lab/b], mirrorSourcePolicy: NeverContactSource}"),
                Some(MigrationObstacle::UnknownField),
                "of an IDMS",
            ),
            (
                icsp("a", "{source: q.io/b, mirrors: [m.lab/b]}"),
                Some(MigrationObstacle::Duplicate),
                "another set of its name",
            ),
            (
                icsp("b", "{source: 'https://q.io/b', mirrors: [m.lab/b]}"),
                Some(MigrationObstacle::InvalidValue),
                "a source with a scheme",
            ),
            (
                icsp("B", "{source: q.io/b, mirrors: [m.lab/b]}"),
                Some(MigrationObstacle::InvalidValue),
                "a name",
            ),
        ];
        for (other, expected, reason) in table {
            let reading = manifest::read("a.yaml", format!("{good}---\n{other}"));
            let objects = reading.objects.iter().map(|located| (&located.object, Some(located)));
            assert_eq!(MigrationObstacle::find(objects), expected, "{reason}");
        }
    }
}
