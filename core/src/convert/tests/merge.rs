use super::{ProblemCase, numbered, set, with_metadata};
use crate::{
    convert::{Merging, merge},
    objects::to_documents,
};

/// Unites sets of one file each: `0.yaml`, `1.yaml`, …
fn merged(sets: &[String]) -> Merging {
    merge(&numbered(sets))
}

/// The objects to write, as one file.
fn text_of(merging: &Merging) -> String {
    assert_eq!(merging.problems, [], "there are no contradictions");
    let objects: Vec<_> = merging.documents.iter().map(crate::convert::Document::to_json).collect();
    to_documents(&objects)
}

/// One run of oc-mirror v2, with the annotations that describe it.
fn run(at: &str, version: &str, entries: &str) -> String {
    let stamps = format!(
        "annotations: {{createdAt: \"{at}\", createdBy: oc-mirror v2, oc-mirror_version: {version}}}"
    );
    with_metadata(&set("idms", "idms-operator-0", entries), &stamps)
}

#[test]
fn runs_are_united_into_one_set_with_the_entries_of_all_in_order() {
    let merging = merged(&[
        run(
            "2026-04-14T09:30:12Z",
            "4.20.1",
            "{source: quay.io/c, mirrors: [m.lab/c]}, {source: quay.io/a, mirrors: [m.lab/a]}",
        ),
        run(
            "2026-05-20T10:00:00Z",
            "4.21.0",
            "{source: quay.io/b, mirrors: [m.lab/b]}, {source: quay.io/a, mirrors: [m.lab/a]}",
        ),
    ]);
    let expected = "\
apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet
metadata:
  name: idms-operator-0
  annotations:
    createdBy: oc-mirror v2
spec:
  imageDigestMirrors:
    - source: quay.io/a
      mirrors:
        - m.lab/a
    - source: quay.io/b
      mirrors:
        - m.lab/b
    - source: quay.io/c
      mirrors:
        - m.lab/c
";
    assert_eq!(text_of(&merging), expected);
}

#[test]
fn entries_of_one_source_are_united_as_the_nodes_merge_them() {
    // The mirrors of the source in each set, and the united ones.
    let table = [
        (vec!["[m/a, m/b]", "[m/b, m/c]"], vec!["m/a", "m/b", "m/c"], "overlapping lists chain"),
        (vec!["[m/b]", "[m/a]"], vec!["m/a", "m/b"], "unrelated ones are sorted by name"),
        (vec!["[m/a]", "[]"], vec!["m/a"], "an empty list adds nothing"),
        (vec!["[]", "[]"], vec![], "an entry without mirrors is kept"),
        (vec!["[quay.io/a]", "[]"], vec!["quay.io/a"], "so is one whose only mirror is the source"),
        (vec!["[quay.io/a, quay.io/a]"], vec!["quay.io/a"], "once, if it is repeated"),
        (vec!["[m/a, quay.io/a]", "[m/a]"], vec!["m/a"], "the source comes last anyway"),
        (vec!["[m/b, m/b]"], vec!["m/b"], "a repeated mirror once"),
        (vec!["[m/b, m/b]", "[m/b, m/b]"], vec!["m/b"], "in two lists as well"),
    ];
    for (lists, expected, reason) in table {
        let sets =
            lists.iter().map(|list| set("icsp", "a", &format!("{{source: quay.io/a, mirrors: {list}}}")));
        let merging = merged(&sets.collect::<Vec<_>>());
        let [document] = &merging.documents[..] else { panic!("{reason}: {:?}", merging.problems) };
        let mirrors: Vec<_> = document.set.entries[0].mirrors.iter().map(|mirror| &**mirror).collect();
        assert_eq!(mirrors, expected, "{reason}");
    }
}

#[test]
fn kinds_and_names_stay_apart() {
    let entries = "{source: quay.io/a, mirrors: [m.lab/a]}";
    let merging = merged(&[
        set("itms", "a", entries),
        set("idms", "b", entries),
        set("idms", "a", entries),
        set("icsp", "a", entries),
    ]);
    let ids: Vec<_> = merging.documents.iter().map(|document| document.set.id().to_string()).collect();
    assert_eq!(
        ids,
        [
            "ImageContentSourcePolicy/a",
            "ImageDigestMirrorSet/a",
            "ImageDigestMirrorSet/b",
            "ImageTagMirrorSet/a"
        ]
    );
}

