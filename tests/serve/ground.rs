//! What a webhook stands on: files of its own, below one folder that goes away with the test.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::apiserver::Apiserver;
use crate::certificates::{Authority, Connection, Serving};
use crate::client::{Client, trusting};
use crate::volume::Volume;
use crate::webhook::Webhook;

/// The files of one webhook.
pub(crate) struct Ground {
    folder: TempDir,
    /// Has issued the serving certificate.
    pub(crate) authority: Authority,
    /// Holds that certificate and its key.
    pub(crate) tls: Volume,
}

impl Ground {
    /// A serving certificate for localhost, and an empty folder of mirror sets.
    pub(crate) fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("mirrors"))?;
        let tls = Volume::new(folder.path().join("tls"))?;
        let mut ground = Self { folder, authority: Authority::new("test CA")?, tls };
        ground.publish(&ground.issue()?)?;
        Ok(ground)
    }

    /// A further serving certificate, not in place yet.
    pub(crate) fn issue(&self) -> Result<Serving> {
        self.authority.issue(&["localhost".to_owned()])
    }

    /// Puts a serving certificate in place as the kubelet does.
    pub(crate) fn publish(&mut self, pair: &Serving) -> Result<()> {
        self.tls.publish(&[("tls.crt", &pair.certificate), ("tls.key", &pair.key)])
    }

    /// A path below the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file below the folder and tells its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.path(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// The arguments that name these files.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let option = |name: &str, path: PathBuf| format!("{name}={}", path.display());
        vec![
            option("--tls-cert", self.tls.path("tls.crt")),
            option("--tls-key", self.tls.path("tls.key")),
            option("--state", self.path("mirrors")),
        ]
    }

    /// Starts a webhook on these files.
    pub(crate) fn start(&self) -> Result<Webhook> {
        self.start_with(&[])
    }

    /// The same with further arguments.
    pub(crate) fn start_with(&self, more: &[String]) -> Result<Webhook> {
        self.start_in(&[], more)
    }

    /// The same with variables of the environment.
    pub(crate) fn start_in(&self, environment: &[(&str, String)], more: &[String]) -> Result<Webhook> {
        Webhook::start(&[&self.arguments(), more].concat(), environment, self.folder.path())
    }

    /// Starts a webhook on a cluster.
    pub(crate) fn start_on(&self, cluster: &Apiserver, more: &[String]) -> Result<Webhook> {
        let config = self.write("kubeconfig", &cluster.kubeconfig())?;
        let environment = [("KUBECONFIG", config.display().to_string())];
        let mut arguments = self.arguments();
        arguments.retain(|argument| !argument.starts_with("--state="));
        arguments.push("--state=cluster".to_owned());
        Webhook::start(&[&arguments, more].concat(), &environment, self.folder.path())
    }

    /// Connects to the webhook to ask it.
    pub(crate) fn client(&self, webhook: &Webhook) -> Result<Client> {
        Client::connect(webhook.address, trusting(&self.authority.pem())?)
    }

    /// The same with HTTP/2.
    pub(crate) fn http_2_client(&self, webhook: &Webhook) -> Result<Client> {
        let mut tls = trusting(&self.authority.pem())?;
        tls.alpn_protocols = vec![b"h2".to_vec()];
        Client::connect(webhook.address, tls)
    }

    /// Connects to the webhook to send it bytes.
    pub(crate) fn connection(&self, webhook: &Webhook) -> Result<Connection> {
        self.authority.connect(webhook.address, "localhost")
    }
}
