//! The TLS configuration, and a self-signed certificate.

use std::{path::PathBuf, sync::Arc};

use axum_server::tls_rustls::RustlsConfig;
use jiff::Timestamp;
use rustls::{
    InconsistentKeys, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::{NoServerSessionStorage, WebPkiClientVerifier},
};
use thiserror::Error;

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
