//! Compares our answers with those of the upstream code, in the files of this folder.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod hypershift;

use std::{fs, path::Path};

use mirrorguard_core::{
    context::{Context, Overlay},
    explanation::Question,
    forms,
    node::{self, Impact, Lists, RegistriesConf},
    objects::{ClusterVersion, Entry, ImageConfig, Kind, MirrorSet, Object, SetKind},
};
use serde::{Deserialize, de::DeserializeOwned};

/// The cases of a file in this folder.
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
    #[serde(default)]
    container_runtime_search_registries: Vec<String>,
    #[serde(default)]
    payload: String,
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
    /// `true` if policy.json rejects it.
    refused: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NextCase {
    cluster: Cluster,
    changed: bool,
    drain: bool,
    registries_conf: Option<String>,
}

/// A cluster with a payload and an image configuration.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PayloadCase {
    id: usize,
    cluster: Cluster,
    /// What the machine-config operator logs about blocked registries that it drops.
    dropped_blocked: Option<String>,
    error: Option<String>,
    registries_conf: Option<String>,
    pulls: Vec<PullCase>,
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
            container_runtime_search_registries: self.container_runtime_search_registries,
            ..ImageConfig::default()
        };
        let version = ClusterVersion { desired_image: self.payload, ..ClusterVersion::default() };
        sets.chain([Object::from(config), Object::ClusterVersion(version)]).collect()
    }
}

/// The cases about nodes, of all files.
fn node_cases() -> Vec<(&'static str, NodeCase)> {
    let mut cases = Vec::new();
    for (file, count) in [("node.json", 300), ("round-2/node.json", 110)] {
        let read: Vec<NodeCase> = vectors(file);
        assert_eq!(read.len(), count, "{file}");
        cases.extend(read.into_iter().map(|case| (file, case)));
    }
    cases
}

#[test]
fn nodes_get_the_same_file_and_try_the_same_pulls_as_upstream() {
    for (file, case) in node_cases() {
        let name = format!("{file}, case {}", case.id);
        let context = case.cluster.context();
        let refusal = node::validate(context.view()).err().map(|refusal| refusal.to_string());
        assert_eq!(refusal, case.invalid, "{name}: refusal");
        if refusal.is_some() {
            continue;
        }
        let rendered = node::render(context.view());
        assert_eq!(rendered.as_ref().err().map(ToString::to_string), case.error, "{name}: error");
        let Ok(conf) = rendered else { continue };
        assert_eq!(Some(conf.to_string()), case.registries_conf, "{name}: registries.conf");
        for pull in case.pulls {
            let error = assert_pull(&name, &conf, &pull);
            assert_eq!(error, pull.error, "{name}: {}", pull.image);
        }
        let next = case.next.unwrap();
        let next_context = next.cluster.context();
        let next_conf = node::render(next_context.view()).unwrap();
        if next.registries_conf.is_some() {
            assert_eq!(Some(next_conf.to_string()), next.registries_conf, "{name}: next");
        }
        let change = node::change_between(&conf, &next_conf);
        assert_eq!(change.impact != Impact::None, next.changed, "{name}: changed");
        assert_eq!(change.impact == Impact::Drain, next.drain, "{name}: drain {:?}", change.reasons);
    }
}

/// Compares what a pull tries, and returns why it tries nothing, if a mirror makes no reference. Upstream was asked for
/// the first search registry only.
fn assert_pull(case: &str, conf: &RegistriesConf<'_>, pull: &PullCase) -> Option<String> {
    let name = format!("{case}: {}", pull.image);
    let image = &Question::parse(&pull.image).unwrap().images[0];
    let got = node::route_pull(conf, image);
    let error = got.tries.as_ref().err().map(|error| format!("rewriting reference: {error}"));
    assert_eq!(got.tries.clone().unwrap_or_default(), pull.sources, "{name}");
    if error.is_none() {
        assert_eq!(got.blocked, pull.blocked, "{name}: blocked");
    }
    error
}

