//! `POST /validate` and `POST /mutate`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::State as Extract,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::post,
};
use http_body_util::BodyExt;
use json_patch::Patch;
use tokio::sync::Semaphore;
use tracing::{debug, info};

use super::Metrics;
use crate::{
    cluster::Source,
    objects::Object,
    review::{Filling, Reviewer, State, Verdict, fill_in, wire},
    rules::{Level, Operation, Settings, WhenUnverified},
};

/// The largest body: twice and more what an apiserver lets through, object and old object included.
const BODY_MAX: usize = 8 << 20;
/// How many bytes of bodies are held at once. Further ones wait in their sockets, so that memory stays
/// bounded however many writes come at a time; a body larger than this is read alone.
const BODIES_MAX: usize = 1 << 20;
/// How long a body may take to arrive, waiting included. An apiserver gives up after 5 s by our own
/// configuration, and after 30 s by any.
const BODY_PATIENCE: Duration = Duration::from_secs(30);

/// What the handlers share.
#[derive(Debug)]
pub struct App {
    /// The configuration.
    pub settings: Settings,
    /// The cluster.
    pub source: Source,
    /// What is counted.
    pub metrics: Metrics,
    stopping: AtomicBool,
    bodies: Semaphore,
}

impl App {
    /// An application that decides by `settings` on what `source` knows.
    pub fn new(settings: Settings, source: Source) -> Arc<Self> {
        Arc::new(Self {
            settings,
            source,
            metrics: Metrics::default(),
            stopping: AtomicBool::new(false),
            bodies: Semaphore::new(BODIES_MAX),
        })
    }

    /// Why no requests should be sent, if so.
    pub fn not_ready(&self) -> Option<&'static str> {
        if self.stopping.load(Ordering::Acquire) {
            return Some("stopping\n");
        }
        (!self.source.is_synced()).then_some("the mirror sets have not been read yet\n")
    }

    /// No more requests should be sent; those that come are still answered.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    async fn read(&self, body: Body) -> Result<Bytes, (StatusCode, String)> {
        let too_large = || {
            let text = format!("the body is larger than {} MiB", BODY_MAX >> 20);
            (StatusCode::PAYLOAD_TOO_LARGE, text)
        };
        let announced = body.size_hint().upper().and_then(|length| usize::try_from(length).ok());
        if announced.is_some_and(|length| length > BODY_MAX) {
            return Err(too_large());
        }
        let share = announced.unwrap_or(BODIES_MAX).clamp(1, BODIES_MAX);
        let collect = async {
            let _share = self.bodies.acquire_many(u32::try_from(share).unwrap_or(u32::MAX)).await;
            let mut bytes = Vec::with_capacity(announced.unwrap_or_default());
            let mut body = body;
            while let Some(frame) = body.frame().await {
                let frame =
                    frame.map_err(|e| (StatusCode::BAD_REQUEST, format!("the body broke off: {e}")))?;
                if let Ok(data) = frame.into_data() {
                    if bytes.len() + data.len() > BODY_MAX {
                        return Err(too_large());
                    }
                    bytes.extend_from_slice(&data);
                }
            }
            Ok(Bytes::from(bytes))
        };
        let late =
            |_| (StatusCode::REQUEST_TIMEOUT, format!("no whole body within {} s", BODY_PATIENCE.as_secs()));
        tokio::time::timeout(BODY_PATIENCE, collect).await.map_err(late)?
    }
}

/// The two endpoints.
pub fn router(app: Arc<App>) -> Router {
    Router::new().route("/validate", post(validate)).route("/mutate", post(mutate)).with_state(app)
}

