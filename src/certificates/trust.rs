//! Whether API servers accept a certificate, decided by the verification of a TLS client.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::ring::default_provider,
    pki_types::{ServerName, UnixTime},
};

use super::contents::Certificate;

/// The kind of a webhook configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigurationKind {
    /// `ValidatingWebhookConfiguration`
    Validating,
    /// `MutatingWebhookConfiguration`
    Mutating,
}

impl ConfigurationKind {
    /// The name of the kind.
    pub fn name(self) -> &'static str {
        match self {
            Self::Validating => "ValidatingWebhookConfiguration",
            Self::Mutating => "MutatingWebhookConfiguration",
        }
    }
}

/// A webhook configuration that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// Its kind.
    pub kind: ConfigurationKind,
    /// Its resource version.
    pub version: String,
    /// The `caBundle` of each of its webhooks, PEM; an empty one for a webhook without.
    pub bundles: Vec<Vec<u8>>,
}

impl Configuration {
    /// Whether the bundle of every webhook contains this CA.
    pub(super) fn holds(&self, authority: &Certificate) -> bool {
        self.bundles.iter().all(|bundle| Certificate::read_all(bundle).contains(authority))
    }

    /// Whether API servers that call these webhooks by this name accept the certificate.
    pub(super) fn accepts(&self, certificate: &Certificate, name: &str, now: Timestamp) -> bool {
        self.bundles.iter().all(|bundle| accepts(&Certificate::read_all(bundle), certificate, name, now))
    }
}

/// Whether a client that trusts these CAs accepts the certificate for `name`.
///
/// A CA counts only while it is valid, as for an API server (Go `crypto/x509/verify.go` `isValid`); rustls does not
/// check the validity of its roots.
pub(super) fn accepts(
    authorities: &[Certificate],
    certificate: &Certificate,
    name: &str,
    now: Timestamp,
) -> bool {
    let mut roots = RootCertStore::empty();
    let valid = authorities.iter().filter(|authority| authority.is_valid(now));
    roots.add_parsable_certificates(valid.map(|authority| authority.der.clone()));
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider())).build();
    // Without any CA there is no verifier, and nothing is accepted.
    let (Ok(verifier), Ok(name)) = (verifier, ServerName::try_from(name)) else { return false };
    // The current time is not before 1970.
    let now = UnixTime::since_unix_epoch(Duration::from_secs(now.as_second().unsigned_abs()));
    verifier.verify_server_cert(&certificate.der, &[], &name, &[], now).is_ok()
}
