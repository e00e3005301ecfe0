//! The router of the webhook, without a socket.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod bad_input;
mod catalogs;
mod exemptions;
mod fresh;
mod old_faults;
#[path = "../pages/mod.rs"]
mod pages;
mod rule_pages;
mod verdicts;

use std::sync::Arc;

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http_body_util::BodyExt;
use mirrorguard::{
    cluster::{FileState, Source},
    server::{App, router},
};
use mirrorguard_core::{objects::manifest, rules::Settings};
use serde_json::{Value, json};
use tower::ServiceExt;

/// A webhook whose cluster has the given objects, as YAML.
struct Webhook(Arc<App>);

impl Webhook {
    fn with(cluster: &str) -> Self {
        Self::with_settings(cluster, Settings::default())
    }

    fn with_settings(cluster: &str, settings: Settings) -> Self {
        let state = FileState::of_objects(manifest::read("cluster", cluster.to_owned())).unwrap();
        Self(App::new(settings, Source::Files(state)))
    }

    /// Posts a body unchanged.
    async fn post(&self, path: &str, body: impl Into<Body>) -> (StatusCode, Value) {
        let request = Request::post(path).body(body.into()).unwrap();
        let response = router(Arc::clone(&self.0)).oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// Sends a review of a write; `old` and `new` are YAML documents, or empty.
    async fn review(&self, path: &str, old: &str, new: &str) -> Answer {
        let (status, body) = self.post(path, review(old, new).to_string()).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(body["kind"], "AdmissionReview");
        assert_eq!(body["response"]["uid"], "the-uid");
        Answer(body["response"].clone())
    }

    async fn validate(&self, old: &str, new: &str) -> Answer {
        self.review("/validate", old, new).await
    }
}

/// The response of a review.
struct Answer(Value);

impl Answer {
    fn is_allowed(&self) -> bool {
        self.0["allowed"] == true
    }

    /// The lines of the denial, after checking its code and reason.
    fn denial(&self) -> Vec<String> {
        assert!(!self.is_allowed(), "{}", self.0);
        assert_eq!(
            (&self.0["status"]["code"], &self.0["status"]["reason"]),
            (&json!(403), &json!("Forbidden"))
        );
        self.0["status"]["message"].as_str().unwrap().lines().map(str::to_owned).collect()
    }

    /// The rules that denied.
    fn denied_by(&self) -> Vec<String> {
        self.denial().iter().map(|line| rule_of(line)).collect()
    }

    fn warnings(&self) -> Vec<String> {
        let warnings = self.0["warnings"].as_array().cloned().unwrap_or_default();
        let warnings: Vec<_> = warnings.iter().map(|w| w.as_str().unwrap().to_owned()).collect();
        assert!(
            warnings.iter().all(|w| w.len() <= 256),
            "an API server truncates longer warnings: {warnings:?}"
        );
        warnings
    }

    /// The rules that warned, each once.
    fn warned_by(&self) -> Vec<String> {
        let mut rules: Vec<_> = self.warnings().iter().map(|line| rule_of(line)).collect();
        rules.dedup();
        rules
    }

    /// The object after the patch.
    fn patched(&self, object: &Value) -> Value {
        let mut object = object.clone();
        if let Some(patch) = self.0["patch"].as_str() {
            assert_eq!(self.0["patchType"], "JSONPatch");
            let patch: json_patch::Patch = serde_json::from_slice(&STANDARD.decode(patch).unwrap()).unwrap();
            json_patch::patch(&mut object, &patch).unwrap();
        }
        object
    }
}

fn rule_of(line: &str) -> String {
    line.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(id, _)| id.to_owned()).unwrap()
}

fn object(yaml: &str) -> Value {
    if yaml.is_empty() { Value::Null } else { manifest::read_document("object", yaml).unwrap() }
}

fn review(old: &str, new: &str) -> Value {
    review_of(&object(old), &object(new))
}

fn review_of(old: &Value, new: &Value) -> Value {
    let operation = match (old.is_null(), new.is_null()) {
        (true, _) => "CREATE",
        (false, false) => "UPDATE",
        (false, true) => "DELETE",
    };
    let subject = if new.is_null() { old } else { new };
    let (group, version) = subject["apiVersion"].as_str().unwrap().split_once('/').unwrap();
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "the-uid", "operation": operation, "name": subject["metadata"]["name"],
            "kind": {"group": group, "version": version, "kind": subject["kind"]},
            "object": new, "oldObject": old,
        },
    })
}

/// A mirror set with one entry; `more` is added to the entry.
fn set(kind: &str, name: &str, source: &str, mirrors: &[&str], more: &str) -> String {
    let (group, list) = match kind {
        "ImageContentSourcePolicy" => ("operator.openshift.io/v1alpha1", "repositoryDigestMirrors"),
        "ImageDigestMirrorSet" => ("config.openshift.io/v1", "imageDigestMirrors"),
        _ => ("config.openshift.io/v1", "imageTagMirrors"),
    };
    let mirrors = mirrors.join(", ");
    format!(
        "apiVersion: {group}\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n  {list}:\n  \
         - {{source: {source}, mirrors: [{mirrors}]{more}}}\n"
    )
}

fn icsp(name: &str, source: &str, mirrors: &[&str]) -> String {
    set("ImageContentSourcePolicy", name, source, mirrors, "")
}

fn idms(name: &str, source: &str, mirrors: &[&str]) -> String {
    set("ImageDigestMirrorSet", name, source, mirrors, "")
}

fn itms(name: &str, source: &str, mirrors: &[&str]) -> String {
    set("ImageTagMirrorSet", name, source, mirrors, "")
}
