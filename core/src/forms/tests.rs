//! Forms of whole clusters: what is written, and what is told as missing.

use super::*;
use crate::{
    hypershift::{Obstacle, Releases},
    objects::manifest,
    state::State,
};

/// Source, mirrors, policy.
type Entry<'a> = (&'a str, &'a [&'a str], &'a str);
/// Kind, name, entries.
type Set<'a> = (&'a str, &'a str, &'a [Entry<'a>]);

/// A cluster of a few mirror sets.
fn state(sets: &[Set<'_>]) -> State {
    let objects = sets.iter().flat_map(|(kind, name, entries)| {
        let (api, list) = match *kind {
            "ImageContentSourcePolicy" => ("operator.openshift.io/v1alpha1", "repositoryDigestMirrors"),
            "ImageTagMirrorSet" => ("config.openshift.io/v1", "imageTagMirrors"),
            _ => ("config.openshift.io/v1", "imageDigestMirrors"),
        };
        let entries = entries.iter().map(|(source, mirrors, policy)| {
            let policy = if policy.is_empty() { Value::Null } else { json!(policy) };
            json!({ "source": source, "mirrors": mirrors, "mirrorSourcePolicy": policy })
        });
        let entries: Vec<_> = entries.collect();
        let spec = json!({ list: entries });
        let object = json!({ "apiVersion": api, "kind": kind, "metadata": { "name": name }, "spec": spec });
        let reading = manifest::read("test", object.to_string());
        assert!(reading.errors.is_empty(), "{:?}", reading.errors);
        reading.objects.into_iter().map(|located| located.object)
    });
    objects.collect()
}

const ICSP: &str = "ImageContentSourcePolicy";
const IDMS: &str = "ImageDigestMirrorSet";
const ITMS: &str = "ImageTagMirrorSet";
const NEVER: &str = "NeverContactSource";

/// All that the forms have to deal with.
fn mixed() -> State {
    state(&[
        (ICSP, "old", &[("quay.io/a", &["m1/a", "m2/a"], "")]),
        (IDMS, "new", &[("quay.io/a", &["m2/a", "m:3/a"], ""), ("quay.io/b", &["m:3/b"], NEVER)]),
        (IDMS, "odd", &[("quay.io/c", &["quay.io/c"], NEVER), ("*.lab.example", &["m:3"], "")]),
        (ITMS, "tags", &[("quay.io/t", &["m:3/t"], NEVER)]),
    ])
}

fn lost(form: &Form) -> Vec<&str> {
    let lost = form.omissions.iter().filter_map(|omission| match omission {
        Omission::Lost(what) => Some(what.as_str()),
        Omission::Aside(_) => None,
    });
    lost.collect()
}

fn aside(form: &Form) -> Vec<&str> {
    let aside = form.omissions.iter().filter_map(|omission| match omission {
        Omission::Aside(what) => Some(what.as_str()),
        Omission::Lost(_) => None,
    });
    aside.collect()
}

#[test]
fn one_idms_has_the_entries_of_all_icsps_and_idms_merged() {
    let state = mixed();
    let form = digest_mirror_set(state.context().view());
    let entries = json!([
        { "source": "*.lab.example", "mirrors": ["m:3"] },
        { "source": "quay.io/a", "mirrors": ["m1/a", "m2/a", "m:3/a"] },
        { "source": "quay.io/b", "mirrors": ["m:3/b"], "mirrorSourcePolicy": NEVER },
    ]);
    assert_eq!(form.json()["spec"]["imageDigestMirrors"], entries);
    assert_eq!(lost(&form), Vec::<&str>::new());
    assert_eq!(
        aside(&form),
        [
            "source \"quay.io/c\" (ImageDigestMirrorSet/odd, spec.imageDigestMirrors[0].mirrors) has no mirror but \
             itself: the nodes drop the entry, its policy included",
            "ImageTagMirrorSet/tags with 1 entries: they serve pulls by tag; --to itms writes them",
        ]
    );
}

#[test]
fn one_itms_has_the_entries_of_all_itms() {
    let state = mixed();
    let form = tag_mirror_set(state.context().view());
    let entries = json!([{ "source": "quay.io/t", "mirrors": ["m:3/t"], "mirrorSourcePolicy": NEVER }]);
    assert_eq!(form.json()["spec"]["imageTagMirrors"], entries);
    assert!(!form.is_lossy());
    assert_eq!(aside(&form).len(), 3, "one line a digest set: {:?}", aside(&form));
}

#[test]
fn contradicting_orders_are_told() {
    let state = state(&[
        (IDMS, "a", &[("quay.io/a", &["m1", "m2"], "")]),
        (IDMS, "b", &[("quay.io/a", &["m2", "m1"], "")]),
    ]);
    let form = digest_mirror_set(state.context().view());
    assert_eq!(
        aside(&form),
        [
            "source \"quay.io/a\" (ImageDigestMirrorSet/a, spec.imageDigestMirrors[0]; ImageDigestMirrorSet/b, \
             spec.imageDigestMirrors[0]) is given its mirrors in contradicting orders: the nodes' order is \
             unspecified, this is one"
        ]
    );
}

#[test]
fn a_hosted_cluster_cannot_say_never_contact_source() {
    let state = mixed();
    let form = hosted_cluster(state.context().view()).unwrap();
    let entries = json!([
        { "source": "*.lab.example", "mirrors": ["m:3"] },
        { "source": "quay.io/a", "mirrors": ["m1/a", "m2/a", "m:3/a"] },
        { "source": "quay.io/b", "mirrors": ["m:3/b"] },
    ]);
    assert_eq!(form.json(), json!({ "spec": { "imageContentSources": entries } }));
    assert_eq!(
        lost(&form),
        [
            "source \"quay.io/b\" (ImageDigestMirrorSet/new, spec.imageDigestMirrors[1]) is NeverContactSource, which a \
             HostedCluster cannot say: its nodes may contact the source"
        ]
    );
}

#[test]
fn a_hosted_cluster_takes_255_of_each_and_no_more() {
    let many = |count| (0..count).map(|at| format!("m{at:03}.lab.example/x")).collect::<Vec<_>>();
    let long = |length| format!("quay.io/{}", "a".repeat(length - "quay.io/".len()));
    let one = |name: String| vec![name];
    let mirror = || one("m.lab.example/a".to_owned());
    let table = [
        (many(255), mirror(), "", "255 sources"),
        (
            many(256),
            mirror(),
            "256 sources … the first too many is source \"m255.lab.example/x\"",
            "256 sources",
        ),
        (one(long(20)), many(255), "", "255 mirrors"),
        (one(long(20)), many(256), "source \"quay.io/aaaaaaaaaaaa\" … has 256 mirrors", "256 mirrors"),
        (one(long(255)), mirror(), "", "a source of 255"),
        (one(long(256)), mirror(), "is 256 characters long", "a source of 256"),
        (many(1), one(long(255)), "", "a mirror of 255"),
        (many(1), one(long(256)), "the mirror \"quay.io/aaa … is 256 characters long", "a mirror of 256"),
    ];
    for (sources, mirrors, expected, reason) in table {
        let mirrors: Vec<&str> = mirrors.iter().map(String::as_str).collect();
        let entries: Vec<_> = sources.iter().map(|source| (&**source, &*mirrors, "")).collect();
        let state = state(&[(IDMS, "a", &entries)]);
        let told = hosted_cluster(state.context().view()).err().map(|no| no.to_string()).unwrap_or_default();
        assert_eq!(expected.is_empty(), told.is_empty(), "{reason}: {told}");
        assert!(expected.split(" … ").all(|part| told.contains(part)), "{reason}: {told}");
    }
}

#[test]
fn an_install_config_has_policies_and_no_wildcards() {
    let state = mixed();
    let form = install_config(state.context().view());
    let entries = json!([
        { "source": "quay.io/a", "mirrors": ["m:3/a"] },
        { "source": "quay.io/b", "mirrors": ["m:3/b"], "sourcePolicy": NEVER },
    ]);
    assert_eq!(form.json(), json!({ "imageDigestSources": entries }));
    let lost = lost(&form);
    assert_eq!(lost.len(), 3, "{lost:?}");
    assert!(
        lost[0].starts_with("source \"*.lab.example\"") && lost[0].ends_with("no wildcards"),
        "{}",
        lost[0]
    );
    assert!(lost[1].starts_with("the mirror \"m1/a\" of source \"quay.io/a\""), "{}", lost[1]);
    assert!(form.yaml().contains("# Installers before 4.21"), "{}", form.yaml());
}

#[test]
fn an_annotation_is_right_in_every_release_or_there_is_none() {
    let one = state(&[(ITMS, "t", &[("registry.redhat.io/redhat", &["m:3/redhat"], "")])]);
    let value = "registry.redhat.io/redhat=m:3/redhat";
    let name = "hypershift.openshift.io/olm-catalogs-is-registry-overrides";
    let form = catalog_annotation(one.derivations(), &Releases::default()).unwrap();
    assert_eq!(form.json(), json!({ "metadata": { "annotations": { name: value } } }));

    let none =
        catalog_annotation(State::default().derivations(), &Releases::default()).unwrap_err().to_string();
    assert!(none.ends_with(&Obstacle::NoneMirrored.to_string()), "{none}");

    let index = |name: &str| format!("registry.redhat.io/redhat/{name}-index");
    let place = |name: &str| format!("m:3/r/{name}-index");
    let names = ["certified-operator", "community-operator", "redhat-operator"];
    let (sources, places) = (names.map(index), names.map(place));
    let mirrors: Vec<_> = places.iter().map(|place| [place.as_str()]).collect();
    let entries: Vec<_> = sources.iter().zip(&mirrors).map(|(s, m)| (s.as_str(), m.as_slice(), "")).collect();
    let three = state(&[(ITMS, "t", &entries)]);
    let newer = catalog_annotation(three.derivations(), &Releases::default()).unwrap_err().to_string();
    assert!(newer.contains("redhat-marketplace-index\nfor hosted clusters from 4.22 on it is"), "{newer}");
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
