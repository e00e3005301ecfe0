//! An API server in memory, with one Secret and the two webhook configurations.

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

/// How the API server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Working,
    /// Every request fails.
    Failing,
    /// Requests for Secrets fail.
    SecretFailing,
    /// Writes fail.
    ReadOnly,
    /// Every request is forbidden.
    Forbidding,
    /// Requests are not answered.
    Silent,
}

pub(super) struct Apiserver(Mutex<State>);

struct State {
    mood: Mood,
    objects: BTreeMap<&'static str, Value>,
    /// Paths of objects whose writes are reverted at once.
    reverted: BTreeSet<&'static str>,
    version: u64,
    writes: usize,
    reads: usize,
}

impl Apiserver {
    pub(super) fn new() -> Arc<Self> {
        let objects = BTreeMap::from([
            (SECRET, json!({"metadata": {"name": "tls", "resourceVersion": "1"}})),
            (VALIDATING, configuration()),
            (MUTATING, configuration()),
        ]);
        Arc::new(Self(Mutex::new(State {
            mood: Mood::Working,
            objects,
            reverted: BTreeSet::new(),
            version: 1,
            writes: 0,
            reads: 0,
        })))
    }

    pub(super) fn client(self: &Arc<Self>) -> Client {
        let this = Arc::clone(self);
        Client::new(service_fn(move |request| respond(Arc::clone(&this), request)), "mirrorguard")
    }

    pub(super) fn set_mood(&self, mood: Mood) {
        self.with(|state| state.mood = mood);
    }

    pub(super) fn revert_writes_of(&self, path: &'static str) {
        self.with(|state| state.reverted.insert(path));
    }

    pub(super) fn change(&self, path: &'static str, change: impl FnOnce(&mut Value)) {
        self.with(|state| state.change(path, change));
    }

    pub(super) fn remove(&self, path: &'static str) {
        self.with(|state| state.objects.remove(path));
    }

    pub(super) fn bundle(&self, path: &'static str) -> Option<String> {
        self.with(|state| {
            let bundle = &state.objects[path]["webhooks"][0]["clientConfig"]["caBundle"];
            bundle.as_str().map(str::to_owned)
        })
    }

    pub(super) fn writes(&self) -> usize {
        self.with(|state| state.writes)
    }

    pub(super) fn reads(&self) -> usize {
        self.with(|state| state.reads)
    }

    fn with<T>(&self, access: impl FnOnce(&mut State) -> T) -> T {
        access(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn respond(apiserver: Arc<Apiserver>, request: Request<Body>) -> axum::http::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let body = body.collect_bytes().await.unwrap_or_default();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let answer = apiserver.with(|state| state.answer(&head.method, head.uri.path(), body));
    let Some((code, object)) = answer else {
        return std::future::pending().await;
    };
    Response::builder().status(code).body(Body::from(object.to_string().into_bytes()))
}

fn configuration() -> Value {
    json!({"metadata": {"name": "mirrorguard", "resourceVersion": "1"}, "webhooks": [webhook()]})
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

    /// Status code and body; `None` for no answer.
    fn answer(&mut self, method: &Method, path: &str, body: Value) -> Option<(u16, Value)> {
        let is_write = method == Method::PATCH;
        if is_write {
            self.writes += 1;
        } else {
            self.reads += 1;
        }
        match self.mood {
            Mood::Silent => return None,
            Mood::Failing => return Some(status(500)),
            Mood::SecretFailing if path == SECRET => return Some(status(500)),
            Mood::ReadOnly if is_write => return Some(status(500)),
            Mood::Forbidding => return Some(status(403)),
            _ => {}
        }
        let Some(path) = [SECRET, VALIDATING, MUTATING].into_iter().find(|known| path == *known) else {
            // Watches are of the collection; they do not work here.
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
            self.change(path, |stored| *stored = object);
            if self.reverted.contains(path) {
                self.change(path, |stored| *stored = before);
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
