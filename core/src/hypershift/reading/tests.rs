use super::*;

fn release(text: &str) -> Releases {
    text.split(' ').filter(|text| !text.is_empty()).map(|text| text.parse().unwrap()).collect()
}

/// Each of the readers of a value, and the namespaces where they look for redhat-operators.
fn read(value: &str, releases: &str, placement: Placement) -> Vec<String> {
    let mut found = Vec::new();
    for reading in readings(value, &release(releases), placement) {
        let lists: Vec<_> = reading.places(&CATALOGS[3]).iter().map(|places| places.join(" then ")).collect();
        let places = lists.join(" or ").replace("/redhat-operator-index", "");
        found.push(format!("{}: {places}", reading.readers.key()));
    }
    found
}

type Row<'a> = (&'a str, &'a str, &'a [&'a str], &'a str);

fn assert_rows(placement: Placement, rows: &[Row<'_>]) {
    for (value, releases, expected, reason) in rows {
        assert_eq!(&read(value, releases, placement), expected, "{value}: {reason}");
    }
}

const USUAL: &str = "registry.redhat.io/redhat=m.lab/r";
const BEFORE_ALL: &str = "registry.redhat.io/redhat=m.lab/r,=x";
const WITHOUT_PLACE: &str = "registry.redhat.io/redhat=m.lab/r,registry.redhat.io=";
const TAGGED: &str =
    "registry.redhat.io/redhat/redhat-operator-index:v4.16=m.lab/x/redhat-operator-index:v4.16";

const OF_ALL_TAGS: &str =
    "registry.redhat.io/redhat/redhat-operator-index:v4.1=m.lab/x/redhat-operator-index:v4.1";
const KEPT_TAG: &str = "registry.redhat.io/redhat=m.lab/r,:v4.16=:v4.16";

#[test]
fn releases_that_read_a_value_alike_have_one_reading() {
    let both_lists = &["list 4.17: m.lab/r", "list 4.18: m.lab/r"];
    let both_tags = &["replace 4.15: registry.redhat.io/redhat", "replace 4.16: m.lab/x"];
    assert_rows(
        Placement::Management,
        &[
            ("", "", &[], "no overrides"),
            ("=", "", &[], "the same"),
            ("=,=", "", &[], "nothing is replaced by nothing"),
            ("==", "4.16", &["replace: =registry.redhat.io/redhat"], "but here by ="),
            (USUAL, "", &["replace: m.lab/r", "list: m.lab/r"], "the usual value"),
            (BEFORE_ALL, "4.16", &["replace: xm.lab/r"], "the empty text occurs before every image"),
            (BEFORE_ALL, "4.17 4.18", both_lists, "but it is no source of a list"),
            (WITHOUT_PLACE, "4.17", &["list 4.17: m.lab/r or m.lab/r then /redhat"], "random up to 4.17"),
            (WITHOUT_PLACE, "4.18", &["list 4.18: m.lab/r"], "dropped from 4.18 on"),
            (TAGGED, "4.16", &["replace 4.16: m.lab/x"], "its own tag, and only its own"),
            (TAGGED, "4.15", &["replace 4.15: registry.redhat.io/redhat"], "the tag of another release"),
            (OF_ALL_TAGS, "4.16", &["replace: m.lab/x"], "in the tag of each"),
            (KEPT_TAG, "4.16", &["replace 4.16: m.lab/r"], "used there, and ignored before"),
            (TAGGED, "4.15 4.16", both_tags, "the tag of one release"),
        ],
    );
}

#[test]
fn catalogs_of_the_hosted_cluster_have_one_place() {
    let two = "registry.redhat.io/redhat=a/r,registry.redhat.io/redhat=b/r";
    let random = "registry.redhat.io/redhat=a/r,registry.redhat.io=b/r";
    assert_rows(
        Placement::Guest,
        &[
            (two, "", &["list: a/r"], "the first place is used unchecked, from 4.17 on"),
            (random, "4.20", &["list: a/r"], "so that its order is not random"),
            (two, "4.16", &[], "the annotation is not read"),
        ],
    );
}

#[test]
fn the_newest_release_of_an_era_stands_for_it() {
    // The era, the releases, and what reads the value for them, with how many sources: the second pair of the value
    // has an empty side, and is dropped from 4.18 on.
    let table = [
        (CatalogEra::Replace, "", "replace", 2),
        (CatalogEra::Replace, "4.14 4.18", "replace", 2),
        (CatalogEra::List, "4.17", "list 4.17", 2),
        (CatalogEra::List, "4.16", "list 4.18", 1),
    ];
    for (era, releases, key, sources) in table {
        let value = "registry.redhat.io/redhat=m,registry.redhat.io=";
        let reading = newest_reading(value, era, &release(releases));
        assert_eq!(reading.readers.key(), key, "{releases}");
        assert_eq!(reading.overrides.0.len(), sources, "{releases}");
    }
}
