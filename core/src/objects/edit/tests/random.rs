//! Every change of every value, in documents in all layouts: the edited text reads as the changed value, or there are
//! no edits; and no comment is lost.

use serde_json::json;

use super::{
    super::{super::tree::documents, place::Places},
    *,
};

mod values;
mod writer;

use self::{values::value, writer::Writer};
use crate::random::Random;

/// How many documents are written, and the smallest part of the changes that must be possible, in percent.
const DOCUMENTS: u64 = 150;
const POSSIBLE: usize = 60;

#[test]
fn a_change_in_any_layout_is_made_exactly_or_not_at_all() {
    let (mut possible, mut all, mut unread) = (0, 0, 0);
    for seed in 0..DOCUMENTS {
        let mut random = Random(seed);
        let value = value(&mut random);
        let (text, index) = Writer::new(&mut random).file(&value);
        let (before, failure) = documents(&text);
        if failure.is_some() {
            // The parser has faults with tabs.
            assert!(text.contains('\t'), "{seed}: the test writes no YAML: {failure:?}\n{text}");
            unread += 1;
            continue;
        }
        assert_eq!(before[index].to_json(), value, "{seed}: the test writes something else:\n{text}");
        for changes in change_sets(&value, &mut random) {
            let Some(is_made) = try_changes(&text, index, &changes) else { continue };
            all += 1;
            possible += usize::from(is_made);
        }
    }
    assert!(unread * 50 <= DOCUMENTS, "{unread} documents were not read");
    assert!(possible * 100 >= all * POSSIBLE, "only {possible} of {all} changes were possible");
}

#[test]
fn a_change_in_an_unusual_layout_is_made_exactly_or_not_at_all() {
    let table = [
        ("? source\n: quay.io/a\n? mirrors # c: d\n: - a\n  - b\n", "names behind a question mark"),
        ("a: {? source : quay.io/a, ? b}\n", "the same in brackets"),
        ("&k source: quay.io/a\nmirrors: [*k , b]\nc: *k\n", "a name with an anchor that is used"),
        ("k: &k source\n*k : quay.io/a\nb:\n  *k : c\n  d: e\n", "a name that is an alias"),
        ("source: !<tag:yaml.org,2002:str> quay.io/a\nb: !<tag:x,y> [c]\n", "tags in full"),
        ("a: {\"b\":1,\"c\":[1,2],d: [e: f, g]}\n", "no blanks"),
        ("%YAML 1.2\n---\na: &x\n- &y b\n- c\nd: [*y , *y ]\n...\n# c1\n", "a directive"),
        ("a: b\n  c\n\n  d\ne: \"f\n  g\" # c1\n", "texts of several lines"),
        ("a:\n- b\n-\n- # c1\n  c\n-   - d\n    - e\n", "dashes alone"),
        ("a: |\n  b\nc: d\n  # c1\n\ne: f\n", "a comment as deep as the text before"),
    ];
    for (text, reason) in table {
        let (before, failure) = documents(text);
        assert_eq!(failure, None, "{reason}");
        let sets = change_sets(&before[0].to_json(), &mut Random(0));
        let made = sets.iter().filter(|changes| try_changes(text, 0, changes) == Some(true));
        assert!(made.count() > 0, "{reason}: nothing was possible");
    }
}

/// Whether there are edits for these changes of a document; then they are what they should be. `None` if the value
/// cannot be changed like this.
fn try_changes(text: &str, index: usize, changes: &[Change]) -> Option<bool> {
    let (before, _) = documents(text);
    let expected = apply_all(&before[index].to_json(), changes)?;
    let source = Source::new("test.yaml", text.to_owned());
    let Some(edits) = edits(&source, &before[index], changes) else { return Some(false) };
    let edited = apply_edits(text, &edits);
    let context = || format!("{changes:?}:\n{text}\nbecomes\n{edited}");
    let (after, failure) = documents(&edited);
    assert_eq!(failure, None, "{}", context());
    let mut values: Vec<_> = before.iter().map(Node::to_json).collect();
    values[index] = expected;
    assert_eq!(after.iter().map(Node::to_json).collect::<Vec<_>>(), values, "{}", context());
    assert_eq!(lost_comments(text, &edited, &before[index], changes), [""; 0], "{}", context());
    let is_crlf = text.contains("\r\n");
    assert!(!is_crlf || !edited.replace("\r\n", "").contains('\n'), "{}", context());
    Some(true)
}

/// The comments that are gone, other than those of a value that is removed.
fn lost_comments<'t>(text: &'t str, edited: &str, root: &Node, changes: &[Change]) -> Vec<&'t str> {
    let source = Source::new("test.yaml", text.to_owned());
    let layout = Layout::new(&source, root);
    let removed = changes.iter().filter(|change| matches!(change, Change::Remove { .. })).map(|change| {
        let steps: Vec<_> = steps(change.path()).collect();
        let (at, _) = descend(&layout, root, &steps).unwrap();
        let start = at.field().map_or(at.spot.from, |field| field.span.start);
        start..layout.line_end(layout.end(at.spot).unwrap())
    });
    let removed: Vec<_> = removed.collect();
    let comments =
        text.match_indices("# c").filter(|(at, _)| !removed.iter().any(|range| range.contains(at)));
    let comments = comments.map(|(at, _)| &text[at..Places(text).line_end(at)]);
    comments.filter(|comment| !edited.contains(comment)).collect()
}

/// Each change of each value on its own, and some of them together.
fn change_sets(value: &Value, random: &mut Random) -> Vec<Vec<Change>> {
    let mut single = Vec::new();
    add_changes(value, "", &mut single);
    let together = (0..single.len() / 2).map(|_| {
        (0..2 + random.below(2)).map(|_| single[random.below(single.len())].clone()).collect::<Vec<_>>()
    });
    let together: Vec<_> = together.collect();
    single.into_iter().map(|change| vec![change]).chain(together).collect()
}

fn add_changes(value: &Value, path: &str, changes: &mut Vec<Change>) {
    if !path.is_empty() {
        let values = [
            json!("quay.io/new"),
            json!("*.new"),
            json!("two\nlines\n"),
            json!(["x", "*y"]),
            json!({"x": [1]}),
        ];
        changes.extend(values.map(|value| set(path, value)));
        changes.push(remove(path));
        changes.push(rename(path, "renamed"));
        changes.push(rename(path, "x: y"));
    }
    match value {
        Value::Array(items) => {
            changes.push(append(path, vec![json!("*.more"), json!({"source": "s", "mirrors": ["a", "b"]})]));
            let more = items.iter().cloned().chain([json!("more")]).collect();
            changes.push(set(path, Value::Array(more)));
            for (at, item) in items.iter().enumerate() {
                add_changes(item, &format!("{path}[{at}]"), changes);
            }
        }
        Value::Object(fields) => {
            for value in [json!("*.new"), json!("a\nb"), json!({"x": ["y", {"z": null}]})] {
                changes.push(set(&format!("{path}[new]"), value));
            }
            changes.push(set(&format!("{path}[new][a.b/c]"), json!("x: y")));
            changes.push(append(&format!("{path}[list]"), vec![json!("x")]));
            for (name, value) in fields {
                add_changes(value, &format!("{path}[{name}]"), changes);
            }
        }
        Value::Null => {
            changes.push(set(&format!("{path}[new]"), json!("v")));
            changes.push(append(path, vec![json!("x"), json!("y")]));
        }
        _ => {}
    }
}