async fn validate(Extract(app): Extract<Arc<App>>, body: Body) -> Response {
    let request = match receive(&app, "validate", body).await {
        Ok(request) => request,
        Err(response) => return response,
    };
    let (state, unverified) = match (&request.new, &request.old) {
        (Some(Object::MirrorSet(_)), _) => match app.source.fresh().await {
            Ok(state) => (state, None),
            Err((state, why)) => (state, Some(why)),
        },
        _ => (app.source.current(), None),
    };
    let began = Instant::now();
    let mut verdict = judge(&app, &state, &request);
    if let Some(why) = unverified {
        app.metrics.unverified();
        verdict.remarks.push(unverified_remark(app.settings.when_unverified, &why));
    }
    respond(&app, "validate", &request, &verdict, &Patch::default(), began)
}

async fn mutate(Extract(app): Extract<Arc<App>>, body: Body) -> Response {
    let request = match receive(&app, "mutate", body).await {
        Ok(request) => request,
        Err(response) => return response,
    };
    let began = Instant::now();
    let state = app.source.current();
    let reviewer = Reviewer { state: &state, settings: &app.settings };
    let Filling { patch, verdict } = match &request.new {
        Some(Object::HostedCluster(hosted)) => fill_in(&reviewer, hosted),
        _ => Filling::default(),
    };
    respond(&app, "mutate", &request, &verdict, &patch, began)
}

fn judge(app: &App, state: &State, request: &wire::Request) -> Verdict {
    let reviewer = Reviewer { state, settings: &app.settings };
    match (&request.old, &request.new) {
        (_, Some(Object::MirrorSet(new))) => {
            let old = match &request.old {
                Some(Object::MirrorSet(old)) => Some(old),
                _ => None,
            };
            reviewer.review_set(request.operation, old, Some(new))
        }
        (Some(Object::MirrorSet(old)), None) => reviewer.review_set(Operation::Delete, Some(old), None),
        (old, Some(Object::HostedCluster(new))) => {
            let old = match old {
                Some(Object::HostedCluster(old)) => Some(&**old),
                _ => None,
            };
            reviewer.review_hosted(old, new)
        }
        _ => Verdict::default(),
    }
}

fn unverified_remark(setting: WhenUnverified, why: &str) -> (Level, String) {
    match setting {
        WhenUnverified::Deny => (
            Level::Deny,
            format!(
                "[unverified] the apiserver could not be asked for the mirror sets ({why}). \
                 Fix: try again, or set whenUnverified: warn in the configuration"
            ),
        ),
        WhenUnverified::Warn => (
            Level::Warn,
            format!("[unverified] judged on what was known; the apiserver could not be asked: {why}"),
        ),
    }
}

async fn receive(app: &App, endpoint: &'static str, body: Body) -> Result<wire::Request, Response> {
    let refuse = |status: StatusCode, text: String, bytes: Vec<u8>| {
        info!(endpoint, status = status.as_u16(), "{text}");
        app.metrics.refused(endpoint);
        json(status, bytes)
    };
    let body = app.read(body).await.map_err(|(status, text)| {
        let reason =
            if status == StatusCode::PAYLOAD_TOO_LARGE { "RequestEntityTooLarge" } else { "BadRequest" };
        let bytes = wire::refuse(None, status.as_u16(), reason, text.clone());
        refuse(status, text, bytes)
    })?;
    wire::decode(&body)
        .map_err(|e| refuse(StatusCode::BAD_REQUEST, e.to_string(), wire::encode_unreadable(&e)))
}

fn respond(
    app: &App,
    endpoint: &'static str,
    request: &wire::Request,
    verdict: &Verdict,
    patch: &Patch,
    began: Instant,
) -> Response {
    app.metrics.answered(endpoint, verdict, began.elapsed());
    let (uid, kind, name) = (&*request.uid, request.kind.name(), &*request.name);
    if verdict.is_allowed() {
        debug!(endpoint, uid, kind, name, rules = ?verdict.rule_ids(), patched = !patch.0.is_empty(), "allowed");
    } else {
        info!(endpoint, uid, kind, name, dry_run = request.dry_run, rules = ?verdict.rule_ids(), "denied");
    }
    json(StatusCode::OK, wire::encode(uid, verdict, patch))
}

fn json(status: StatusCode, bytes: Vec<u8>) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], bytes).into_response()
}
