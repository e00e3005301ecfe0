//! Findings as `lint`, `audit` and `overrides` report them, in every output format.

mod fix;
mod json;
mod pasted;
mod rounds;
mod unknown;

use std::collections::{HashMap, HashSet};

pub use fix::{AppliedFix, FileEdit, apply_fix};
pub use json::{ExemptedJson, FindingJson, exempted_json, findings_json, lapsed_json};
pub use pasted::{Pasted, pasted};
pub use rounds::{Files, Fixed, fix_all};
pub use unknown::UnknownValues;

use crate::{
    objects::{MirrorSet, Object, ObjectId, manifest::Located},
    review::{Diagnostic, Exempted, Verdict},
    rules::{Check, Finding, Level},
};

/// An object, its verdict, and its position in a file.
#[derive(Debug)]
pub struct Reviewed<'a> {
    /// The object.
    pub object: ObjectId,
    /// Its position in a file; `None` for an object of a cluster.
    pub place: Option<&'a Located>,
    /// The findings.
    pub verdict: Verdict,
}

/// The objects that findings are about: their positions in files, and the mirror sets themselves.
#[derive(Debug, Default)]
pub struct Places<'a> {
    located: HashMap<ObjectId, &'a Located>,
    sets: HashMap<ObjectId, &'a MirrorSet>,
}

impl<'a> Places<'a> {
    /// The position of an object; `None` for an object of a cluster.
    pub fn find(&self, object: &ObjectId) -> Option<&'a Located> {
        self.located.get(object).copied()
    }

    /// Whether there is an object of this kind and name.
    fn holds(&self, object: &ObjectId) -> bool {
        self.located.contains_key(object) || self.sets.contains_key(object)
    }

    /// A mirror set, of a file or a cluster.
    fn set(&self, object: &ObjectId) -> Option<&'a MirrorSet> {
        self.sets.get(object).copied()
    }
}

impl<'a> FromIterator<(&'a Object, Option<&'a Located>)> for Places<'a> {
    /// Of two objects with the same id, the later one is used.
    fn from_iter<I: IntoIterator<Item = (&'a Object, Option<&'a Located>)>>(objects: I) -> Self {
        let mut places = Self::default();
        for (object, located) in objects {
            match located {
                Some(located) => places.located.insert(object.id(), located),
                None => places.located.remove(&object.id()),
            };
            if let Object::MirrorSet(set) = object {
                places.sets.insert(object.id(), set);
            }
        }
        places
    }
}

/// Reviews every object, in the order of `objects`. The findings of an object in a file are in the order of its lines.
pub fn review_each<'a>(
    objects: impl Iterator<Item = (&'a Object, Option<&'a Located>)>,
    mut review: impl FnMut(&'a Object) -> Verdict,
) -> Vec<Reviewed<'a>> {
    let reviewed = objects.map(|(object, place)| {
        let mut reviewed = Reviewed { object: object.id(), place, verdict: Verdict::default() };
        reviewed.add(review(object));
        reviewed
    });
    reviewed.collect()
}

impl<'a> Reviewed<'a> {
    /// The position of an object that a finding here names. Of several objects with its name, this one is meant.
    pub fn place_of(&self, object: &ObjectId, places: &Places<'a>) -> Option<&'a Located> {
        self.place.filter(|_| self.object == *object).or_else(|| places.find(object))
    }

    /// Adds a verdict. The findings of an object in a file stay in the order of its lines.
    ///
    /// Those in an install-config speak of its fields.
    pub fn add(&mut self, mut verdict: Verdict) {
        if let Some(place) = self.place.filter(|place| place.is_install_config()) {
            // A rule about files finds what is written there, under the name that it has there.
            let is_about_file = |found: &Diagnostic| matches!(found.rule.check, Check::File(_));
            for found in verdict.diagnostics.iter_mut().filter(|found| !is_about_file(found)) {
                reword_for_installer(place, &mut found.finding);
            }
            // That a file has a list for each of two kinds is an error by itself.
            verdict.diagnostics.retain(|found| !(place.written.has_both_lists && found.rule.about_kinds));
        }
        self.verdict.extend(verdict);
        if let Some(place) = self.place {
            let position = |diagnostic: &Diagnostic| place.position(&diagnostic.finding.path);
            self.verdict.diagnostics.sort_by_cached_key(position);
            keep_each_once(place, &mut self.verdict.diagnostics);
        }
    }
}

/// Leaves out the findings that another one has already for the same fault, where an alias or a merge key repeats what is
/// written once.
fn keep_each_once(place: &Located, diagnostics: &mut Vec<Diagnostic>) {
    let mut seen = HashSet::new();
    diagnostics.retain(|Diagnostic { rule, finding, .. }| {
        let (at, is_repeated) = place.origin_of(&finding.path);
        seen.insert((rule.id, at, finding.key.clone())) || !is_repeated
    });
}

/// A finding in the words of the installer's configuration, which is all that the installer reads.
fn reword_for_installer(place: &Located, finding: &mut Finding) {
    finding.path = place.written_path(&finding.path).into_owned();
    for text in [&mut finding.what, &mut finding.effect, &mut finding.fix.title] {
        *text = place.written.origin.reword(text);
    }
    if !finding.fix.objects.is_empty() {
        finding.fix.title.push_str(", in a file of its own among the installer's manifests");
    }
}

/// Every finding, with its object.
pub fn findings<'a>(
    reviewed: &'a [Reviewed<'a>],
) -> impl Iterator<Item = (&'a Reviewed<'a>, &'a Diagnostic)> {
    reviewed.iter().flat_map(|one| one.verdict.diagnostics.iter().map(move |diagnostic| (one, diagnostic)))
}

