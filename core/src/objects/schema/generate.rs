//! Makes `kinds.json` of the CRDs, in the notation that the doc of the parent module explains.
#![expect(clippy::disallowed_methods, reason = "the test reads the CRDs")]

use std::fs;

use serde_json::{Map, Value, json};

use crate::objects::{Kind, manifest};

/// The notation of a schema of a CRD. `with_values`: enumerations are written with their values, not as strings; not
/// for a HostedCluster, where they differ by release.
fn compact(schema: &Value, with_values: bool) -> Value {
    if schema["x-kubernetes-int-or-string"] == true {
        return json!("any");
    }
    match schema["type"].as_str() {
        Some("object") => compact_map(schema, with_values),
        Some("array") => json!([compact(&schema["items"], with_values)]),
        Some("string") => match schema["enum"].as_array().filter(|_| with_values) {
            Some(values) => {
                let values: Vec<_> = values.iter().filter_map(Value::as_str).collect();
                json!(values.join("|"))
            }
            None => json!("string"),
        },
        Some(name @ ("integer" | "number" | "boolean")) => json!(name),
        _ => json!("any"),
    }
}

/// The notation of a map: its fields, and `*` where it may have others.
fn compact_map(schema: &Value, with_values: bool) -> Value {
    let mut fields = Map::new();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        fields.insert(name.clone(), compact(field, with_values));
    }
    if let Value::Object(_) = &schema["additionalProperties"] {
        fields.insert("*".to_owned(), compact(&schema["additionalProperties"], with_values));
    }
    if schema["x-kubernetes-preserve-unknown-fields"] == true || schema["additionalProperties"] == true {
        fields.insert("*".to_owned(), json!("any"));
    }
    Value::Object(fields)
}

/// `ObjectMeta`, which no CRD repeats. Follows `k8s.io/apimachinery pkg/apis/meta/v1/types.go`.
fn metadata() -> Value {
    json!({
        "name": "string", "generateName": "string", "namespace": "string", "selfLink": "string", "uid": "string",
        "resourceVersion": "string", "generation": "integer", "creationTimestamp": "string",
        "deletionTimestamp": "string", "deletionGracePeriodSeconds": "integer",
        "labels": {"*": "string"}, "annotations": {"*": "string"}, "finalizers": ["string"],
        "ownerReferences": [{
            "apiVersion": "string", "kind": "string", "name": "string", "uid": "string", "controller": "boolean",
            "blockOwnerDeletion": "boolean",
        }],
        "managedFields": ["any"],
    })
}

/// What is read of `status`.
fn status(kind: Kind) -> Value {
    let release = json!({"image": "string", "version": "string", "*": "any"});
    match kind {
        Kind::ClusterVersion => json!({"desired": release, "*": "any"}),
        Kind::HostedCluster => {
            json!({"version": {"desired": release, "history": [release], "*": "any"}, "*": "any"})
        }
        _ => json!("any"),
    }
}

/// The schema of a kind, and its key.
fn schema(kind: Kind) -> (String, Value) {
    let path = format!("{}/../tests/crds/{}.yaml", env!("CARGO_MANIFEST_DIR"), kind.plural());
    let crd: Value = manifest::read_document(&path, &fs::read_to_string(&path).unwrap()).unwrap();
    let served: Vec<_> = crd["spec"]["versions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|version| version["served"] == true)
        .collect();
    assert_eq!(served.len(), 1, "{path}: the versions that are served");
    let (group, version) = (crd["spec"]["group"].as_str().unwrap(), served[0]["name"].as_str().unwrap());
    assert_eq!(format!("{group}/{version}"), kind.api_version(), "{path}");
    let schema = &served[0]["schema"]["openAPIV3Schema"];
    let mut compact = compact(schema, kind != Kind::HostedCluster);
    compact["metadata"] = metadata();
    compact["status"] = status(kind);
    (format!("{group}/{version} {}", kind.name()), compact)
}

#[test]
fn the_schemas_are_those_of_the_crds() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/objects/schema/kinds.json");
    let kinds = Kind::ALL.into_iter().filter(|kind| !matches!(kind, Kind::Catalog(_)));
    let schemas = Value::Object(kinds.map(schema).collect());
    let text = format!("{schemas:#}\n");
    if std::env::var_os("MIRRORGUARD_UPDATE").is_some() {
        fs::write(path, &text).unwrap();
    }
    assert!(fs::read_to_string(path).unwrap() == text, "{path} is out of date: run make generate");
}
