use Problem::{Dropped, Elsewhere, Ignored, NoPair, Random, Unreadable, Void};
use Unused::{NoImage, NotListed};

use super::*;
use crate::hypershift::Release;

/// How a minor version of OpenShift 4, or every release, misreads a value.
fn find(value: &str, minor: Option<u32>) -> Vec<(String, Problem)> {
    find_in(value, minor, Placement::Management)
}

fn find_in(value: &str, minor: Option<u32>, placement: Placement) -> Vec<(String, Problem)> {
    let releases = minor.into_iter().map(|minor| Release { major: 4, minor }).collect();
    let found = misreadings(value, &releases, placement, None).into_iter();
    found.map(|misreading| (misreading.readers.key(), misreading.problem)).collect()
}

#[test]
fn a_value_may_be_right() {
    for (value, minor, reason) in [
        ("", None, "no overrides are wanted"),
        ("=", None, "the same"),
        ("=,=", None, "the same twice"),
        (",", None, "no part at all"),
        ("registry.redhat.io/redhat=m.lab/redhat", None, "right in every release"),
        (
            "registry.redhat.io/redhat=a.lab/r,registry.redhat.io/redhat=b.lab/r",
            None,
            "the second place serves later releases",
        ),
        ("registry.redhat.io=m.lab", None, "a place without a path gets the namespace in both eras"),
        ("registry.redhat.io=m.lab/redhat.io", Some(16), "text is replaced up to 4.16"),
        (
            "registry.redhat.io/redhat/redhat-operator-index:v4.16=m.lab/x/redhat-operator-index:v4.16",
            Some(16),
            "the tag is part of the text",
        ),
    ] {
        assert_eq!(find(value, minor), [], "{value}: {reason}");
    }
}

/// A value, a minor version, the readers and problem of each misreading, the reason.
type Row<'a> = (&'a str, Option<u32>, Vec<(&'a str, Problem)>, &'a str);

