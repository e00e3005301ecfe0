//! The serving certificate from a Secret that mirrorguard manages itself, as [`crate::certificates`] plans it.

mod access;
mod watch;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum_server::tls_rustls::RustlsConfig;
use jiff::{SignedDuration, Timestamp};
use kube::Client;
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use tokio::sync::Notify;
use tracing::{error, info, warn};

use self::access::{Access, Written};
pub use self::access::{ManagedError, SecretName};
use super::{
    App,
    tls::{ClientCa, TlsError, server_config, unix_seconds},
};
use crate::certificates::{
    Action, Change, Configuration, Lifetimes, Reading, Serving, Situation, obstacle, plan, select,
};

/// How long the cluster is left alone while nothing tells of a change.
const QUIET: Duration = Duration::from_mins(1);
/// The shortest pause between two looks, and the one after a failure.
const SHORTEST: Duration = Duration::from_millis(100);
const AFTER_FAILURE: Duration = Duration::from_secs(2);
/// How long a first certificate may take: some writes, lost races with other replicas included.
const START_PATIENCE: Duration = Duration::from_secs(20);
/// More writes than this in one round are a fight with somebody, which waits for the next round.
const WRITES_MAX: usize = 8;

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
    seen: Option<Seen>,
    served: Option<(Serving, RustlsConfig)>,
    client_ca: Option<Vec<u8>>,
}

/// What was read last, and since when it has been so.
#[derive(Debug)]
struct Seen {
    secret: Reading,
    secret_since: Instant,
    configurations: Vec<Configuration>,
    bundles_since: Instant,
}

impl Managed {
    /// Reads the Secret, fills it where it is empty, and has a certificate to serve.
    pub async fn start(
        client: Client,
        options: ManagedOptions,
        app: Arc<App>,
    ) -> Result<(Self, RustlsConfig), ManagedError> {
        let access = Access::new(client, options.secret.clone(), options.configuration.clone());
        let mut managed = Self { options, access, app, seen: None, served: None, client_ca: None };
        managed.load_client_ca()?;
        let began = Instant::now();
        loop {
            let result = managed.round().await;
            if let Some((_, config)) = &managed.served {
                let config = config.clone();
                if let Err(error) = result {
                    warn!("{error}");
                }
                return Ok((managed, config));
            }
            match result {
                Err(error) if !error.passes() || began.elapsed() > START_PATIENCE => return Err(error),
                _ => tokio::time::sleep(SHORTEST).await,
            }
        }
    }

    /// Keeps the certificate valid and trusted, until the task is dropped.
    pub async fn follow(mut self) {
        let changed = Arc::new(Notify::new());
        let (access, client_ca) = (self.access.clone(), self.options.client_ca.clone());
        let watches = watch::follow(&access, client_ca, &changed);
        let keep = async {
            let mut pause = SHORTEST;
            loop {
                // Whichever comes first; a change that is told during a round is not lost.
                let _ = tokio::time::timeout(pause, changed.notified()).await;
                pause = match self.round().await {
                    Ok(()) => self.pause(),
                    Err(error) => {
                        self.app.metrics.certificate_failures.inc();
                        error!("{error}");
                        AFTER_FAILURE
                    }
                };
            }
        };
        tokio::join!(watches, keep);
    }

    /// Reads, does what is to be done, and serves what is to be served.
    async fn round(&mut self) -> Result<(), ManagedError> {
        for _ in 0..WRITES_MAX {
            self.look().await?;
            let written = self.act().await;
            // A certificate that is there is served, whatever else fails.
            self.serve()?;
            if written? == Written::Nothing {
                break;
            }
        }
        Ok(())
    }

