//! `POST /validate` and `POST /mutate`.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State as Extract},
    http::{
        HeaderValue, StatusCode, Version,
        header::{CONNECTION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::post,
};
use tracing::{Instrument, debug, enabled, info};

use mirrorguard_core::{
    review::{Filling, Patch, Reviewer, Verdict, fill_in, wire},
    rules::Settings,
    state::State,
    write::Write,
};

use super::{
    Metrics, Readiness,
    body::Bodies,
    traces::{self, Step},
};
use crate::{clock::today, cluster::Source};

/// What the handlers share.
#[derive(Debug)]
pub struct App {
    /// The configuration.
    pub settings: Settings,
    /// The cluster.
    pub source: Source,
    /// What is counted.
    pub metrics: Metrics,
    /// Whether requests should be sent here.
    pub readiness: Arc<Readiness>,
    bodies: Bodies,
}

impl App {
    /// An application that decides by `settings` on what `source` knows.
    pub fn new(settings: Settings, source: Source) -> Arc<Self> {
        let readiness = Arc::new(Readiness::of(source.clone()));
        let metrics = Metrics::new(source.clone(), Arc::clone(&readiness));
        Arc::new(Self { settings, source, metrics, readiness, bodies: Bodies::default() })
    }

    /// Once the end is near, no connection of HTTP/1.1 is to be used again: a request that meets the end of an idle
    /// connection fails, since nobody knows whether it was done. Apiservers call webhooks by HTTP/1.1.
    ///
    /// Follows `kubernetes staging/src/k8s.io/apiserver/pkg/util/webhook/client.go`.
    fn farewell(&self, version: Version, mut response: Response) -> Response {
        if version < Version::HTTP_2 && self.readiness.is_stopping() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// The two endpoints.
pub fn router(app: Arc<App>) -> Router {
    let validate = async |Extract(app): Extract<Arc<App>>, request: Request| {
        let (head, body) = request.into_parts();
        let span = traces::request("validate", &head.headers);
        app.farewell(head.version, validate(&app, body).instrument(span).await)
    };
    let mutate = async |Extract(app): Extract<Arc<App>>, request: Request| {
        let (head, body) = request.into_parts();
        let span = traces::request("mutate", &head.headers);
        app.farewell(head.version, mutate(&app, body).instrument(span).await)
    };
    Router::new()
        .route("/validate", post(validate))
        // An apiserver that cannot call a webhook shows people its URL: the chart has the remedy stand in it.
        .route("/validate/{*remedy}", post(validate))
        .route("/mutate", post(mutate))
        .with_state(app)
}

async fn validate(app: &App, body: Body) -> Response {
    let (request, began) = match receive(app, "validate", body).await {
        Ok(received) => received,
        Err(response) => return response,
    };
    let (state, unverified) = match &request.write {
        Write::MirrorSet(operation) if operation.after().is_some() => fresh(app).await,
        Write::MirrorSet(_) | Write::HostedCluster(_) | Write::ImageConfig(_) => (app.source.current(), None),
    };
    if unverified.is_some() {
        app.metrics.unverified();
    }
    let verdict = Step::Review.of(|| {
        let reviewer = Reviewer::new(&state, &app.settings, today());
        let verdict = Reviewer { unverified: unverified.as_deref(), ..reviewer }.review(&request.write);
        traces::record_verdict(&verdict);
        verdict
    });
    respond(app, "validate", &request, &verdict, &Patch::default(), began)
}

/// The state as the apiserver has it now; or as it is known, and why the apiserver could not be asked.
async fn fresh(app: &App) -> (Arc<State>, Option<String>) {
    let began = Instant::now();
    let (state, unverified) = match app.source.fresh().instrument(Step::Fresh.span()).await {
        Ok(state) => (state, None),
        Err((state, why)) => (state, Some(why)),
    };
    if matches!(app.source, Source::Live(_)) {
        app.metrics.compared(began.elapsed());
    }
    (state, unverified)
}

async fn mutate(app: &App, body: Body) -> Response {
    let (request, began) = match receive(app, "mutate", body).await {
        Ok(received) => received,
        Err(response) => return response,
    };
    let Filling { patch, verdict } = Step::Review.of(|| {
        let state = app.source.current();
        let reviewer = Reviewer::new(&state, &app.settings, today());
        let filling = match &request.write {
            Write::HostedCluster(operation) => fill_in(&reviewer, operation.as_deref()),
            Write::MirrorSet(_) | Write::ImageConfig(_) => Filling::default(),
        };
        traces::record_verdict(&filling.verdict);
        filling
    });
    if !patch.is_empty() {
        app.metrics.filled_in();
    }
    respond(app, "mutate", &request, &verdict, &patch, began)
}

/// Reads a request, and tells since when its body is whole.
async fn receive(
    app: &App,
    endpoint: &'static str,
    body: Body,
) -> Result<(wire::Request, Instant), Response> {
    let refuse = |status: StatusCode, text: String, bytes: Vec<u8>| {
        info!(endpoint, status = status.as_u16(), "{text}");
        app.metrics.refused(endpoint, status.as_u16());
        traces::record_refusal(status);
        json(status, bytes)
    };
    let body = app.bodies.read(body).instrument(Step::Read.span()).await.map_err(|(status, text)| {
        let reason =
            if status == StatusCode::PAYLOAD_TOO_LARGE { "RequestEntityTooLarge" } else { "BadRequest" };
        let bytes = wire::refuse(None, status.as_u16(), reason, text.clone());
        refuse(status, text, bytes)
    })?;
    let began = Instant::now();
    let request = Step::Decode
        .of(|| wire::decode(&body))
        .map_err(|e| refuse(StatusCode::BAD_REQUEST, e.to_string(), wire::encode_unreadable(&e)))?;
    traces::record_request(&request);
    Ok((request, began))
}

fn respond(
    app: &App,
    endpoint: &'static str,
    request: &wire::Request,
    verdict: &Verdict,
    patch: &Patch,
    began: Instant,
) -> Response {
    let bytes = Step::Encode.of(|| wire::encode(&request.uid, verdict, patch));
    let took = began.elapsed();
    app.metrics.answered(endpoint, request, verdict, took);
    if !verdict.is_allowed() || enabled!(tracing::Level::DEBUG) {
        log(endpoint, request, verdict, !patch.is_empty(), took);
    }
    traces::record_answer(verdict);
    json(StatusCode::OK, bytes)
}

/// One line a decision. The fields are told in docs/logs.md.
fn log(endpoint: &'static str, request: &wire::Request, verdict: &Verdict, patched: bool, took: Duration) {
    let wire::Request { uid, name, user, dry_run, .. } = request;
    let namespace = request.namespace.as_deref();
    let (kind, operation) = (request.write.kind().name(), request.write.operation_name());
    let rules = some(&verdict.rule_ids());
    let exempted = some(&verdict.exempted.iter().map(|exempted| exempted.rule).collect::<Vec<_>>());
    // To the microsecond: a double has more digits than anybody measured.
    let duration_ms = (took.as_secs_f64() * 1e6).round() / 1e3;
    let trace_id = traces::current_id();
    macro_rules! line {
        ($level:ident, $message:literal) => {
            $level!(
                endpoint,
                uid,
                kind,
                namespace,
                name,
                operation,
                user,
                dry_run,
                rules,
                exempted,
                patched,
                duration_ms,
                trace_id,
                $message
            )
        };
    }
    if verdict.is_allowed() { line!(debug, "allowed") } else { line!(info, "denied") }
}

/// Ids as one field; none where there are none.
fn some(ids: &[&str]) -> Option<String> {
    (!ids.is_empty()).then(|| ids.join(","))
}

fn json(status: StatusCode, bytes: Vec<u8>) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], bytes).into_response()
}
