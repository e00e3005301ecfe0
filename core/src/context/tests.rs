//! How a context changes, and what its views show.

use super::*;
use crate::objects::{Entry, MirrorSourcePolicy};

fn set(kind: SetKind, name: &str, sources: &[&str]) -> Arc<MirrorSet> {
    Arc::new(MirrorSet::new(kind, name, sources.iter().map(|source| entry(source)).collect()))
}

fn entry(source: &str) -> Entry {
    let mirrors = ["m".into()].into_iter().collect();
    Entry { source: source.into(), mirrors, mirror_source_policy: None }
}

fn never_contacting_set(name: &str) -> Arc<MirrorSet> {
    let policy = Some(MirrorSourcePolicy::NeverContactSource);
    let entry = Entry { mirror_source_policy: policy, ..entry("x/a") };
    Arc::new(MirrorSet::new(SetKind::Idms, name, vec![entry]))
}

fn found(view: View<'_>, source: &str) -> Vec<String> {
    let mut ids: Vec<_> = view.entries(source).map(|e| format!("{}[{}]", e.set.name, e.index)).collect();
    ids.sort();
    ids
}

#[test]
fn entries_are_found_by_source_through_every_change() {
    let mut context = Context::default();
    context.insert_set(set(SetKind::Idms, "a", &["x", "y", "x"]));
    context.insert_set(set(SetKind::Itms, "a", &["y"]));
    assert_eq!(found(context.view(), "x"), ["a[0]", "a[2]"]);
    let repeating = set(SetKind::Idms, "b", &["x", "x", "y", "x"]);
    let overlay = Overlay::new(&context, &repeating);
    let with = context.view_with(SetKind::Idms, "b", Some(&overlay));
    assert_eq!(found(with, "x"), ["a[0]", "a[2]", "b[0]", "b[1]", "b[3]"]);
    context.insert_set(repeating);
    context.remove_set(SetKind::Idms, "b");
    assert_eq!(found(context.view(), "x"), ["a[0]", "a[2]"]);
    context.insert_set(set(SetKind::Idms, "a", &["y"]));
    assert_eq!(found(context.view(), "x"), Vec::<String>::new());
    assert_eq!(found(context.view(), "y"), ["a[0]", "a[0]"]);
    context.remove_set(SetKind::Itms, "a");
    assert_eq!((context.count(SetKind::Itms), context.count(SetKind::Idms)), (0, 1));
}

#[test]
fn a_host_that_is_never_contacted_is_known_while_a_set_has_one() {
    let mut context = Context::default();
    context.insert_set(set(SetKind::Idms, "a", &["x/a"]));
    assert!(!context.view().may_never_contact("x"));
    let never = never_contacting_set("b");
    let overlay = Overlay::new(&context, &never);
    assert!(context.view_with(SetKind::Idms, "b", Some(&overlay)).may_never_contact("x"));
    context.insert_set(never_contacting_set("a"));
    assert!(context.view().may_never_contact("x"));
    context.insert_set(set(SetKind::Idms, "a", &["x/a"]));
    assert!(!context.view().may_never_contact("x"));
}

#[test]
fn a_wildcard_is_known_while_a_set_has_one() {
    let mut context = Context::default();
    context.insert_set(set(SetKind::Idms, "a", &["x", "*.y"]));
    assert!(context.view().has_wildcards());
    context.insert_set(set(SetKind::Idms, "a", &["x"]));
    assert!(!context.view().has_wildcards());
    let wildcard = set(SetKind::Idms, "b", &["*.y"]);
    let overlay = Overlay::new(&context, &wildcard);
    assert!(context.view_with(SetKind::Idms, "b", Some(&overlay)).has_wildcards());
    context.insert_set(wildcard);
    context.remove_set(SetKind::Idms, "b");
    assert!(!context.view().has_wildcards());
}

#[test]
fn a_view_replaces_a_set_without_changing_the_context() {
    let mut context = Context::default();
    context.insert_set(set(SetKind::Idms, "a", &["x"]));
    context.insert_set(set(SetKind::Idms, "b", &["x"]));
    let replacement = set(SetKind::Idms, "a", &["z"]);
    let overlay = Overlay::new(&context, &replacement);
    let view = context.view_with(SetKind::Idms, "a", Some(&overlay));
    assert_eq!((found(view, "x"), found(view, "z")), (vec!["b[0]".to_owned()], vec!["a[0]".to_owned()]));
    assert_eq!(found(context.view(), "x"), ["a[0]", "b[0]"]);
}

#[test]
fn the_largest_set_is_known_through_every_change() {
    let mut context = Context::default();
    let largest = |context: &Context| context.view().largest_of_context().map(|set| set.name.to_string());
    assert_eq!(largest(&context), None, "no set");
    context.insert_set(set(SetKind::Idms, "b", &["x", "y"]));
    context.insert_set(set(SetKind::Idms, "a", &["z", "w"]));
    assert_eq!(largest(&context).as_deref(), Some("a"), "the first of equal ones");
    context.insert_set(set(SetKind::Itms, "c", &["x", "y", "z"]));
    assert_eq!(largest(&context).as_deref(), Some("c"), "a larger one");
    context.remove_set(SetKind::Itms, "c");
    assert_eq!(largest(&context).as_deref(), Some("a"), "it is gone");
}
