//! Fields that a kind does not have, and those that were meant.

use serde_json::json;

use super::*;
use crate::{
    objects::manifest,
    review::Reviewer,
    rules::{
        Settings,
        testing::{assert_texts, find_in_file},
    },
    write::Write,
};

const IDMS: &str =
    "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {name: a}\nspec: ";
const ICSP: &str =
    "apiVersion: operator.openshift.io/v1alpha1\nkind: ImageContentSourcePolicy\nmetadata: {name: a}\nspec: ";
const IMAGE: &str = "apiVersion: config.openshift.io/v1\nkind: Image\nmetadata: {name: cluster}\nspec: ";
const HOSTED: &str = "apiVersion: hypershift.openshift.io/v1beta1\nkind: HostedCluster\n\
                      metadata: {name: a, namespace: n}\nspec: ";

#[test]
fn a_field_is_found_with_the_one_that_was_meant() {
    // The name that the fix gives the field; empty if the field is found, but no name is suggested.
    let table = [
        (IDMS, "{imageDigestMirrors: [{source: q.io}]}", None, "no unknown field"),
        (IDMS, "{repositoryDigestMirrors: []}", Some("imageDigestMirrors"), "the list of an ICSP"),
        (IDMS, "{imageTagMirrors: []}", Some("imageDigestMirrors"), "the list of an ITMS"),
        (IDMS, "{imageDigestMirrors: [], imageTagMirrors: []}", Some(""), "its own list is there"),
        (IDMS, "{imageDigestMirrors: [{source: q, mirror: [m]}]}", Some("mirrors"), "a letter is missing"),
        (
            IDMS,
            "{imageDigestMirrors: [{mirrorSourcepolicy: NeverContactSource}]}",
            Some("mirrorSourcePolicy"),
            "lower case",
        ),
        (IDMS, "{imageDigestMirrors: [{mirrorSourcepolicy: x}]}", Some(""), "and no policy"),
        (IDMS, "{imageDigestMirrors: [{mirrors: [m], mirror: [n]}]}", Some(""), "mirrors are there"),
        (IMAGE, "{registrySources: {}, registrySource: {}}", Some(""), "registrySources is there"),
        (IMAGE, "{registrySource: {}}", Some("registrySources"), "it is not there"),
        (IDMS, "{imageDigestMirrors: [{mirror: m.lab}]}", Some("mirrors"), "one mirror without its list"),
        (IDMS, "{imageDigestMirrors: [{imagePullPolicy: Always}]}", Some(""), "of a container"),
        (ICSP, "{repositoryDigestMirrors: [{mirrorSourcePolicy: x}]}", Some(""), "an ICSP has no policy"),
        (HOSTED, "{imageTagMirrorSet: []}", Some("imageContentSources"), "mirrors for tags"),
        (HOSTED, "{olmCatalogPlacment: guest}", Some("olmCatalogPlacement"), "a letter is missing"),
        (HOSTED, "{mirrors: {}}", Some(""), "nothing like it"),
        (HOSTED, "{imageContentSources: [{mirrorSourcePolicy: x}]}", Some(""), "it has no policy"),
        (ICSP, "{imageDigestMirrors: []}", Some("repositoryDigestMirrors"), "of an IDMS"),
        (IDMS, "{}\nimageDigestMirrors: []", Some(""), "belongs to spec"),
        (IDMS, "{}\nimageTagMirrors: []", Some(""), "belongs to spec, under another name"),
        (IDMS, "{}\nannotations: {}", Some(""), "belongs to metadata"),
        (HOSTED, "{}\nimageDigestMirrors: []", Some(""), "belongs to spec, under another name"),
        (IDMS, "{}\nmirrors: 7", Some(""), "belongs nowhere"),
    ];
    let mut all = Vec::new();
    for (head, spec, expected, reason) in table {
        let found = find_in_file(RULE.id, &format!("{head}{spec}\n"));
        let names: Vec<_> = found.iter().map(|finding| renamed_to(&finding.fix)).collect();
        assert_eq!(names, Vec::from_iter(expected), "{reason}");
        all.extend(found);
    }
    all.extend(found_in_install_configs());
    all.extend(found_with_values());
    assert_texts(RULE.id, &all);
}

/// What is found in install-configs, of which only the mirrors are known.
fn found_in_install_configs() -> Vec<Finding> {
    let entries = "[{source: q.io/a, mirrors: [m.lab/a]}]";
    let digests = "imageDigestSources";
    let table = [
        (format!("{digests}: {entries}"), None, "no unknown field"),
        (format!("imageDigestSource: {entries}"), Some(digests), "a letter is missing"),
        (format!("ImageDigestSources: {entries}"), None, "Go ignores the case of names"),
        (format!("{digests}: []\nimageDigestSource: []"), Some(""), "the right one is there"),
        (format!("imageContentSource: {entries}"), Some("imageContentSources"), "the old list"),
        (format!("imageDigestMirrors: {entries}"), Some(digests), "the list of an IDMS"),
        (format!("repositoryDigestMirrors: {entries}"), Some(digests), "the list of an ICSP"),
        (format!("imageTagMirrors: {entries}"), Some(""), "the installer has none for tag pulls"),
        (format!("{digests}: [{{source: q.io, mirror: [m]}}]"), Some("mirrors"), "in an entry"),
        (format!("{digests}: [{{mirrorSourcePolicy: x}}]"), Some("sourcePolicy"), "the name in an IDMS"),
        ("imageContentSources: [{sourcePolicy: x}]".to_owned(), Some(""), "the old list has no policy"),
        ("imageContentSources: [{mirrorSourcePolicy: x}]".to_owned(), Some(""), "under neither name"),
        (format!("{digests}: []\npullSecrets: x"), None, "nothing else is known"),
    ];
    let mut all = Vec::new();
    for (fields, expected, reason) in table {
        let found = find_in_file(RULE.id, &format!("apiVersion: v1\nbaseDomain: lab\n{fields}\n"));
        let names: Vec<_> = found.iter().map(|finding| renamed_to(&finding.fix)).collect();
        assert_eq!(names, Vec::from_iter(expected), "{reason}");
        all.extend(found);
    }
    all
}

