//! Serving certificates from files, which are polled for changes, or self-signed.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum_server::tls_rustls::RustlsConfig;
use jiff::Timestamp;
use rustls::{
    InconsistentKeys, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{NoServerSessionStorage, WebPkiClientVerifier},
};
use thiserror::Error;
use tracing::{info, warn};

use super::{App, Metrics};
use crate::{
    certificates::{Certificate, Wanted, describe_certificate, describe_file, has_private_key},
    cluster::{Budget, Pipes, read_bytes},
};

/// How often the files are read. Reading two small files notices every kind of change, also when the `..data` link of
/// a Secret volume is replaced, after which a watch on the file would report nothing.
pub(super) const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Why a certificate cannot be used; names the flag.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file that cannot be read.
    #[error("{flag}: {error:#}")]
    Read {
        /// The flag that named it.
        flag: &'static str,
        /// Why, with the name of the file.
        error: anyhow::Error,
    },
    /// A file that is something else, or whose certificate or key cannot be used.
    #[error("{flag}: {path} {what}")]
    Unusable {
        /// The flag that named it.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to use instead.
        what: String,
    },
    /// A key that does not match the certificate.
    #[error(
        "--tls-cert, --tls-key: the private key does not match the certificate; specify a certificate and the \
         key that it was issued for"
    )]
    Mismatch,
    /// A certificate and a key that cannot be used.
    #[error("--tls-cert, --tls-key: cannot use the certificate: {0}")]
    Pair(rustls::Error),
    /// A client CA that cannot be used.
    #[error("--client-ca: cannot use the CA: {0}")]
    ClientCa(String),
    /// A managed certificate that cannot be used.
    #[error("--tls-managed-secret: {0}")]
    Managed(String),
    /// A self-signed certificate that could not be issued.
    #[error("--tls-self-signed: cannot issue a certificate: {0}")]
    SelfSigned(rcgen::Error),
    /// The key of a self-signed certificate, if it cannot be loaded.
    #[error("--tls-self-signed: cannot load the private key: {0}")]
    SelfSignedKey(&'static str),
}

impl From<rcgen::Error> for TlsError {
    fn from(error: rcgen::Error) -> Self {
        Self::SelfSigned(error)
    }
}

/// The files of the serving certificate.
#[derive(Debug, Clone)]
pub struct CertificateFiles {
    /// The certificate chain, leaf first, PEM.
    pub certificate: PathBuf,
    /// The private key, PEM: PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
    /// If set, only clients with a certificate issued by this CA are accepted.
    pub client_ca: Option<PathBuf>,
}

/// The file of the CA that issues the certificates of clients.
#[derive(Debug, Clone)]
pub struct ClientCa(pub PathBuf);

