use super::*;
use crate::objects::{MirrorSet, SetKind};

const SET: &str = "apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet
metadata: {name: a}
spec:
  imageDigestMirrors:
  - {source: q.io, mirrors: [m.lab]}
";

fn new_set() -> MirrorSet {
    let entry = json!({"source": "q.io", "mirrors": ["m.lab"]});
    MirrorSet::new(SetKind::Itms, "new", vec![serde_json::from_value(entry).unwrap()])
}

/// The set as an item behind a dash, indented by this many spaces.
fn item(indent: usize) -> String {
    let lines = SET
        .lines()
        .enumerate()
        .map(|(at, line)| format!("{}{}{line}\n", " ".repeat(indent), if at == 0 { "- " } else { "  " }));
    lines.collect()
}

/// An object with a list of objects, and what follows it.
fn holding(head: &str, indent: usize, tail: &str) -> String {
    format!("{head}\n{}{tail}", item(indent))
}

/// The text with the new set, or `None` where there is no place for it. What was read before is still there, and the
/// new set is among the same objects.
fn added(text: &str) -> Option<String> {
    let before = manifest::read("f", text.to_owned());
    let edit = before.objects[0].addition(&new_set()).ok()?;
    let after = apply_edits(text, &[edit]);
    let read = manifest::read("f", after.clone());
    let ids = |objects: &[Located]| objects.iter().map(|one| one.object.id()).collect::<Vec<_>>();
    let mut found = ids(&read.objects);
    let at = found.iter().position(|id| *id == new_set().id()).unwrap_or_else(|| panic!("{after}"));
    found.remove(at);
    assert_eq!((read.errors, found), (before.errors, ids(&before.objects)), "{after}");
    Some(after)
}

#[test]
fn a_new_object_is_added_where_the_other_one_is() {
    let list = holding("apiVersion: v1\nkind: List\nitems:", 0, "");
    let works = "apiVersion: work.open-cluster-management.io/v1\nkind: ManifestWork\nspec:\n  workload:\n    manifests:";
    let sync = "apiVersion: hive.openshift.io/v1\nkind: SyncSet\nspec:\n  resources:";
    let template = "apiVersion: template.openshift.io/v1\nkind: Template\nobjects:";
    let table = [
        (SET.to_owned(), "---\napiVersion", "a document"),
        (SET.trim_end().to_owned(), "\n---\napiVersion", "without a line break"),
        (list.clone(), "\n- apiVersion", "an item"),
        (list.trim_end().to_owned(), "\n- apiVersion", "an item without a line break"),
        (format!("{list}---\n{SET}"), "\n- apiVersion", "before a document"),
        (list.replace("[m.lab]}", "[m.lab]} # last"), "# last\n- apiVersion", "behind a comment"),
        (list.replace("- api", "- &a\n  api"), "\n- apiVersion", "with an anchor"),
        (list.replace("- apiVersion", "-\n  apiVersion"), "\n- apiVersion", "below a dash"),
        (holding(works, 4, ""), "\n    - apiVersion", "a ManifestWork"),
        (holding(sync, 2, "  resourceApplyMode: Sync\n"), "\n  - apiVersion", "a field follows"),
        (holding(template, 0, "parameters: []\n"), "\n- apiVersion", "a template of fixed values"),
    ];
    for (text, expected, reason) in table {
        let after = added(&text).unwrap_or_else(|| panic!("{reason}"));
        assert!(after.contains(&format!("{expected}: config.openshift.io/v1\n")), "{reason}: {after}");
    }
}

#[test]
fn an_object_that_would_get_to_another_cluster_is_not_added() {
    let list = holding("apiVersion: v1\nkind: List\nitems:", 0, "");
    let template = "apiVersion: template.openshift.io/v1\nkind: Template\nobjects:";
    let policy = "apiVersion: policy.open-cluster-management.io/v1\nkind: ConfigurationPolicy\nspec:\n  object-templates:\n  - objectDefinition:";
    let nested = |head: &str, indent: &str| {
        let lines = SET.lines().map(|line| format!("{indent}{line}\n"));
        format!("{head}\n{}", lines.collect::<String>())
    };
    let flow =
        r#"{"apiVersion": "config.openshift.io/v1", "kind": "ImageTagMirrorSet", "metadata": {"name": "a"}}"#;
    let table = [
        (flow.to_owned(), "JSON"),
        (format!(r#"{{"apiVersion": "v1", "kind": "List", "items": [{flow}]}}"#), "a list in JSON"),
        (format!("apiVersion: v1\nkind: List\nitems: [{flow}]\n"), "a list in brackets"),
        (list.replace("- api", "- # one\n  api"), "a comment behind the dash"),
        (
            list.replace("v1\nkind: List", "config.openshift.io/v1\nkind: ImageDigestMirrorSetList"),
            "one kind",
        ),
        (holding(template, 0, "parameters:\n- {name: A, value: b}\n"), "a template of other values"),
        (nested(policy, "      "), "a definition"),
        (nested("apiVersion: v1\nkind: ConfigMap\ndata:\n  a: |", "    "), "a text"),
        (
            "apiVersion: v1\nbaseDomain: a.b\nimageDigestSources:\n- {source: q.io, mirrors: [m.lab]}\n"
                .to_owned(),
            "the installer's",
        ),
        (format!("{SET}---\nkind: Other\ndata:\n  a: |\n    text"), "a text that a line break changes"),
    ];
    for (text, reason) in table {
        assert_eq!(added(&text), None, "{reason}");
    }
    let closed = format!("{SET}---\nkind: Other\ndata:\n  a: |\n    text\n");
    assert!(added(&closed).is_some(), "a text that has its line break");
}

#[test]
fn a_new_object_has_the_line_breaks_of_its_file() {
    let list = holding("apiVersion: v1\nkind: List\nitems:", 0, "");
    for text in [SET, &list, SET.trim_end()] {
        let after = added(&text.replace('\n', "\r\n")).unwrap();
        assert_eq!(after.matches('\n').count(), after.matches("\r\n").count(), "{after:?}");
    }
}
