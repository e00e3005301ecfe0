//! An API server that has a few objects and answers lists of them.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::thread;

use anyhow::Result;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Listens until the test's process ends.
pub(crate) struct Api {
    folder: TempDir,
}

impl Api {
    /// Starts one with objects, each under its plural name; other kinds are not found.
    pub(crate) fn with(objects: &[(&'static str, Value)]) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let objects = objects.to_vec();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                // A client may be gone before it is answered.
                let _ = answer(connection, &objects);
            }
        });
        let folder = tempfile::tempdir()?;
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": format!("http://{address}")}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "users": [{"name": "test", "user": {}}],
        });
        fs::write(folder.path().join("kubeconfig"), config.to_string())?;
        Ok(Self { folder })
    }

    /// The kubeconfig of this server.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }
}

fn answer(mut connection: TcpStream, objects: &[(&str, Value)]) -> Result<()> {
    let mut lines = BufReader::new(connection.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let plural = path.split('?').next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
    let found = objects.iter().filter(|(name, _)| *name == plural).map(|(_, object)| object);
    let items: Vec<_> = found.collect();
    let (status, body) = if items.is_empty() {
        let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404,
            "reason": "NotFound", "message": "the server could not find the requested resource"});
        ("404 Not Found", body)
    } else {
        ("200 OK", json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": items}))
    };
    let body = body.to_string();
    write!(
        connection,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    Ok(())
}