impl ClientCa {
    /// Reads the file without parsing it, to notice changes.
    pub(super) fn read(&self) -> Result<Vec<u8>, TlsError> {
        read("--client-ca", &self.0)
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
    pub fn load(&self, metrics: &Metrics) -> Result<(RustlsConfig, FileContents), TlsError> {
        let contents = self.contents()?;
        Ok((RustlsConfig::from_config(self.load_contents(&contents, metrics)?), contents))
    }

    /// Reloads the files whenever they change, until the task is dropped. `loaded` is what [`CertificateFiles::load`]
    /// returned. If they cannot be loaded, the previous certificate stays in use, and they are not loaded again before
    /// the next change.
    pub async fn follow(self, loaded: FileContents, config: RustlsConfig, app: Arc<App>) {
        let mut seen = loaded;
        let mut ticks = tokio::time::interval(POLL_INTERVAL);
        loop {
            ticks.tick().await;
            // While files are replaced, one may be missing for a moment.
            let Ok(now) = self.contents() else { continue };
            if seen == now {
                continue;
            }
            match self.load_contents(&now, &app.metrics) {
                Ok(loaded) => {
                    config.reload_from_config(loaded);
                    info!(certificate = %self.certificate.display(), "certificate reloaded");
                }
                Err(error) => {
                    app.metrics.certificate_failures.inc();
                    warn!("cannot load the new certificate, the previous one stays in use: {error}");
                }
            }
            // After a failure too: the same files would fail, and be counted, again every second.
            seen = now;
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

    /// The TLS configuration for the contents of these files. Also records the end of the certificate, and warns if it
    /// is not valid now.
    fn load_contents(
        &self,
        contents: &FileContents,
        metrics: &Metrics,
    ) -> Result<Arc<ServerConfig>, TlsError> {
        let chain = certificates(&contents[0]);
        let wrong_certificate =
            || unusable("--tls-cert", &self.certificate, &contents[0], Wanted::Certificate);
        let leaf = chain.first().ok_or_else(wrong_certificate)?.clone();
        let validity = Certificate::read(&leaf).map(|leaf| (leaf.begin, leaf.end));
        let key = PrivateKeyDer::from_pem_slice(&contents[1]);
        let key = key.map_err(|_| unusable("--tls-key", &self.key, &contents[1], Wanted::Key))?;
        let client_ca = contents.get(2).zip(self.client_ca.as_ref());
        let roots = client_ca.map(|(pem, path)| client_roots(pem, path));
        let config =
            server_config(chain, key, roots.transpose()?).map_err(|error| self.with_reason(error, &leaf))?;
        if has_private_key(&contents[0]) {
            warn!(certificate = %self.certificate.display(), "the file of --tls-cert has a private key too; keep it in the file of --tls-key only");
        }
        if let Some((begin, end)) = validity {
            metrics.certificate_end.set(unix_seconds(end));
            let certificate = self.certificate.display();
            let now = Timestamp::now();
            if now > end {
                warn!(%certificate, "the serving certificate has expired, so the API server rejects it; issue a new one");
            } else if now < begin {
                warn!(%certificate, "the serving certificate is not valid yet, so the API server rejects it; check the clock, or issue a new one");
            }
        }
        Ok(config)
    }
}

/// Reads a file. A pipe could only be read once, and the files are read again to notice changes.
fn read(flag: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    read_bytes(path, Pipes::Refused, &mut Budget::default()).map_err(|error| TlsError::Read { flag, error })
}

fn unusable(flag: &'static str, path: &Path, bytes: &[u8], wanted: Wanted) -> TlsError {
    TlsError::Unusable { flag, path: path.to_owned(), what: describe_file(bytes, wanted) }
}

/// The CAs in the file of `--client-ca`. One that cannot be used is left out, unless none is left.
fn client_roots(pem: &[u8], path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates(pem));
    if added == 0 { Err(unusable("--client-ca", path, pem, Wanted::Authority)) } else { Ok(roots) }
}

/// The certificates in a file. A PEM block that is damaged or something else is left out, so callers reject an empty
/// result.
fn certificates(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect()
}

/// The TLS configuration for a certificate: of files, managed, or self-signed.
pub(super) fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    client_roots: Option<RootCertStore>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let builder = ServerConfig::builder();
    let builder = match client_roots {
        Some(roots) => {
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build();
            builder.with_client_cert_verifier(verifier.map_err(|e| TlsError::ClientCa(e.to_string()))?)
        }
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|error| match error {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsError::Mismatch,
        error => TlsError::Pair(error),
    })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // API servers keep their connections, so resuming sessions gains nothing.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// Unix time in seconds, for a metric.
#[expect(clippy::cast_precision_loss, reason = "seconds are exact in a double for millions of years")]
pub(super) fn unix_seconds(moment: Timestamp) -> f64 {
    moment.as_second() as f64
}

/// A certificate for this process alone.
#[derive(Debug)]
pub struct SelfSigned {
    /// The CA for clients to trust, PEM.
    pub ca: String,
    /// The TLS configuration.
    pub config: RustlsConfig,
}

/// Issues a certificate for localhost, both loopback addresses and `names`, signed by a new CA.
pub fn self_signed(names: &[String]) -> Result<SelfSigned, TlsError> {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.distinguished_name.push(DnType::CommonName, "mirrorguard self-signed CA");
    let ca_key = KeyPair::generate()?;
    let ca_certificate = ca.self_signed(&ca_key)?;
    let names = ["localhost", "127.0.0.1", "::1"].into_iter().map(str::to_owned).chain(names.iter().cloned());
    let mut leaf = CertificateParams::new(names.collect::<Vec<_>>())?;
    leaf.distinguished_name.push(DnType::CommonName, "mirrorguard");
    leaf.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = leaf.signed_by(&key, &Issuer::new(ca, ca_key))?;
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(TlsError::SelfSignedKey)?;
    let config = server_config(vec![certificate.der().clone()], key, None)?;
    Ok(SelfSigned { ca: ca_certificate.pem(), config: RustlsConfig::from_config(config) })
}
