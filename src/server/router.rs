//! `POST /validate` and `POST /mutate`.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, HttpBody},
    extract::{Request, State as Extract},
    http::{
        HeaderValue, StatusCode, Version,
        header::{CONNECTION, CONTENT_TYPE},
    },
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use http_body_util::BodyExt;
use json_patch::Patch;
use tokio::sync::Semaphore;
use tracing::{debug, info};

use super::Metrics;
use crate::{
    clock::today,
    cluster::Source,
    objects::{HostedCluster, Object},
    review::{Filling, Reviewer, State, Verdict, fill_in, wire},
    rules::{Level, Operation, Settings, WhenUnverified},
};

/// The largest body: twice and more what an apiserver lets through, object and old object included.
const BODY_MAX: usize = 8 << 20;
/// What is read of every body at once: a mirror set of twenty entries. Less than a connection's read buffer
/// (8 KiB), so that a larger body waits there before anything of it is copied.
const BODY_SMALL: usize = 6 << 10;
/// How many larger bodies are read at a time. The others wait in their sockets, so that memory stays
/// bounded however many large writes come together; small ones never wait for them.
const LARGE_BODIES: usize = 2;
/// How long the next piece of a large body may take, while others wait for its place.
const PIECE_PATIENCE: Duration = Duration::from_secs(2);
/// How much of a body that is too large is read on and dropped: most clients write all before they read an
/// answer, and would only see a connection that breaks.
const BODY_DROPPED: usize = 64 << 20;
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
    untrusted: Mutex<Option<String>>,
    large_bodies: Semaphore,
}

impl App {
    /// An application that decides by `settings` on what `source` knows.
    pub fn new(settings: Settings, source: Source) -> Arc<Self> {
        Arc::new(Self {
            settings,
            source,
            metrics: Metrics::default(),
            stopping: AtomicBool::new(false),
            untrusted: Mutex::new(None),
            large_bodies: Semaphore::new(LARGE_BODIES),
        })
    }

    /// Why no requests should be sent, if so.
    pub fn not_ready(&self) -> Option<String> {
        if self.stopping.load(Ordering::Acquire) {
            return Some("stopping\n".to_owned());
        }
        if !self.source.is_synced() {
            return Some("the mirror sets have not been read yet\n".to_owned());
        }
        let untrusted = self.untrusted.lock().unwrap_or_else(PoisonError::into_inner);
        untrusted.as_ref().map(|why| format!("{why}\n"))
    }

    /// Says why apiservers would not trust this server; `None` where they do.
    pub fn untrusted(&self, why: Option<String>) {
        *self.untrusted.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// No more requests should be sent; those that come are still answered.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    async fn read(&self, body: Body) -> Result<Vec<u8>, (StatusCode, String)> {
        let late = |_| {
            let text = format!("no whole body within {} s", BODY_PATIENCE.as_secs());
            (StatusCode::REQUEST_TIMEOUT, text)
        };
        tokio::time::timeout(BODY_PATIENCE, self.collect(body)).await.map_err(late)?
    }

    async fn collect(&self, mut body: Body) -> Result<Vec<u8>, (StatusCode, String)> {
        let too_large = || {
            let text = format!("the body is larger than {} MiB", BODY_MAX >> 20);
            (StatusCode::PAYLOAD_TOO_LARGE, text)
        };
        let announced = body.size_hint().upper().and_then(|length| usize::try_from(length).ok());
        if announced.is_some_and(|length| length > BODY_MAX) {
            drop_rest(body).await;
            return Err(too_large());
        }
        let mut bytes =
            Vec::with_capacity(announced.filter(|length| *length <= BODY_SMALL).unwrap_or_default());
        let mut place = None;
        loop {
            let patience = if place.is_some() { PIECE_PATIENCE } else { BODY_PATIENCE };
            let stalled = |_| (StatusCode::REQUEST_TIMEOUT, "the body stopped arriving".to_owned());
            let Some(frame) = tokio::time::timeout(patience, body.frame()).await.map_err(stalled)? else {
                return Ok(bytes);
            };
            let frame = frame.map_err(|e| (StatusCode::BAD_REQUEST, format!("the body broke off: {e}")))?;
            let Ok(data) = frame.into_data() else { continue };
            let length = bytes.len() + data.len();
            if length > BODY_MAX {
                drop((bytes, data, place));
                drop_rest(body).await;
                return Err(too_large());
            }
            if length > BODY_SMALL && place.is_none() {
                place = self.large_bodies.acquire().await.ok();
                bytes.reserve(announced.unwrap_or_default().saturating_sub(bytes.len()));
            }
            bytes.extend_from_slice(&data);
        }
    }
}

async fn drop_rest(mut body: Body) {
    let mut dropped = 0;
    while let Ok(Some(Ok(frame))) = tokio::time::timeout(PIECE_PATIENCE, body.frame()).await {
        dropped += frame.data_ref().map_or(0, Bytes::len);
        if dropped > BODY_DROPPED {
            return;
        }
    }
}

/// The two endpoints.
pub fn router(app: Arc<App>) -> Router {
    let farewell = from_fn_with_state(Arc::clone(&app), farewell);
    Router::new()
        .route("/validate", post(validate))
        .route("/mutate", post(mutate))
        .layer(farewell)
        .with_state(app)
}

/// Once the end is near, no connection of HTTP/1.1 is to be used again: apiservers call webhooks by HTTP/1.1
/// (`staging/src/k8s.io/apiserver/pkg/util/webhook/client.go`), and a request that meets the end of an idle connection fails, since nobody knows whether it was done.
async fn farewell(Extract(app): Extract<Arc<App>>, request: Request, next: Next) -> Response {
    let is_http1 = request.version() < Version::HTTP_2;
    let mut response = next.run(request).await;
    if is_http1 && app.stopping.load(Ordering::Acquire) {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
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
    let reviewer = Reviewer { state: &state, settings: &app.settings, today: today() };
    let Filling { patch, verdict } = match &request.new {
        Some(Object::HostedCluster(hosted)) => {
            fill_in(&reviewer, hosted_cluster(request.old.as_ref()), hosted)
        }
        _ => Filling::default(),
    };
    respond(&app, "mutate", &request, &verdict, &patch, began)
}

fn judge(app: &App, state: &State, request: &wire::Request) -> Verdict {
    let reviewer = Reviewer { state, settings: &app.settings, today: today() };
    match (&request.old, &request.new) {
        (_, Some(Object::MirrorSet(new))) => {
            let old = match &request.old {
                Some(Object::MirrorSet(old)) => Some(old),
                _ => None,
            };
            reviewer.review_set(request.operation, old, Some(new))
        }
        (Some(Object::MirrorSet(old)), None) => reviewer.review_set(Operation::Delete, Some(old), None),
        (old, Some(Object::HostedCluster(new))) => reviewer.review_hosted(hosted_cluster(old.as_ref()), new),
        _ => Verdict::default(),
    }
}

fn hosted_cluster(object: Option<&Object>) -> Option<&HostedCluster> {
    match object {
        Some(Object::HostedCluster(hosted)) => Some(hosted),
        _ => None,
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
