//! Sends a request and receives its answer, over HTTP/1.1 or HTTP/2.

use std::{future::poll_fn, sync::Arc};

use bytes::{Buf, Bytes, BytesMut};
use h2::client::SendRequest;
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{Res, options::Options};

/// The request, the server, and what a correct answer contains.
pub struct Target {
    tls: TlsConnector,
    port: u16,
    path: String,
    body: Bytes,
    /// The whole HTTP/1.1 request, built once.
    request: Vec<u8>,
    expect: Vec<u8>,
    h2: bool,
}

impl Target {
    pub fn new(options: &Options) -> Res<Self> {
        let (port, path) = (options.port, options.path.clone());
        let body = std::fs::read(&options.body)
            .map_err(|error| format!("--body {}: {error}", options.body.display()))?;
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(&body);
        let expect = options.expect.clone().into_bytes();
        Ok(Self {
            tls: connector(options.h2)?,
            port,
            path,
            body: body.into(),
            request,
            expect,
            h2: options.h2,
        })
    }

    async fn connect(&self) -> Res<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect(("127.0.0.1", self.port)).await?;
        tcp.set_nodelay(true)?;
        Ok(self.tls.connect(ServerName::try_from("localhost")?, tcp).await?)
    }

    /// Returns the body of a correct answer.
    fn check(&self, status: u16, body: BytesMut) -> Res<BytesMut> {
        if status == 200 && (self.expect.is_empty() || find(&body, &self.expect).is_some()) {
            return Ok(body);
        }
        let start = String::from_utf8_lossy(&body[..body.len().min(300)]);
        Err(format!("status {status}: {start}").into())
    }
}

fn connector(h2: bool) -> Res<TlsConnector> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let schemes = provider.signature_verification_algorithms.supported_schemes();
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(schemes)))
        .with_no_client_auth();
    config.alpn_protocols = vec![if h2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// A worker's connection to the server. Clones of an HTTP/2 client share its connection; each clone of an
/// HTTP/1.1 client opens its own.
pub enum Client {
    H1(Option<Box<Http1>>),
    H2(SendRequest<Bytes>),
}

impl Client {
    pub async fn new(target: &Target) -> Res<Self> {
        if !target.h2 {
            return Ok(Self::H1(None));
        }
        let (send, connection) = h2::client::handshake(target.connect().await?).await?;
        tokio::task::spawn_local(async move { drop(connection.await) });
        Ok(Self::H2(send.ready().await?))
    }

    /// Sends the request, checks the answer and returns its body.
    pub async fn call(&mut self, target: &Target) -> Res<BytesMut> {
        let (status, body) = match self {
            Self::H1(idle) => {
                let mut connection = match idle.take() {
                    Some(connection) => connection,
                    None => Box::new(Http1::new(target.connect().await?)),
                };
                let answer = connection.call(&target.request).await?;
                *idle = Some(connection);
                answer
            }
            Self::H2(send) => call_h2(send, target).await?,
        };
        target.check(status, body)
    }
}

impl Clone for Client {
    fn clone(&self) -> Self {
        match self {
            Self::H1(_) => Self::H1(None),
            Self::H2(send) => Self::H2(send.clone()),
        }
    }
}

/// One HTTP/1.1 connection.
pub struct Http1 {
    io: TlsStream<TcpStream>,
    buffer: BytesMut,
}

impl Http1 {
    fn new(io: TlsStream<TcpStream>) -> Self {
        Self { io, buffer: BytesMut::with_capacity(65536) }
    }

    async fn call(&mut self, request: &[u8]) -> Res<(u16, BytesMut)> {
        self.io.write_all(request).await?;
        self.io.flush().await?;
        let status = self.read_line().await?;
        let status =
            std::str::from_utf8(status.get(9..12).ok_or("the status line is too short")?)?.parse()?;
        let body = match self.read_headers().await? {
            Some(length) => self.read_exact(length).await?,
            None => self.read_chunks().await?,
        };
        Ok((status, body))
    }

    /// Reads the headers and returns the length of the body; `None` if it is chunked.
    async fn read_headers(&mut self) -> Res<Option<usize>> {
        let mut length = Some(0);
        loop {
            let line = self.read_line().await?.to_ascii_lowercase();
            if line.is_empty() {
                return Ok(length);
            }
            if let Some(value) = line.strip_prefix(b"content-length:") {
                length = Some(std::str::from_utf8(value)?.trim().parse()?);
            } else if line.starts_with(b"transfer-encoding:") && find(&line, b"chunked").is_some() {
                length = None;
            }
        }
    }

    async fn read_chunks(&mut self) -> Res<BytesMut> {
        let mut body = BytesMut::new();
        loop {
            let size = usize::from_str_radix(std::str::from_utf8(&self.read_line().await?)?.trim(), 16)?;
            let chunk = self.read_exact(size + 2).await?;
            if size == 0 {
                return Ok(body);
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }

    async fn read_line(&mut self) -> Res<BytesMut> {
        loop {
            if let Some(at) = find(&self.buffer, b"\r\n") {
                let line = self.buffer.split_to(at);
                self.buffer.advance(2);
                return Ok(line);
            }
            self.fill().await?;
        }
    }

    async fn read_exact(&mut self, length: usize) -> Res<BytesMut> {
        while self.buffer.len() < length {
            self.fill().await?;
        }
        Ok(self.buffer.split_to(length))
    }

    async fn fill(&mut self) -> Res<()> {
        match self.io.read_buf(&mut self.buffer).await? {
            0 => Err("the connection is closed".into()),
            _ => Ok(()),
        }
    }
}

async fn call_h2(send: &SendRequest<Bytes>, target: &Target) -> Res<(u16, BytesMut)> {
    let mut send = send.clone().ready().await?;
    let request = http::Request::post(format!("https://127.0.0.1:{}{}", target.port, target.path))
        .header("content-type", "application/json")
        .header("content-length", target.body.len())
        .body(())?;
    let (response, mut stream) = send.send_request(request, false)?;
    let mut rest = target.body.clone();
    while !rest.is_empty() {
        stream.reserve_capacity(rest.len());
        let room = poll_fn(|context| stream.poll_capacity(context)).await.ok_or("the stream is closed")??;
        let part = rest.split_to(room.min(rest.len()));
        stream.send_data(part, rest.is_empty())?;
    }
    let (head, mut incoming) = response.await?.into_parts();
    let mut body = BytesMut::new();
    while let Some(data) = incoming.data().await {
        let data = data?;
        incoming.flow_control().release_capacity(data.len())?;
        body.extend_from_slice(&data);
    }
    Ok((head.status.as_u16(), body))
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|window| window == needle)
}

/// Accepts every certificate.
#[derive(Debug)]
struct AnyCertificate(Vec<SignatureScheme>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.clone()
    }
}
