//! The files of a webhook, in a temporary folder that is removed after the test.

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
    /// The CA that issued the serving certificate.
    pub(crate) authority: Authority,
    /// The volume with the certificate and its key.
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

    /// Issues another serving certificate, without publishing it.
    pub(crate) fn issue(&self) -> Result<Serving> {
        self.authority.issue(&["localhost".to_owned()])
    }

    /// Publishes a serving certificate as the kubelet does.
    pub(crate) fn publish(&mut self, pair: &Serving) -> Result<()> {
        self.tls.publish(&[("tls.crt", &pair.certificate), ("tls.key", &pair.key)])
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file in the folder and returns its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.path(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// The arguments that name these files.
    pub(crate) fn arguments(&self) -> Vec<String> {
        vec![
            format!("--tls-cert={}", self.tls.path("tls.crt").display()),
            format!("--tls-key={}", self.tls.path("tls.key").display()),
            format!("--state={}", self.path("mirrors").display()),
        ]
    }

    /// Starts a webhook with these files.
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

    /// Starts a webhook that reads the mirror sets of a cluster.
    pub(crate) fn start_on(&self, cluster: &Apiserver, more: &[String]) -> Result<Webhook> {
        let config = self.write("kubeconfig", &cluster.kubeconfig())?;
        let environment = [("KUBECONFIG", config.display().to_string())];
        let mut arguments = self.arguments();
        arguments.retain(|argument| !argument.starts_with("--state="));
        arguments.push("--state=cluster".to_owned());
        Webhook::start(&[&arguments, more].concat(), &environment, self.folder.path())
    }

    /// Connects to the webhook to send reviews.
    pub(crate) fn client(&self, webhook: &Webhook) -> Result<Client> {
        Client::connect(webhook.address, trusting(&self.authority.pem())?)
    }

    /// The same with HTTP/2.
    pub(crate) fn http_2_client(&self, webhook: &Webhook) -> Result<Client> {
        let mut tls = trusting(&self.authority.pem())?;
        tls.alpn_protocols = vec![b"h2".to_vec()];
        Client::connect(webhook.address, tls)
    }

    /// Connects to the webhook to send bytes.
    pub(crate) fn connection(&self, webhook: &Webhook) -> Result<Connection> {
        self.authority.connect(webhook.address, "localhost")
    }
}
