//! What issuers do when an authority grows old.

use anyhow::{Result, ensure};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SerialNumber,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::certificates::{Authority, Serving};

impl Authority {
    /// The same authority with the key it has, and a new certificate.
    pub(crate) fn renewed(&self, name: &str, serial: u64) -> Result<Self> {
        let mut params = params(name);
        params.serial_number = Some(serial.into());
        params.not_after = rcgen::date_time_ymd(3000, 1, 1);
        let key = KeyPair::from_pem(&self.key())?;
        let certificate = params.self_signed(&key)?;
        ensure!(certificate.der() != self.certificate.der(), "renewed to what it was");
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }

    /// The certificate, PEM, by which this authority vouches for another one of this name.
    pub(crate) fn vouch_for(&self, other: &Self, name: &str) -> Result<String> {
        let mut params = params(name);
        params.serial_number = Some(SerialNumber::from(7));
        Ok(params.signed_by(other.issuer.key(), &self.issuer)?.pem())
    }

    /// Issues a certificate for a client, and its key.
    pub(crate) fn issue_to_client(&self, name: &str) -> Result<Serving> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Serving { certificate: certificate.pem(), key: key.serialize_pem() })
    }

    /// The authority's key, PEM.
    pub(crate) fn key(&self) -> String {
        self.issuer.key().serialize_pem()
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    params
}

/// The certificates in PEM text.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    Ok(CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>()?)
}
