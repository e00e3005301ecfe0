mod layouts;
mod new_object;
mod random;

use serde_json::json;

use self::layouts::LAYOUTS;
use super::{super::change::apply_all, *};
use crate::objects::manifest::{self, Located};

fn set(path: &str, value: Value) -> Change {
    Change::Set { path: path.to_owned(), value }
}

fn append(path: &str, items: Vec<Value>) -> Change {
    Change::Append { path: path.to_owned(), items }
}

fn remove(path: &str) -> Change {
    Change::Remove { path: path.to_owned() }
}

fn rename(path: &str, name: &str) -> Change {
    Change::Rename { path: path.to_owned(), name: name.to_owned() }
}

/// Changes, each with what it writes or removes. Entry 0 has two mirrors, entry 1 has one, and the policy.
fn changes() -> Vec<(&'static str, Vec<Change>)> {
    let entry =
        json!({"source": "*.c", "mirrors": ["m.lab/c", "true"], "mirrorSourcePolicy": "NeverContactSource"});
    let list = "spec.imageDigestMirrors";
    vec![
        ("a source", vec![set(&format!("{list}[0].source"), json!("quay.io/z"))]),
        ("the other source", vec![set(&format!("{list}[1].source"), json!("*.z"))]),
        ("a policy", vec![set(&format!("{list}[0].mirrorSourcePolicy"), json!("NeverContactSource"))]),
        ("a mirror", vec![set(&format!("{list}[0].mirrors[1]"), json!("y"))]),
        ("all mirrors", vec![set(&format!("{list}[0].mirrors"), json!(["x", "y", "z"]))]),
        ("the other mirrors", vec![set(&format!("{list}[1].mirrors"), json!(["x", "y", "z"]))]),
        ("another mirror", vec![append(&format!("{list}[0].mirrors"), vec![json!("x")])]),
        ("two more mirrors", vec![append(&format!("{list}[1].mirrors"), vec![json!("x"), json!("y")])]),
        ("an entry", vec![append(list, vec![entry.clone()])]),
        ("two entries", vec![append(list, vec![entry.clone(), entry.clone()])]),
        (
            "two entries, one after the other",
            vec![append(list, vec![entry.clone()]), append(list, vec![entry.clone()])],
        ),
        ("no first entry", vec![remove(&format!("{list}[0]"))]),
        ("no last entry", vec![remove(&format!("{list}[1]"))]),
        ("no entry", vec![remove(&format!("{list}[0]")), remove(&format!("{list}[1]"))]),
        ("no first mirror", vec![remove(&format!("{list}[0].mirrors[0]"))]),
        ("no last mirror", vec![remove(&format!("{list}[0].mirrors[1]"))]),
        ("no only mirror", vec![remove(&format!("{list}[1].mirrors[0]"))]),
        ("no policy", vec![remove(&format!("{list}[1].mirrorSourcePolicy"))]),
        ("no source", vec![remove(&format!("{list}[0].source"))]),
        ("an annotation", vec![set("metadata.annotations[a.b/c]", json!("x=y,z"))]),
        ("another list", vec![append("spec.imageTagMirrors", vec![entry.clone()])]),
        (
            "another kind",
            vec![
                set("kind", json!("ImageTagMirrorSet")),
                rename(list, "imageTagMirrors"),
                set("metadata.name", json!("b-1")),
            ],
        ),
        ("a renamed field", vec![rename(&format!("{list}[1].mirrorSourcePolicy"), "policy")]),
        (
            "a field with another name and type",
            vec![
                rename(&format!("{list}[1].mirrorSourcePolicy"), "policies"),
                set(&format!("{list}[1].mirrorSourcePolicy"), json!(["x"])),
            ],
        ),
        (
            "a removal and more",
            vec![
                remove(&format!("{list}[0]")),
                append(list, vec![entry]),
                set(&format!("{list}[1].source"), json!("quay.io/z")),
            ],
        ),
        ("a status", vec![set("status", json!({"a": [1]}))]),
    ]
}

fn read(text: &str) -> Vec<Located> {
    let reading = manifest::read("x.yaml", text.to_owned());
    assert!(reading.errors.is_empty(), "{:?}\n{text}", reading.errors);
    reading.objects
}

/// Layouts, each with a change that cannot be made by editing: the object is then to be edited by hand.
const IMPOSSIBLE: &[(&str, &str)] = &[
    // A comment is between the name and the items.
    ("block", "no entry"),
    ("long texts", "a source"),
    // Brackets that end with a comma.
    ("marks and tabs", "a policy"),
    ("marks and tabs", "no entry"),
    ("marks and tabs", "no only mirror"),
    ("marks and tabs", "the other mirrors"),
    ("nulls", "another kind"),
    ("texts like aliases", "a removal and more"),
    ("texts like aliases", "a source"),
    // The comment behind it could become part of the text before it.
    ("texts like aliases", "no last entry"),
    ("texts like aliases", "the other mirrors"),
    ("texts like aliases", "the other source"),
];

