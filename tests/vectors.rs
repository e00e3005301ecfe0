//! Compares our answers with those of the upstream code, in `tests/vectors`.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use mirrorguard_core::{
    context::{Context, Overlay},
    forms,
    hypershift::{
        Era,
        catalogs::{self, CATALOGS, EmptySides},
        override_of,
    },
    node::{self, Impact},
    objects::{
        Entry, ImageConfig, Kind, MirrorSet, Object, SetKind,
        reference::{DockerReference, Image},
    },
};
use serde::{Deserialize, de::DeserializeOwned};

fn vectors<T: DeserializeOwned>(file: &str) -> Vec<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(file);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NodeCase {
    id: usize,
    cluster: Cluster,
    invalid: Option<String>,
    error: Option<String>,
    registries_conf: Option<String>,
    #[serde(default)]
    pulls: Vec<PullCase>,
    next: Option<NextCase>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cluster {
    sets: Vec<Set>,
    #[serde(default)]
    insecure_registries: Vec<String>,
    #[serde(default)]
    blocked_registries: Vec<String>,
}

#[derive(Deserialize)]
struct Set {
    kind: String,
    name: String,
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct PullCase {
    image: String,
    sources: Vec<String>,
    blocked: bool,
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NextCase {
    cluster: Cluster,
    changed: bool,
    drain: bool,
    registries_conf: String,
}

impl Cluster {
    fn context(self) -> Context {
        let sets = self.sets.into_iter().map(|set| {
            let kind = SetKind::ALL.into_iter().find(|kind| kind.name() == set.kind).unwrap();
            Object::from(MirrorSet::new(kind, &set.name, set.entries))
        });
        let config = ImageConfig {
            insecure_registries: self.insecure_registries,
            blocked_registries: self.blocked_registries,
            allowed_registries: Vec::new(),
        };
        sets.chain([Object::from(config)]).collect()
    }
}

#[test]
fn nodes_get_the_same_file_and_try_the_same_pulls_as_upstream() {
    let cases: Vec<NodeCase> = vectors("node.json");
    assert_eq!(cases.len(), 300);
    for case in cases {
        let id = case.id;
        let context = case.cluster.context();
        let refusal = node::validate(context.view()).err().map(|refusal| refusal.to_string());
        assert_eq!(refusal, case.invalid, "case {id}: refusal");
        if refusal.is_some() {
            continue;
        }
        let rendered = node::render(context.view());
        assert_eq!(rendered.as_ref().err().map(ToString::to_string), case.error, "case {id}: error");
        let Ok(conf) = rendered else { continue };
        assert_eq!(Some(conf.to_string()), case.registries_conf, "case {id}: registries.conf");
        for pull in case.pulls {
            let got = node::route_pull(&conf, &Image::parse(&pull.image).unwrap());
            let error = got.tries.as_ref().err().map(|error| format!("rewriting reference: {error}"));
            let name = format!("case {id}: {}", pull.image);
            assert_eq!(error, pull.error, "{name}");
            assert_eq!(got.tries.clone().unwrap_or_default(), pull.sources, "{name}");
            if error.is_none() {
                assert_eq!(got.blocked, pull.blocked, "{name}: blocked");
            }
        }
        let next = case.next.unwrap();
        let next_context = next.cluster.context();
        let next_conf = node::render(next_context.view()).unwrap();
        assert_eq!(next_conf.to_string(), next.registries_conf, "case {id}: next");
        let change = node::change_between(&conf, &next_conf);
        assert_eq!(change.impact != Impact::None, next.changed, "case {id}: changed");
        assert_eq!(change.impact == Impact::Drain, next.drain, "case {id}: drain {:?}", change.reasons);
    }
}

#[test]
fn one_idms_and_one_itms_replace_all_mirror_sets() {
    let mut compared = 0;
    for case in vectors::<NodeCase>("node.json") {
        let context = case.cluster.context();
        let Some(expected) = case.registries_conf else { continue };
        let view = context.view();
        let forms =
            [(SetKind::Idms, forms::digest_mirror_set(view)), (SetKind::Itms, forms::tag_mirror_set(view))];
        let sets =
            forms.map(|(kind, form)| Object::from_json(Kind::Set(kind), &form.json().to_string()).unwrap());
        let config = Object::ImageConfig(context.image_config.clone());
        let rendered: Context = sets.into_iter().chain([config]).collect();
        let conf = node::render(rendered.view()).unwrap().to_string();
        assert_eq!(conf, expected, "case {}", case.id);
        compared += 1;
    }
    assert!(compared > 100, "only {compared} cases render");
}

#[test]
fn the_impact_of_a_write_is_that_of_comparing_the_whole_files() {
    let mut compared = 0;
    for case in vectors::<NodeCase>("node.json") {
        let full = case.cluster.context();
        for set in full.view().sets() {
            let mut without = full.clone();
            without.remove_set(set.kind, &set.name);
            let (Ok(all), Ok(rest)) = (node::render(full.view()), node::render(without.view())) else {
                continue;
            };
            let halved = MirrorSet { entries: set.entries[..set.entries.len() / 2].to_vec(), ..set.clone() };
            let created = node::change_of_write(without.view(), full.view(), None, Some(set));
            let deleted = node::change_of_write(full.view(), without.view(), Some(set), None);
            assert_eq!(
                created,
                Ok(node::change_between(&rest, &all)),
                "case {}: create {}",
                case.id,
                set.id()
            );
            assert_eq!(
                deleted,
                Ok(node::change_between(&all, &rest)),
                "case {}: delete {}",
                case.id,
                set.id()
            );
            let overlay = Overlay::new(&full, &halved);
            let updated = full.view_with(set.kind, &set.name, Some(&overlay));
            if let Ok(half) = node::render(updated) {
                let change = node::change_of_write(full.view(), updated, Some(set), Some(&halved));
                assert_eq!(
                    change,
                    Ok(node::change_between(&all, &half)),
                    "case {}: update {}",
                    case.id,
                    set.id()
                );
            }
            compared += 1;
        }
    }
    assert!(compared > 400, "only {compared} writes were compared");
}

#[derive(Clone, Deserialize)]
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
    let cases = [vectors("hypershift-image.json"), vectors::<ImageCase>("hypershift-image-2.json")].concat();
    assert_eq!(cases.len(), 588 + 90);
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

#[derive(Clone, Deserialize)]
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
    let first: Vec<CatalogCase> = vectors("hypershift-catalogs.json");
    let cases =
        [first, vectors("hypershift-catalogs-2.json"), vectors("hypershift-catalogs-tags.json")].concat();
    assert_eq!(cases.len(), 160 + 50 + 6);
    for case in cases {
        let id = case.id;
        let parsed = catalogs::parse(&case.annotation, EmptySides::Dropped);
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
