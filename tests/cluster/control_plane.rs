//! A real etcd and kube-apiserver, with the resources that mirrorguard watches.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::KeyPair;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::answer::Answer;
use crate::binaries::Binaries;
use crate::certificates::{Authority, Connection};
use crate::http::{self, Response};
use crate::namespace::{Ground, NODE};
use crate::process::{self, Process};
use crate::wait::eventually;
use crate::webhook_client;

const START_DEADLINE: Duration = Duration::from_secs(90);
const SERVER_NAME: &str = "kubernetes.default.svc";
const ADMIN_TOKEN: &str = "admin-of-the-test";

/// The running control plane; dropping it stops its processes and removes its files.
pub(crate) struct ControlPlane {
    pub(crate) binaries: Binaries,
    pub(crate) ground: Ground,
    /// Signed the apiserver's certificate.
    pub(crate) authority: Authority,
    pub(crate) address: SocketAddr,
    // Declared, and thus dropped, before the folder that they write to.
    apiserver: Process,
    _etcd: Process,
    folder: TempDir,
    /// On the host, the free addresses used for the ports that a pod declares: the same for every pod, as by a Service.
    host_ports: Mutex<BTreeMap<u16, SocketAddr>>,
}

impl ControlPlane {
    /// Starts both, waits until the apiserver is ready, and installs the resource definitions.
    pub(crate) fn start(binaries: Binaries, ground: Ground) -> Result<Self> {
        let start = Instant::now();
        // Below the target folder: what a killed run leaves is found and cleaned with it.
        let folder = TempDir::with_prefix_in("cluster-", env!("CARGO_TARGET_TMPDIR"))?;
        fs::create_dir(folder.path().join("logs"))?;
        let authority = Authority::new("control plane of the test")?;
        let etcd_address = free_address(Ipv4Addr::LOCALHOST.into())?;
        let address = free_address(ground.address())?;
        write_credentials(folder.path(), &authority, address)?;
        webhook_client::configure(folder.path(), ground)?;

        let logs = folder.path().join("logs");
        let mut command = ground.command(&binaries.etcd);
        let etcd = Process::start("etcd", command.args(etcd_flags(folder.path(), etcd_address)), &logs)?;
        let mut command = ground.command(&binaries.apiserver);
        command.args(apiserver_flags(folder.path(), address, etcd_address));
        let apiserver = Process::start("kube-apiserver", &mut command, &logs)?;

        let mut plane = Self {
            binaries,
            ground,
            authority,
            address,
            apiserver,
            _etcd: etcd,
            folder,
            host_ports: Mutex::default(),
        };
        plane.wait_until_ready()?;
        plane.install_definitions()?;
        eprintln!("control plane ready after {:.1} s ({ground:?})", start.elapsed().as_secs_f64());
        Ok(plane)
    }

    /// Runs kubectl as the administrator.
    pub(crate) fn kubectl(&self, arguments: &[&str], stdin: &str) -> Result<Answer> {
        let mut command = self.client(&self.binaries.kubectl);
        let mut child = command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("failed to start kubectl")?;
        child.stdin.take().context("kubectl has no stdin")?.write_all(stdin.as_bytes())?;
        Ok(child.wait_with_output()?.into())
    }

    /// Reads objects as JSON.
    pub(crate) fn get(&self, arguments: &[&str]) -> Result<Value> {
        let mut all = vec!["get", "--output=json"];
        all.extend(arguments);
        let answer = self.kubectl(&all, "")?.succeeded()?;
        serde_json::from_str(&answer.stdout).with_context(|| format!("kubectl get {arguments:?}"))
    }

    /// Creates or changes an object whose every field we own.
    pub(crate) fn apply(&self, object: &Value) -> Result<()> {
        self.kubectl(&["apply", "--server-side", "--force-conflicts", "-f", "-"], &object.to_string())?
            .succeeded()?;
        Ok(())
    }

    /// An open connection for one request of the administrator: [`send`] it.
    pub(crate) fn connect(&self) -> Result<Connection> {
        self.authority.connect(self.address, SERVER_NAME)
    }

