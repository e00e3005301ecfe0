//! What is not a question, or not one for us.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Webhook, idms, review};

/// A good review with one thing changed.
fn with(change: impl FnOnce(&mut Value)) -> String {
    let mut review = review("", &idms("a", "quay.io/a", &["m.lab/a"]));
    change(&mut review);
    review.to_string()
}

#[tokio::test]
async fn unreadable_bodies_are_refused_clearly_and_the_next_one_is_served() {
    let webhook = Webhook::with("");
    let table = [
        (String::new(), "the body is not an AdmissionReview: EOF while parsing a value", false),
        ("nonsense".to_owned(), "the body is not an AdmissionReview: expected ident", false),
        ("[]".to_owned(), "the body is not an AdmissionReview: invalid", false),
        ("{}".to_owned(), "expected an AdmissionReview of admission.k8s.io/v1, got \"\" of \"\"", false),
        (
            with(|r| r["apiVersion"] = json!("admission.k8s.io/v1beta1")),
            "expected an AdmissionReview of admission.k8s.io/v1, got \"AdmissionReview\" of \"admission.k8s.io/v1beta1\"",
            true,
        ),
        (
            with(|r| r["kind"] = json!("Pod")),
            "expected an AdmissionReview of admission.k8s.io/v1, got \"Pod\"",
            true,
        ),
        (with(|r| r["request"] = Value::Null), "the AdmissionReview has no request", false),
        (
            with(|r| r["request"]["kind"] = json!(7)),
            "the body is not an AdmissionReview: invalid type: integer `7`",
            true,
        ),
        (
            with(|r| r["request"]["kind"]["kind"] = json!("Pod")),
            "cannot judge \"Pod\" of \"config.openshift.io\"",
            true,
        ),
        (
            with(|r| r["request"]["operation"] = json!("CONNECT")),
            "cannot judge the operation \"CONNECT\"",
            true,
        ),
        (with(|r| r["request"]["object"] = Value::Null), "the request has no object", true),
        (
            with(|r| r["request"]["object"]["spec"]["imageDigestMirrors"][0]["source"] = json!([])),
            "cannot read object: spec.imageDigestMirrors[0].source: invalid type: sequence, expected a string",
            true,
        ),
    ];
    for (body, message, has_uid) in table {
        let (status, answer) = webhook.post("/validate", body.clone()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        let told = if has_uid { &answer["response"]["status"]["message"] } else { &answer["message"] };
        assert!(told.as_str().is_some_and(|told| told.starts_with(message)), "{body}: {answer}");
        if has_uid {
            assert_eq!(
                (&answer["response"]["uid"], &answer["response"]["allowed"]),
                (&json!("the-uid"), &json!(false))
            );
        } else {
            assert_eq!((&answer["kind"], &answer["code"]), (&json!("Status"), &json!(400)));
        }
        let (status, answer) = webhook.post("/validate", with(|_| {})).await;
        assert_eq!((status, &answer["response"]["allowed"]), (StatusCode::OK, &json!(true)));
    }
}

#[tokio::test]
async fn a_body_may_have_eight_mebibytes_and_not_a_byte_more() {
    let webhook = Webhook::with("");
    let padded = |length: usize| {
        let body = with(|_| {});
        let padding = " ".repeat(length - body.len());
        body + &padding
    };
    let (status, _) = webhook.post("/validate", padded(8 << 20)).await;
    assert_eq!(status, StatusCode::OK);
    let (status, answer) = webhook.post("/validate", padded((8 << 20) + 1)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer["message"], "the body is larger than 8 MiB");
}

#[tokio::test]
async fn a_body_of_unannounced_length_is_held_to_the_same_limit() {
    let webhook = Webhook::with("");
    let stream = || futures::stream::iter((0..9).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1 << 20])));
    let (status, _) = webhook.post("/validate", axum::body::Body::from_stream(stream())).await;
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
    let answer = webhook.ask("/mutate", "", &idms("a", "https://quay.io/a", &["m.lab/a"])).await;
    assert!(answer.is_allowed() && answer.0["patch"].is_null());
}
