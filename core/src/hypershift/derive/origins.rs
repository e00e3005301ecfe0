//! Tests of what a derived value comes from: the configuration, the mirror sets, or the catalogs of the management
//! cluster.

use super::*;
use crate::{
    context::Context,
    hypershift::Release,
    objects::{Object, manifest},
};

const ITMS: &str = "
apiVersion: config.openshift.io/v1
kind: ImageTagMirrorSet
metadata: {name: t}
spec: {imageTagMirrors: [{source: registry.redhat.io/redhat, mirrors: [sets.lab/redhat]}]}
";

/// A CatalogSource of a namespace, type and image.
fn source(name: &str, namespace: &str, source_type: &str, image: &str) -> String {
    format!(
        "---\napiVersion: operators.coreos.com/v1alpha1\nkind: CatalogSource\n\
         metadata: {{name: {name}, namespace: {namespace}}}\n\
         spec: {{sourceType: {source_type}, image: \"{image}\"}}\n"
    )
}

/// A CatalogSource for the whole cluster.
fn global(name: &str, image: &str) -> String {
    source(name, "openshift-marketplace", "grpc", image)
}

/// A ClusterCatalog with an image, and more of its spec.
fn cluster_catalog(name: &str, image: &str, more: &str) -> String {
    format!(
        "---\napiVersion: olm.operatorframework.io/v1\nkind: ClusterCatalog\nmetadata: {{name: {name}}}\n\
         spec: {{source: {{type: Image, image: {{ref: \"{image}\"}}}}{more}}}\n"
    )
}

/// CatalogSources that serve the three catalogs of later releases from a namespace.
fn three_at(namespace: &str) -> String {
    let indexes = ["certified-operator-index", "community-operator-index", "redhat-operator-index"];
    indexes.map(|index| global(index, &format!("{namespace}/{index}:v4.20"))).concat()
}

fn objects(text: &str) -> Vec<Object> {
    let reading = manifest::read("test", text.to_owned());
    assert!(reading.errors.is_empty(), "{:?}\n{text}", reading.errors);
    reading.objects.into_iter().map(|located| located.object).collect()
}

fn context(text: &str) -> Context {
    objects(text).into_iter().collect()
}

/// The value for a release with three catalogs or the key of the obstacle, and what it comes from.
fn derived(text: &str) -> (Result<String, String>, Origin) {
    let context = context(text);
    let found = Derivations::of(context.view()).for_releases(&Span::THREE_CATALOGS.first().into()).clone();
    (found.value.map_err(|obstacle| obstacle.key()), found.from)
}

#[test]
fn the_catalogs_of_the_management_cluster_are_the_last_origin() {
    let (three, at_place) =
        (three_at("m.lab:8443/x/redhat"), "registry.redhat.io/redhat=m.lab:8443/x/redhat");
    let operators = "registry.redhat.io/redhat/redhat-operator-index";
    let not_operators = "not served registry.redhat.io/redhat/certified-operator-index \
                         registry.redhat.io/redhat/community-operator-index";
    let other = global("again", "n.lab/redhat/redhat-operator-index:v4.20");
    let renewed = global("redhat-operator-index", "n.lab/redhat/redhat-operator-index:v4.20");
    let by_olm_v1 = cluster_catalog("again", "m.lab:8443/x/redhat/redhat-operator-index@sha256:0", "");
    let table = [
        (three.clone(), Ok(at_place), Origin::Catalogs, "all three, at one place"),
        (format!("{ITMS}{three}"), Ok("registry.redhat.io/redhat=sets.lab/redhat"), Origin::MirrorSets, "mirror sets come first"),
        (
            format!("{}{three}", ITMS.replace("registry.redhat.io/redhat", operators)),
            Err("not mirrored registry.redhat.io/redhat/certified-operator-index registry.redhat.io/redhat/community-operator-index".to_owned()),
            Origin::MirrorSets,
            "mirror sets decide, even where they give no value",
        ),
        (
            global("operators", "m.lab/redhat/redhat-operator-index:v4.20"),
            Err(not_operators.to_owned()),
            Origin::Catalogs,
            "only one of three",
        ),
        (
            format!("{three}{other}"),
            Err(format!("served twice {operators}")),
            Origin::Catalogs,
            "one of them from two places",
        ),
        (
            format!("{three}{renewed}"),
            Err(format!("disagreeing registry.redhat.io/redhat/certified-operator-index {operators}")),
            Origin::Catalogs,
            "one of them elsewhere, by a later definition of the same object",
        ),
        (format!("{three}{by_olm_v1}"), Ok(at_place), Origin::Catalogs, "both kinds from the same place"),
        (String::new(), Err("none mirrored".to_owned()), Origin::MirrorSets, "nothing"),
    ];
    for (text, value, from, reason) in table {
        assert_eq!(derived(&text), (value.map(str::to_owned), from), "{reason}");
    }
}

