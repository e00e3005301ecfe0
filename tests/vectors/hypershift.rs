//! HyperShift's lookups and the catalog overrides annotation.

use std::collections::{BTreeMap, BTreeSet};

use mirrorguard_core::{
    hypershift::{
        Era,
        catalogs::{self, CATALOGS},
        override_of,
    },
    objects::reference::DockerReference,
};
use serde::Deserialize;

use super::vectors;

#[derive(Deserialize)]
struct ImageCase {
    id: usize,
    era: String,
    image: String,
    source: String,
    mirror: String,
    found: bool,
    result: Option<String>,
    error: Option<String>,
}

#[test]
fn overrides_of_hypershift_are_those_of_upstream() {
    let cases: Vec<ImageCase> = vectors("hypershift-image.json");
    assert_eq!(cases.len(), 588);
    for case in cases {
        let era = if case.era == "exact" { Era::Exact } else { Era::Prefix };
        let image = DockerReference::parse(&case.image).unwrap();
        let result = override_of(era, &image, &case.source, &case.mirror);
        let id = case.id;
        assert_eq!(result.as_ref().err().map(ToString::to_string), case.error, "case {id}");
        let Ok(result) = result else { continue };
        assert_eq!(result.is_some(), case.found, "case {id}");
        assert_eq!(Some(result.unwrap_or(image).to_string()), case.result, "case {id}");
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CatalogCase {
    id: usize,
    annotation: String,
    parsed: Option<BTreeMap<String, Vec<String>>>,
    replace_era: BTreeMap<String, BTreeSet<String>>,
    list_era: BTreeMap<String, BTreeSet<String>>,
    command_line_flag: String,
}

#[test]
fn the_catalog_overrides_annotation_is_parsed_as_upstream_parses_it() {
    let cases: Vec<CatalogCase> = vectors("hypershift-catalogs.json");
    assert_eq!(cases.len(), 160);
    for case in cases {
        let id = case.id;
        let parsed = catalogs::parse(&case.annotation);
        let owned = parsed.as_ref().map(|parsed| {
            let pairs = parsed.0.iter();
            pairs.map(|(source, places)| ((*source).to_owned(), owned_texts(places))).collect()
        });
        assert_eq!(owned, case.parsed, "case {id}: parsed");
        assert_eq!(
            catalogs::command_line(parsed.as_ref()),
            case.command_line_flag,
            "case {id}: command line"
        );
        let overrides = parsed.unwrap_or_default();
        for catalog in CATALOGS {
            let replaced: BTreeSet<_> =
                catalogs::replace_era(&overrides, &format!("{}:v4.16", catalog.image()));
            assert_eq!(Some(&replaced), case.replace_era.get(catalog.name), "case {id}: {}", catalog.name);
            let listed = catalogs::list_era(&overrides, &catalog);
            let listed: BTreeSet<_> = listed.iter().map(|list| tagged(list)).collect();
            let name = catalog.index.strip_suffix("-index").unwrap();
            assert_eq!(Some(&listed), case.list_era.get(name), "case {id}: {name}");
        }
    }
}

fn owned_texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// The images with the tag of a release, separated by spaces.
fn tagged(images: &[String]) -> String {
    images.iter().map(|image| format!("{image}:v4.18")).collect::<Vec<_>>().join(" ")
}
