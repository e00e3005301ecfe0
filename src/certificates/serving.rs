//! The certificate that a replica serves.

use jiff::Timestamp;

use super::{
    contents::{Certificate, Reading, Serving},
    plan::Situation,
    trust::{Configuration, ConfigurationKind},
};

/// Why API servers do not accept the certificate that a replica serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// It expired at this time.
    Expired(Timestamp),
    /// The configuration of this kind does not trust it.
    Untrusted(ConfigurationKind),
}

/// The certificate to serve instead of `current`: that of the Secret, once API servers have had the time to notice its
/// CA, or at once if `current` is of no use. `None` to keep serving `current`.
pub fn select(current: Option<&Serving>, situation: &Situation<'_>) -> Option<Serving> {
    let Reading::Ours(contents) = situation.secret else { return None };
    let offered = contents.serving.as_ref()?;
    let Some(current) = current else { return Some(offered.clone()) };
    if current == offered {
        return None;
    }
    let is_noticed = situation.bundles_unchanged >= situation.lifetimes.overlap;
    let is_better = is_accepted(offered, situation) && (is_noticed || !is_accepted(current, situation));
    // Nobody accepts an expired certificate, so even one whose CA is not trusted yet is no loss.
    let is_expired = current.certificate.end <= situation.now;
    if is_better || is_expired { Some(offered.clone()) } else { None }
}

/// Whether all configurations trust the certificate; they do if there are none.
fn is_accepted(serving: &Serving, situation: &Situation<'_>) -> bool {
    distrusting(&serving.certificate, situation).is_none()
}

/// Why API servers do not accept this certificate; `None` if they do.
pub fn obstacle(current: &Serving, situation: &Situation<'_>) -> Option<Obstacle> {
    if current.certificate.end <= situation.now {
        return Some(Obstacle::Expired(current.certificate.end));
    }
    let configuration = distrusting(&current.certificate, situation)?;
    Some(Obstacle::Untrusted(configuration.kind))
}

/// The first configuration that does not trust the certificate for the name that API servers call.
fn distrusting<'a>(certificate: &Certificate, situation: &Situation<'a>) -> Option<&'a Configuration> {
    let name = situation.names.first()?;
    situation
        .configurations
        .iter()
        .find(|configuration| !configuration.accepts(certificate, name, situation.now))
}
