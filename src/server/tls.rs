//! Certificates: loaded from files, looked at again and again, or made up.

use std::{
    fs, io,
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
use crate::certificates::Certificate;

/// How often the files are looked at. Reading two small files finds every way of changing them, the
/// exchange of a Secret volume's `..data` link included, where a watch on the file would go deaf.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is wrong with the certificates; names the flag.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file that cannot be read.
    #[error("{flag}: cannot read {path}: {error}")]
    Read {
        /// The flag that named it.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file without what should be in it.
    #[error("{flag}: {path} contains no PEM-encoded {what}")]
    Empty {
        /// The flag that named it.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// `certificate` or `private key`.
        what: &'static str,
    },
    /// A key that is not the certificate's.
    #[error(
        "--tls-cert, --tls-key: the private key does not match the certificate; specify a certificate and the \
         key that it was issued for"
    )]
    Mismatch,
    /// Certificate and key that cannot be used.
    #[error("--tls-cert, --tls-key: cannot use the certificate: {0}")]
    Pair(rustls::Error),
    /// A client CA that cannot be used.
    #[error("--client-ca: cannot use the CA: {0}")]
    ClientCa(String),
    /// A managed certificate that cannot be used.
    #[error("--tls-managed-secret: {0}")]
    Managed(String),
    /// A certificate that could not be issued.
    #[error("--tls-self-signed: cannot issue a certificate: {0}")]
    SelfSigned(rcgen::Error),
    /// The key of a certificate that was issued, which cannot be loaded.
    #[error("--tls-self-signed: cannot load the private key: {0}")]
    SelfSignedKey(&'static str),
}

impl From<rcgen::Error> for TlsError {
    fn from(error: rcgen::Error) -> Self {
        Self::SelfSigned(error)
    }
}

/// Where the serving certificate comes from.
#[derive(Debug, Clone)]
pub struct CertificateFiles {
    /// The chain, leaf first, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM: PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
    /// Where given, only clients with a certificate of this CA are answered.
    pub client_ca: Option<PathBuf>,
}

/// The CA of the clients that are answered.
#[derive(Debug, Clone)]
pub struct ClientCa(pub PathBuf);

impl ClientCa {
    /// The file's bytes.
    pub(super) fn read(&self) -> Result<Vec<u8>, TlsError> {
        read("--client-ca", &self.0)
    }

    /// The CAs in it.
    pub(super) fn roots(&self) -> Result<RootCertStore, TlsError> {
        client_roots(&self.read()?, &self.0)
    }
}

/// What was read from the files, to see whether they change.
pub type Contents = Vec<Vec<u8>>;

impl CertificateFiles {
    /// Loads the pair, and tells what was read.
    pub fn load(&self, metrics: &Metrics) -> Result<(RustlsConfig, Contents), TlsError> {
        let contents = self.contents()?;
        Ok((RustlsConfig::from_config(self.server_config(&contents, metrics)?), contents))
    }

    /// Follows the files from what was loaded on, until the task is dropped. A pair that cannot be loaded
    /// leaves the old one.
    pub async fn follow(self, loaded: Contents, config: RustlsConfig, app: Arc<App>) {
        let mut seen = loaded;
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        loop {
            ticks.tick().await;
            let now = self.contents();
            // Between two looks a file may be gone for a moment; that is no change yet.
            let Ok(now) = now else { continue };
            if seen == now {
                continue;
            }
            match self.server_config(&now, &app.metrics) {
                Ok(loaded) => {
                    config.reload_from_config(loaded);
                    info!(certificate = %self.certificate.display(), "certificate reloaded");
                }
                Err(error) => {
                    app.metrics.certificate_failures.inc();
                    warn!("cannot load the new certificate, the previous one stays in use: {error}");
                }
            }
            seen = now;
        }
    }

    fn contents(&self) -> Result<Contents, TlsError> {
        let files = [
            ("--tls-cert", Some(&self.certificate)),
            ("--tls-key", Some(&self.key)),
            ("--client-ca", self.client_ca.as_ref()),
        ];
        files.into_iter().filter_map(|(flag, path)| path.map(|path| read(flag, path))).collect()
    }

    fn server_config(&self, contents: &Contents, metrics: &Metrics) -> Result<Arc<ServerConfig>, TlsError> {
        let chain = certificates(&contents[0]);
        let leaf = chain.first().ok_or_else(|| empty("--tls-cert", &self.certificate, "certificate"))?;
        let validity = Certificate::read(leaf).map(|leaf| (leaf.begin, leaf.end));
        let key = PrivateKeyDer::from_pem_slice(&contents[1]);
        let key = key.map_err(|_| empty("--tls-key", &self.key, "private key"))?;
        let client_ca = contents.get(2).zip(self.client_ca.as_ref());
        let roots = client_ca.map(|(pem, path)| client_roots(pem, path));
        let config = server_config(chain, key, roots.transpose()?)?;
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

fn read(flag: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|error| TlsError::Read { flag, path: path.to_owned(), error })
}

fn empty(flag: &'static str, path: &Path, what: &'static str) -> TlsError {
    TlsError::Empty { flag, path: path.to_owned(), what }
}

fn client_roots(pem: &[u8], path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates(pem));
    if added == 0 { Err(empty("--client-ca", path, "certificate")) } else { Ok(roots) }
}

fn certificates(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect()
}

/// What every way of serving has in common.
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
    // An apiserver keeps its connections: nothing is gained by remembering sessions to take up again.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// Unix time as a metric has it.
#[expect(clippy::cast_precision_loss, reason = "seconds are exact in a double for millions of years")]
pub(super) fn unix_seconds(moment: Timestamp) -> f64 {
    moment.as_second() as f64
}

/// A certificate made for this process alone.
#[derive(Debug)]
pub struct SelfSigned {
    /// The CA that a client has to trust, PEM.
    pub ca: String,
    /// What to serve with.
    pub config: RustlsConfig,
}

/// Makes a CA, and with it a certificate for this host by name and by both loopback addresses, and for the
/// names given.
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
