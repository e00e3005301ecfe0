use super::*;
use crate::{
    objects::Change,
    review::Verdict,
    rules::{Finding, Fix, Level, RULES},
};

/// The findings in a text, by key.
type Rule = fn(&str) -> Vec<(&'static str, Fix)>;

/// A file whose findings a function makes.
struct File {
    reading: Reading,
    rule: Rule,
}

impl Files for File {
    fn located(&self) -> impl Iterator<Item = &Located> {
        self.reading.objects.iter()
    }

    fn places(&self) -> Places<'_> {
        self.located().map(|located| (&located.object, Some(located))).collect()
    }

    fn errors_in(&self, _: &str) -> usize {
        0
    }

    fn review(&self) -> Vec<Reviewed<'_>> {
        let reviewed = self.located().map(|located| {
            let findings = (self.rule)(&located.source.text).into_iter();
            let diagnostics = findings.map(|(key, fix)| Diagnostic {
                rule: &RULES[0],
                level: Level::Warn,
                finding: Finding { fix, ..Finding::new("spec", key, key) },
            });
            let verdict = Verdict { diagnostics: diagnostics.collect(), ..Verdict::default() };
            Reviewed { object: located.object.id(), place: Some(located), verdict }
        });
        reviewed.collect()
    }

    fn replace(&mut self, _: &str, reading: Reading) {
        self.reading = reading;
    }
}

const TEXT: &str = "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {name: a}\n\
                    spec:\n  imageDigestMirrors:\n  - source: q.io\n    mirrors: [m]\n";

/// Sets a field of the entry.
fn set(field: &str, value: &str) -> Fix {
    let change = Change::Set { path: format!("spec.imageDigestMirrors[0].{field}"), value: value.into() };
    let object = ObjectId::new("ImageDigestMirrorSet", "", "a");
    Fix { changes: vec![(object, change)], ..Fix::from(field) }
}

/// The fix of a source that is still the first one.
fn set_source(text: &str) -> Vec<(&'static str, Fix)> {
    if text.contains("q.io") { vec![("a", set("source", "r.io"))] } else { Vec::new() }
}

#[test]
fn a_fix_is_applied_only_where_it_works() {
    let (as_it_was, fixed) = ("source: q.io\n    mirrors: [m]\n", "source: r.io\n    mirrors: [m]\n");
    let table: [(Rule, (usize, usize, &str), &str); 6] = [
        (|_| Vec::new(), (0, 0, as_it_was), "nothing is found"),
        (set_source, (1, 0, fixed), "the finding is gone"),
        (|_| vec![("a", set("source", "r.io"))], (0, 0, as_it_was), "the finding stays"),
        (|_| vec![("a", set("mirrorSourcePolicy", "x"))], (0, 1, as_it_was), "it breaks the file"),
        (
            |text| [vec![("b", set("mirrorSourcePolicy", "x"))], set_source(text)].concat(),
            (1, 1, fixed),
            "one that breaks the file does not keep the other from being applied",
        ),
        (
            |text| [vec![("b", set("mirrorSourcePolicy", "NeverContactSource"))], set_source(text)].concat(),
            (1, 0, fixed),
            "neither does one whose finding stays",
        ),
    ];
    for (rule, (count, skipped, entry), reason) in table {
        let mut file = File { reading: manifest::read("f", TEXT.to_owned()), rule };
        let fixed = fix_all(&mut file, true);
        let after = fixed.files.get("f").map_or(TEXT, |(_, after)| after);
        let entry = format!("  - {entry}");
        assert!(after.ends_with(&entry), "{reason}: {after}");
        assert_eq!((fixed.count, fixed.skipped.len()), (count, skipped), "{reason}");
    }
}
