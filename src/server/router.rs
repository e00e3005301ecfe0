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
use mirrorguard_core::{
    review::{Filling, Patch, Reviewer, Verdict, fill_in, wire},
    rules::Settings,
    state::State,
    write::Write,
};
use tracing::{Instrument, debug, enabled, info};

use super::{
    Metrics, Readiness,
    body::Bodies,
    traces::{self, Step},
};
use crate::{clock::today, cluster::Source};

/// State that the handlers share.
#[derive(Debug)]
pub struct App {
    /// The configuration.
    pub settings: Settings,
    /// Where the state of the cluster comes from.
    pub source: Source,
    /// The metrics of the process.
    pub metrics: Metrics,
    /// Whether this replica is ready to serve requests.
    pub readiness: Arc<Readiness>,
    bodies: Bodies,
}

impl App {
    /// Creates an application that applies `settings` to the state of `source`.
    pub fn new(settings: Settings, source: Source) -> Arc<Self> {
        let readiness = Arc::new(Readiness::new(source.clone()));
        let metrics = Metrics::new(source.clone(), Arc::clone(&readiness));
        Arc::new(Self { settings, source, metrics, readiness, bodies: Bodies::default() })
    }

    /// Asks HTTP/1.1 clients to close the connection once the server shuts down. A request on an idle connection that
    /// the server closes at the same moment fails, because the client cannot know whether it was processed. API
    /// servers call webhooks over HTTP/1.1.
    ///
    /// Follows `kubernetes staging/src/k8s.io/apiserver/pkg/util/webhook/client.go`.
    fn close_when_draining(&self, version: Version, mut response: Response) -> Response {
        if version < Version::HTTP_2 && self.readiness.is_stopping() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// The routes of the two endpoints.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/validate", post(validate))
        // An API server that cannot call a webhook shows its URL in the error: the chart puts the remedy into the path.
        .route("/validate/{*remedy}", post(validate))
        .route("/mutate", post(mutate))
        .with_state(app)
}

async fn validate(Extract(app): Extract<Arc<App>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let span = traces::request("validate", &head.headers);
    app.close_when_draining(head.version, answer_validate(&app, body).instrument(span).await)
}

async fn mutate(Extract(app): Extract<Arc<App>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let span = traces::request("mutate", &head.headers);
    app.close_when_draining(head.version, answer_mutate(&app, body).instrument(span).await)
}

async fn answer_validate(app: &App, body: Body) -> Response {
    let (request, began) = match receive(app, "validate", body).await {
        Ok(received) => received,
        Err(response) => return response,
    };
    // A deletion is never denied, and HostedClusters and the image configuration are reviewed on the cached state,
    // so only a set that is created or updated is worth the question.
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

/// The state as the API server has it now; or the last known state, and why the API server could not be queried.
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

async fn answer_mutate(app: &App, body: Body) -> Response {
    let (request, began) = match receive(app, "mutate", body).await {
        Ok(received) => received,
        Err(response) => return response,
    };
    let Filling { patch, verdict } = Step::Review.of(|| {
        let state = app.source.current();
        let reviewer = Reviewer::new(&state, &app.settings, today());
        let filling = match &request.write {
            Write::HostedCluster(operation) => fill_in(&reviewer, operation.as_deref()),
            // Nothing else has catalog overrides.
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

/// Reads a request, and returns it with the time at which its body was complete.
async fn receive(
    app: &App,
    endpoint: &'static str,
    body: Body,
) -> Result<(wire::Request, Instant), Response> {
    let body = match app.bodies.read(body).instrument(Step::Read.span()).await {
        Ok(body) => body,
        Err(error) => {
            let (status, text) = (error.status(), error.to_string());
            let bytes = wire::refuse(None, status.as_u16(), error.reason(), text.clone());
            return Err(refuse(app, endpoint, status, &text, bytes));
        }
    };
    let began = Instant::now();
    let request = match Step::Decode.of(|| wire::decode(&body)) {
        Ok(request) => request,
        Err(error) => {
            let bytes = wire::encode_unreadable(&error);
            return Err(refuse(app, endpoint, StatusCode::BAD_REQUEST, &error.to_string(), bytes));
        }
    };
    traces::record_request(&request);
    Ok((request, began))
}

/// Answers a body that could not be read with `bytes`, after logging, counting and tracing it.
fn refuse(app: &App, endpoint: &'static str, status: StatusCode, text: &str, bytes: Vec<u8>) -> Response {
    info!(endpoint, status = status.as_u16(), "{text}");
    app.metrics.refused(endpoint, status.as_u16());
    traces::record_refusal(status);
    json(status, bytes)
}

/// Answers with a verdict: encodes it, then counts, logs and traces it.
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

/// Logs a decision. docs/logs.md describes the fields.
fn log(endpoint: &'static str, request: &wire::Request, verdict: &Verdict, patched: bool, took: Duration) {
    let wire::Request { uid, name, user, dry_run, .. } = request;
    let namespace = request.namespace.as_deref();
    let (kind, operation) = (request.write.kind().name(), request.write.operation_name());
    let rules = join(&verdict.rule_ids());
    let exempted = join(&verdict.exempted.iter().map(|exempted| exempted.rule).collect::<Vec<_>>());
    // Rounded to the microsecond: more digits would only be noise.
    let duration_ms = (took.as_secs_f64() * 1e6).round() / 1e3;
    let trace_id = traces::current_id();
    // The level of an event is static, so both events have to list the fields.
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

/// Ids as one field, separated by commas; `None` if there are none.
fn join(ids: &[&str]) -> Option<String> {
    (!ids.is_empty()).then(|| ids.join(","))
}

fn json(status: StatusCode, bytes: Vec<u8>) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], bytes).into_response()
}
