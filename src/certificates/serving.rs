//! What one replica serves.

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

/// What to serve from now on, where that is not what is served: the Secret's certificate, once apiservers
/// have had the time to hear of its CA, or at once where there is nothing to lose.
pub fn select(current: Option<&Serving>, situation: &Situation<'_>) -> Option<Serving> {
    let Reading::Ours(contents) = situation.secret else { return None };
    let offered = contents.serving.as_ref()?;
    let Some(current) = current else { return Some(offered.clone()) };
    if current == offered {
        return None;
    }
    let is_accepted = |serving: &Serving| refuser(&serving.certificate, situation).is_none();
    let heard = situation.bundles_unchanged >= situation.lifetimes.overlap;
    let better = is_accepted(offered) && (heard || !is_accepted(current));
    let ended = current.certificate.end <= situation.now;
    (better || ended).then(|| offered.clone())
}

/// Why API servers do not accept this certificate; `None` if they do.
pub fn obstacle(current: &Serving, situation: &Situation<'_>) -> Option<Obstacle> {
    if current.certificate.end <= situation.now {
        return Some(Obstacle::Expired(current.certificate.end));
    }
    let refuser = refuser(&current.certificate, situation)?;
    Some(Obstacle::Untrusted(refuser.kind))
}

/// The configuration whose webhooks would not be called with this certificate.
fn refuser<'a>(certificate: &Certificate, situation: &Situation<'a>) -> Option<&'a Configuration> {
    let name = situation.names.first()?;
    situation
        .configurations
        .iter()
        .find(|configuration| !configuration.accepts(certificate, name, situation.now))
}