#[test]
fn the_order_of_runs_does_not_matter_and_none_adds_anything_twice() {
    let sets = [
        run(
            "1",
            "4.20.1",
            "{source: quay.io/c, mirrors: [m/2, m/1]}, {source: quay.io/a, mirrors: [m/9, quay.io/a]}",
        ),
        run(
            "2",
            "4.21.0",
            "{source: quay.io/a, mirrors: [m/8]}, {source: quay.io/b}, {source: quay.io/b, mirrors: [quay.io/b]}",
        ),
        run("3", "4.21.0", "{source: quay.io/c, mirrors: [m/1, m/3]}"),
        run(
            "4",
            "4.22.0",
            "{source: quay.io/c, mirrors: [m/0]}, {source: quay.io/a, mirrors: [m/8, m/7], mirrorSourcePolicy: AllowContactingSource}",
        ),
        set("itms", "t", "{source: quay.io/c, mirrors: [m/1, m/2]}"),
    ];
    let expected = text_of(&merged(&sets));
    for turn in 0..sets.len() {
        let mut turned = sets.to_vec();
        turned.rotate_left(turn);
        assert_eq!(text_of(&merged(&turned)), expected, "begun with {turn}");
        turned.reverse();
        assert_eq!(text_of(&merged(&turned)), expected, "ended with {turn}");
        assert_eq!(text_of(&merged(&[expected.clone(), sets[turn].clone()])), expected, "{turn} once more");
    }
    assert_eq!(text_of(&merged(std::slice::from_ref(&expected))), expected, "alone");
}

/// Sets that cannot be united, each with one problem.
pub(super) fn contradictions() -> Vec<ProblemCase> {
    let allowed = "{source: quay.io/a, mirrors: [m/1]}";
    let never = "{source: quay.io/a, mirrors: [m/1], mirrorSourcePolicy: NeverContactSource}";
    let (one, other) =
        ("{source: quay.io/a, mirrors: [m/1, m/2]}", "{source: quay.io/a, mirrors: [m/2, m/1]}");
    vec![
        ProblemCase {
            sets: vec![set("idms", "a", allowed), set("idms", "a", never)],
            places: &["ImageDigestMirrorSet/a in 0.yaml:4", "ImageDigestMirrorSet/a in 1.yaml:4"],
            reason: "two policies in objects that would be one",
        },
        ProblemCase {
            sets: vec![set("itms", "b", allowed), set("idms", "a", never)],
            places: &["ImageTagMirrorSet/b in 0.yaml:4", "ImageDigestMirrorSet/a in 1.yaml:4"],
            reason: "two policies in two objects",
        },
        ProblemCase {
            sets: vec![set("icsp", "a", one), set("icsp", "a", other)],
            places: &[
                "ImageContentSourcePolicy/a in 0.yaml:4: m/1, then m/2",
                "ImageContentSourcePolicy/a in 1.yaml:4: m/2, then m/1",
            ],
            reason: "two orders",
        },
        ProblemCase {
            sets: vec![set("itms", "a", one), set("itms", "b", other)],
            places: &[
                "ImageTagMirrorSet/a in 0.yaml:4: m/1, then m/2",
                "ImageTagMirrorSet/b in 1.yaml:4: m/2, then m/1",
            ],
            reason: "two orders of tag pulls, in two objects",
        },
        ProblemCase {
            sets: ["lab", "office"]
                .map(|site| with_metadata(&set("icsp", "a", ""), &format!("labels: {{site: {site}}}")))
                .to_vec(),
            places: &["ImageContentSourcePolicy/a in 0.yaml:3", "ImageContentSourcePolicy/a in 1.yaml:3"],
            reason: "two values of one label",
        },
    ]
}

#[test]
fn contradictions_are_problems_with_both_places() {
    for case in contradictions() {
        let merging = merged(&case.sets);
        case.assert_places(&merging.problems);
        assert_eq!(merging.documents, [], "{}: there is nothing to write", case.reason);
    }
}

#[test]
fn only_annotations_describe_a_run() {
    let labelled = with_metadata(&set("idms", "a", ""), "labels: {createdAt: lab, oc-mirror_version: \"2\"}");
    let merging = merged(&[labelled]);
    let labels: Vec<_> = merging.documents[0].labels.keys().collect();
    assert_eq!(labels, ["createdAt", "oc-mirror_version"], "oc-mirror writes no labels");
    let other = with_metadata(&set("idms", "a", ""), "labels: {createdAt: office}");
    let labelled = with_metadata(&set("idms", "a", ""), "labels: {createdAt: lab}");
    assert_eq!(merged(&[labelled, other]).problems.len(), 1, "two values of one label");
}

#[test]
fn tags_and_digests_may_be_tried_in_different_order() {
    let merging = merged(&[
        set("itms", "a", "{source: quay.io/a, mirrors: [m/1, m/2]}"),
        set("idms", "a", "{source: quay.io/a, mirrors: [m/2, m/1]}"),
    ]);
    assert_eq!(merging.problems, []);
}