    /// A command that talks to this apiserver and keeps its caches in our folder.
    pub(crate) fn client(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("KUBECONFIG", self.kubeconfig()).env("KUBECACHEDIR", self.path("kube-cache"));
        for variable in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            command.env(variable, self.path(variable));
        }
        command
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.path("kubeconfig")
    }

    /// Where a pod listens that declares this port.
    pub(crate) fn pod_address(&self, port: u16) -> Result<SocketAddr> {
        if self.ground == Ground::Namespace {
            return Ok(SocketAddr::new(self.ground.address(), port));
        }
        let mut host_ports = self.host_ports.lock().unwrap_or_else(PoisonError::into_inner);
        match host_ports.entry(port) {
            Entry::Occupied(known) => Ok(*known.get()),
            Entry::Vacant(new) => Ok(*new.insert(free_address(self.ground.address())?)),
        }
    }

    /// A path in the folder that disappears with the control plane.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.path("logs")
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let waited = eventually(START_DEADLINE, "the apiserver's /readyz", || {
            // A process that has ended never gets ready.
            if let Err(ended) = self.apiserver.expect_running() {
                return Ok(Err(ended));
            }
            self.kubectl(&["get", "--raw", "/readyz"], "")?.succeeded().map(|_| Ok(()))
        });
        waited.and_then(|alive| alive).with_context(|| process::tails(&self.logs()).unwrap_or_default())
    }

    fn install_definitions(&self) -> Result<()> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/crds");
        self.kubectl(&["apply", "--server-side", "-f", folder], "")?.succeeded()?;
        let established = ["wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"];
        self.kubectl(&established, "")?.succeeded()?;
        Ok(())
    }
}

/// Sends one request of the administrator.
/// By HTTP/1.0, in which a body ends with its connection.
pub(crate) fn send(connection: Connection, method: &str, path: &str, body: &Value) -> Result<Response> {
    let body = body.to_string();
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: {SERVER_NAME}\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    http::exchange(connection, &request)
}

/// A kubeconfig as JSON, which is YAML.
pub(crate) fn kubeconfig(server: SocketAddr, authority: &Authority, token: &str) -> String {
    let ca = BASE64_STANDARD.encode(authority.pem());
    let cluster = json!({"server": format!("https://{server}"), "certificate-authority-data": ca});
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "test", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    })
    .to_string()
}

/// An address that no process listens on now.
fn free_address(address: IpAddr) -> Result<SocketAddr> {
    Ok(TcpListener::bind((address, 0))?.local_addr()?)
}

fn write_credentials(folder: &Path, authority: &Authority, address: SocketAddr) -> Result<()> {
    let names = [SERVER_NAME.to_owned(), address.ip().to_string()];
    let serving = authority.issue(&names)?;
    let accounts = KeyPair::generate()?;
    for (name, content) in [
        ("apiserver.crt", serving.certificate),
        ("apiserver.key", serving.key),
        ("accounts.key", accounts.serialize_pem()),
        ("accounts.pub", accounts.public_key_pem()),
        ("tokens.csv", format!("{ADMIN_TOKEN},admin,admin,system:masters\n")),
        ("kubeconfig", kubeconfig(address, authority, ADMIN_TOKEN)),
    ] {
        fs::write(folder.join(name), content)?;
    }
    Ok(())
}

fn etcd_flags(folder: &Path, clients: SocketAddr) -> Vec<String> {
    vec![
        format!("--data-dir={}", folder.join("etcd").display()),
        format!("--listen-client-urls=http://{clients}"),
        format!("--advertise-client-urls=http://{clients}"),
        "--listen-peer-urls=http://127.0.0.1:0".to_owned(),
        "--unsafe-no-fsync".to_owned(),
        // In milliseconds: a lone member need not wait the usual second for rivals.
        "--heartbeat-interval=10".to_owned(),
        "--election-timeout=100".to_owned(),
    ]
}

fn apiserver_flags(folder: &Path, address: SocketAddr, etcd: SocketAddr) -> Vec<String> {
    vec![
        format!("--bind-address={}", address.ip()),
        format!("--secure-port={}", address.port()),
        // On the host it is never called; but it may not be a loopback address.
        format!("--advertise-address={NODE}"),
        format!("--etcd-servers=http://{etcd}"),
        file_flag(folder, "cert-dir", "apiserver-certificates"),
        file_flag(folder, "tls-cert-file", "apiserver.crt"),
        file_flag(folder, "tls-private-key-file", "apiserver.key"),
        file_flag(folder, "token-auth-file", "tokens.csv"),
        file_flag(folder, "admission-control-config-file", webhook_client::CONFIGURATION),
        file_flag(folder, "service-account-key-file", "accounts.pub"),
        file_flag(folder, "service-account-signing-key-file", "accounts.key"),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
        "--authorization-mode=RBAC".to_owned(),
        // Webhook Services are then resolved through their EndpointSlices: there is no kube-proxy.
        "--enable-aggregator-routing=true".to_owned(),
    ]
}

fn file_flag(folder: &Path, flag: &str, name: &str) -> String {
    format!("--{flag}={}", folder.join(name).display())
}
