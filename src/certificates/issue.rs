//! New CAs and new serving certificates.

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, Error, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use thiserror::Error as ThisError;
use time::OffsetDateTime;

use super::contents::{Certificate, Key, Serving, Signer};

/// How far in the past the validity of a certificate starts, for API servers whose clock is behind; a tenth of its
/// lifetime if that is less.
const BACKDATED: SignedDuration = SignedDuration::from_hours(1);

/// How long certificates are valid, and how long both CAs are trusted while one replaces the other.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    /// Lifetime of a serving certificate.
    pub serving: SignedDuration,
    /// Lifetime of a CA.
    pub authority: SignedDuration,
    /// Time between adding a CA to the configurations and serving its first certificate.
    pub overlap: SignedDuration,
}

/// Why lifetimes leave no time to renew.
#[derive(Debug, ThisError, PartialEq, Eq)]
pub enum UnusableLifetimes {
    /// The overlap is zero or negative.
    #[error("--tls-overlap must be greater than zero")]
    NoOverlap,
    /// The overlap is too long: a certificate is renewed when a third of its lifetime is left.
    #[error("--tls-overlap must be less than a third of --tls-duration")]
    Overlap,
    /// Serving certificates live too long: a CA is replaced when a third of its lifetime is left.
    #[error("--tls-duration must be at most a third of --tls-ca-duration")]
    Serving,
}

impl Lifetimes {
    /// Checks that every renewal has enough time.
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

/// Creates a CA.
pub fn authority(now: Timestamp, life: SignedDuration) -> Result<Signer, Error> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // A distinct name, so that people can tell two CAs apart.
    params.distinguished_name = common_name(&format!("mirrorguard CA of {now:.0}"));
    // Adding a duration does not fail, only adding months or years would.
    set_validity(&mut params, now, now.saturating_add(life).unwrap_or(Timestamp::MAX), life);
    let key = KeyPair::generate()?;
    let made = params.self_signed(&key)?;
    let certificate = Certificate::read(made.der()).ok_or(Error::CouldNotParseCertificate)?;
    Ok(Signer { certificate, key: Key::from(&key) })
}

/// Issues a serving certificate for these names and addresses. It expires no later than its CA.
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
    set_validity(&mut params, now, end, life);
    let issuer = Issuer::from_ca_cert_der(&signer.certificate.der, KeyPair::from_pem(signer.key.pem())?)?;
    let key = KeyPair::generate()?;
    let made = params.signed_by(&key, &issuer)?;
    let certificate = Certificate::read(made.der()).ok_or(Error::CouldNotParseCertificate)?;
    Ok(Serving { certificate, key: Key::from(&key) })
}

fn common_name(name: &str) -> DistinguishedName {
    // The field is limited to 64 characters; clients read the names from the alternative names.
    let name: String = name.chars().take(64).collect();
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

/// Sets the validity from shortly before `now` to `end`. `life` is the lifetime that was asked for: `end` is
/// earlier if the CA expires sooner.
fn set_validity(params: &mut CertificateParams, now: Timestamp, end: Timestamp, life: SignedDuration) {
    let begin = now.saturating_sub(BACKDATED.min(life / 10)).unwrap_or(now);
    // Both fail only outside the years that a certificate can express.
    params.not_before = OffsetDateTime::from_unix_timestamp(begin.as_second()).unwrap_or(params.not_before);
    params.not_after = OffsetDateTime::from_unix_timestamp(end.as_second()).unwrap_or(params.not_after);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_leave_the_time_to_renew() {
        struct Case {
            serving_days: i32,
            authority_days: i32,
            overlap_minutes: i32,
            expected: Result<(), UnusableLifetimes>,
            reason: &'static str,
        }
        let table = [
            Case {
                serving_days: 90,
                authority_days: 1095,
                overlap_minutes: 5,
                expected: Ok(()),
                reason: "the defaults",
            },
            Case {
                serving_days: 365,
                authority_days: 1095,
                overlap_minutes: 5,
                expected: Ok(()),
                reason: "exactly a third",
            },
            Case {
                serving_days: 366,
                authority_days: 1095,
                overlap_minutes: 5,
                expected: Err(UnusableLifetimes::Serving),
                reason: "a CA would expire before the last certificate that it issued",
            },
            Case {
                serving_days: 1,
                authority_days: 3,
                overlap_minutes: 8 * 60,
                expected: Err(UnusableLifetimes::Overlap),
                reason: "a renewed certificate would be served too late",
            },
            Case {
                serving_days: 1,
                authority_days: 3,
                overlap_minutes: 0,
                expected: Err(UnusableLifetimes::NoOverlap),
                reason: "API servers need some time to notice a CA",
            },
        ];
        for Case { serving_days, authority_days, overlap_minutes, expected, reason } in table {
            let lifetimes = Lifetimes {
                serving: SignedDuration::from_hours(24) * serving_days,
                authority: SignedDuration::from_hours(24) * authority_days,
                overlap: SignedDuration::from_mins(1) * overlap_minutes,
            };
            assert_eq!(lifetimes.check().map(|_| ()), expected, "{reason}");
        }
    }
}
