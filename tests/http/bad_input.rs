//! Bodies that are not reviews, or not of writes that mirrorguard checks.

use std::{fmt::Write as _, fs, io, path::Path};

use axum::{body::Body, http::StatusCode};
use serde_json::{Value, json};

use super::{Webhook, idms, review};

/// A good review with one thing changed.
fn with(change: impl FnOnce(&mut Value)) -> String {
    let mut review = review("", &idms("a", "quay.io/a", &["m.lab/a"]));
    change(&mut review);
    review.to_string()
}

/// Bodies that are no review: whether the uid of the request can be read, what the message has to name, and why.
fn bad_bodies() -> [(String, bool, &'static str, &'static str); 13] {
    [
        (String::new(), false, "", "no body"),
        ("nonsense".to_owned(), false, "", "not JSON"),
        ("[]".to_owned(), false, "", "not an object"),
        ("{}".to_owned(), false, "", "neither kind nor version"),
        (
            with(|r| r["apiVersion"] = json!("admission.k8s.io/v1beta1")),
            true,
            "admission.k8s.io/v1beta1",
            "another version",
        ),
        (
            with(|r| {
                r["apiVersion"] = json!("admission.k8s.io/v1beta1");
                r["request"] = json!({"uid": "the-uid"});
            }),
            true,
            "admission.k8s.io/v1beta1",
            "another version, without the fields of this one",
        ),
        (with(|r| r["kind"] = json!("Pod")), true, "Pod", "another kind"),
        (with(|r| r["request"] = Value::Null), false, "request", "no request"),
        (with(|r| r["request"]["kind"] = json!(7)), true, "7", "the kind of the object is a number"),
        (
            with(|r| r["request"]["kind"]["kind"] = json!("Pod")),
            true,
            "Pod",
            "an object of a kind without rules",
        ),
        (with(|r| r["request"]["operation"] = json!("CONNECT")), true, "CONNECT", "another operation"),
        (with(|r| r["request"]["object"] = Value::Null), true, "object", "no object"),
        (
            with(|r| r["request"]["object"]["spec"]["imageDigestMirrors"][0]["source"] = json!([])),
            true,
            "spec.imageDigestMirrors[0].source",
            "a source that is a list",
        ),
    ]
}

#[tokio::test]
async fn an_unreadable_body_is_refused_and_the_next_one_is_answered() {
    let webhook = Webhook::with("");
    for (body, has_uid, name, reason) in bad_bodies() {
        let (status, answer) = webhook.post("/validate", body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{reason}");
        assert!(message(&answer).contains(name), "{reason}: {answer}");
        if has_uid {
            let response = &answer["response"];
            assert_eq!((&response["uid"], &response["allowed"]), (&json!("the-uid"), &json!(false)));
            assert_eq!(response["status"]["code"], 400);
        } else {
            assert_eq!((&answer["kind"], &answer["code"]), (&json!("Status"), &json!(400)));
        }
        let (status, answer) = webhook.post("/validate", with(|_| {})).await;
        assert_eq!((status, &answer["response"]["allowed"]), (StatusCode::OK, &json!(true)));
    }
}

/// The message of a refusal, in a review or in a `Status`.
fn message(answer: &Value) -> &str {
    let status = if answer["kind"] == "AdmissionReview" { &answer["response"]["status"] } else { answer };
    status["message"].as_str().unwrap()
}

#[tokio::test]
async fn the_messages_of_refused_bodies_are_those_of_the_snapshot() {
    let webhook = Webhook::with("");
    let mut texts = String::new();
    for (body, _, _, reason) in bad_bodies() {
        let (_, answer) = webhook.post("/validate", body).await;
        writeln!(texts, "# {reason}\n{}\n", message(&answer)).unwrap();
    }
    let streams = [
        (stream_of(vec![Err(io::ErrorKind::ConnectionReset.into())]), "a connection that breaks"),
        (stream_of((0..9).map(|_| Ok(vec![b' '; 1 << 20])).collect()), "too large"),
    ];
    for (body, reason) in streams {
        let (_, answer) = webhook.post("/validate", body).await;
        writeln!(texts, "# {reason}\n{}\n", message(&answer)).unwrap();
    }
    matches_snapshot(&texts);
}

/// Compares with the file of messages; `make generate` writes the file instead.
fn matches_snapshot(texts: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/http/refusals.txt");
    if std::env::var_os("MIRRORGUARD_UPDATE").is_some() {
        fs::write(&path, texts).unwrap();
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(texts, expected, "{} differs: run make generate", path.display());
}

/// A body of unannounced length.
fn stream_of(parts: Vec<io::Result<Vec<u8>>>) -> Body {
    Body::from_stream(futures::stream::iter(parts))
}

/// A valid body with so many bytes.
fn padded(length: usize) -> String {
    let body = with(|_| {});
    let padding = " ".repeat(length - body.len());
    body + &padding
}

#[tokio::test]
async fn a_body_may_have_eight_mebibytes_and_not_a_byte_more() {
    let webhook = Webhook::with("");
    let (status, _) = webhook.post("/validate", padded(8 << 20)).await;
    assert_eq!(status, StatusCode::OK);
    let (status, answer) = webhook.post("/validate", padded((8 << 20) + 1)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer["reason"], "RequestEntityTooLarge");
}

#[tokio::test]
async fn a_body_of_unannounced_length_is_held_to_the_same_limit() {
    let webhook = Webhook::with("");
    let nine = (0..9).map(|_| Ok(vec![b' '; 1 << 20])).collect();
    let (status, _) = webhook.post("/validate", stream_of(nine)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn other_methods_and_paths_are_not_served() {
    let webhook = Webhook::with("");
    let (status, _) = webhook.post("/other", "").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_mirror_set_sent_to_mutate_is_left_as_it_is() {
    let webhook = Webhook::with("");
    let answer = webhook.review("/mutate", "", &idms("a", "https://quay.io/a", &["m.lab/a"])).await;
    assert!(answer.is_allowed() && answer.0["patch"].is_null());
}
