//! The least HTTP client that can play a probe, or a writer in a hurry.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result};

/// The kubelet's default is one second; a busy machine gets more.
const DEADLINE: Duration = Duration::from_secs(5);

/// What came back.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// One GET without TLS on a connection of its own.
pub(crate) fn get(address: SocketAddr, path: &str) -> Result<Response> {
    let stream = TcpStream::connect_timeout(&address, DEADLINE)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    exchange(stream, &format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n"))
}

/// Sends the only request of a connection, and reads its response.
pub(crate) fn exchange(mut stream: impl Read + Write, request: &str) -> Result<Response> {
    stream.write_all(request.as_bytes())?;
    stream.flush()?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    let (head, body) = response.split_once("\r\n\r\n").context("no end of the header")?;
    let status = head.split(' ').nth(1).context("no status code")?.parse()?;
    Ok(Response { status, body: body.to_owned() })
}
