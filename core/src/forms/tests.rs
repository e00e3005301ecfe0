//! Forms of whole clusters: what is written, and what is left out.

use super::*;
use crate::{
    context::View,
    hypershift::Releases,
    objects::{self, MirrorSourcePolicy, Object, SetKind},
    state::State,
};

/// Source, mirrors, and whether the source is never contacted.
type Entry<'a> = (&'a str, &'a [&'a str], bool);
/// Kind, name, entries.
type Set<'a> = (SetKind, &'a str, &'a [Entry<'a>]);

/// A cluster of a few mirror sets.
fn state(sets: &[Set<'_>]) -> State {
    let mut objects = Vec::new();
    for (kind, name, entries) in sets {
        let entries = entries.iter().copied().map(entry).collect();
        objects.push(Object::from(objects::MirrorSet::new(*kind, name, entries)));
    }
    objects.into_iter().collect()
}

fn entry((source, mirrors, is_never_contacted): Entry<'_>) -> objects::Entry {
    objects::Entry {
        source: source.into(),
        mirrors: mirrors.iter().map(|mirror| Box::from(*mirror)).collect(),
        mirror_source_policy: is_never_contacted.then_some(MirrorSourcePolicy::NeverContactSource),
    }
}

const NEVER: &str = "NeverContactSource";

/// A cluster with everything that the forms have to handle.
pub(super) fn mixed() -> State {
    state(&[
        (SetKind::Icsp, "old", &[("quay.io/a", &["m1/a", "m2/a"], false)]),
        (SetKind::Idms, "new", &[("quay.io/a", &["m2/a", "m:3/a"], false), ("quay.io/b", &["m:3/b"], true)]),
        (SetKind::Idms, "odd", &[("quay.io/c", &["quay.io/c"], true), ("*.lab.example", &["m:3"], false)]),
        (SetKind::Itms, "tags", &[("quay.io/t", &["m:3/t"], true)]),
    ])
}

/// A cluster with two sets that list mirrors in contradicting orders.
pub(super) fn contradicting() -> State {
    state(&[
        (SetKind::Idms, "a", &[("quay.io/a", &["m1", "m2"], false)]),
        (SetKind::Idms, "b", &[("quay.io/a", &["m2", "m1"], false)]),
    ])
}

/// The number of omissions that are [`Omission::Lost`], and of those that are [`Omission::Aside`].
fn omitted(form: &Form) -> (usize, usize) {
    let lost = form.omissions.iter().filter(|omission| matches!(omission, Omission::Lost(_))).count();
    let aside = form.omissions.iter().filter(|omission| matches!(omission, Omission::Aside(_))).count();
    (lost, aside)
}

#[test]
fn one_idms_has_the_entries_of_all_icsps_and_idms_merged() {
    let state = mixed();
    let form = digest_mirror_set(state.context().view()).unwrap();
    let expected = json!({
        "apiVersion": "config.openshift.io/v1",
        "kind": "ImageDigestMirrorSet",
        "metadata": { "name": "digest-mirrors" },
        "spec": { "imageDigestMirrors": [
            { "source": "*.lab.example", "mirrors": ["m:3"] },
            { "source": "quay.io/a", "mirrors": ["m1/a", "m2/a", "m:3/a"] },
            { "source": "quay.io/b", "mirrors": ["m:3/b"], "mirrorSourcePolicy": NEVER },
        ] },
    });
    assert_eq!(form.json(), expected);
    assert_eq!(omitted(&form), (0, 2), "an entry that the nodes drop, and an ITMS");
    assert!(!form.is_lossy());
}

#[test]
fn one_itms_has_the_entries_of_all_itms() {
    let state = mixed();
    let form = tag_mirror_set(state.context().view()).unwrap();
    let entries = json!([{ "source": "quay.io/t", "mirrors": ["m:3/t"], "mirrorSourcePolicy": NEVER }]);
    assert_eq!(form.json()["spec"], json!({ "imageTagMirrors": entries }));
    assert_eq!(omitted(&form), (0, 3), "one for each digest set");
}

#[test]
fn contradicting_orders_are_an_omission() {
    let state = contradicting();
    let form = digest_mirror_set(state.context().view()).unwrap();
    assert_eq!(omitted(&form), (0, 1));
}

#[test]
fn a_hosted_cluster_loses_never_contact_source() {
    let state = mixed();
    let form = hosted_cluster(state.context().view()).unwrap();
    let entries = json!([
        { "source": "*.lab.example", "mirrors": ["m:3"] },
        { "source": "quay.io/a", "mirrors": ["m1/a", "m2/a", "m:3/a"] },
        { "source": "quay.io/b", "mirrors": ["m:3/b"] },
    ]);
    assert_eq!(form.json(), json!({ "spec": { "imageContentSources": entries } }));
    assert_eq!(omitted(&form), (1, 2), "a policy; an entry that the nodes drop, and an ITMS");
}

#[test]
fn a_mirror_without_a_registry_host_is_kept_and_named() {
    type Write = fn(View<'_>) -> Result<Form, NoForm>;
    // Whether it is said that the mirror is kept, and whether the form loses something.
    let table: [(Write, SetKind, &str, bool, bool, &str); 8] = [
        (digest_mirror_set, SetKind::Idms, "m3/x", true, false, "an IDMS"),
        (digest_mirror_set, SetKind::Icsp, "m3.lab/x", false, false, "with a registry"),
        (tag_mirror_set, SetKind::Itms, "m3/x", true, false, "an ITMS"),
        (tag_mirror_set, SetKind::Itms, "m3:443/x", false, false, "with a port"),
        (hosted_cluster, SetKind::Icsp, "m3/x", true, false, "imageContentSources"),
        (hosted_cluster, SetKind::Icsp, "localhost/x", false, false, "localhost is a registry"),
        (install_config, SetKind::Idms, "m3", true, false, "the installer takes it for a host"),
        (install_config, SetKind::Idms, "m3/x", false, true, "the installer rejects it"),
    ];
    for (write, kind, mirror, is_kept, is_lossy, reason) in table {
        let state = state(&[(kind, "a", &[("quay.io/a", &["n.lab/a", mirror], false)])]);
        let form = write(state.context().view()).unwrap();
        let kept: Vec<_> =
            form.omissions.iter().filter(|omission| matches!(omission, Omission::Kept(_))).collect();
        assert_eq!(kept.len(), usize::from(is_kept), "{reason}: {kept:?}");
        assert_eq!(form.yaml().contains(&format!("- {mirror}\n")), !is_lossy, "{reason}");
        assert_eq!(form.is_lossy(), is_lossy, "{reason}");
    }
}

/// Four clusters, each with one thing of this size: the number of sources or of mirrors, or the length of one of them.
pub(super) fn clusters_of_size(size: usize) -> [(&'static str, State); 4] {
    let names = numbered(size);
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let entries: Vec<Entry<'_>> = names.iter().map(|source| (*source, &["m.lab/a"][..], false)).collect();
    let long = format!("quay.io/{}", "a".repeat(size - "quay.io/".len()));
    [
        ("many sources", state(&[(SetKind::Idms, "a", &entries)])),
        ("many mirrors", state(&[(SetKind::Idms, "a", &[("quay.io/a", &names, false)])])),
        ("a long source", state(&[(SetKind::Idms, "a", &[(&long, &["m.lab/a"], false)])])),
        ("a long mirror", state(&[(SetKind::Idms, "a", &[("quay.io/a", &[&long], false)])])),
    ]
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("m{at:03}.lab.example/x")).collect()
}

#[test]
fn a_hosted_cluster_takes_255_of_each_and_no_more() {
    for (title, state) in clusters_of_size(255) {
        assert!(hosted_cluster(state.context().view()).is_ok(), "{title}");
    }
    for (title, state) in clusters_of_size(256) {
        let NoForm(errors) = hosted_cluster(state.context().view()).unwrap_err();
        assert_eq!(errors.len(), 1, "{title}: {errors:?}");
    }
}

#[test]
fn a_form_without_sources_is_not_written() {
    type Write = fn(View<'_>) -> Result<Form, NoForm>;
    let tags: Set<'_> = (SetKind::Itms, "tags", &[("quay.io/t", &["m:3/t"], false)]);
    let digests: Set<'_> = (SetKind::Idms, "digests", &[("quay.io/d", &["m:3/d"], false)]);
    let wildcard: Set<'_> = (SetKind::Idms, "wildcard", &[("*.lab.example", &["m:3"], false)]);
    let ineffective: Set<'_> = (SetKind::Idms, "odd", &[("quay.io/c", &["quay.io/c"], false)]);
    let table: [(Write, &str, &[Set<'_>], Option<usize>); 10] = [
        (digest_mirror_set, "an IDMS of nothing", &[], Some(1)),
        (digest_mirror_set, "an IDMS of an ITMS, which is named", &[tags], Some(2)),
        (digest_mirror_set, "an IDMS of an entry without effect", &[ineffective], Some(2)),
        (digest_mirror_set, "an IDMS of an IDMS", &[digests], None),
        (tag_mirror_set, "an ITMS of an IDMS", &[digests], Some(2)),
        (tag_mirror_set, "an ITMS of both", &[digests, tags], None),
        (hosted_cluster, "a HostedCluster, whose list would be emptied", &[], Some(1)),
        (hosted_cluster, "a HostedCluster of an ITMS", &[tags], Some(2)),
        (install_config, "an install-config of an ITMS", &[tags], Some(2)),
        (install_config, "an install-config of what it cannot express", &[wildcard], Some(2)),
    ];
    for (write, title, sets, expected) in table {
        let reasons = write(state(sets).context().view()).err().map(|NoForm(reasons)| reasons.len());
        assert_eq!(reasons, expected, "{title}");
    }
}

#[test]
fn an_install_config_has_policies_and_no_wildcards() {
    let state = mixed();
    let form = install_config(state.context().view()).unwrap();
    let entries = json!([
        { "source": "quay.io/a", "mirrors": ["m:3/a"] },
        { "source": "quay.io/b", "mirrors": ["m:3/b"], "sourcePolicy": NEVER },
    ]);
    assert_eq!(form.json(), json!({ "imageDigestSources": entries }));
    assert_eq!(omitted(&form), (3, 2), "a wildcard and two mirrors; a dropped entry and an ITMS");
    assert_eq!(form.comments.len(), 2, "one is about policies");
}

/// A cluster with mirrors for each catalog of releases from 4.22 on.
pub(super) fn three_catalogs() -> State {
    let prefix = "registry.redhat.io/redhat";
    state(&[(
        SetKind::Itms,
        "t",
        &[
            (&format!("{prefix}/certified-operator-index"), &["m:3/r/certified-operator-index"], false),
            (&format!("{prefix}/community-operator-index"), &["m:3/r/community-operator-index"], false),
            (&format!("{prefix}/redhat-operator-index"), &["m:3/r/redhat-operator-index"], false),
        ],
    )])
}

#[test]
fn an_annotation_is_right_in_every_release_or_there_is_none() {
    let one = state(&[(SetKind::Itms, "t", &[("registry.redhat.io/redhat", &["m:3/redhat"], false)])]);
    let value = "registry.redhat.io/redhat=m:3/redhat";
    let name = "hypershift.openshift.io/olm-catalogs-is-registry-overrides";
    let form = catalog_annotation(one.derivations(), None, &Releases::default()).unwrap();
    assert_eq!(form.json(), json!({ "metadata": { "annotations": { name: value } } }));

    // There is no second reason, a value for newer releases: without mirror sets they have none either.
    let NoForm(reasons) =
        catalog_annotation(State::default().derivations(), None, &Releases::default()).unwrap_err();
    assert_eq!(reasons.len(), 1, "{reasons:?}");

    let NoForm(reasons) =
        catalog_annotation(three_catalogs().derivations(), None, &Releases::default()).unwrap_err();
    let [_, newer] = &reasons[..] else { panic!("{reasons:?}") };
    assert!(newer.contains("4.22") && newer.contains("registry.redhat.io/redhat=m:3/r"), "{newer}");
}

#[test]
fn several_documents_are_a_list_in_json_and_apart_in_yaml() {
    let mut form = Form::of(&json!({ "a": 1 }));
    assert_eq!((form.yaml(), form.json()), ("a: 1\n".to_owned(), json!({ "a": 1 })));
    form.push(&json!({ "b": 2 }));
    form.comments.push("two".to_owned());
    assert_eq!(form.yaml(), "# two\na: 1\n---\nb: 2\n");
    assert_eq!(form.json(), json!({ "apiVersion": "v1", "kind": "List", "items": [{ "a": 1 }, { "b": 2 }] }));
}
