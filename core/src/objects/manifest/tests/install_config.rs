//! The configuration of the installer.

use super::*;

pub(super) const INSTALL_CONFIG: &str = "\
apiVersion: v1
baseDomain: lab.example
metadata: {name: lab}
imageDigestSources:
- mirrors: [m.lab/a]
  source: quay.io/a
  sourcePolicy: NeverContactSource
imageContentSources:
- mirrors: [m.lab/b]
  source: quay.io/b
";

#[test]
fn an_install_config_has_the_sets_that_the_installer_makes() {
    let reading = read("x.yaml", INSTALL_CONFIG.to_owned());
    let names = reading.objects.iter().map(|located| located.object.name());
    assert_eq!(names.collect::<Vec<_>>(), ["image-digest-mirror", "image-policy"]);
    let table = [
        (0, "imageDigestSources[0].source", 6, "the first list"),
        (0, "imageDigestSources[0].sourcePolicy", 7, "a field of an entry"),
        (0, "imageDigestSources", 4, "the list"),
        (0, "metadata.name", 4, "the name of the set, not that of the cluster"),
        (0, "spec", 4, "what the set has, and the file has not"),
        (1, "imageContentSources[0].source", 10, "the second list"),
    ];
    for (object, path, line, reason) in table {
        assert_eq!(reading.objects[object].position(path).line, line, "{reason}");
    }
    let Object::MirrorSet(set) = &reading.objects[0].object else { panic!("a mirror set") };
    assert_eq!(set.entries[0].policy(), MirrorSourcePolicy::NeverContactSource);
    let without = read("x.yaml", "apiVersion: v1\nbaseDomain: lab.example\n".to_owned());
    assert_eq!((without.objects.len(), without.skipped), (0, 1), "an install-config without mirrors");
}

#[test]
fn an_install_config_is_read_by_what_its_lists_were_meant_to_be() {
    let head = "apiVersion: v1\nbaseDomain: lab.example\n";
    let entries = "[{Source: q.io/a, mirrors: [m.lab/a]}, {source: 7}, null]";
    let table = [
        (format!("imageDigestSources: {entries}"), (1, 0, 2), "values of another type are errors"),
        (format!("ImageContentSources: {entries}"), (1, 0, 2), "the installer ignores the case"),
        (format!("imageDigestSource: {entries}"), (0, 1, 0), "misspelt"),
        ("additionalTrustBundle: x".to_owned(), (0, 0, 0), "no mirrors"),
    ];
    for (fields, expected, reason) in table {
        let Reading { objects, misnamed, errors, .. } = read("x.yaml", format!("{head}{fields}\n"));
        assert_eq!((objects.len(), misnamed.len(), errors.len()), expected, "{reason}: {errors:?}");
    }
    let reading = read("x.yaml", format!("{head}imageDigestSources: {entries}\n"));
    let Object::MirrorSet(set) = &reading.objects[0].object else { panic!("a mirror set") };
    assert_eq!(&*set.entries[0].source, "q.io/a");
    assert!(!set.is_readable(1, EntryPart::Source), "an unreadable source is not an empty one");
}

#[test]
fn an_install_config_has_one_list() {
    let entries = "[{source: q.io, mirrors: [m.lab]}]";
    let table = [
        (format!("imageDigestSources: {entries}\nimageContentSources: {entries}"), true, "both"),
        (format!("imageDigestSources: {entries}\nimageContentSources: []"), false, "one is empty"),
        (format!("imageDigestSources: {entries}\nimageContentSources:"), false, "one is nothing"),
        (format!("imageContentSources: {entries}"), false, "one"),
    ];
    for (lists, expected, reason) in table {
        let reading = read("x.yaml", format!("apiVersion: v1\nbaseDomain: lab\n{lists}\n"));
        let lines: Vec<_> = reading.errors.iter().map(|error| error.at.line).collect();
        assert_eq!(lines, Vec::from_iter(expected.then_some(4)), "{reason}: at the name of the list");
        assert!(reading.objects.iter().all(|one| one.written.has_both_lists == expected), "{reason}");
    }
}

#[test]
fn an_empty_list_beside_the_other_one_becomes_no_set() {
    let digests = "imageDigestSources: [{source: q.io/a, mirrors: [m.lab/a]}]";
    let table = [
        (format!("imageContentSources: []\n{digests}"), vec!["ImageDigestMirrorSet/image-digest-mirror"]),
        ("imageContentSources: []".to_owned(), vec!["ImageContentSourcePolicy/image-policy"]),
        (digests.to_owned(), vec!["ImageDigestMirrorSet/image-digest-mirror"]),
    ];
    for (lists, expected) in table {
        let reading = read("install-config.yaml", format!("apiVersion: v1\nbaseDomain: lab\n{lists}\n"));
        let ids: Vec<_> = reading.objects.iter().map(|located| located.object.id().to_string()).collect();
        assert_eq!(ids, expected, "{lists}");
    }
}
