use super::{round::is_for_replaced, *};
use crate::{
    objects::{Change, MirrorSet, Object, SetKind},
    review::Verdict,
    rules::{Finding, Fix, Level, RULES, rule},
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

fn set_source_back(text: &str) -> Vec<(&'static str, Fix)> {
    if text.contains("r.io") { vec![("b", set("source", "q.io"))] } else { set_source(text) }
}

#[test]
fn a_fix_is_applied_only_where_it_works() {
    let (as_it_was, fixed) = ("source: q.io\n    mirrors: [m]\n", "source: r.io\n    mirrors: [m]\n");
    let table: [(Rule, (usize, usize, &str), &str); 7] = [
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
        (set_source_back, (2, 0, as_it_was), "fixes that undo each other come to an end"),
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

/// Fixes of mirrors that end with a slash, and of those that repeat one.
fn tidy_mirrors(text: &str) -> Vec<(&'static str, Fix)> {
    let list = text.split_once("mirrors: [").and_then(|(_, rest)| rest.split_once(']')).unwrap().0;
    let mirrors: Vec<_> = list.split(", ").collect();
    let fix = |(at, mirror): (usize, &&str)| {
        let name = format!("mirrors[{at}]");
        let path = format!("spec.imageDigestMirrors[0].{name}");
        match mirror.strip_suffix('/') {
            Some(short) => Some(("slash", set(&name, short))),
            None if mirrors[..at].contains(mirror) => {
                let change = (ObjectId::new("ImageDigestMirrorSet", "", "a"), Change::Remove { path });
                Some(("repeated", Fix { changes: vec![change], ..Fix::from("remove") }))
            }
            None => None,
        }
    };
    mirrors.iter().enumerate().filter_map(fix).collect()
}

#[test]
fn a_fault_that_another_fix_shows_is_fixed_in_the_same_run() {
    for mirrors in ["[m, m/]", "[m, m, m/]", "[m/, m, m/, m]"] {
        let text = TEXT.replace("[m]", mirrors);
        let mut file = File { reading: manifest::read("f", text), rule: tidy_mirrors };
        let fixed = fix_all(&mut file, true);
        assert_eq!(fixed.files["f"].1, TEXT, "{mirrors}");
    }
}

#[test]
fn a_replaced_object_is_only_made_acceptable() {
    let new = Fix { objects: vec![MirrorSet::new(SetKind::Itms, "new", Vec::new())], ..Fix::from("create") };
    let id = ObjectId::new("ImageTagMirrorSet", "", "c");
    let other = Change::Set { path: "spec.x".to_owned(), value: "y".into() };
    let of_other = Fix { changes: vec![(id, other)], ..Fix::from("set") };
    let again = TEXT.replace("q.io", "r.io");
    let install = "apiVersion: v1\nbaseDomain: a.b\nimageDigestSources: [{source: q.io, mirrors: [m]}]\n";
    let of_itself = set("source", "s.io");
    let (values, others) = ("invalid-source", "split-source");
    let table = [
        (values, TEXT, &*again, &new, true, "a new object"),
        (values, TEXT, &again, &of_other, true, "a change of another object"),
        (values, TEXT, &again, &of_itself, false, "the API server rejects the object itself"),
        (others, TEXT, &again, &of_itself, true, "what it has does not get to the cluster"),
        (others, TEXT, &again.replace("name: a", "name: b"), &of_itself, false, "nothing replaces it"),
        (values, TEXT, &again.replace("name: a", "name: b"), &new, false, "another name"),
        (
            values,
            &TEXT.replace("{name: a}", "{name: '${A}'}"),
            &again,
            &new,
            false,
            "a name that may be another",
        ),
        (others, install, install, &of_itself, false, "an installation of its own"),
    ];
    for (id, first, second, fix, expected, reason) in table {
        let rule = rule(id).unwrap();
        let read = |name, text: &str| manifest::read(name, text.to_owned()).objects;
        let objects = [read("1", first), read("2", second)].concat();
        let places: Places<'_> = objects.iter().map(|located| (&located.object, Some(located))).collect();
        let found: Vec<_> = objects.iter().map(|place| is_for_replaced(place, rule, fix, &places)).collect();
        assert_eq!(found, [expected, false], "{reason}");
    }
}

#[test]
fn a_fix_that_cannot_be_made_is_named() {
    let lines = TEXT.lines().map(|line| format!("    {line}\n"));
    let in_text = format!("kind: ConfigMap\ndata:\n  a: |\n{}", lines.collect::<String>());
    let remove: Rule = |_| {
        let path = "spec.imageDigestMirrors[0].mirrors[0]".to_owned();
        let change = (ObjectId::new("ImageDigestMirrorSet", "", "a"), Change::Remove { path });
        vec![("a", Fix { changes: vec![change], ..Fix::from("remove") })]
    };
    let elsewhere: Rule = |_| {
        let change = Change::Set { path: "spec.x".to_owned(), value: "y".into() };
        vec![(
            "a",
            Fix { changes: vec![(ObjectId::new("ImageTagMirrorSet", "", "b"), change)], ..Fix::from("set") },
        )]
    };
    let table: [(&str, Rule, bool, usize, &str); 7] = [
        (TEXT, set_source, true, 0, "it is made"),
        (TEXT, |_| vec![("a", Fix::from("by hand"))], true, 0, "a person makes it anyway"),
        (&in_text, set_source, true, 1, "in a text"),
        (&in_text, set_source, false, 0, "it is not asked for"),
        (&TEXT.replace("[m]", "[m, # one\n      n]"), remove, true, 1, "a comment would be lost"),
        (&TEXT.replace("source: q.io", "source: &a q.io\n    x: *a"), set_source, true, 1, "it is repeated"),
        (TEXT, elsewhere, true, 1, "of an object that is not there"),
    ];
    for (text, rule, unsafe_fixes, expected, reason) in table {
        let mut file = File { reading: manifest::read("f", text.to_owned()), rule };
        assert_eq!(fix_all(&mut file, unsafe_fixes).left_alone.len(), expected, "{reason}");
    }
}

/// Removes these entries: each is a finding of its own, as long as there is an entry with its source.
fn remove_sources(text: &str, sources: &[&'static str]) -> Vec<(&'static str, Fix)> {
    let reading = manifest::read("f", text.to_owned());
    let Object::MirrorSet(set) = &reading.objects[0].object else { panic!("{text}") };
    let index = |source: &str| set.entries.iter().position(|entry| *entry.source == *source);
    let found = sources.iter().filter_map(|source| Some((*source, index(source)?)));
    let fixes = found.map(|(source, index)| {
        let change = Change::Remove { path: set.entry_path(index) };
        (source, Fix { changes: vec![(set.id(), change)], ..Fix::from("remove") })
    });
    fixes.collect()
}

#[test]
fn the_last_entry_of_an_object_is_left_to_a_person() {
    let two = TEXT.to_owned() + "  - source: r.io\n    mirrors: [m]\n";
    let table: [(&str, Rule, &[&str], usize, &str); 4] = [
        (TEXT, |text| remove_sources(text, &["q.io"]), &["q.io"], 1, "the only one"),
        (&two, |text| remove_sources(text, &["q.io"]), &["r.io"], 0, "one of two"),
        (&two, |text| remove_sources(text, &["q.io", "r.io"]), &["r.io"], 1, "both, by a fix each"),
        (
            &two,
            |text| {
                let fixes = remove_sources(text, &["q.io", "r.io"]);
                let changes = fixes.into_iter().flat_map(|(_, fix)| fix.changes).collect();
                vec![("both", Fix { changes, ..Fix::from("remove") })]
            },
            &["q.io", "r.io"],
            1,
            "both, by one fix",
        ),
    ];
    for (text, rule, expected, left_alone, reason) in table {
        let mut file = File { reading: manifest::read("f", text.to_owned()), rule };
        let fixed = fix_all(&mut file, true);
        let Object::MirrorSet(set) = &file.reading.objects[0].object else { panic!("{reason}") };
        let sources: Vec<_> = set.entries.iter().map(|entry| &*entry.source).collect();
        assert_eq!((&*sources, fixed.left_alone.len()), (expected, left_alone), "{reason}");
    }
}
