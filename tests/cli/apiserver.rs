//! A test API server: a table of answers by path.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::Result;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::{Run, command};

/// Answers by path; the paths have no query. What is not listed is not found.
#[derive(Clone, Default)]
pub(crate) struct Answers(BTreeMap<String, (u16, Value)>);

impl Answers {
    /// A list of objects.
    pub(crate) fn list(self, path: &str, items: &[Value]) -> Self {
        self.object(path, &json!({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": items}))
    }

    /// One object.
    pub(crate) fn object(mut self, path: &str, object: &Value) -> Self {
        self.0.insert(path.to_owned(), (200, object.clone()));
        self
    }

    /// A refusal.
    pub(crate) fn refuse(self, path: &str, code: u16) -> Self {
        let reason = if code == 401 { "Unauthorized" } else { "Forbidden" };
        self.refuse_with(path, code, &reason.to_lowercase())
    }

    /// A refusal in these words.
    pub(crate) fn refuse_with(mut self, path: &str, code: u16, message: &str) -> Self {
        let reason = if code == 401 { "Unauthorized" } else { "Forbidden" };
        let mut status = status(code, reason);
        status["message"] = message.into();
        self.0.insert(path.to_owned(), (code, status));
        self
    }
}

fn status(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
        "message": reason.to_lowercase()})
}

/// The running server; it ends with the test's process.
pub(crate) struct Apiserver {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    folder: TempDir,
}

impl Apiserver {
    pub(crate) fn start(answers: Answers) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answers, log) = (Arc::new(answers), Arc::clone(&requests));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, log) = (Arc::clone(&answers), Arc::clone(&log));
                // A client may close the connection before it is answered.
                thread::spawn(move || answer(&stream, &answers, &log).ok());
            }
        });
        Ok(Self { address, requests, folder: tempfile::tempdir()? })
    }

    /// `http://127.0.0.1:port`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The paths of all requests.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs `mirrorguard` with the words of a line on this cluster.
    pub(crate) fn mirrorguard(&self, line: &str) -> Result<Run> {
        let config = self.folder.path().join("kubeconfig");
        std::fs::write(&config, kubeconfig(&json!({"server": self.url()})))?;
        with_kubeconfig(line, config)
    }
}

/// Runs `mirrorguard` with the words of a line and a kubeconfig.
pub(crate) fn with_kubeconfig(line: &str, config: PathBuf) -> Result<Run> {
    let mut command: Command = command(env!("CARGO_BIN_EXE_mirrorguard"));
    Run::of(command.args(line.split_whitespace()).env("KUBECONFIG", config))
}

/// A kubeconfig for a cluster.
pub(crate) fn kubeconfig(cluster: &Value) -> String {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "test", "user": {"token": "token-of-the-test"}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    })
    .to_string()
}

fn answer(mut stream: &TcpStream, Answers(answers): &Answers, log: &Mutex<Vec<String>>) -> Result<()> {
    let mut head = BufReader::new(stream);
    let mut first = String::new();
    head.read_line(&mut first)?;
    let (mut line, mut length) = (String::new(), 0);
    while head.read_line(&mut line)? > 2 {
        let (name, value) = line.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse()?;
        }
        line.clear();
    }
    // An answer before a body has been read would be lost with the connection.
    io::copy(&mut head.take(length), &mut io::sink())?;
    let target = first.split_whitespace().nth(1).unwrap_or_default();
    log.lock().unwrap_or_else(PoisonError::into_inner).push(target.to_owned());
    let path = target.split('?').next().unwrap_or_default();
    // A later page of a list has its token in its key.
    let token = target.split(['?', '&']).find_map(|part| part.strip_prefix("continue="));
    let key = token.map_or_else(|| path.to_owned(), |token| format!("{path}#{token}"));
    let missing = (404, status(404, "NotFound"));
    let (code, body) = answers.get(&key).unwrap_or(&missing);
    let body = body.to_string();
    write!(
        stream,
        "HTTP/1.1 {code} Answer\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    Ok(())
}
