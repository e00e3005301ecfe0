//! The serving certificate from a Secret that mirrorguard manages itself, as [`crate::certificates`] plans it.

mod access;
mod error;
mod secret_name;
mod seen;
mod watch;
mod writes;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum_server::tls_rustls::RustlsConfig;
use jiff::Timestamp;
use kube::Client;
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use tokio::sync::Notify;
use tracing::{error, info, warn};

use self::{
    access::{Access, Written},
    seen::Seen,
    writes::Writes,
};
pub use self::{error::ManagedError, secret_name::SecretName};
use super::{
    App,
    tls::{ClientCa, TlsError, server_config, unix_seconds},
};
use crate::certificates::{Action, Change, Lifetimes, Obstacle, Reading, Serving, obstacle, plan, select};

/// How long the cluster is left alone while nothing tells of a change.
const QUIET: Duration = Duration::from_mins(1);
/// The shortest pause between two looks, and the one after a failure.
const SHORTEST: Duration = Duration::from_millis(100);
const AFTER_FAILURE: Duration = Duration::from_secs(2);
/// How long a first certificate may take: some writes, lost races with other replicas included.
const START_PATIENCE: Duration = Duration::from_secs(20);

/// What to manage.
#[derive(Debug, Clone)]
pub struct ManagedOptions {
    /// The Secret.
    pub secret: SecretName,
    /// The name of the validating and of the mutating configuration whose CA is kept.
    pub configuration: String,
    /// Names and addresses to be served; the first is the one that apiservers call.
    pub names: Vec<String>,
    /// How long certificates live.
    pub lifetimes: Lifetimes,
    /// Where given, only clients with a certificate of this CA are answered.
    pub client_ca: Option<ClientCa>,
}

/// The certificate that is served, and what keeps it valid.
#[derive(Debug)]
pub struct Managed {
    options: ManagedOptions,
    access: Access,
    app: Arc<App>,
    writes: Writes,
    seen: Option<Seen>,
    served: Option<(Serving, RustlsConfig)>,
    client_ca: Option<Vec<u8>>,
}

impl Managed {
    /// Reads the Secret, fills it where it is empty, and has a certificate to serve.
    pub async fn start(
        client: Client,
        options: ManagedOptions,
        app: Arc<App>,
    ) -> Result<(Self, RustlsConfig), ManagedError> {
        let mut managed = Self::new(client, options, app);
        managed.load_client_ca()?;
        let began = Instant::now();
        let mut told = false;
        loop {
            let result = managed.round().await;
            if let Err(error) = &result
                && (managed.served.is_some() || (error.passes() && !std::mem::replace(&mut told, true)))
            {
                warn!("{error}");
            }
            if let Some((_, config)) = &managed.served {
                let config = config.clone();
                return Ok((managed, config));
            }
            match result {
                Err(error) if !error.passes() || began.elapsed() > START_PATIENCE => return Err(error),
                _ => tokio::time::sleep(SHORTEST).await,
            }
        }
    }

    fn new(client: Client, options: ManagedOptions, app: Arc<App>) -> Self {
        let access = Access::new(client, options.secret.clone(), options.configuration.clone());
        let writes = Writes::new(AFTER_FAILURE, Instant::now());
        Self { options, access, app, writes, seen: None, served: None, client_ca: None }
    }

    /// Keeps the certificate valid and trusted, until the task is dropped.
    pub async fn follow(mut self) {
        let changed = Arc::new(Notify::new());
        let (access, client_ca) = (self.access.clone(), self.options.client_ca.clone());
        let watches = watch::follow(&access, client_ca, &changed);
        let keep = async {
            let (mut rest, mut pause) = (SHORTEST, Duration::ZERO);
            loop {
                // Nothing shortens this one, not the watch that tells of one's own write either.
                tokio::time::sleep(rest).await;
                // Whichever comes first; a change that was told meanwhile is not lost.
                let _ = tokio::time::timeout(pause, changed.notified()).await;
                (rest, pause) = match self.round().await {
                    Ok(()) => (SHORTEST, self.pause()),
                    Err(error) => {
                        self.tell(&error);
                        (AFTER_FAILURE, Duration::ZERO)
                    }
                };
            }
        };
        tokio::join!(watches, keep);
    }

    fn pause(&self) -> Duration {
        self.seen.as_ref().map_or(SHORTEST, |seen| seen.pause(self.options.lifetimes))
    }

    /// Logs a failure, and counts it where somebody has to do something: an apiserver that does not answer while
    /// nothing is to be renewed is none.
    fn tell(&self, error: &ManagedError) {
        let now = Timestamp::now();
        let is_due = self.served.as_ref().is_none_or(|(serving, _)| serving.certificate.is_due(now));
        if error.is_unread() && !is_due {
            warn!("{error}");
        } else {
            self.app.metrics.certificate_failures.inc();
            error!("{error}");
        }
    }

