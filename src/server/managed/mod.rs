//! The serving certificate from a Secret that mirrorguard manages itself; [`crate::certificates`] plans each step.

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
use rustls::{
    RootCertStore,
    pki_types::{PrivateKeyDer, pem::PemObject},
};
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
    certificate_files::ClientCa,
    tls::{TlsError, server_config, unix_seconds},
};
use crate::certificates::{Action, Lifetimes, Obstacle, Reading, Serving, obstacle, plan, select};

/// The longest pause between two rounds, while no watch reports a change.
const QUIET: Duration = Duration::from_mins(1);
/// The shortest pause between two rounds.
const SHORTEST: Duration = Duration::from_millis(100);
/// The longest pause after a round that failed. Also the time after which [`Writes`] allows one more write.
const AFTER_FAILURE: Duration = Duration::from_secs(2);
/// How long the first certificate may take: a few writes, including conflicts with other replicas.
const START_PATIENCE: Duration = Duration::from_secs(20);

/// The objects to manage, and how.
#[derive(Debug, Clone)]
pub struct ManagedOptions {
    /// The Secret.
    pub secret: SecretName,
    /// The name of the validating and the mutating webhook configuration that get the CA.
    pub configuration: String,
    /// Names and addresses of the serving certificate; API servers call the first one.
    pub names: Vec<String>,
    /// How long certificates are valid.
    pub lifetimes: Lifetimes,
    /// If set, only clients with a certificate issued by this CA are accepted.
    pub client_ca: Option<ClientCa>,
}

/// The certificate that is served, and the state to keep it valid.
#[derive(Debug)]
pub struct Managed {
    options: ManagedOptions,
    access: Access,
    app: Arc<App>,
    writes: Writes,
    seen: Option<Seen>,
    /// `None` until the first certificate is loaded. The server keeps the same `RustlsConfig`, which is reloaded.
    served: Option<(Serving, RustlsConfig)>,
    /// The content of the file as it was read last.
    client_ca: Option<Vec<u8>>,
    /// The CAs of the last content that could be used.
    client_roots: Option<RootCertStore>,
}

impl Managed {
    /// Reads the Secret, fills it if it is empty, and returns the TLS configuration to serve with.
    pub async fn start(
        client: Client,
        options: ManagedOptions,
        app: Arc<App>,
    ) -> Result<(Self, RustlsConfig), ManagedError> {
        let mut managed = Self::new(client, options, app);
        // A CA that cannot be used fails the start before anything is written.
        if let Some(file) = &managed.options.client_ca {
            file.roots_in(&file.read()?)?;
        }
        let began = Instant::now();
        let mut is_logged = false;
        // A round without an error has a certificate to serve, so only transient errors repeat this.
        loop {
            let result = managed.round().await;
            // A certificate is enough to serve. An error about anything else is left to the next rounds of `follow`.
            if let Some((_, config)) = &managed.served {
                let config = config.clone();
                if let Err(error) = result {
                    warn!("{error}");
                }
                return Ok((managed, config));
            }
            if let Err(error) = result {
                if error.is_transient() && !is_logged {
                    warn!("{error}");
                    is_logged = true;
                }
                if !error.is_transient() || began.elapsed() > START_PATIENCE {
                    return Err(error);
                }
            }
            tokio::time::sleep(SHORTEST).await;
        }
    }

    fn new(client: Client, options: ManagedOptions, app: Arc<App>) -> Self {
        let access = Access::new(client, options.secret.clone(), options.configuration.clone());
        let writes = Writes::new(AFTER_FAILURE, Instant::now());
        Self { options, access, app, writes, seen: None, served: None, client_ca: None, client_roots: None }
    }

    /// Keeps the certificate valid and trusted, until the task is dropped.
    pub async fn follow(mut self) {
        let changed = Arc::new(Notify::new());
        let (access, client_ca) = (self.access.clone(), self.options.client_ca.clone());
        let app = Arc::clone(&self.app);
        let watches = watch::follow(&access, client_ca, &app, &changed);
        tokio::join!(watches, self.keep_valid(&changed));
    }

    async fn keep_valid(&mut self, changed: &Notify) {
        let (mut rest, mut pause) = (SHORTEST, Duration::ZERO);
        loop {
            // Nothing shortens this pause, not even the watch that reports a write of our own.
            tokio::time::sleep(rest).await;
            // Until a change or the end of the pause; a change that was reported meanwhile is not lost.
            let _ = tokio::time::timeout(pause, changed.notified()).await;
            (rest, pause) = match self.round().await {
                Ok(()) => (SHORTEST, self.pause()),
                Err(error) => {
                    self.report(&error);
                    (self.rest_after_failure(), Duration::ZERO)
                }
            };
        }
    }

    /// How long to wait for a change after a round without errors.
    fn pause(&self) -> Duration {
        self.seen.as_ref().map_or(SHORTEST, |seen| seen.pause(self.options.lifetimes))
    }

    /// How long to rest after a round that failed. The other replicas rely on it that a change is noticed within one
    /// overlap.
    fn rest_after_failure(&self) -> Duration {
        let quarter = Duration::try_from(self.options.lifetimes.overlap / 4).unwrap_or(AFTER_FAILURE);
        quarter.clamp(SHORTEST, AFTER_FAILURE)
    }

    /// Logs an error. It counts as a failure, unless it is a failed read that may pass before a renewal is due.
    fn report(&self, error: &ManagedError) {
        let now = Timestamp::now();
        // Without a certificate, the first one is due.
        let is_due = self.served.as_ref().is_none_or(|(serving, _)| serving.certificate.is_due(now));
        if error.is_failed_read() && !is_due {
            warn!("{error}");
        } else {
            self.app.metrics.certificate_failures.inc();
            error!("{error}");
        }
    }

