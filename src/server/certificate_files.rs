//! Serving certificates from files, which are polled for changes.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum_server::tls_rustls::RustlsConfig;
use jiff::Timestamp;
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tracing::{info, warn};

use super::{
    App,
    polled::{Change, Polled},
    tls::{TlsError, server_config, unix_seconds},
};
use crate::{
    certificates::{
        Called, Certificate, Wanted, describe_authorities, describe_certificate, describe_file,
        describe_names, has_private_key,
    },
    cluster::{Budget, Pipes, read_bytes},
};

/// How often the files are read. Reading two small files notices every kind of change, also when the `..data` link of
/// a Secret volume is replaced, after which a watch on the file would report nothing.
pub(super) const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The files of the serving certificate.
#[derive(Debug, Clone)]
pub struct CertificateFiles {
    /// The certificate chain, leaf first, PEM.
    pub certificate: PathBuf,
    /// The private key, PEM: PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
    /// If set, only clients with a certificate issued by this CA are accepted.
    pub client_ca: Option<PathBuf>,
    /// The name that API servers call, which the certificate must have.
    pub called: Called,
}

/// The file of the CA that issues the certificates of clients.
#[derive(Debug, Clone)]
pub struct ClientCa(pub PathBuf);

impl ClientCa {
    /// Reads the file without parsing it, to notice changes.
    pub(super) fn read(&self) -> Result<Vec<u8>, TlsError> {
        read("--client-ca", &self.0)
    }

    /// The same, or what was read last, if it cannot be read now.
    pub(super) fn read_or(&self, last: Option<&Vec<u8>>) -> Result<Vec<u8>, TlsError> {
        self.read().or_else(|error| last.cloned().ok_or(error))
    }

    /// The CAs in the content of the file.
    pub(super) fn roots_in(&self, content: &[u8]) -> Result<RootCertStore, TlsError> {
        client_roots(content, &self.0)
    }
}

/// The contents of the files, to notice changes: certificate, key, and the client CA if there is one.
pub type FileContents = Vec<Vec<u8>>;

impl CertificateFiles {
    /// Loads the files, and returns their contents too.
    pub fn load(&self, app: &App) -> Result<(RustlsConfig, FileContents), TlsError> {
        let contents = self.contents()?;
        Ok((RustlsConfig::from_config(self.load_contents(&contents, app)?), contents))
    }

    /// Reloads the files whenever they change, until the task is dropped. `loaded` is what [`CertificateFiles::load`]
    /// returned. If they cannot be read or loaded, the previous certificate stays in use, and this is reported once;
    /// they are not loaded again before the next change.
    pub async fn follow(self, loaded: FileContents, config: RustlsConfig, app: Arc<App>) {
        let mut polled = Polled::new(loaded);
        let mut ticks = tokio::time::interval(POLL_INTERVAL);
        loop {
            ticks.tick().await;
            match polled.record(self.contents().map_err(|error| error.to_string())) {
                None => {}
                Some(Change::Unreadable(why)) => {
                    app.metrics.certificate_failures.inc();
                    warn!(
                        "cannot read the files of the certificate, the previous one stays in use: {why}; restore the \
                         file and its permissions"
                    );
                }
                Some(Change::Readable(contents)) => {
                    info!("the files of the certificate can be read again");
                    self.reload(&contents, &config, &app);
                }
                Some(Change::Contents(contents)) => self.reload(&contents, &config, &app),
            }
        }
    }

    /// Replaces the certificate in use, unless the new one cannot be loaded.
    fn reload(&self, contents: &FileContents, config: &RustlsConfig, app: &App) {
        match self.load_contents(contents, app) {
            Ok(loaded) => {
                config.reload_from_config(loaded);
                info!(certificate = %self.certificate.display(), "certificate reloaded");
            }
            Err(error) => {
                app.metrics.certificate_failures.inc();
                warn!("cannot load the new certificate, the previous one stays in use: {error}");
            }
        }
    }

    /// Reads the files, in the order of [`FileContents`].
    fn contents(&self) -> Result<FileContents, TlsError> {
        let mut contents = vec![read("--tls-cert", &self.certificate)?, read("--tls-key", &self.key)?];
        if let Some(path) = &self.client_ca {
            contents.push(read("--client-ca", path)?);
        }
        Ok(contents)
    }

