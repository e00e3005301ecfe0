//! What an apiserver accepts, told by the verification of a TLS client.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::ring::default_provider,
    pki_types::{ServerName, UnixTime},
};

use super::contents::Certificate;

/// Which of the two kinds of webhook configurations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigurationKind {
    /// `ValidatingWebhookConfiguration`
    Validating,
    /// `MutatingWebhookConfiguration`
    Mutating,
}

impl ConfigurationKind {
    /// The kind's name.
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
    /// Its version.
    pub version: String,
    /// The `caBundle` of each of its webhooks, PEM; empty where there is none.
    pub bundles: Vec<Vec<u8>>,
}

impl Configuration {
    /// Whether each webhook's bundle has this CA.
    pub(super) fn holds(&self, authority: &Certificate) -> bool {
        self.bundles.iter().all(|bundle| Certificate::read_all(bundle).contains(authority))
    }

    /// Whether an apiserver that calls these webhooks by this name accepts the certificate.
    pub(super) fn accepts(&self, certificate: &Certificate, name: &str, now: Timestamp) -> bool {
        self.bundles.iter().all(|bundle| accepts(&Certificate::read_all(bundle), certificate, name, now))
    }
}

/// Whether somebody who trusts these CAs accepts the certificate as that of `name`.
///
/// A CA counts from its first moment to its last, as for an apiserver (Go `crypto/x509/verify.go` `isValid`); rustls
/// leaves the dates of its roots alone.
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
    let (Ok(verifier), Ok(name)) = (verifier, ServerName::try_from(name)) else { return false };
    let now = UnixTime::since_unix_epoch(Duration::from_secs(now.as_second().unsigned_abs()));
    verifier.verify_server_cert(&certificate.der, &[], &name, &[], now).is_ok()
}
