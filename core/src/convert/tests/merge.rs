use super::{documents, set};
use crate::{
    convert::{Merging, merge},
    objects::to_documents,
};

/// Unites sets that stand in one file each: `0.yaml`, `1.yaml`, …
fn merged(sets: &[String]) -> Merging {
    let names: Vec<_> = (0..sets.len()).map(|at| format!("{at}.yaml")).collect();
    let files: Vec<_> = names.iter().zip(sets).map(|(name, text)| (&**name, &**text)).collect();
    merge(&documents(&files))
}

fn text_of(merging: &Merging) -> String {
    assert_eq!(merging.problems, [], "nothing contradicts");
    let objects: Vec<_> = merging.documents.iter().map(crate::convert::Document::to_json).collect();
    to_documents(&objects)
}

/// One run of oc-mirror v2, with what it says about itself.
fn run(at: &str, version: &str, entries: &str) -> String {
    let stamps = format!(
        "annotations: {{createdAt: \"{at}\", createdBy: oc-mirror v2, oc-mirror_version: {version}}}"
    );
    set("idms", "idms-operator-0", entries).replace("{name:", &format!("{{{stamps}, name:"))
}

#[test]
fn runs_become_one_set_with_the_entries_of_all_in_order() {
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
    let table = [
        (vec!["[m/a, m/b]", "[m/b, m/c]"], vec!["m/a", "m/b", "m/c"], "overlapping lists chain"),
        (vec!["[m/b]", "[m/a]"], vec!["m/a", "m/b"], "unrelated ones go by name"),
        (vec!["[m/a]", "[]"], vec!["m/a"], "no mirror adds none"),
        (vec!["[]", "[]"], vec![], "an entry without mirrors is kept"),
        (vec!["[quay.io/a]", "[]"], vec!["quay.io/a"], "so is one whose only mirror is the source"),
        (vec!["[m/a, quay.io/a]", "[m/a]"], vec!["m/a"], "the source comes last anyway"),
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
fn the_order_of_runs_does_not_matter_and_none_of_them_adds_anything_again() {
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
        run("3", "4.21.0", "{source: quay.io/c, mirrors: [m/1, m/3, m/1]}").replace(", m/1]", "]"),
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

#[test]
fn what_contradicts_is_told_with_both_places() {
    let never = "{source: quay.io/a, mirrors: [m/1], mirrorSourcePolicy: NeverContactSource}";
    let labelled =
        |value| set("icsp", "a", "").replace("{name:", &format!("{{labels: {{site: {value}}}, name:"));
    let table = [
        (
            [set("idms", "a", "{source: quay.io/a, mirrors: [m/1]}"), set("idms", "a", never)],
            "source \"quay.io/a\" is AllowContactingSource in one place and NeverContactSource in another",
            vec!["ImageDigestMirrorSet/a in 0.yaml:4", "ImageDigestMirrorSet/a in 1.yaml:4"],
            "two policies in what is to become one entry",
        ),
        (
            [set("itms", "b", "{source: quay.io/a, mirrors: [m/1]}"), set("idms", "a", never)],
            "source \"quay.io/a\" is AllowContactingSource in one place and NeverContactSource in another",
            vec!["ImageTagMirrorSet/b in 0.yaml:4", "ImageDigestMirrorSet/a in 1.yaml:4"],
            "two policies in two objects",
        ),
        (
            [
                set("icsp", "a", "{source: quay.io/a, mirrors: [m/1, m/2]}"),
                set("icsp", "a", "{source: quay.io/a, mirrors: [m/2, m/1]}"),
            ],
            "the mirrors of source \"quay.io/a\" stand in contradicting order, so that pulls by digest try them in an \
             order nobody chose",
            vec![
                "ImageContentSourcePolicy/a in 0.yaml:4: m/1, then m/2",
                "ImageContentSourcePolicy/a in 1.yaml:4: m/2, then m/1",
            ],
            "two orders",
        ),
        (
            [labelled("lab"), labelled("office")],
            "label \"site\" of ImageContentSourcePolicy/a is \"lab\" in one place and \"office\" in another",
            vec!["ImageContentSourcePolicy/a in 0.yaml:3", "ImageContentSourcePolicy/a in 1.yaml:3"],
            "two labels",
        ),
    ];
    for (sets, what, places, reason) in table {
        let merging = merged(&sets);
        let [problem] = &merging.problems[..] else { panic!("{reason}: {:?}", merging.problems) };
        assert_eq!(
            (&*problem.what, problem.places.iter().map(|p| &**p).collect::<Vec<_>>()),
            (what, places),
            "{reason}"
        );
        assert_eq!(merging.documents, [], "{reason}: there is nothing to write");
    }
}

#[test]
fn tags_and_digests_may_be_tried_in_different_order() {
    let merging = merged(&[
        set("itms", "a", "{source: quay.io/a, mirrors: [m/1, m/2]}"),
        set("idms", "a", "{source: quay.io/a, mirrors: [m/2, m/1]}"),
    ]);
    assert_eq!(merging.problems, []);
}