#[test]
fn the_payload_is_protected_from_blocked_registries_as_upstream_does_it() {
    let cases: Vec<PayloadCase> = vectors("round-2/image-config-and-payload.json");
    assert_eq!(cases.len(), 20);
    for case in cases {
        let name = format!("case {}", case.id);
        let context = case.cluster.context();
        let lists = Lists::of(context.view()).unwrap();
        assert_eq!(lists.loss.map(|loss| loss.to_string()), case.dropped_blocked, "{name}: dropped");
        let rendered = node::files(context.view());
        assert_eq!(rendered.as_ref().err().map(ToString::to_string), case.error, "{name}: error");
        let Ok(files) = rendered else { continue };
        let conf = files.registries_conf;
        assert_eq!(Some(conf.to_string()), case.registries_conf, "{name}: registries.conf");
        // These cases have no errors of mirrors, only their effect: nothing is tried.
        for pull in case.pulls {
            assert_pull(&name, &conf, &pull);
            let image = &Question::parse(&pull.image).unwrap().images[0];
            let is_refused = node::Policy::new(context.view()).refuses(image).is_some();
            assert_eq!(is_refused, pull.refused.unwrap_or(false), "{name}: {}: refused", pull.image);
        }
    }
}

#[test]
fn one_idms_and_one_itms_replace_all_mirror_sets() {
    let mut compared = 0;
    for (file, case) in node_cases() {
        let context = case.cluster.context();
        let Some(expected) = case.registries_conf else { continue };
        let view = context.view();
        let forms =
            [(SetKind::Idms, forms::digest_mirror_set(view)), (SetKind::Itms, forms::tag_mirror_set(view))];
        // There is none without a mirror for its pulls.
        let forms = forms.into_iter().filter_map(|(kind, form)| Some((kind, form.ok()?)));
        let sets =
            forms.map(|(kind, form)| Object::from_json(Kind::Set(kind), &form.json().to_string()).unwrap());
        let config = Object::ImageConfig(context.image_config.clone());
        let rendered: Context = sets.chain([config]).collect();
        let conf = node::render(rendered.view()).unwrap().to_string();
        assert_eq!(conf, expected, "{file}, case {}", case.id);
        compared += 1;
    }
    assert!(compared > 100, "only {compared} cases render");
}

#[test]
fn the_impact_of_a_write_is_that_of_comparing_the_whole_files() {
    let mut compared = 0;
    for (file, case) in node_cases() {
        let full = case.cluster.context();
        for set in full.view().sets() {
            compared += usize::from(assert_impacts(&format!("{file}, case {}", case.id), &full, set));
        }
    }
    assert!(compared > 500, "only {compared} writes were compared");
}

/// Compares the impact of creating, deleting and halving a set with the whole files. `false` where one of them does not
/// render.
fn assert_impacts(case: &str, full: &Context, set: &MirrorSet) -> bool {
    let mut without = full.clone();
    without.remove_set(set.kind, &set.name);
    let (with, rest) = (full.view(), without.view());
    let created = node::change_of_write(rest, with, None, Some(set));
    assert_eq!(created, node::change_of_settings(rest, with), "{case}: create {}", set.id());
    let deleted = node::change_of_write(with, rest, Some(set), None);
    assert_eq!(deleted, node::change_of_settings(with, rest), "{case}: delete {}", set.id());
    let halved = MirrorSet { entries: set.entries[..set.entries.len() / 2].to_vec(), ..set.clone() };
    let overlay = Overlay::new(full, &halved);
    let half = full.view_with(set.kind, &set.name, Some(&overlay));
    let updated = node::change_of_write(with, half, Some(set), Some(&halved));
    assert_eq!(updated, node::change_of_settings(with, half), "{case}: update {}", set.id());
    created.is_ok() && deleted.is_ok()
}
