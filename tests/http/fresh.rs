//! Decisions on a mirror set never rest on a cache: here it has seen nothing yet, and a stand-in for the
//! apiserver says what there is.

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

/// An apiserver that holds one IDMS, or none; it serves ICSPs not at all, as a cluster that has dropped
/// the kind.
fn apiserver(with_idms: bool) -> Client {
    let answer = move |request: Request<kube::client::Body>| async move {
        let path = request.uri().path();
        if path.contains("imagecontentsourcepolicies") {
            return Ok::<_, Infallible>(respond(
                404,
                &json!({"kind": "Status", "code": 404, "reason": "NotFound", "status": "Failure", "message": ""}),
            ));
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
        Ok(respond(
            200,
            &json!({"apiVersion": version, "kind": kind, "metadata": {"resourceVersion": "9"}, "items": items}),
        ))
    };
    Client::new(service_fn(answer), "default")
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
async fn an_idms_that_no_watch_has_told_of_yet_counts() {
    let new = icsp("new", "quay.io/a", &["m.lab/a"]);
    let denied = webhook(apiserver(true), WhenUnverified::Deny).validate("", &new).await;
    assert_eq!(denied.denied_by(), ["icsp-alongside-idms"]);
    let allowed = webhook(apiserver(false), WhenUnverified::Deny).validate("", &new).await;
    assert!(allowed.is_allowed());
}

#[tokio::test]
async fn while_the_apiserver_cannot_be_asked_the_answer_says_so_and_follows_the_setting() {
    let unreachable = || {
        let refuse = |_: Request<kube::client::Body>| async {
            Err::<Response<Body>, _>(io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused"))
        };
        Client::new(service_fn(refuse), "default")
    };
    let new = idms("new", "quay.io/a", &["m.lab/a"]);
    let denied = webhook(unreachable(), WhenUnverified::Deny).validate("", &new).await;
    assert_eq!(denied.denied_by(), ["unverified"]);
    let warned = webhook(unreachable(), WhenUnverified::Warn).validate("", &new).await;
    assert!(warned.is_allowed());
    assert_eq!(warned.warned_by(), ["unverified", "node-impact"]);
    let deleted = webhook(unreachable(), WhenUnverified::Deny).validate(&new, "").await;
    assert!(deleted.is_allowed(), "a deletion is judged on what is known");
}
