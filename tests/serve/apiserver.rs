//! A fake API server for lists and watches, with one mirror set. It serves neither HostedClusters nor CatalogSources, and
//! does not let the account read ClusterCatalogs.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::Result;
use serde_json::{Value, json};

/// A listener until the process of the test ends.
pub(crate) struct Apiserver {
    address: SocketAddr,
    broken: Arc<AtomicBool>,
}

impl Apiserver {
    pub(crate) fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let broken = Arc::new(AtomicBool::new(false));
        let shared = Arc::clone(&broken);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let broken = Arc::clone(&shared);
                // A client may close the connection early.
                thread::spawn(move || answer(&stream, &broken).ok());
            }
        });
        Ok(Self { address, broken })
    }

    /// Answers every request with 500 from now on, also new watches.
    pub(crate) fn break_down(&self) {
        self.broken.store(true, Ordering::Release);
    }

    /// A kubeconfig for this API server.
    pub(crate) fn kubeconfig(&self) -> String {
        kubeconfig(self.address)
    }
}

/// A kubeconfig for an API server without TLS.
pub(crate) fn kubeconfig(address: SocketAddr) -> String {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": format!("http://{address}")}}],
        "users": [{"name": "test", "user": {}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    })
    .to_string()
}

fn answer(mut stream: &TcpStream, broken: &AtomicBool) -> Result<()> {
    let mut head = BufReader::new(stream);
    let mut first = String::new();
    head.read_line(&mut first)?;
    let mut line = String::new();
    while head.read_line(&mut line)? > 2 {
        line.clear();
    }
    let target = first.split_whitespace().nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    if !broken.load(Ordering::Acquire) && target.contains("watch=true") && !is_missing(path) {
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")?;
        // Nothing ever changes.
        stream.read_to_end(&mut Vec::new())?;
        return Ok(());
    }
    let (code, body) = match path.rsplit('/').next() {
        _ if broken.load(Ordering::Acquire) => (500, status(500, "InternalError")),
        // What an account with a role of an earlier release gets.
        Some("clustercatalogs") => (403, status(403, "Forbidden")),
        _ if is_missing(path) => (404, status(404, "NotFound")),
        Some("imagedigestmirrorsets") => (200, list(&[existing()])),
        _ => (200, list(&[])),
    };
    let body = body.to_string();
    let length = body.len();
    let head = "Content-Type: application/json\r\nConnection: close";
    write!(stream, "HTTP/1.1 {code} Answer\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}")?;
    Ok(())
}

/// Whether the cluster serves no objects of the kind, or not to this account.
fn is_missing(path: &str) -> bool {
    ["hostedclusters", "catalogsources", "clustercatalogs"].iter().any(|kind| path.ends_with(kind))
}

fn existing() -> Value {
    json!({
        "metadata": {"name": "there", "resourceVersion": "7"},
        "spec": {"imageDigestMirrors": [{"source": "quay.io/there", "mirrors": ["mirror.lab.example/there"]}]},
    })
}

fn list(items: &[Value]) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": "9"}, "items": items})
}

fn status(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": reason})
}