#[test]
fn a_catalog_counts_if_it_serves_a_mirrored_index_to_the_whole_cluster() {
    let image = "m.lab/redhat/redhat-operator-index:v4.20";
    let table = [
        (global("a", image), true, "a CatalogSource"),
        (source("a", "team", "grpc", image), false, "in the namespace of a team"),
        (source("a", "openshift-marketplace", "configmap", image), false, "from a ConfigMap"),
        (global("a", "registry.redhat.io/redhat/redhat-operator-index:v4.20"), false, "the default"),
        (global("a", "redhat/redhat-operator-index:v4.20"), false, "without a registry host"),
        (global("a", "m.lab/redhat/redhat-operator-index-2:v4.20"), false, "another index"),
        (cluster_catalog("a", image, ""), true, "a ClusterCatalog"),
        (cluster_catalog("a", image, ", availabilityMode: Available"), true, "one that is available"),
        (cluster_catalog("a", image, ", availabilityMode: Unavailable"), false, "one that is switched off"),
    ];
    for (text, counts, reason) in table {
        let (_, from) = derived(&text);
        assert_eq!(from == Origin::Catalogs, counts, "{reason}");
    }
}

#[test]
fn a_catalog_is_forgotten_when_it_is_removed_or_serves_no_image_any_more() {
    let mut context = context(&three_at("m.lab/redhat"));
    let without_image = source("redhat-operator-index", "openshift-marketplace", "grpc", "");
    for object in objects(&without_image) {
        context.insert(object);
    }
    assert_eq!(context.catalogs().count(), 2);
    let id = context.catalogs().next().unwrap().id();
    context.remove_catalog(&id);
    assert_eq!(context.catalogs().count(), 1);
}

/// The configured value, the minor version of a release, the value or the obstacle, what it comes from, the reason.
type Configured<'a> = (Option<&'a str>, u32, Result<&'a str, &'a str>, Origin, &'a str);

#[test]
fn a_configured_value_comes_first_and_is_checked_for_the_release() {
    let context = context(ITMS);
    let derivations = Derivations::of(context.view());
    let by_registry = "registry.redhat.io=m.lab/redhat.io";
    let certified = "m.lab/redhat.io/redhat/certified-operator-index".to_owned();
    let table: [Configured<'_>; 4] = [
        (
            None,
            18,
            Ok("registry.redhat.io/redhat=sets.lab/redhat"),
            Origin::MirrorSets,
            "nothing is configured",
        ),
        (
            Some("registry.redhat.io/redhat=own.lab/r"),
            18,
            Ok("registry.redhat.io/redhat=own.lab/r"),
            Origin::Configuration,
            "right",
        ),
        (Some(by_registry), 16, Ok(by_registry), Origin::Configuration, "right up to 4.16"),
        (
            Some(by_registry),
            18,
            Err("configured"),
            Origin::Configuration,
            "wrong from 4.17 on: no value, not another one",
        ),
    ];
    for (configured, minor, value, from, reason) in table {
        let found = derivations.or_configured(configured, &Release { major: 4, minor }.into());
        let key = found.value.as_deref().map_err(Obstacle::key);
        assert_eq!((key.as_ref().map(|v| *v).map_err(String::as_str), found.from), (value, from), "{reason}");
    }
    let found = derivations.or_configured(Some(by_registry), &Release { major: 4, minor: 16 }.into());
    assert_eq!(found.catalogs[0].mirrors, [certified]);
}