#[test]
fn an_edited_file_reads_as_the_changed_object() {
    let mut impossible = Vec::new();
    for (layout, text) in LAYOUTS {
        for newline in ["\n", "\r\n"] {
            let text = text.replace('\n', newline);
            let located = read(&text).remove(0);
            for (what, changes) in changes() {
                let expected = apply_all(&located.editable_root().unwrap().to_json(), &changes);
                let edits = located.edits(&changes);
                let (Some(expected), Some(edits)) = (expected, edits) else {
                    impossible.push((layout, what));
                    continue;
                };
                let edited = apply_edits(&text, &edits);
                let (documents, error) = super::super::tree::documents(&edited);
                assert_eq!(error, None, "{layout}: {what}:\n{edited}");
                let before = super::super::tree::documents(&text).0;
                assert_eq!(documents.len(), before.len(), "{layout}: {what}:\n{edited}");
                let found = documents.iter().map(Node::to_json).any(|document| {
                    document == expected
                        || document["items"].as_array().is_some_and(|items| items.contains(&expected))
                });
                assert!(found, "{layout}: {what}: not {expected}\n{edited}");
                assert_eq!(
                    edited.contains('\r'),
                    newline == "\r\n" && edited.contains('\n'),
                    "{layout}: {what}"
                );
            }
        }
    }
    impossible.sort_unstable();
    impossible.dedup();
    assert_eq!(impossible, IMPOSSIBLE);
}

const MERGED: &str = "\
apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet
metadata: {name: a}
spec:
  imageDigestMirrors:
  - &a
    source: quay.io/a
    mirrors: [m.lab/a]
  - <<: *a
    source: quay.io/b
  - <<: *a
";

#[test]
fn fields_that_a_merge_key_brings_in_are_not_edited() {
    let list = "spec.imageDigestMirrors";
    let policy = || json!("NeverContactSource");
    let table = [
        (Change::Set { path: format!("{list}[1].source"), value: json!("quay.io/c") }, true, "an own field"),
        (Change::Set { path: format!("{list}[1].mirrors"), value: json!(["n"]) }, false, "a merged field"),
        (
            Change::Set { path: format!("{list}[1].mirrors[0]"), value: json!("n") },
            false,
            "below a merged field",
        ),
        (
            Change::Set { path: format!("{list}[1].mirrorSourcePolicy"), value: policy() },
            false,
            "a new field",
        ),
        (Change::Remove { path: format!("{list}[1].source") }, false, "an own field is removed"),
        (Change::Remove { path: format!("{list}[1]") }, true, "the whole entry"),
        (Change::Remove { path: format!("{list}[2]") }, true, "the last entry"),
    ];
    let located = read(MERGED).remove(0);
    for (change, is_possible, reason) in table {
        let edits = located.edits([&change]);
        assert_eq!(edits.is_some(), is_possible, "{reason}");
        let Some(edits) = edits else { continue };
        let expected = apply_all(&located.editable_root().unwrap().to_json(), [&change]).unwrap();
        assert_eq!(
            read(&apply_edits(MERGED, &edits))[0].editable_root().unwrap().to_json(),
            expected,
            "{reason}"
        );
    }
}

#[test]
fn a_value_that_an_alias_repeats_is_not_edited() {
    let text = "\
apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet
metadata: {name: a}
spec:
  imageDigestMirrors:
  - source: &s quay.io/a
    mirrors: &m
    - m.lab/a
    - n.lab/a
  - source: *s
    mirrors: *m
  - source: &alone quay.io/c
";
    let list = "spec.imageDigestMirrors";
    let table = [
        (set(&format!("{list}[0].source"), json!("quay.io/b")), false, "the original of an alias"),
        (append(&format!("{list}[0].mirrors"), vec![json!("o.lab/a")]), false, "a list that is one"),
        (remove(&format!("{list}[0].mirrors[1]")), false, "an item of it"),
        (remove(&format!("{list}[0]")), false, "an entry that holds one"),
        (rename(&format!("{list}[0].mirrors"), "mirror"), false, "its name: it is left to a person"),
        (remove(&format!("{list}[1].mirrors")), true, "the alias"),
        (set(&format!("{list}[0].mirrorSourcePolicy"), json!("x")), true, "a field next to it"),
        (set(&format!("{list}[2].source"), json!("quay.io/b")), true, "an anchor without an alias"),
    ];
    let located = read(text).remove(0);
    for (change, is_possible, reason) in table {
        assert_eq!(located.edits([&change]).is_some(), is_possible, "{reason}");
    }
}

#[test]
fn changes_that_depend_on_each_other_are_made_right_or_not_at_all() {
    let text = "\
apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet
metadata: {name: a}
spec:
  imageDigestMirrors:
  - source: quay.io/a
    mirrors:
    - m.lab/a
    - n.lab/a
  - source: quay.io/b
    mirrors:
    - m.lab/b
";
    let list = "spec.imageDigestMirrors";
    let entry = || vec![json!({"source": "quay.io/c", "mirrors": ["m.lab/c"]})];
    let annotation = |name: &str| set(&format!("metadata.annotations[{name}]"), json!("v"));
    let table = [
        (
            vec![append(list, entry()), append(&format!("{list}[1].mirrors"), vec![json!("n")])],
            true,
            "an entry, and a mirror at the end of the same line",
        ),
        (vec![remove(&format!("{list}[1]")), append(list, entry())], true, "another last entry"),
        (
            vec![remove(&format!("{list}[1]")), append(&format!("{list}[1].mirrors"), vec![json!("n")])],
            false,
            "a mirror of a removed entry",
        ),
        (vec![annotation("a"), annotation("b")], false, "two fields of a map that is missing"),
        (
            vec![remove(&format!("{list}[0]")), rename(&format!("{list}[1].source"), "from")],
            true,
            "a field behind a removed entry",
        ),
    ];
    let located = read(text).remove(0);
    let before = located.editable_root().unwrap().to_json();
    for (changes, is_possible, reason) in table {
        let edits = located.edits(&changes);
        assert_eq!(edits.is_some(), is_possible, "{reason}");
        let Some(edits) = edits else { continue };
        let after = super::super::tree::documents(&apply_edits(text, &edits)).0;
        assert_eq!(Some(after[0].to_json()), apply_all(&before, &changes), "{reason}");
    }
}
