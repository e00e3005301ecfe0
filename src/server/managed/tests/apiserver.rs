//! An apiserver in memory: one Secret and the two configurations.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use axum::http::{Method, Request, Response};
use kube::{Client, client::Body};
use serde_json::{Value, json};
use tower::service_fn;

pub(super) const SECRET: &str = "/api/v1/namespaces/mirrorguard/secrets/tls";
pub(super) const VALIDATING: &str =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/mirrorguard";
pub(super) const MUTATING: &str =
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/mirrorguard";

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Well,
    /// Each request fails.
    Failing,
    /// Only those for Secrets do.
    SecretFailing,
    /// Only writes do.
    ReadOnly,
    /// No right is left.
    Forbidding,
    /// No answer ever comes.
    Silent,
}

pub(super) struct Apiserver(Mutex<State>);

struct State {
    mood: Mood,
    objects: BTreeMap<&'static str, Value>,
    /// Whose writes are undone at once.
    undone: BTreeSet<&'static str>,
    version: u64,
    writes: usize,
    reads: usize,
}

impl Apiserver {
    pub(super) fn new() -> Arc<Self> {
        let configuration =
            || json!({"metadata": {"name": "mirrorguard", "resourceVersion": "1"}, "webhooks": [webhook()]});
        let objects = BTreeMap::from([
            (SECRET, json!({"metadata": {"name": "tls", "resourceVersion": "1"}})),
            (VALIDATING, configuration()),
            (MUTATING, configuration()),
        ]);
        let undone = BTreeSet::new();
        Arc::new(Self(Mutex::new(State {
            mood: Mood::Well,
            objects,
            undone,
            version: 1,
            writes: 0,
            reads: 0,
        })))
    }

    pub(super) fn client(self: &Arc<Self>) -> Client {
        let this = Arc::clone(self);
        let answer = move |request: Request<Body>| {
            let this = Arc::clone(&this);
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect_bytes().await.unwrap_or_default();
                let body = serde_json::from_slice(&body).unwrap_or_default();
                let Some((code, object)) =
                    this.with(|state| state.answer(&head.method, head.uri.path(), body))
                else {
                    return std::future::pending().await;
                };
                Response::builder().status(code).body(Body::from(object.to_string().into_bytes()))
            }
        };
        Client::new(service_fn(answer), "mirrorguard")
    }

    pub(super) fn mood(&self, mood: Mood) {
        self.with(|state| state.mood = mood);
    }

    pub(super) fn undo(&self, path: &'static str) {
        self.with(|state| state.undone.insert(path));
    }

    pub(super) fn change(&self, path: &'static str, change: impl FnOnce(&mut Value)) {
        self.with(|state| state.change(path, change));
    }

    pub(super) fn remove(&self, path: &'static str) {
        self.with(|state| state.objects.remove(path));
    }

    pub(super) fn bundle(&self, path: &'static str) -> Option<String> {
        let bundle =
            |state: &mut State| state.objects[path]["webhooks"][0]["clientConfig"]["caBundle"].clone();
        self.with(bundle).as_str().map(str::to_owned)
    }

    pub(super) fn writes(&self) -> usize {
        self.with(|state| state.writes)
    }

    pub(super) fn reads(&self) -> usize {
        self.with(|state| state.reads)
    }

    fn with<T>(&self, what: impl FnOnce(&mut State) -> T) -> T {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn webhook() -> Value {
    json!({
        "name": "mirror-sets.validate.mirrorguard.io", "admissionReviewVersions": ["v1"], "sideEffects": "None",
        "clientConfig": {"service": {"namespace": "mirrorguard", "name": "mirrorguard"}},
    })
}

impl State {
    fn change(&mut self, path: &'static str, change: impl FnOnce(&mut Value)) {
        self.version += 1;
        if let Some(object) = self.objects.get_mut(path) {
            change(object);
            object["metadata"]["resourceVersion"] = self.version.to_string().into();
        }
    }

    /// A code and an object, or no answer.
    fn answer(&mut self, method: &Method, path: &str, body: Value) -> Option<(u16, Value)> {
        let is_write = method == Method::PATCH;
        *(if is_write { &mut self.writes } else { &mut self.reads }) += 1;
        match self.mood {
            Mood::Silent => return None,
            Mood::Failing => return Some(status(500)),
            Mood::SecretFailing if path == SECRET => return Some(status(500)),
            Mood::ReadOnly if is_write => return Some(status(500)),
            Mood::Forbidding => return Some(status(403)),
            _ => {}
        }
        let Some(path) = [SECRET, VALIDATING, MUTATING].into_iter().find(|known| path == *known) else {
            // A watch is of the collection; none works here.
            return Some(status(500));
        };
        let Some(before) = self.objects.get(path).cloned() else { return Some(status(404)) };
        if is_write {
            let mut object = before.clone();
            if path == SECRET {
                if body["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"] {
                    return Some(status(409));
                }
                json_patch::merge(&mut object, &body);
            } else {
                let operations: json_patch::Patch = serde_json::from_value(body).unwrap_or_default();
                if json_patch::patch(&mut object, &operations).is_err() {
                    return Some(status(422));
                }
            }
            self.change(path, |kept| *kept = object);
            if self.undone.contains(path) {
                self.change(path, |kept| *kept = before);
            }
        }
        self.objects.get(path).map(|object| (200, object.clone()))
    }
}

fn status(code: u16) -> (u16, Value) {
    let reason = if code == 404 { "NotFound" } else { "Other" };
    (
        code,
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": "no"}),
    )
}
