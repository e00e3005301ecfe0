//! Where a value of the catalog overrides annotation leads, compared with where the mirror sets place the catalogs.

use super::{
    Derivation, Placement, Readers, Reading, Releases,
    catalogs::{self, Catalog},
    reading::readings,
};

/// A catalog that some releases look for elsewhere than the mirror sets place it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deviation {
    /// The releases; `None` if all of them do.
    pub readers: Option<Readers>,
    /// The images they look for, in order, without tags.
    pub actual: Vec<String>,
    /// The images that the mirror sets lead to, likewise.
    pub placed: Vec<String>,
}

/// The first catalog that some release looks for elsewhere. Catalogs without a mirror in `placed`, and readings that
/// depend on chance, are left out.
pub fn find_deviation(
    value: &str,
    releases: &Releases,
    placement: Placement,
    placed: &Derivation,
) -> Option<Deviation> {
    let readings = readings(value, releases, placement);
    let mirrored = || {
        let all = catalogs::catalogs_of(releases).map(|catalog| (catalog, placed.mirrors_of(catalog)));
        all.filter(|(_, mirrors)| !mirrors.is_empty())
    };
    // The value counts as absent, so that every catalog is pulled from its source. With guest placement it may also be
    // that none of the releases reads it.
    if readings.is_empty() && placement == Placement::Management {
        let (catalog, mirrors) = mirrored().next()?;
        return Some(Deviation { readers: None, actual: vec![catalog.image()], placed: mirrors.to_vec() });
    }
    let mut found =
        readings.iter().filter_map(|reading| mirrored().find_map(|m| find_in_reading(reading, m)));
    let first = found.next()?;
    let is_everywhere = found.count() + 1 == readings.len();
    Some(Deviation { readers: first.readers.filter(|_| !is_everywhere), ..first })
}

fn find_in_reading(reading: &Reading<'_>, (catalog, mirrors): (&Catalog, &[String])) -> Option<Deviation> {
    let expected = reading.usable(mirrors);
    let places = reading.places(catalog);
    let [actual] = places.as_slice() else { return None };
    if actual == expected {
        return None;
    }
    let readers = Some(reading.readers);
    Some(Deviation { readers, actual: actual.clone(), placed: expected.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        context::Context,
        hypershift::derive,
        objects::{Entry, MirrorSet, Object, SetKind},
    };

    /// What is found next to a set of one source: the releases that the value misleads (empty for all of them), the
    /// images that they look for, and those that the set leads to.
    fn find(value: &str, source: &str, mirrors: &[&str]) -> Option<(String, String, String)> {
        let mirrors = mirrors.iter().map(|mirror| Box::from(*mirror)).collect();
        let entry = Entry { source: source.into(), mirrors, mirror_source_policy: None };
        let mut context = Context::default();
        context.insert(Object::from(MirrorSet::new(SetKind::Itms, "a", vec![entry])));
        let releases = Releases::default();
        let placed = derive(context.view(), &releases);
        let found = find_deviation(value, &releases, Placement::Management, &placed)?;
        let key = found.readers.map(Readers::key).unwrap_or_default();
        Some((key, found.actual.join(" "), found.placed.join(" ")))
    }

    /// A value, a source and its mirrors; the readers and images of what is found; the reason.
    type Row<'a> = (&'a str, &'a str, &'a [&'a str], Option<[&'a str; 3]>, &'a str);

    #[test]
    fn a_value_is_compared_with_every_catalog_that_is_mirrored() {
        let namespace = "registry.redhat.io/redhat";
        let operators = "registry.redhat.io/redhat/redhat-operator-index";
        let (typed, right) = ("registry.redhat.io/redhat=typo.lab/r", "registry.redhat.io/redhat=m.lab/r");
        let two = "registry.redhat.io/redhat=m.lab/r,registry.redhat.io/redhat=n.lab/r";
        let table: [Row<'_>; 8] = [
            (right, namespace, &["m.lab/r"], None, "the same"),
            (
                typed,
                namespace,
                &["m.lab/r"],
                Some(["", "typo.lab/r/certified-operator-index", "m.lab/r/certified-operator-index"]),
                "another host",
            ),
            (
                typed,
                operators,
                &["m.lab/r/redhat-operator-index"],
                Some(["", "typo.lab/r/redhat-operator-index", "m.lab/r/redhat-operator-index"]),
                "only one catalog is mirrored",
            ),
            (typed, "quay.io", &["m.lab/r"], None, "no catalog is mirrored"),
            (two, namespace, &["m.lab/r", "n.lab/r"], None, "two mirrors in order"),
            (
                right,
                namespace,
                &["m.lab/r", "n.lab/r"],
                Some([
                    "list",
                    "m.lab/r/certified-operator-index",
                    "m.lab/r/certified-operator-index n.lab/r/certified-operator-index",
                ]),
                "the second mirror is missing",
            ),
            (
                "",
                namespace,
                &["m.lab/r"],
                Some([
                    "",
                    "registry.redhat.io/redhat/certified-operator-index",
                    "m.lab/r/certified-operator-index",
                ]),
                "no overrides",
            ),
            ("=", "quay.io", &["m.lab/r"], None, "no overrides, and nothing is mirrored"),
        ];
        for (value, source, mirrors, expected, reason) in table {
            let found = find(value, source, mirrors);
            let found = found.as_ref().map(|(key, actual, placed)| [&**key, actual, placed]);
            assert_eq!(found, expected, "{value}: {reason}");
        }
    }
}