fn assert_rows<const N: usize>(rows: [Row<'_>; N]) {
    for (value, minor, expected, reason) in rows {
        let found = find(value, minor);
        let found: Vec<_> = found.iter().map(|(key, problem)| (&**key, problem.clone())).collect();
        assert_eq!(found, expected, "{value}: {reason}");
    }
}

#[test]
fn a_value_is_checked_for_the_release() {
    let [right, wrong] = ["m.lab/redhat.io/redhat", "m.lab/redhat.io"].map(certified_at);
    let [first, second] = ["m.lab/r", "n.lab/x"].map(certified_at);
    let choices = vec![first.clone(), format!("{first} then {second}")];
    let ignored = Ignored("quay.io".to_owned(), NoImage);
    let lost = Elsewhere(wrong, right);
    let single_source = "registry.redhat.io/redhat/redhat-operator-index:v4.16".to_owned();
    let single = "registry.redhat.io/redhat/redhat-operator-index=m.lab/x";
    let with_single =
        "registry.redhat.io/redhat=m.lab/r,registry.redhat.io/redhat/redhat-operator-index:v4.16=m.lab/x";
    let both = "registry.redhat.io/redhat=m.lab/r,registry.redhat.io=n.lab/x";
    let spaced = Unreadable(certified_at(" m.lab/r"));
    assert_rows([
        ("==", Some(18), vec![("list 4.18", NoPair)], "unlike =, this is a value"),
        ("quay.io", None, vec![("replace", NoPair), ("list", NoPair)], "no ="),
        ("=x", Some(17), vec![("list 4.17", NoPair)], "no source"),
        ("quay.io=,foo", Some(17), vec![("list 4.17", NoPair)], "no mirror, and no ="),
        (single, Some(18), vec![("list", Void(NotListed))], "a source of earlier releases"),
        (with_single, Some(18), vec![("list", Ignored(single_source, NotListed))], "next to one that counts"),
        ("registry.redhat.io=m.lab/redhat.io", Some(18), vec![("list", lost)], "the namespace is lost"),
        (
            "quay.io=m.lab",
            None,
            vec![("replace", Void(NoImage)), ("list", Void(NoImage))],
            "no catalog is there",
        ),
        ("registry.redhat.io/redhat=m.lab/r,quay.io=m.lab", Some(18), vec![("list", ignored)], "one of two"),
        (both, Some(20), vec![("list", Random(choices))], "both sources"),
        ("registry.redhat.io/redhat= m.lab/r", Some(20), vec![("list", spaced)], "spaces are kept"),
    ]);
}

#[test]
fn empty_sides_and_tags_count_in_early_releases() {
    let before_all = "registry.redhat.io/redhat=m.lab/r,=x";
    let without_separator = "registry.redhat.io/redhat=m.lab/r,quay.io";
    let without_place = "registry.redhat.io/redhat=m.lab/r,registry.redhat.io=";
    let shifted = Elsewhere(certified_at("xm.lab/r"), certified_at("m.lab/r"));
    let first = certified_at("m.lab/r");
    let choices = vec![first.clone(), format!("{first} then {}", certified_at("/redhat"))];
    let port = "registry.redhat.io/redhat/redhat-operator-index=mirror.lab:8443";
    let tagged = "registry.redhat.io/redhat/redhat-operator-index:v4.16=m.lab/x/redhat-operator-index:v4.16";
    assert_rows([
        (before_all, Some(16), vec![("replace", shifted)], "the empty text is in every image"),
        (
            before_all,
            Some(17),
            vec![("list 4.17", Dropped("=x".to_owned()))],
            "but it is no source of a list",
        ),
        (before_all, Some(18), vec![("list 4.18", Dropped("=x".to_owned()))], "and then it is dropped"),
        (without_separator, Some(18), vec![("list", Dropped("quay.io".to_owned()))], "no ="),
        ("registry.redhat.io/redhat=m.lab/r,", Some(18), vec![], "a comma at the end changes nothing"),
        (without_place, Some(17), vec![("list 4.17", Random(choices))], "one of two sources is empty"),
        (port, Some(16), vec![("replace", Unreadable("mirror.lab:8443".to_owned()))], "port and tag"),
        (tagged, Some(15), vec![("replace 4.15", Void(NoImage))], "the tag of another release"),
    ]);
}

#[test]
fn catalogs_of_the_hosted_cluster_use_the_first_place() {
    let both = "registry.redhat.io/redhat=m.lab/r,registry.redhat.io=n.lab/x";
    assert_eq!(
        find_in(both, Some(20), Placement::Guest),
        [],
        "whatever the order, the first place is m.lab/r"
    );
    let ignored = find_in("quay.io=m.lab", None, Placement::Guest);
    assert_eq!(ignored, [("list".to_owned(), Void(NoImage))], "up to 4.16 the annotation is not read at all");
}

/// The first catalog's index image in a namespace.
fn certified_at(namespace: &str) -> String {
    format!("{namespace}/certified-operator-index")
}

/// The sentences are written down here and nowhere else.
#[test]
fn a_problem_is_told_with_its_values() {
    let [a, b] = ["m.lab/a", "m.lab/b"].map(str::to_owned);
    let table = [
        (NoPair, "ignore the whole value, because no part of it is SOURCE=MIRROR"),
        (Void(NoImage), "ignore the whole value, because no catalog image contains any of its sources"),
        (
            Void(NotListed),
            "ignore the whole value, because the only sources that they use are registry.redhat.io/redhat and \
             registry.redhat.io",
        ),
        (Ignored(a.clone(), NoImage), "ignore the source \"m.lab/a\", which no catalog image contains"),
        (
            Ignored(a.clone(), NotListed),
            "ignore the source \"m.lab/a\", because the only sources that they use are registry.redhat.io/redhat and \
             registry.redhat.io",
        ),
        (Dropped(a.clone()), "ignore the part \"m.lab/a\", which has no \"=\""),
        (Dropped("=m.lab".to_owned()), "ignore the part \"=m.lab\", which has no source"),
        (Dropped("m=".to_owned()), "ignore the part \"m=\", which has no mirror"),
        (Random(vec![a.clone(), b.clone()]), "choose at random: m.lab/a or m.lab/b"),
        (Elsewhere(a.clone(), b), "look for m.lab/a instead of m.lab/b"),
        (Unreadable(a), "look for \"m.lab/a\", which is not a valid image reference"),
    ];
    for (problem, expected) in table {
        assert_eq!(problem.to_string(), expected);
    }
}

#[test]
fn the_correction_is_right_in_every_release() {
    assert_eq!(
        find_correction("registry.redhat.io=m.lab/redhat.io").as_deref(),
        Some("registry.redhat.io/redhat=m.lab/redhat.io/redhat")
    );
    for (value, reason) in [
        ("quay.io=m.lab", "no catalog is there"),
        ("registry.redhat.io=https://m/redhat.io", "a URL would be misread as well"),
        ("registry.redhat.io=m.lab/redhat.io/", "so would a slash too many"),
    ] {
        assert_eq!(find_correction(value), None, "{value}: {reason}");
    }
}