    /// Reads, does what is to be done, and serves what is to be served, until nothing is left to be done.
    async fn round(&mut self) -> Result<(), ManagedError> {
        loop {
            let result = match self.look().await {
                Ok(()) => self.act().await,
                Err(error) => Err(error),
            };
            // A certificate that is there is served, and what is known is told, whatever else fails.
            self.serve()?;
            if result? == Written::Nothing {
                return Ok(());
            }
        }
    }

    /// Reads the configurations, then the Secret: in this order, see [`crate::certificates`].
    async fn look(&mut self) -> Result<(), ManagedError> {
        let configurations = self.access.configurations().await?;
        if let Some(seen) = &mut self.seen {
            seen.configurations(configurations.clone());
        }
        let secret = self.access.secret().await?;
        match &mut self.seen {
            Some(seen) => seen.secret(secret),
            None => self.seen = Some(Seen::new(secret, configurations)),
        }
        Ok(())
    }

    async fn act(&mut self) -> Result<Written, ManagedError> {
        let Some(seen) = &self.seen else { return Ok(Written::Nothing) };
        let situation = seen.situation(&self.options);
        let mut result = Ok(Written::Nothing);
        for action in plan(&situation) {
            match action {
                Action::Refuse => return Err(self.access.foreign()),
                Action::Write(change) => {
                    let contents = situation.changed(change)?;
                    if !self.writes.take(Instant::now()) {
                        return Err(self.access.contested_secret());
                    }
                    let written = self.access.write(&contents).await?;
                    if written == Written::Done {
                        info!(secret = %self.options.secret, "{}", told(change));
                    }
                    return Ok(written);
                }
                Action::Trust(place) => {
                    let (Reading::Ours(contents), Some(configuration)) =
                        (situation.secret, situation.configurations.get(place))
                    else {
                        continue;
                    };
                    let trusted = if self.writes.take(Instant::now()) {
                        self.access.trust(configuration, &contents.bundle()).await
                    } else {
                        Err(self.access.contested_configuration(configuration.kind))
                    };
                    // The other configuration is not to wait for what is wrong with this one.
                    result = match (trusted, result) {
                        (Err(error), _) | (Ok(_), Err(error)) => Err(error),
                        (Ok(Written::Nothing), Ok(before)) => Ok(before),
                        (Ok(written), Ok(_)) => Ok(written),
                    };
                }
            }
        }
        result
    }

    /// Serves what is to be served, and says whether this replica may be called.
    fn serve(&mut self) -> Result<(), ManagedError> {
        let client_ca_changed = self.load_client_ca()?;
        let Some(seen) = &self.seen else { return Ok(()) };
        let situation = seen.situation(&self.options);
        let current = self.served.as_ref().map(|(serving, _)| serving);
        let selected = select(current, &situation);
        let to_load = selected.or_else(|| current.filter(|_| client_ca_changed).cloned());
        if let Some(serving) = to_load {
            let key = PrivateKeyDer::from_pem_slice(serving.key.pem().as_bytes());
            let key = key.map_err(|_| TlsError::Managed("cannot read the private key".to_owned()))?;
            let chain = vec![serving.certificate.der.clone()];
            let roots = self.options.client_ca.as_ref().map(ClientCa::roots).transpose()?;
            let config = server_config(chain, key, roots)?;
            self.app.metrics.certificate_end.set(unix_seconds(serving.certificate.end));
            info!(secret = %self.options.secret, end = %serving.certificate.end, "certificate loaded");
            self.served = Some(match self.served.take() {
                Some((_, served)) => {
                    served.reload_from_config(config);
                    (serving, served)
                }
                None => (serving, RustlsConfig::from_config(config)),
            });
        }
        let obstacle = self.served.as_ref().and_then(|(serving, _)| obstacle(serving, &situation));
        let configuration = &self.options.configuration;
        self.app.readiness.untrusted(obstacle.map(|obstacle| describe_obstacle(obstacle, configuration)));
        Ok(())
    }

    /// Whether the client CA has changed.
    fn load_client_ca(&mut self) -> Result<bool, TlsError> {
        let Some(file) = &self.options.client_ca else { return Ok(false) };
        let read = Some(file.read()?);
        let changed = self.client_ca.is_some() && self.client_ca != read;
        self.client_ca = read;
        Ok(changed)
    }
}

fn told(change: Change) -> &'static str {
    match change {
        Change::NewAuthority => "created a new CA",
        Change::NewCertificate => "issued a new serving certificate",
        Change::RetireAuthorities => "removed the previous CAs",
    }
}

/// Why API servers do not accept the certificate, for `/readyz`.
pub fn describe_obstacle(obstacle: Obstacle, configuration: &str) -> String {
    match obstacle {
        Obstacle::Expired(end) => format!("the serving certificate expired at {end}"),
        Obstacle::Untrusted(kind) => {
            format!("{} {configuration} does not trust the serving certificate", kind.name())
        }
    }
}

#[cfg(test)]
mod tests;