    /// For an error of the TLS library about the certificate, what is wrong with the certificate, if that is known; any
    /// other error as it is.
    fn with_reason(&self, error: TlsError, leaf: &CertificateDer<'_>) -> TlsError {
        match (&error, describe_certificate(leaf)) {
            (TlsError::Pair(_), Some(what)) => {
                TlsError::Unusable { flag: "--tls-cert", path: self.certificate.clone(), what }
            }
            _ => error,
        }
    }

    /// The TLS configuration for the contents of these files. Also records the end of the certificate, and warns of what
    /// makes API servers reject it.
    fn load_contents(&self, contents: &FileContents, app: &App) -> Result<Arc<ServerConfig>, TlsError> {
        let chain = certificates(&contents[0]);
        let wrong_certificate =
            || unusable("--tls-cert", &self.certificate, &contents[0], Wanted::Certificate);
        let leaf = chain.first().ok_or_else(wrong_certificate)?.clone();
        let key = PrivateKeyDer::from_pem_slice(&contents[1]);
        let key = key.map_err(|_| unusable("--tls-key", &self.key, &contents[1], Wanted::Key))?;
        let client_ca = contents.get(2).zip(self.client_ca.as_ref());
        let roots = client_ca.map(|(pem, path)| client_roots(pem, path));
        let config =
            server_config(chain, key, roots.transpose()?).map_err(|error| self.with_reason(error, &leaf))?;
        if has_private_key(&contents[0]) {
            warn!(certificate = %self.certificate.display(), "the file of --tls-cert has a private key too; keep it in the file of --tls-key only");
        }
        self.check_validity(&leaf, app);
        self.check_names(&leaf, app);
        Ok(config)
    }

    /// Records the end of the certificate, and warns if it is not valid now.
    fn check_validity(&self, leaf: &CertificateDer<'_>, app: &App) {
        let Some(Certificate { begin, end, .. }) = Certificate::read(leaf) else { return };
        app.metrics.certificate_end.set(unix_seconds(end));
        let certificate = self.certificate.display();
        let now = Timestamp::now();
        if now > end {
            warn!(%certificate, "the serving certificate has expired, so the API server rejects it; issue a new one");
        } else if now < begin {
            warn!(%certificate, "the serving certificate is not valid yet, so the API server rejects it; check the clock, or issue a new one");
        }
    }

    /// Warns if API servers reject the certificate because of its names. If the name that they call is known, this
    /// replica is not ready either.
    fn check_names(&self, leaf: &CertificateDer<'_>, app: &App) {
        let why = describe_names(leaf, &self.called);
        if let Some(why) = &why {
            warn!(certificate = %self.certificate.display(), "the serving certificate {why}");
        }
        let is_known = matches!(self.called, Called::Name(_));
        let untrusted = why.filter(|_| is_known).map(|why| format!("the serving certificate {why}"));
        app.readiness.set_untrusted(untrusted);
    }
}

/// Reads a file. A pipe could only be read once, and the files are read again to notice changes.
fn read(flag: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    read_bytes(path, Pipes::Refused, &mut Budget::default()).map_err(|error| TlsError::Read { flag, error })
}

fn unusable(flag: &'static str, path: &Path, bytes: &[u8], wanted: Wanted) -> TlsError {
    TlsError::Unusable { flag, path: path.to_owned(), what: describe_file(bytes, wanted) }
}

/// The CAs in the file of `--client-ca`. One that cannot be used is left out; it is an error if none is left. Warns if
/// none of them is a CA: then a client whose certificate a CA has issued is rejected.
fn client_roots(pem: &[u8], path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    let found = certificates(pem);
    if let Some(why) = describe_authorities(&found) {
        warn!(client_ca = %path.display(), "the file of --client-ca {why}");
    }
    let (added, _) = roots.add_parsable_certificates(found);
    if added == 0 { Err(unusable("--client-ca", path, pem, Wanted::Authority)) } else { Ok(roots) }
}

/// The certificates in a file. A PEM block that is damaged or something else is left out, so callers reject an empty
/// result.
fn certificates(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect()
}
