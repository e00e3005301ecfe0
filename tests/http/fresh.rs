//! Decisions about a mirror set do not depend on the cache: here it is empty, and a fake API server has the objects.

use std::{convert::Infallible, io};

use axum::{
    body::Body,
    http::{Request, Response, StatusCode, header::ACCEPT},
};
use kube::Client;
use mirrorguard::{
    cluster::{LiveState, Source},
    server::App,
};
use mirrorguard_core::rules::{Settings, WhenUnverified};
use serde_json::{Value, json};
use tower::service_fn;

use super::{Webhook, icsp, idms};

/// An API server that has one IDMS or none. It does not serve ICSPs, like a cluster that has removed the kind.
fn apiserver(with_idms: bool) -> Client {
    let service = service_fn(move |request: Request<kube::client::Body>| async move {
        Ok::<_, Infallible>(answer(&request, with_idms))
    });
    Client::new(service, "default")
}

fn answer(request: &Request<kube::client::Body>, with_idms: bool) -> Response<Body> {
    let path = request.uri().path();
    if path.contains("imagecontentsourcepolicies") {
        let status =
            json!({"kind": "Status", "code": 404, "reason": "NotFound", "status": "Failure", "message": ""});
        return respond(404, &status);
    }
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let metadata_only = accept.contains("as=PartialObjectMetadataList");
    let mut item = json!({"metadata": {"name": "there", "resourceVersion": "7"}});
    if !metadata_only {
        item["spec"] = json!({"imageDigestMirrors": [{"source": "quay.io/b", "mirrors": ["m.lab/b"]}]});
    }
    let items = if with_idms && path.contains("imagedigestmirrorsets") { vec![item] } else { Vec::new() };
    let (version, kind) = if metadata_only {
        ("meta.k8s.io/v1", "PartialObjectMetadataList")
    } else {
        ("config.openshift.io/v1", "List")
    };
    respond(
        200,
        &json!({"apiVersion": version, "kind": kind, "metadata": {"resourceVersion": "9"}, "items": items}),
    )
}

fn respond(status: u16, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

fn webhook(client: Client, when_unverified: WhenUnverified) -> Webhook {
    let settings = Settings { when_unverified, ..Settings::default() };
    Webhook(App::new(settings, Source::Live(LiveState::new(client))))
}

#[tokio::test]
async fn an_idms_that_no_watch_has_reported_yet_counts() {
    let new = icsp("new", "quay.io/a", &["m.lab/a"]);
    let denied = webhook(apiserver(true), WhenUnverified::Deny).validate("", &new).await;
    assert_eq!(denied.denied_by(), ["icsp-alongside-idms"]);
    let allowed = webhook(apiserver(false), WhenUnverified::Deny).validate("", &new).await;
    assert!(allowed.is_allowed());
}

/// A client that cannot connect to any API server.
fn unreachable() -> Client {
    Client::new(service_fn(refuse), "default")
}

async fn refuse(_: Request<kube::client::Body>) -> io::Result<Response<Body>> {
    Err(io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused"))
}

#[tokio::test]
async fn while_the_api_server_cannot_be_queried_the_answer_says_so_and_follows_the_setting() {
    let new = idms("new", "quay.io/a", &["m.lab/a"]);
    let denied = webhook(unreachable(), WhenUnverified::Deny).validate("", &new).await;
    assert_eq!(denied.denied_by(), ["unverified"]);
    let warned = webhook(unreachable(), WhenUnverified::Warn).validate("", &new).await;
    assert!(warned.is_allowed());
    assert_eq!(warned.warned_by(), ["unverified", "node-impact"]);
    let deleted = webhook(unreachable(), WhenUnverified::Deny).validate(&new, "").await;
    assert!(deleted.is_allowed(), "a deletion is checked against the last known state");
}
