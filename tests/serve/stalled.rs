//! A client that stops in the middle of a request.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::certificates::Connection;
use crate::client::Answer;
use crate::http;

/// A request whose rest has not been sent.
pub(crate) struct Stalled {
    connection: Connection,
    rest: String,
}

/// The length of the body according to the head of the request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Length {
    /// The actual length.
    Right,
    /// This many bytes.
    Bytes(usize),
    /// No length, because chunks follow.
    Chunked,
}

impl Stalled {
    /// Sends the head of a request and half of its body.
    pub(crate) fn begin(mut connection: Connection, review: &Value, length: Length) -> Result<Self> {
        let body = review.to_string();
        let (half, rest) = body.split_at_checked(body.len() / 2).context("a review of plain letters")?;
        let (length, half) = match length {
            Length::Right => (format!("content-length: {}", body.len()), half.to_owned()),
            Length::Bytes(length) => (format!("content-length: {length}"), half.to_owned()),
            Length::Chunked => {
                ("transfer-encoding: chunked".to_owned(), format!("{:x}\r\n{half}\r\n", half.len()))
            }
        };
        let head =
            format!("POST /validate HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{length}\r\n\r\n");
        connection.write_all(head.as_bytes())?;
        connection.write_all(half.as_bytes())?;
        connection.flush()?;
        Ok(Self { connection, rest: rest.to_owned() })
    }

    /// Sends the rest of a body of the right length and reads the answer.
    pub(crate) fn finish(self) -> Result<Answer> {
        let response = http::exchange(self.connection, &self.rest)?;
        Answer::read(response.status, response.body.as_bytes())
    }
}