#[test]
fn a_value_of_another_type_is_rewritten_with_its_name() {
    let config = "apiVersion: config.openshift.io/v1\nkind: Image\nmetadata: {name: cluster}\nspec: ";
    // The value that the fix sets; `None` if the field is only renamed.
    let table = [
        (IDMS, "{imageDigestMirrors: [{mirror: m.lab}]}", Some(json!(["m.lab"])), "a string for a list"),
        (IDMS, "{imageDigestMirrors: [{mirror: [m.lab]}]}", None, "a list for a list"),
        (IDMS, "{imageDigestMirrors: [{sources: [q.io]}]}", Some(json!("q.io")), "a list for a string"),
        (IDMS, "{imageDigestMirrors: [{sources: q.io}]}", None, "a string for a string"),
        (
            IDMS,
            "{imageDigestMirrors: [{mirror: 'm.lab/a, m.lab/b,'}]}",
            Some(json!(["m.lab/a", "m.lab/b"])),
            "the items between commas",
        ),
        (
            config,
            "{registrySources: {insecureRegistry: m.lab}}",
            Some(json!(["m.lab"])),
            "of the image configuration",
        ),
    ];
    for (head, spec, expected, reason) in table {
        let found = find_in_file(RULE.id, &format!("{head}{spec}\n"));
        let [finding] = &*found else { panic!("{reason}: {found:?}") };
        assert!(!renamed_to(&finding.fix).is_empty(), "{reason}");
        let set = finding.fix.changes.iter().find_map(|(_, change)| match change {
            Change::Set { path, value } if *path == finding.path => Some(value.clone()),
            _ => None,
        });
        assert_eq!(set, expected, "{reason}");
    }
}

/// What is found in fields with values that the meant field cannot have, which are left to a person, and in others.
fn found_with_values() -> Vec<Finding> {
    let table = [
        ("mirror: {a: b}", false, "a map is no list"),
        ("mirror: [{a: b}]", false, "a map is no item"),
        ("mirror: 7", false, "a number is no item"),
        ("sources: [q.io, r.io]", false, "two strings are no single one"),
        ("mirror: ''", false, "an empty mirror"),
        ("mirror: ','", false, "nothing between commas"),
        ("mirror: 'm.lab/a m.lab/b'", false, "a space is no comma"),
        ("mirror: 'm.lab/a, https://m.lab/b'", false, "the second one is invalid"),
        ("sources: ['https://q.io']", false, "an invalid source"),
        ("mirror: m.lab/a", true, "a mirror"),
        ("mirror: '${M}/a'", true, "a placeholder may become a mirror"),
        ("mirror: [m.lab/a]", true, "a list of mirrors"),
        ("mirror:", true, "nothing at all"),
        ("sources: [q.io]", true, "a source"),
    ];
    let mut all = Vec::new();
    for (entry, is_fixed, reason) in table {
        let found = find_in_file(RULE.id, &format!("{IDMS}\n  imageDigestMirrors:\n  - {entry}\n"));
        let [finding] = &*found else { panic!("{reason}: {found:?}") };
        assert_eq!(!finding.fix.changes.is_empty(), is_fixed, "{reason}");
        let names_it = ["mirrors", "source"].iter().any(|name| finding.fix.title.contains(name));
        assert!(names_it, "{reason}: {}", finding.fix.title);
        all.extend(found);
    }
    all
}

fn renamed_to(fix: &Fix) -> &str {
    match fix.changes.first() {
        Some((_, Change::Rename { name, .. })) => name,
        _ => "",
    }
}

#[test]
fn what_a_misspelt_field_sets_is_no_other_fault() {
    let table = [
        (IDMS, "{imageDigestMirrors: [{Source: q.io/a, mirrors: [m.lab/a]}]}", "the source is not empty"),
        (IDMS, "{imageDigestMirrors: [{source: q.io/a, mirror: [m.lab/a]}]}", "it has a mirror"),
        (ICSP, "{repositoryDigestMirrors: [{Source: q.io/a, mirror: [m.lab/a]}]}", "both, in an ICSP"),
        (HOSTED, "{imageContentSources: [{Source: q.io/a, mirrors: [m.lab/a]}]}", "in a HostedCluster"),
        (HOSTED, "{imageContentSources: [{source: q.io/a, mirror: [m.lab/a]}]}", "its mirror"),
        (HOSTED, "{imageContentSources: [[q.io/a, m.lab/a]]}", "an entry of another type"),
    ];
    for (head, spec, reason) in table {
        let object = manifest::read("test", format!("{head}{spec}\n")).objects.remove(0).object;
        let state = [object.clone()].into_iter().collect();
        let (settings, today) = (Settings::default(), jiff::civil::date(2026, 1, 1));
        let verdict = Reviewer::new(&state, &settings, today).review(&Write::existing(&object).unwrap());
        let ids: Vec<_> = verdict.rule_ids();
        assert!(ids.iter().all(|id| *id == "deprecated-icsp"), "{reason}: {ids:?}");
    }
}
