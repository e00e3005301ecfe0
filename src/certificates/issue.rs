//! New CAs and new serving certificates.

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, Error, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use thiserror::Error as ThisError;
use time::OffsetDateTime;

use super::contents::{Certificate, Key, Serving, Signer};

/// How far a certificate's validity begins in the past, at most, for apiservers whose clock is behind.
const BACKDATED: SignedDuration = SignedDuration::from_hours(1);

/// How long certificates live, and how long both CAs are trusted while one follows the other.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    /// Of a serving certificate.
    pub serving: SignedDuration,
    /// Of a CA.
    pub authority: SignedDuration,
    /// From when the configurations trust a new CA until its certificate is served.
    pub overlap: SignedDuration,
}

/// Lifetimes that would leave no time to renew.
#[derive(Debug, ThisError, PartialEq, Eq)]
pub enum UnusableLifetimes {
    /// Nothing or less.
    #[error("--tls-overlap must be greater than zero")]
    NoOverlap,
    /// A certificate is renewed when a third of its life is left.
    #[error("--tls-overlap must be less than a third of --tls-duration")]
    Overlap,
    /// A CA is followed by the next when a third of its life is left.
    #[error("--tls-duration must be at most a third of --tls-ca-duration")]
    Serving,
}

impl Lifetimes {
    /// Checks that each renewal has the time it needs.
    pub fn check(self) -> Result<Self, UnusableLifetimes> {
        if self.overlap <= SignedDuration::ZERO {
            return Err(UnusableLifetimes::NoOverlap);
        }
        if self.overlap >= self.serving / 3 {
            return Err(UnusableLifetimes::Overlap);
        }
        if self.serving > self.authority / 3 {
            return Err(UnusableLifetimes::Serving);
        }
        Ok(self)
    }
}

/// Makes a CA.
pub fn authority(now: Timestamp, life: SignedDuration) -> Result<Signer, Error> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // A name of its own, so that people can tell two CAs apart.
    params.distinguished_name = common_name(&format!("mirrorguard CA of {now:.0}"));
    valid(&mut params, now, now.saturating_add(life).unwrap_or(Timestamp::MAX), life);
    let key = KeyPair::generate()?;
    let made = params.self_signed(&key)?;
    let certificate = Certificate::read(made.der()).ok_or(Error::CouldNotParseCertificate)?;
    Ok(Signer { certificate, key: Key::from(&key) })
}

/// Issues a serving certificate for these names and addresses; it never outlives its CA.
pub fn issue(
    signer: &Signer,
    names: &[String],
    now: Timestamp,
    life: SignedDuration,
) -> Result<Serving, Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = common_name(names.first().map(String::as_str).unwrap_or_default());
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let end = now.saturating_add(life).unwrap_or(Timestamp::MAX).min(signer.certificate.end);
    valid(&mut params, now, end, life);
    let issuer = Issuer::from_ca_cert_der(&signer.certificate.der, KeyPair::from_pem(signer.key.pem())?)?;
    let key = KeyPair::generate()?;
    let made = params.signed_by(&key, &issuer)?;
    let certificate = Certificate::read(made.der()).ok_or(Error::CouldNotParseCertificate)?;
    Ok(Serving { certificate, key: Key::from(&key) })
}

fn common_name(name: &str) -> DistinguishedName {
    // The field holds 64 characters; clients read the names elsewhere.
    let name: String = name.chars().take(64).collect();
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

fn valid(params: &mut CertificateParams, now: Timestamp, end: Timestamp, life: SignedDuration) {
    let begin = now.saturating_sub(BACKDATED.min(life / 10)).unwrap_or(now);
    let moment = |timestamp: Timestamp| OffsetDateTime::from_unix_timestamp(timestamp.as_second());
    // Both fail only outside of the years that a certificate can name.
    params.not_before = moment(begin).unwrap_or(params.not_before);
    params.not_after = moment(end).unwrap_or(params.not_after);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_leave_the_time_to_renew() {
        let (hour, minute) = (SignedDuration::from_hours(1), SignedDuration::from_mins(1));
        let table = [
            (90, 1095, 5, Ok(()), "the defaults"),
            (365, 1095, 5, Ok(()), "exactly a third"),
            (366, 1095, 5, Err(UnusableLifetimes::Serving), "a CA would end before what it issued last"),
            (1, 3, 8 * 60, Err(UnusableLifetimes::Overlap), "a renewed certificate would come too late"),
            (1, 3, 0, Err(UnusableLifetimes::NoOverlap), "no apiserver hears of a CA in no time"),
        ];
        for (serving, authority, minutes, expected, reason) in table {
            let lifetimes = Lifetimes {
                serving: hour * 24 * serving,
                authority: hour * 24 * authority,
                overlap: minute * minutes,
            };
            assert_eq!(lifetimes.check().map(|_| ()), expected, "{reason}");
        }
    }
}