    /// Reads the configurations, then the Secret: in this order, see [`crate::certificates`].
    async fn look(&mut self) -> Result<(), ManagedError> {
        let configurations = self.access.configurations().await?;
        let secret = self.access.secret().await?;
        let now = Instant::now();
        let bundles = |all: &[Configuration]| {
            all.iter().map(|one| (one.kind.name(), one.bundles.clone())).collect::<Vec<_>>()
        };
        let before = self.seen.take();
        let since = |is_same: bool, since: Instant| if is_same { since } else { now };
        let (secret_since, bundles_since) = before.map_or((now, now), |before| {
            let same_bundles = bundles(&before.configurations) == bundles(&configurations);
            (since(before.secret == secret, before.secret_since), since(same_bundles, before.bundles_since))
        });
        self.seen = Some(Seen { secret, secret_since, configurations, bundles_since });
        Ok(())
    }

    async fn act(&mut self) -> Result<Written, ManagedError> {
        let Some(situation) = self.situation() else { return Ok(Written::Nothing) };
        let mut result = Ok(Written::Nothing);
        for action in plan(&situation) {
            match action {
                Action::Refuse => return Err(self.access.foreign()),
                Action::Write(change) => {
                    let contents = situation.changed(change)?;
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
                    // The other configuration is not to wait for what is wrong with this one.
                    result = match (self.access.trust(configuration, &contents.bundle()).await, result) {
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
        let Some(situation) = self.situation() else { return Ok(()) };
        let current = self.served.as_ref().map(|(serving, _)| serving);
        let selected = select(current, &situation);
        let to_load = selected.or_else(|| current.filter(|_| client_ca_changed).cloned());
        if let Some(serving) = to_load {
            let key = PrivateKeyDer::from_pem_slice(serving.key.pem().as_bytes());
            let key = key.map_err(|_| TlsError::Managed("its key cannot be read".to_owned()))?;
            let chain = vec![serving.certificate.der.clone()];
            let roots = self.options.client_ca.as_ref().map(ClientCa::roots).transpose()?;
            let config = server_config(chain, key, roots)?;
            self.app.metrics.certificate_end.set(unix_seconds(serving.certificate.end.as_second()));
            info!(secret = %self.options.secret, end = %serving.certificate.end, "certificate loaded");
            self.served = Some(match self.served.take() {
                Some((_, served)) => {
                    served.reload_from_config(config);
                    (serving, served)
                }
                None => (serving, RustlsConfig::from_config(config)),
            });
        }
        let obstacle = match (&self.served, self.situation()) {
            (Some((serving, _)), Some(situation)) => obstacle(serving, &situation),
            _ => None,
        };
        self.app.readiness.untrusted(obstacle.map(|why| format!("{why} ({})", self.options.configuration)));
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

    fn situation(&self) -> Option<Situation<'_>> {
        let seen = self.seen.as_ref()?;
        let elapsed = |since: Instant| SignedDuration::try_from(since.elapsed()).unwrap_or_default();
        Some(Situation {
            secret: &seen.secret,
            configurations: &seen.configurations,
            names: &self.options.names,
            lifetimes: self.options.lifetimes,
            secret_unchanged: elapsed(seen.secret_since),
            bundles_unchanged: elapsed(seen.bundles_since),
            now: Timestamp::now(),
        })
    }

    /// How long to wait for a change: as long as nothing is pending, and never so long that a step would
    /// be late by much of its time.
    fn pause(&self) -> Duration {
        let Lifetimes { serving, overlap, .. } = self.options.lifetimes;
        let seen = self.seen.as_ref();
        let recent = seen.is_none_or(|seen| {
            let since = seen.secret_since.max(seen.bundles_since);
            SignedDuration::try_from(since.elapsed()).is_ok_and(|elapsed| elapsed <= overlap * 2)
        });
        let step = if recent { (overlap / 4).min(serving / 30) } else { serving / 30 };
        Duration::try_from(step).unwrap_or(QUIET).clamp(SHORTEST, QUIET)
    }
}

fn told(change: Change) -> &'static str {
    match change {
        Change::NewAuthority => "made a new CA",
        Change::NewCertificate => "issued a new serving certificate",
        Change::RetireAuthorities => "the CAs before the present one are no longer trusted",
    }
}
