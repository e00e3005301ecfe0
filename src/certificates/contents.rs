//! The contents of the Secret.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use pem::{EncodeConfig, LineEnding, Pem};
use rcgen::{KeyPair, PublicKeyData};
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The annotation of a Secret that mirrorguard has written. A Secret with data but without it belongs to somebody else.
pub const MARK: &str = "mirrorguard.io/managed-certificates";

/// The keys of the Secret: the trusted CAs, the key of the CA that signs, the serving certificate and its key; all PEM.
pub const KEYS: [&str; 4] = [CA, CA_KEY, CERTIFICATE, CERTIFICATE_KEY];
const CA: &str = "ca.crt";
const CA_KEY: &str = "ca.key";
const CERTIFICATE: &str = "tls.crt";
const CERTIFICATE_KEY: &str = "tls.key";

/// A certificate and its validity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The DER encoding.
    pub der: CertificateDer<'static>,
    /// Start of the validity.
    pub begin: Timestamp,
    /// End of the validity.
    pub end: Timestamp,
}

impl Certificate {
    /// Reads DER; `None` if it is not a certificate.
    pub fn read(der: &[u8]) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(der).ok()?;
        let validity = parsed.validity();
        let begin = Timestamp::from_second(validity.not_before.timestamp()).ok()?;
        let end = Timestamp::from_second(validity.not_after.timestamp()).ok()?;
        Some(Self { der: CertificateDer::from(der.to_vec()), begin, end })
    }

    /// Reads all certificates of a PEM file, without those that cannot be parsed; none if the PEM text of any section
    /// is damaged.
    pub fn read_all(text: &[u8]) -> Vec<Self> {
        let sections = pem::parse_many(text).unwrap_or_default();
        let certificates = sections.iter().filter(|section| section.tag() == "CERTIFICATE");
        certificates.filter_map(|section| Self::read(section.contents())).collect()
    }

    /// Whether it is valid at this time.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.begin <= now && now <= self.end
    }

    /// Whether a renewal is due: at most a third of its lifetime is left, or it has expired.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let life = self.end.duration_since(self.begin);
        self.end.duration_since(now) <= life / 3
    }

    fn belongs_to(&self, key: &KeyPair) -> bool {
        X509Certificate::from_der(&self.der)
            .is_ok_and(|(_, parsed)| parsed.public_key().raw == key.subject_public_key_info())
    }
}

/// A private key, PEM; its debug output does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// Reads PEM; `None` if it is not a usable key.
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

/// A CA with its key.
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

/// The parts of the Secret that can be read. A part that is missing or damaged is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// The trusted CAs, oldest first.
    pub authorities: Vec<Certificate>,
    /// The CA whose key is in the Secret.
    pub signer: Option<Signer>,
    /// The serving certificate.
    pub serving: Option<Serving>,
}

/// A Secret that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// Empty, or written by mirrorguard.
    Ours(Contents),
    /// It contains data that mirrorguard did not write.
    Foreign,
}

impl Reading {
    /// Reads the data of a Secret; `marked` says whether it has the annotation [`MARK`].
    pub fn of(data: &BTreeMap<String, Vec<u8>>, marked: bool) -> Self {
        if !marked && data.values().any(|value| !value.is_empty()) {
            return Self::Foreign;
        }
        Self::Ours(Contents::read(data))
    }
}

fn value<'a>(data: &'a BTreeMap<String, Vec<u8>>, key: &str) -> &'a [u8] {
    data.get(key).map(Vec::as_slice).unwrap_or_default()
}

impl Signer {
    /// The one of these CAs that the key in the Secret belongs to.
    fn read(data: &BTreeMap<String, Vec<u8>>, authorities: &[Certificate]) -> Option<Self> {
        let (key, pair) = Key::read(value(data, CA_KEY))?;
        let certificate = authorities.iter().find(|authority| authority.belongs_to(&pair))?.clone();
        Some(Self { certificate, key })
    }
}

impl Serving {
    /// The serving certificate, if the key in the Secret belongs to it.
    fn read(data: &BTreeMap<String, Vec<u8>>) -> Option<Self> {
        let (key, pair) = Key::read(value(data, CERTIFICATE_KEY))?;
        let certificate = Certificate::read_all(value(data, CERTIFICATE)).into_iter().next()?;
        if !certificate.belongs_to(&pair) {
            return None;
        }
        Some(Self { certificate, key })
    }
}

impl Contents {
    fn read(data: &BTreeMap<String, Vec<u8>>) -> Self {
        let authorities = Certificate::read_all(value(data, CA));
        let signer = Signer::read(data, &authorities);
        Self { authorities, signer, serving: Serving::read(data) }
    }

    /// The values of the Secret by [`KEYS`]; `None` removes a key.
    pub fn data(&self) -> BTreeMap<&'static str, Option<String>> {
        let serving = self.serving.as_ref();
        BTreeMap::from([
            (CA, Some(self.bundle())),
            (CA_KEY, self.signer.as_ref().map(|signer| signer.key.pem().to_owned())),
            (CERTIFICATE, serving.map(|serving| pem_of(&serving.certificate))),
            (CERTIFICATE_KEY, serving.map(|serving| serving.key.pem().to_owned())),
        ])
    }

    /// The CAs for the configurations, PEM.
    pub fn bundle(&self) -> String {
        self.authorities.iter().map(pem_of).collect()
    }
}

fn pem_of(certificate: &Certificate) -> String {
    let config = EncodeConfig::new().set_line_ending(LineEnding::LF);
    pem::encode_config(&Pem::new("CERTIFICATE", certificate.der.to_vec()), config)
}