/// Every exempt finding, with its object.
pub fn exempted<'a>(reviewed: &'a [Reviewed<'a>]) -> impl Iterator<Item = (&'a Reviewed<'a>, &'a Exempted)> {
    reviewed.iter().flat_map(|one| one.verdict.exempted.iter().map(move |exempted| (one, exempted)))
}

/// Every exemption that is over, with the object that it was for.
pub fn lapsed<'a>(reviewed: &'a [Reviewed<'a>]) -> impl Iterator<Item = (&'a Reviewed<'a>, &'a Exempted)> {
    reviewed.iter().flat_map(|one| one.verdict.lapsed.iter().map(move |lapsed| (one, lapsed)))
}

/// How many findings are at [`Level::Deny`], and how many at [`Level::Warn`].
pub fn counts(reviewed: &[Reviewed<'_>]) -> (usize, usize) {
    (count_at(Level::Deny, reviewed), count_at(Level::Warn, reviewed))
}

fn count_at(level: Level, reviewed: &[Reviewed<'_>]) -> usize {
    findings(reviewed).filter(|(_, diagnostic)| diagnostic.level == level).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        objects::{SetKind, manifest},
        rules::rule,
    };

    #[test]
    fn an_object_of_a_cluster_has_no_place_in_a_file() {
        let text = "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {name: a}\n";
        let reading = manifest::read("a.yaml", text.to_owned());
        let located = &reading.objects[0];
        let live = Object::from(MirrorSet::new(SetKind::Idms, "a", Vec::new()));
        let (in_file, in_cluster) = ((&located.object, Some(located)), (&live, None));
        let table = [
            (vec![in_file], true, "in a file alone"),
            (vec![in_cluster, in_file], true, "a file that changes the cluster's"),
            (vec![in_file, in_cluster], false, "the cluster's, which counts"),
        ];
        for (objects, has_place, reason) in table {
            let places: Places<'_> = objects.into_iter().collect();
            assert_eq!(places.find(&live.id()).is_some(), has_place, "{reason}");
        }
    }

    #[test]
    fn a_rule_about_files_names_a_field_as_the_file_does() {
        let text =
            "apiVersion: v1\nbaseDomain: lab\nimageDigestSources: [{source: q.io, mirrors: [m.lab]}]\n";
        let reading = manifest::read("install-config.yaml", text.to_owned());
        let place = &reading.objects[0];
        for (id, expected) in [("unknown-field", "mirrorSourcePolicy"), ("contacting-source", "sourcePolicy")]
        {
            let finding = Finding::new("imageDigestSources[0]", "key", "mirrorSourcePolicy");
            let diagnostic = Diagnostic { rule: rule(id).unwrap(), level: Level::Warn, finding };
            let verdict = Verdict { diagnostics: vec![diagnostic], ..Verdict::default() };
            let mut one =
                Reviewed { object: place.object.id(), place: Some(place), verdict: Verdict::default() };
            one.add(verdict);
            assert_eq!(one.verdict.diagnostics[0].finding.what, expected, "{id}");
        }
    }

    #[test]
    fn a_fault_that_an_alias_repeats_is_found_once() {
        let head = "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {name: a}\nspec:\n  \
                    imageDigestMirrors:\n";
        let table = [
            ("  - {source: q.io/a, mirrors: &m ['m:v1:']}\n  - {source: q.io/b, mirrors: *m}\n", 1, "a list"),
            (
                "  - {source: q.io/a, mirrors: [&m 'm:v1:']}\n  - {source: q.io/b, mirrors: [*m]}\n",
                1,
                "a mirror",
            ),
            ("  - &e {source: q.io/a, mirrors: ['m:v1:']}\n  - {<<: *e, source: q.io/b}\n", 1, "a merge key"),
            (
                "  - {source: q.io/a, mirrors: ['m:v1:']}\n  - {source: q.io/b, mirrors: ['m:v1:']}\n",
                2,
                "written twice",
            ),
        ];
        for (entries, expected, reason) in table {
            let located = manifest::read("a.yaml", format!("{head}{entries}")).objects.remove(0);
            let Object::MirrorSet(set) = &located.object else { panic!("a mirror set") };
            let (rule, list) = (rule("invalid-mirror").unwrap(), set.list_path());
            let found = (0..set.entries.len()).map(|index| {
                let finding = Finding::new(format!("{list}[{index}].mirrors[0]"), "m:v1:", "a tag");
                Diagnostic { rule, level: Level::Deny, finding }
            });
            let verdict = Verdict { diagnostics: found.collect(), ..Verdict::default() };
            let mut one =
                Reviewed { object: located.object.id(), place: Some(&located), verdict: Verdict::default() };
            one.add(verdict);
            assert_eq!(one.verdict.diagnostics.len(), expected, "{reason}");
            assert!(one.verdict.diagnostics[0].finding.path.starts_with(&format!("{list}[0]")), "{reason}");
        }
    }
}
