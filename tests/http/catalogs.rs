//! HostedClusters: the catalog overrides annotation is added, left alone or denied.

use mirrorguard_core::rules::Settings;
use serde_json::{Value, json};

use super::{Answer, Webhook, icsp, idms, itms, review_of};

const OVERRIDES: &str = "hypershift.openshift.io/olm-catalogs-is-registry-overrides";
const DERIVED: &str = "mirrorguard.io/catalog-overrides-derived";
const VALUE: &str = "registry.redhat.io/redhat=m.lab/redhat";

fn mirrored() -> Webhook {
    Webhook::with(&itms("catalogs", "registry.redhat.io/redhat", &["m.lab/redhat"]))
}

/// A HostedCluster of a release, with these annotations and these further fields of its spec.
fn hosted(annotations: &Value, spec: &Value) -> Value {
    let mut hosted = json!({
        "apiVersion": "hypershift.openshift.io/v1beta1", "kind": "HostedCluster",
        "metadata": {"name": "h", "namespace": "clusters", "annotations": annotations},
        "spec": {"release": {"image": "quay.io/openshift-release-dev/ocp-release:4.18.3-x86_64"}},
    });
    if annotations.is_null() {
        hosted["metadata"].as_object_mut().unwrap().remove("annotations");
    }
    hosted["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    hosted
}

async fn mutate(webhook: &Webhook, new: &Value) -> Answer {
    let (_, body) = webhook.post("/mutate", review_of(&Value::Null, new).to_string()).await;
    Answer(body["response"].clone())
}

async fn validate(webhook: &Webhook, old: &Value, new: &Value) -> Answer {
    let (_, body) = webhook.post("/validate", review_of(old, new).to_string()).await;
    Answer(body["response"].clone())
}

#[tokio::test]
async fn the_annotation_is_filled_in_and_a_second_time_changes_nothing() {
    let webhook = mirrored();
    for annotations in [Value::Null, json!({}), json!({"a/b": "c"})] {
        let new = hosted(&annotations, &json!({}));
        let filled = mutate(&webhook, &new).await.patched(&new);
        assert_eq!(filled["metadata"]["annotations"][OVERRIDES], VALUE, "{annotations}");
        assert_eq!(filled["metadata"]["annotations"][DERIVED], VALUE, "{annotations}");
        if annotations.get("a/b").is_some() {
            assert_eq!(filled["metadata"]["annotations"]["a/b"], "c");
        }
        let again = mutate(&webhook, &filled).await;
        assert!(again.is_allowed() && again.0["patch"].is_null(), "{annotations}");
        assert!(validate(&webhook, &Value::Null, &filled).await.is_allowed(), "{annotations}");
    }
    let mut null = hosted(&json!({}), &json!({}));
    null["metadata"]["annotations"] = Value::Null;
    assert_eq!(mutate(&webhook, &null).await.patched(&null)["metadata"]["annotations"][OVERRIDES], VALUE);
}

#[tokio::test]
async fn the_annotation_is_left_where_it_is_not_ours_to_write() {
    let webhook = mirrored();
    let by_image = "hypershift.openshift.io/redhat-operators-catalog-image";
    let table = [
        (json!({OVERRIDES: "registry.redhat.io/redhat=n.lab/x"}), json!({}), "the owner's value"),
        (json!({"mirrorguard.io/catalog-overrides": "disabled"}), json!({}), "opted out"),
        (json!({"hypershift.openshift.io/restored-from-backup": "x"}), json!({}), "restored"),
        (json!({by_image: "m.lab/x@sha256:0"}), json!({}), "images named directly"),
        (json!({}), json!({"olmCatalogPlacement": "guest"}), "catalogs in the guest"),
        (
            json!({}),
            json!({"configuration": {"operatorhub": {"disableAllDefaultSources": true}}}),
            "no catalogs",
        ),
    ];
    for (annotations, spec, reason) in table {
        let answer = mutate(&webhook, &hosted(&annotations, &spec)).await;
        assert!(answer.is_allowed() && answer.0["patch"].is_null(), "{reason}");
    }
    let mut leaving = hosted(&json!({}), &json!({}));
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    assert!(mutate(&webhook, &leaving).await.0["patch"].is_null(), "being deleted");
}

#[tokio::test]
async fn an_opt_out_with_a_typo_is_warned_about_and_a_right_one_is_not() {
    let (right, wrong) = ("mirrorguard.io/catalog-overrides", "mirrorguard.io/catalog-override");
    // The annotations, what a warning has to name, and why.
    let table = [
        (json!({right: "Disabled"}), Some([right, "\"Disabled\"", "\"disabled\""]), "another value"),
        (json!({wrong: "disabled"}), Some([wrong, right, ""]), "another name"),
        (json!({right: "disabled"}), None, "the opt-out"),
        (json!({}), None, "no annotation"),
    ];
    for (annotations, expected, reason) in table {
        let written = hosted(&annotations, &json!({}));
        let filled = mutate(&mirrored(), &written).await;
        let answer = mirrored().validate("", &written.to_string()).await;
        let warnings = answer.warnings().join("\n");
        assert!(answer.is_allowed(), "{reason}");
        match expected {
            Some(names) => {
                assert!(!filled.0["patch"].is_null(), "{reason}: it is filled in all the same");
                assert_eq!(answer.warned_by(), ["unknown-annotation"], "{reason}");
                for name in names {
                    assert!(warnings.contains(name), "{reason}: {name} is not in {warnings}");
                }
            }
            None => assert_eq!(warnings, "", "{reason}"),
        }
    }
}

#[tokio::test]
async fn an_owner_who_wants_no_overrides_is_left_alone() {
    let one =
        idms("one", "registry.redhat.io/redhat/redhat-operator-index", &["m.lab/redhat-operator-index"]);
    for webhook in [mirrored(), Webhook::with(&one)] {
        for none in ["", "="] {
            // The annotation with the derived value does not make it ours: an empty value is never replaced.
            for annotations in [
                json!({OVERRIDES: none}),
                json!({OVERRIDES: none, DERIVED: none}),
                json!({OVERRIDES: none, DERIVED: VALUE}),
            ] {
                let new = hosted(&annotations, &json!({}));
                let filled = mutate(&webhook, &new).await;
                assert!(filled.is_allowed() && filled.0["patch"].is_null(), "{annotations}");
                let answer = validate(&webhook, &Value::Null, &new).await;
                assert!(
                    answer.is_allowed() && answer.warnings().is_empty(),
                    "{annotations}: {:?}",
                    answer.warnings()
                );
            }
        }
    }
    let marked = hosted(&json!({DERIVED: VALUE}), &json!({}));
    assert!(
        !mutate(&mirrored(), &marked).await.0["patch"].is_null(),
        "without the annotation it is filled in"
    );
}

#[tokio::test]
async fn a_value_that_was_ours_follows_the_mirror_sets() {
    let before = "registry.redhat.io/redhat=old.lab/redhat";
    let ours = hosted(&json!({OVERRIDES: before, DERIVED: before}), &json!({}));
    let filled = mutate(&mirrored(), &ours).await.patched(&ours);
    assert_eq!(filled["metadata"]["annotations"][OVERRIDES], VALUE);
    let answer = mutate(&Webhook::with(""), &ours).await;
    assert!(answer.0["patch"].is_null());
    assert_eq!(answer.warned_by(), ["catalogs-not-expressible"]);
}

/// A CatalogSource for the whole management cluster.
fn catalog_source(name: &str) -> String {
    format!(
        "---\napiVersion: operators.coreos.com/v1alpha1\nkind: CatalogSource\n\
         metadata: {{name: {name}, namespace: openshift-marketplace}}\n\
         spec: {{sourceType: grpc, image: \"served.lab:8443/redhat/{name}-index:v4.18\"}}\n"
    )
}

#[tokio::test]
async fn an_audit_annotation_says_what_a_value_comes_from() {
    let names = ["certified-operator", "community-operator", "redhat-marketplace", "redhat-operator"];
    let served = names.map(catalog_source).concat();
    let sets = format!("{served}---\n{}", itms("catalogs", "registry.redhat.io/redhat", &["m.lab/redhat"]));
    let configured = "registry.redhat.io/redhat=own.lab/redhat";
    let table = [
        (&served, None, "registry.redhat.io/redhat=served.lab:8443/redhat", "catalogs"),
        (&sets, None, VALUE, "mirrorSets"),
        (&sets, Some(configured), configured, "configuration"),
    ];
    for (cluster, configured, value, from) in table {
        let settings = Settings { catalog_overrides: configured.map(str::to_owned), ..Settings::default() };
        let webhook = Webhook::with_settings(cluster, settings);
        let new = hosted(&json!({}), &json!({}));
        let answer = mutate(&webhook, &new).await;
        assert_eq!(answer.0["auditAnnotations"]["catalogOverridesFrom"], from);
        assert_eq!(answer.patched(&new)["metadata"]["annotations"][OVERRIDES], value, "{from}");
    }
}

#[tokio::test]
async fn where_no_value_is_right_nothing_is_written_and_a_warning_says_why() {
    let webhook = Webhook::with(&idms(
        "one",
        "registry.redhat.io/redhat/redhat-operator-index",
        &["m.lab/redhat/redhat-operator-index"],
    ));
    let answer = mutate(&webhook, &hosted(&json!({}), &json!({}))).await;
    assert!(answer.is_allowed() && answer.0["patch"].is_null());
    assert_eq!(answer.warned_by(), ["catalogs-not-expressible"]);
    assert!(answer.warnings()[0].contains("certified-operator-index"), "{:?}", answer.warnings());
}

#[tokio::test]
async fn a_mirror_that_gives_no_image_reference_does_not_block_a_hosted_cluster() {
    for mirror in ["m.lab/redhat/", "m.lab/Redhat", "https://m.lab/redhat", "m.lab/redhat:v1", ""] {
        let webhook = Webhook::with(&icsp("old", "registry.redhat.io/redhat", &[&format!("\"{mirror}\"")]));
        let new = hosted(&json!({}), &json!({}));
        let answer = mutate(&webhook, &new).await;
        assert!(answer.is_allowed() && answer.0["patch"].is_null(), "{mirror}");
        assert_eq!(answer.warned_by(), ["catalogs-not-expressible"], "{mirror}");
        assert!(answer.warnings()[0].contains(&format!("\"{mirror}\"")), "{:?}", answer.warnings());
        assert!(validate(&webhook, &Value::Null, &new).await.is_allowed(), "{mirror}");
        let wrong = hosted(&json!({OVERRIDES: format!("registry.redhat.io/redhat={mirror}")}), &json!({}));
        let answer = validate(&webhook, &Value::Null, &wrong).await;
        assert_eq!(answer.denied_by(), ["misread-catalog-overrides"], "{mirror}");
    }
}

#[tokio::test]
async fn a_misread_value_is_denied_and_the_same_place_written_right_is_not() {
    let webhook = Webhook::with("");
    let wrong = hosted(&json!({OVERRIDES: "registry.redhat.io=m.lab/redhat.io"}), &json!({}));
    let answer = validate(&webhook, &Value::Null, &wrong).await;
    let [line] = answer.denial().try_into().unwrap();
    assert!(
        line.starts_with(&format!("[misread-catalog-overrides] metadata.annotations[{OVERRIDES}]: ")),
        "{line}"
    );
    assert!(line.contains("registry.redhat.io/redhat=m.lab/redhat.io/redhat"), "{line}");
    let right = hosted(&json!({OVERRIDES: "registry.redhat.io/redhat=m.lab/redhat.io/redhat"}), &json!({}));
    assert!(validate(&webhook, &Value::Null, &right).await.is_allowed());
    let mut labelled = wrong.clone();
    labelled["metadata"]["labels"] = json!({"a": "b"});
    assert!(validate(&webhook, &wrong, &labelled).await.is_allowed(), "it was there before");
}

/// The annotations of all catalogs with the same image.
fn catalog_images(image: &str) -> Value {
    let mut annotations = json!({});
    for name in ["certified-operators", "community-operators", "redhat-marketplace", "redhat-operators"] {
        annotations[format!("hypershift.openshift.io/{name}-catalog-image")] = json!(image);
    }
    annotations
}

#[tokio::test]
async fn catalog_images_are_denied_unless_all_are_there_by_digest() {
    let webhook = Webhook::with("");
    let good = hosted(&catalog_images("m.lab/x@sha256:0123"), &json!({}));
    assert!(validate(&webhook, &Value::Null, &good).await.is_allowed());
    let tagged = hosted(&catalog_images("m.lab/x:v4.18"), &json!({}));
    let answer = validate(&webhook, &Value::Null, &tagged).await;
    assert_eq!(answer.denied_by(), ["incomplete-catalog-images"; 4]);
    let mut missing = good.clone();
    missing["metadata"]["annotations"]
        .as_object_mut()
        .unwrap()
        .remove("hypershift.openshift.io/certified-operators-catalog-image");
    let answer = validate(&webhook, &Value::Null, &missing).await;
    assert_eq!(answer.denied_by(), ["incomplete-catalog-images"]);
}

/// A spec that mirrors quay.io for the data plane.
fn sources(mirror: &str) -> Value {
    json!({"imageContentSources": [{"source": "quay.io", "mirrors": [mirror]}]})
}

#[tokio::test]
async fn a_change_of_the_mirrors_of_the_data_plane_warns_about_the_rollout() {
    let webhook = Webhook::with(&idms("r", "quay.io/openshift-release-dev", &["m.lab/ocp"]));
    let (old, new) = (hosted(&json!({}), &sources("m.lab")), hosted(&json!({}), &sources("n.lab")));
    assert_eq!(validate(&webhook, &old, &new).await.warned_by(), ["node-pool-rollout"]);
    assert!(validate(&webhook, &Value::Null, &new).await.warnings().is_empty(), "it has no nodes yet");
    let none = hosted(&json!({}), &json!({}));
    assert_eq!(validate(&webhook, &Value::Null, &none).await.warned_by(), ["data-plane-not-mirrored"]);
    let answer = validate(&webhook, &old, &none).await;
    assert_eq!(answer.warned_by(), ["data-plane-not-mirrored", "node-pool-rollout"]);
}

/// The chart excludes these requests from Kubernetes 1.28 on; before, the answers are the same.
#[tokio::test]
async fn an_update_that_changes_nothing_relevant_is_left_alone_even_if_the_mirror_sets_have_changed() {
    let webhook = mirrored();
    let derived = "registry.redhat.io/redhat=old.lab/redhat";
    let old = hosted(&json!({OVERRIDES: derived, DERIVED: derived}), &json!({}));
    let table = [
        ("labels", json!({"team": "a"}), false),
        ("finalizers", json!(["hypershift.openshift.io/finalizer"]), false),
        ("ownerReferences", json!([{"kind": "ManagedCluster", "name": "h"}]), false),
        ("annotations", json!({OVERRIDES: derived, DERIVED: derived, "team": "a"}), true),
    ];
    for (field, value, is_filled_in) in table {
        let mut new = old.clone();
        new["metadata"][field] = value;
        let (_, body) = webhook.post("/mutate", review_of(&old, &new).to_string()).await;
        let mutated = Answer(body["response"].clone());
        assert!(mutated.is_allowed(), "{field}");
        let found = &mutated.patched(&new)["metadata"]["annotations"][OVERRIDES];
        assert_eq!(found, if is_filled_in { VALUE } else { derived }, "{field}");
        let validated = validate(&webhook, &old, &new).await;
        assert!(validated.is_allowed(), "{field}");
        assert!(is_filled_in || validated.warnings().is_empty(), "{field}: {:?}", validated.warnings());
    }
}