    /// Reads the objects, takes the next step and serves the certificate, until no step is left. [`Writes`] bounds
    /// the number of steps.
    async fn round(&mut self) -> Result<(), ManagedError> {
        loop {
            let result = match self.read().await {
                Ok(()) => self.take_step().await,
                Err(error) => Err(error),
            };
            // The certificate is served and the readiness updated whatever else fails.
            self.serve()?;
            if result? == Written::Nothing {
                return Ok(());
            }
        }
    }

    /// Reads the configurations, then the Secret; [`crate::certificates`] says why in this order.
    async fn read(&mut self) -> Result<(), ManagedError> {
        let configurations = self.access.read_configurations().await?;
        // At once: overlaps are measured from a change of the bundles, even if the Secret cannot be read.
        if let Some(seen) = &mut self.seen {
            seen.set_configurations(configurations.clone());
        }
        let secret = self.access.read_secret().await?;
        match &mut self.seen {
            Some(seen) => seen.set_secret(secret),
            None => self.seen = Some(Seen::new(secret, configurations)),
        }
        Ok(())
    }

    /// Takes the next step: a write of the Secret, or of each configuration whose bundles differ from the CAs of the
    /// Secret. Anything but [`Written::Nothing`] means that the objects have to be read again.
    async fn take_step(&mut self) -> Result<Written, ManagedError> {
        let Some(seen) = &self.seen else { return Ok(Written::Nothing) };
        let situation = seen.situation(&self.options);
        let mut result = Ok(Written::Nothing);
        for action in plan(&situation) {
            match action {
                Action::Refuse => return Err(self.access.foreign_secret()),
                Action::Write(change) => {
                    let contents = situation.changed(change)?;
                    if !self.writes.take(Instant::now()) {
                        return Err(self.access.contested_secret());
                    }
                    let written = self.access.write_secret(&contents, seen.version()).await?;
                    if written == Written::Done {
                        info!(secret = %self.options.secret, "{change}");
                    }
                    return Ok(written);
                }
                Action::Trust(index) => {
                    let (Reading::Ours(contents), Some(configuration)) =
                        (situation.secret, situation.configurations.get(index))
                    else {
                        // `plan` returns this step only for a Secret of our own and a configuration that exists.
                        continue;
                    };
                    let trusted = if self.writes.take(Instant::now()) {
                        self.access.trust(configuration, &contents.bundle()).await
                    } else {
                        Err(self.access.contested_configuration(configuration.kind))
                    };
                    // An error about one configuration does not keep the other from being written.
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

    /// Loads the certificate to serve if it has changed, and updates the readiness whether or not that worked.
    fn serve(&mut self) -> Result<(), ManagedError> {
        let loaded = self.load();
        let Some(seen) = &self.seen else { return loaded };
        let situation = seen.situation(&self.options);
        let obstacle = self.served.as_ref().and_then(|(serving, _)| obstacle(serving, &situation));
        let configuration = &self.options.configuration;
        self.app.readiness.set_untrusted(obstacle.map(|obstacle| describe_obstacle(obstacle, configuration)));
        loaded
    }

    /// Loads the certificate to serve if it, or the client CA, has changed.
    fn load(&mut self) -> Result<(), ManagedError> {
        // While it cannot be read, which `watch::follow` reports, the certificate has to be renewed all the same.
        let client_ca = self.options.client_ca.as_ref();
        let client_ca = client_ca.map(|file| file.read_or(self.client_ca.as_ref())).transpose()?;
        let is_other_ca = self.served.is_some() && client_ca != self.client_ca;
        // Even if it turns out to be unusable: it is not tried again before its next change, or the next certificate,
        // which gets the last usable one.
        self.client_ca.clone_from(&client_ca);
        let Some(seen) = &self.seen else { return Ok(()) };
        let situation = seen.situation(&self.options);
        let current = self.served.as_ref().map(|(serving, _)| serving);
        let selected = select(current, &situation);
        // Another client CA needs another TLS configuration, so the certificate in use is loaded again.
        let to_load = selected.or_else(|| current.filter(|_| is_other_ca).cloned());
        if let Some(serving) = to_load {
            let key = PrivateKeyDer::from_pem_slice(serving.key.pem().as_bytes());
            let key = key.map_err(|_| TlsError::Managed("cannot read the private key".to_owned()))?;
            let chain = vec![serving.certificate.der.clone()];
            let roots = self.options.client_ca.as_ref().zip(client_ca.as_ref());
            let unusable = match roots.map(|(file, pem)| file.roots_in(pem)) {
                Some(Ok(roots)) => {
                    self.client_roots = Some(roots);
                    None
                }
                Some(Err(error)) if self.client_roots.is_none() => return Err(error.into()),
                Some(Err(error)) => Some(error),
                None => None,
            };
            let config = server_config(chain, key, self.client_roots.clone())?;
            self.app.metrics.certificate_end.set(unix_seconds(serving.certificate.end));
            info!(secret = %self.options.secret, end = %serving.certificate.end, "certificate loaded");
            self.served = Some(match self.served.take() {
                Some((_, served)) => {
                    served.reload_from_config(config);
                    (serving, served)
                }
                None => (serving, RustlsConfig::from_config(config)),
            });
            return unusable.map_or(Ok(()), |error| Err(error.into()));
        }
        Ok(())
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
