//! What the Secret holds.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use pem::{EncodeConfig, LineEnding, Pem};
use rcgen::{KeyPair, PublicKeyData};
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The annotation of a Secret that mirrorguard has written. One that holds something without it is somebody
/// else's.
pub const MARK: &str = "mirrorguard.io/managed-certificates";

/// The keys of the Secret: the CAs to be trusted, the key of the one that signs, and the serving certificate
/// with its key; all PEM.
pub const KEYS: [&str; 4] = [CA, CA_KEY, CERTIFICATE, CERTIFICATE_KEY];
const CA: &str = "ca.crt";
const CA_KEY: &str = "ca.key";
const CERTIFICATE: &str = "tls.crt";
const CERTIFICATE_KEY: &str = "tls.key";

/// A certificate, and from when to when it is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// In DER form.
    pub der: CertificateDer<'static>,
    /// The first moment.
    pub begin: Timestamp,
    /// The last moment.
    pub end: Timestamp,
}

impl Certificate {
    /// Reads DER; `None` where it is no certificate.
    pub fn read(der: &[u8]) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(der).ok()?;
        let moment = |time: x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp()).ok();
        let (begin, end) = (moment(parsed.validity().not_before)?, moment(parsed.validity().not_after)?);
        Some(Self { der: CertificateDer::from(der.to_vec()), begin, end })
    }

    /// Every certificate in PEM text.
    pub fn read_all(text: &[u8]) -> Vec<Self> {
        let sections = pem::parse_many(text).unwrap_or_default();
        let certificates = sections.iter().filter(|section| section.tag() == "CERTIFICATE");
        certificates.filter_map(|section| Self::read(section.contents())).collect()
    }

    /// Whether it counts at this moment: begun, and not ended.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.begin <= now && now <= self.end
    }

    /// Whether two thirds of its life are over.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let life = self.end.duration_since(self.begin);
        self.end.duration_since(now) <= life / 3
    }

    fn belongs_to(&self, key: &KeyPair) -> bool {
        X509Certificate::from_der(&self.der)
            .is_ok_and(|(_, parsed)| parsed.public_key().raw == key.subject_public_key_info())
    }
}

/// A private key in PEM form; it does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// Reads PEM; `None` where it is no key that can be used.
    fn read(text: &[u8]) -> Option<(Self, KeyPair)> {
        let text = std::str::from_utf8(text).ok()?;
        Some((Self(text.to_owned()), KeyPair::from_pem(text).ok()?))
    }

    /// The PEM text.
    pub fn pem(&self) -> &str {
        &self.0
    }
}

impl From<&KeyPair> for Key {
    fn from(pair: &KeyPair) -> Self {
        Self(pair.serialize_pem())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// A CA that can sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// Its certificate.
    pub certificate: Certificate,
    /// Its key.
    pub key: Key,
}

/// A serving certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serving {
    /// The certificate.
    pub certificate: Certificate,
    /// Its key.
    pub key: Key,
}

/// What of the Secret can be read. A part that is missing or damaged is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// The CAs to be trusted, oldest first.
    pub authorities: Vec<Certificate>,
    /// The one of them whose key is known.
    pub signer: Option<Signer>,
    /// What is to be served.
    pub serving: Option<Serving>,
}

/// A Secret, looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// Empty, or written by mirrorguard.
    Ours(Contents),
    /// It holds something that mirrorguard has not written.
    Foreign,
}

impl Reading {
    /// Reads a Secret's data; `marked` is whether it has the annotation [`MARK`].
    pub fn of(data: &BTreeMap<String, Vec<u8>>, marked: bool) -> Self {
        if !marked && data.values().any(|value| !value.is_empty()) {
            return Self::Foreign;
        }
        Self::Ours(Contents::read(data))
    }
}

impl Contents {
    fn read(data: &BTreeMap<String, Vec<u8>>) -> Self {
        let value = |key| data.get(key).map(Vec::as_slice).unwrap_or_default();
        let authorities = Certificate::read_all(value(CA));
        let signer = Key::read(value(CA_KEY)).and_then(|(key, pair)| {
            let certificate = authorities.iter().find(|authority| authority.belongs_to(&pair))?.clone();
            Some(Signer { certificate, key })
        });
        let serving = Key::read(value(CERTIFICATE_KEY)).and_then(|(key, pair)| {
            let certificate = Certificate::read_all(value(CERTIFICATE)).into_iter().next()?;
            certificate.belongs_to(&pair).then_some(Serving { certificate, key })
        });
        Self { authorities, signer, serving }
    }

    /// The Secret's values, by [`KEYS`]; `None` for one that is to go.
    pub fn data(&self) -> BTreeMap<&'static str, Option<String>> {
        let serving = self.serving.as_ref();
        BTreeMap::from([
            (CA, Some(self.bundle())),
            (CA_KEY, self.signer.as_ref().map(|signer| signer.key.pem().to_owned())),
            (CERTIFICATE, serving.map(|serving| pem_of(&serving.certificate))),
            (CERTIFICATE_KEY, serving.map(|serving| serving.key.pem().to_owned())),
        ])
    }

    /// What the configurations are to trust, PEM.
    pub fn bundle(&self) -> String {
        self.authorities.iter().map(pem_of).collect()
    }
}

fn pem_of(certificate: &Certificate) -> String {
    let config = EncodeConfig::new().set_line_ending(LineEnding::LF);
    pem::encode_config(&Pem::new("CERTIFICATE", certificate.der.to_vec()), config)
}
