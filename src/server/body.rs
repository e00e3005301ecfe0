//! Reading bodies, few large ones at a time.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, HttpBody},
    http::StatusCode,
};
use http_body_util::BodyExt;
use tokio::sync::Semaphore;

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

/// The places for large bodies.
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
    /// Reads a body, or says with which status it is refused, and why.
    pub(super) async fn read(&self, body: Body) -> Result<Vec<u8>, (StatusCode, String)> {
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
                place = self.large.acquire().await.ok();
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
