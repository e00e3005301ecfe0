//! Reading request bodies, with a limit on how many large ones are read at a time.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, HttpBody},
    http::StatusCode,
};
use http_body_util::BodyExt;
use thiserror::Error;
use tokio::sync::Semaphore;

/// The largest body. It has the object and the old object, and an API server accepts writes of at most 3 MiB
/// (`apiserver pkg/server/config.go` `MaxRequestBodyBytes`).
const BODY_MAX: usize = 8 << 20;
/// How much of every body is read at once: a mirror set of twenty entries. Less than a connection's read buffer
/// (8 KiB), so that a larger body waits there before any of it is copied.
const BODY_SMALL: usize = 6 << 10;
/// How many larger bodies are read at a time. The others wait in their sockets, so that memory stays bounded however
/// many large writes arrive together; small bodies never wait for them.
const LARGE_BODIES: usize = 2;
/// How long the next part of a large body may take, while others wait for its place.
const PART_PATIENCE: Duration = Duration::from_secs(2);
/// How much of a body that is too large is read and dropped: most clients send all of it before they read the
/// answer, and would otherwise only see a broken connection.
const BODY_DROPPED: usize = 64 << 20;
/// How long a body may take to arrive, waiting included. API servers give up after 5 s with the configuration of the
/// chart, and after 30 s at most.
const BODY_PATIENCE: Duration = Duration::from_secs(30);

/// Why a body is refused.
#[derive(Debug, Error)]
pub(super) enum BodyError {
    /// It is larger than the limit.
    #[error("the request body is larger than {} MiB", BODY_MAX >> 20)]
    TooLarge,
    /// It is not complete in time.
    #[error("the request body did not arrive within {} s", BODY_PATIENCE.as_secs())]
    Late,
    /// Its next part did not arrive in time.
    #[error("the rest of the request body did not arrive in time")]
    Stalled,
    /// The connection failed.
    #[error("the connection failed before the end of the request body: {0}")]
    Broken(axum::Error),
}

impl BodyError {
    /// The HTTP status of the answer.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Late | Self::Stalled => StatusCode::REQUEST_TIMEOUT,
            Self::Broken(_) => StatusCode::BAD_REQUEST,
        }
    }

    /// The `reason` of the `Status` in the answer.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::TooLarge => "RequestEntityTooLarge",
            Self::Late | Self::Stalled | Self::Broken(_) => "BadRequest",
        }
    }
}

/// Limits how many large bodies are read at a time.
#[derive(Debug)]
pub(super) struct Bodies {
    large: Semaphore,
}

impl Default for Bodies {
    fn default() -> Self {
        Self { large: Semaphore::new(LARGE_BODIES) }
    }
}

impl Bodies {
    /// Reads a body.
    pub(super) async fn read(&self, body: Body) -> Result<Vec<u8>, BodyError> {
        match tokio::time::timeout(BODY_PATIENCE, self.collect(body)).await {
            Ok(result) => result,
            Err(_) => Err(BodyError::Late),
        }
    }

    async fn collect(&self, mut body: Body) -> Result<Vec<u8>, BodyError> {
        let announced = body.size_hint().upper().and_then(|length| usize::try_from(length).ok());
        if announced.is_some_and(|length| length > BODY_MAX) {
            drop_rest(body).await;
            return Err(BodyError::TooLarge);
        }
        // A larger body gets its capacity once it has a place.
        let mut bytes =
            Vec::with_capacity(announced.filter(|length| *length <= BODY_SMALL).unwrap_or_default());
        // One of `LARGE_BODIES`, held until the body is complete.
        let mut place = None;
        loop {
            // Only a body with a place keeps others waiting.
            let patience = if place.is_some() { PART_PATIENCE } else { BODY_PATIENCE };
            let Ok(frame) = tokio::time::timeout(patience, body.frame()).await else {
                return Err(BodyError::Stalled);
            };
            let Some(frame) = frame else { return Ok(bytes) };
            let Ok(data) = frame.map_err(BodyError::Broken)?.into_data() else { continue };
            let length = bytes.len() + data.len();
            if length > BODY_MAX {
                // Another body can be read while the rest of this one is dropped.
                drop((bytes, data, place));
                drop_rest(body).await;
                return Err(BodyError::TooLarge);
            }
            if length > BODY_SMALL && place.is_none() {
                // Fails only if the semaphore is closed, which it never is.
                place = self.large.acquire().await.ok();
                bytes.reserve(announced.unwrap_or_default().saturating_sub(bytes.len()));
            }
            bytes.extend_from_slice(&data);
        }
    }
}

/// Reads the rest of a body, up to a limit, and drops it.
async fn drop_rest(mut body: Body) {
    let mut dropped = 0;
    while let Ok(Some(Ok(frame))) = tokio::time::timeout(PART_PATIENCE, body.frame()).await {
        dropped += frame.data_ref().map_or(0, Bytes::len);
        if dropped > BODY_DROPPED {
            return;
        }
    }
}
