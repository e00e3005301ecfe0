//! Compares the derivation with what nodes try, in clusters made at random from a seed.

use super::*;
use crate::{
    context::Context,
    hypershift::catalogs::{CATALOGS, Catalog},
    node::{files, render, route_pull},
    objects::{
        ClusterVersion, Entry, ImageConfig, MirrorSet, MirrorSourcePolicy, Object, SetKind, reference::Image,
    },
    random::Random,
};

const SOURCES: [&str; 9] = [
    "registry.redhat.io",
    "registry.redhat.io/redhat",
    "registry.redhat.io/redhat/certified-operator-index",
    "registry.redhat.io/redhat/community-operator-index",
    "registry.redhat.io/redhat/redhat-operator-index",
    "registry.redhat.io/redhat/redhat-operator-index/below",
    "*.redhat.io",
    "*.io",
    "quay.io/redhat",
];

/// Most entries choose from the first three only, and the one that is there twice is chosen more often.
const MIRRORS: [&str; 8] = [
    "a.lab/redhat",
    "a.lab/redhat",
    "a.lab:8443",
    "b.lab/r/redhat",
    "b.lab/r/redhat/redhat-operator-index",
    "registry.redhat.io/redhat",
    "nohost/redhat",
    "index.docker.io/r",
];

impl Random {
    fn entry(&mut self) -> Entry {
        let policy = (self.below(12) == 0).then_some(MirrorSourcePolicy::NeverContactSource);
        // Most clusters have one place for all catalogs, so that some value can be derived.
        let usual = if self.below(3) == 0 { MIRRORS.len() } else { 3 };
        let mirrors = (0..=self.below(2)).map(|_| Box::from(self.one_of(&MIRRORS[..usual])));
        let mirrors = mirrors.collect();
        Entry { source: self.one_of(&SOURCES).into(), mirrors, mirror_source_policy: policy }
    }

    fn cluster(&mut self) -> Context {
        let mut context = Context::default();
        for at in 0..=self.below(3) {
            let kind = SetKind::ALL[self.below(3)];
            let entries = (0..=self.below(2)).map(|_| self.entry()).collect();
            let mut set = MirrorSet::new(kind, &format!("s{at}"), entries);
            set.is_managed = self.below(10) == 0;
            context.insert(Object::from(set));
        }
        if self.below(2) == 0 {
            context.insert(Object::from(ImageConfig {
                insecure_registries: self.some_of(&SOURCES, 2),
                blocked_registries: self.some_of(&SOURCES, 1),
                ..ImageConfig::default()
            }));
        }
        if self.below(2) == 0 {
            let desired_image = "quay.io/redhat/payload@sha256:".to_owned() + &"0".repeat(64);
            context.insert(Object::ClusterVersion(ClusterVersion {
                desired_image,
                ..ClusterVersion::default()
            }));
        }
        context
    }
}

/// The mirrors that nodes try for a catalog's index image, by the whole file: for a pull by tag, or else by digest.
fn tried(context: &Context, catalog: &Catalog) -> Vec<String> {
    let view = context.view();
    if !files(view).is_ok_and(|files| files.refusal.is_none()) {
        return Vec::new();
    }
    let Ok(conf) = render(view.without_managed_sets()) else { return Vec::new() };
    for version in [":v4.18".to_owned(), format!("@sha256:{}", "0".repeat(64))] {
        let image = Image::parse(&format!("{}{version}", catalog.image())).unwrap();
        let route = route_pull(&conf, &image);
        let Ok(tries) = &route.tries else { return Vec::new() };
        let mirrors = tries[..route.mirrors.len()].iter();
        if route.mirrors.is_empty() {
            continue;
        }
        return mirrors.map(|tried| tried.strip_suffix(&version).unwrap().to_owned()).collect();
    }
    Vec::new()
}

#[test]
fn catalogs_are_where_nodes_pull_them_from() {
    let mut random = Random(22);
    let (mut placed, mut derived) = (0, 0);
    for cluster in 0..800 {
        let context = random.cluster();
        let expected = CATALOGS.each_ref().map(|catalog| tried(&context, catalog));
        let found = derive(context.view(), &Releases::default());
        let mirrors: Vec<_> = found.catalogs.iter().map(|catalog| catalog.mirrors.clone()).collect();
        assert_eq!(mirrors, expected, "cluster {cluster}: {context:#?}");
        placed += usize::from(expected.iter().any(|places| !places.is_empty()));
        let Ok(value) = found.value else { continue };
        derived += 1;
        let overrides = catalogs::parse(&value, EmptySides::Kept).unwrap();
        assert_eq!(catalogs::parse(&value, EmptySides::Dropped).as_ref(), Some(&overrides), "{value}");
        for (catalog, places) in CATALOGS.iter().zip(&expected) {
            let first = catalogs::replace_era(&overrides, &catalog.image());
            assert!(first.iter().eq(places.first()), "cluster {cluster}, up to 4.16: {value}");
            let all = catalogs::list_era(&overrides, catalog);
            assert!(all.iter().eq([places]), "cluster {cluster}, from 4.17 on: {value}");
        }
    }
    assert!(placed > 200 && derived > 100, "too few clusters mirror catalogs: {placed}, {derived}");
}
