//! A minimal webhook on axum and rustls: `reference constant|json-value ADDRESS CERT KEY`.
//!
//! `constant` reads the request body and answers a constant; `json-value` also parses the body into a
//! `serde_json::Value`. Every cost of a real webhook above theirs is caused by the webhook itself.

use std::{hint::black_box, net::SocketAddr};

use anyhow::{Context, Result, bail};
use axum::{
    Router,
    body::Bytes,
    extract::DefaultBodyLimit,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::post,
};
use axum_server::{
    accept::NoDelayAcceptor,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use serde_json::Value;

const ANSWER: &str = r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"705ab4f5-6393-11e8-b7cc-42010a800002","allowed":true}}"#;
const BODY_LIMIT: usize = 8 << 20;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, address, certificate, key] = arguments.as_slice() else {
        bail!("usage: reference constant|json-value ADDRESS CERT KEY");
    };
    let handler = match mode.as_str() {
        "constant" => post(constant),
        "json-value" => post(json_value),
        _ => bail!("the mode must be constant or json-value, not {mode}"),
    };
    let router = Router::new()
        .route("/validate", handler.clone())
        .route("/mutate", handler)
        .layer(DefaultBodyLimit::max(BODY_LIMIT));
    let tls = RustlsConfig::from_pem_file(certificate, key)
        .await
        .context("cannot load the certificate and its key")?;
    let address: SocketAddr = address.parse().context("ADDRESS must be IP:PORT")?;
    axum_server::bind(address)
        .acceptor(RustlsAcceptor::new(tls).acceptor(NoDelayAcceptor))
        .serve(router.into_make_service())
        .await?;
    Ok(())
}

async fn constant(_body: Bytes) -> Response {
    answer()
}

async fn json_value(body: Bytes) -> Response {
    match serde_json::from_slice::<Value>(&body) {
        Ok(value) => {
            black_box(value);
            answer()
        }
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

fn answer() -> Response {
    ([(CONTENT_TYPE, "application/json")], ANSWER).into_response()
}
