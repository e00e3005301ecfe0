//! HTTP/2 frame by frame, as far as needed to see how a connection ends.

use std::io::{ErrorKind, Read as _, Write as _};

use anyhow::{Context as _, Result, ensure};

use crate::certificates::Connection;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
/// Flag of SETTINGS and PING.
const ACK: u8 = 1;
/// Flag of DATA and HEADERS.
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// The one stream that a client opens here.
const STREAM: u32 = 1;
/// The last stream in the first of two GOAWAYs: requests that are on their way are still answered.
const ANY_STREAM: u32 = 0x7fff_ffff;

/// An HTTP/2 connection.
pub(crate) struct Frames {
    connection: Connection,
    /// What the server has sent on the stream.
    answer: Vec<u8>,
    /// Last stream and error code of each GOAWAY.
    goaways: Vec<(u32, u32)>,
}

impl Frames {
    /// Begins, and waits for the server's first frame.
    pub(crate) fn begin(mut connection: Connection) -> Result<Self> {
        connection.write_all(PREFACE)?;
        let mut frames = Self { connection, answer: Vec::new(), goaways: Vec::new() };
        frames.send(SETTINGS, 0, 0, &[])?;
        ensure!(frames.read()? == Some(SETTINGS), "the server began otherwise");
        Ok(frames)
    }

    /// Opens a stream for a review, without its body.
    pub(crate) fn open_stream(&mut self) -> Result<()> {
        // POST and https by their numbers in the static table, authority and path as they are.
        let mut block = vec![0x83, 0x87];
        for (name, value) in [(0x01, "localhost"), (0x04, "/validate")] {
            block.extend([name, u8::try_from(value.len())?]);
            block.extend(value.bytes());
        }
        self.send(HEADERS, END_HEADERS, STREAM, &block)
    }

    /// Waits for both GOAWAYs, the second of which names the last stream that is answered.
    pub(crate) fn closes_gracefully(&mut self, last: u32) -> Result<()> {
        while self.goaways.len() < 2 {
            ensure!(self.read()?.is_some(), "ended after {:?}", self.goaways);
        }
        ensure!(self.goaways == [(ANY_STREAM, 0), (last, 0)], "not graceful: {:?}", self.goaways);
        Ok(())
    }

    /// Sends the body, and returns the answer before the end of the connection.
    pub(crate) fn finish(mut self, body: &str) -> Result<Vec<u8>> {
        self.send(DATA, END_STREAM, STREAM, body.as_bytes())?;
        while self.read()?.is_some() {}
        Ok(self.answer)
    }

    /// Waits for the end of the connection.
    pub(crate) fn ended(mut self) -> Result<()> {
        while self.read()?.is_some() {}
        Ok(())
    }

    fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Result<()> {
        let length = u32::try_from(payload.len())?.to_be_bytes();
        let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
        self.connection.write_all(&head)?;
        self.connection.write_all(payload)?;
        self.connection.flush()?;
        Ok(())
    }

    /// Reads a frame, acknowledges it if needed, and returns its kind; `None` at the end of the connection.
    fn read(&mut self) -> Result<Option<u8>> {
        let mut head = [0; 9];
        match self.connection.read_exact(&mut head) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            result => result.context("no further frame")?,
        }
        let [high, middle, low, kind, flags, ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, high, middle, low]).try_into()?];
        self.connection.read_exact(&mut payload).context("half a frame")?;
        match kind {
            SETTINGS | PING if flags & ACK == 0 => {
                let echo = if kind == PING { payload } else { Vec::new() };
                self.send(kind, ACK, 0, &echo)?;
            }
            DATA => self.answer.extend(payload),
            GOAWAY => {
                self.goaways.push((number_at(&payload, 0)?, number_at(&payload, 4)?));
            }
            _ => {}
        }
        Ok(Some(kind))
    }
}

fn number_at(payload: &[u8], start: usize) -> Result<u32> {
    let bytes = payload.get(start..start + 4).context("a GOAWAY that is too short")?;
    Ok(u32::from_be_bytes(bytes.try_into()?))
}
