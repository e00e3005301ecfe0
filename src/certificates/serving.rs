//! What one replica serves.

use super::{
    contents::{Certificate, Reading, Serving},
    plan::Situation,
    trust::Configuration,
};

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

/// Why apiservers would not talk to a replica that serves this, if so.
pub fn obstacle(current: &Serving, situation: &Situation<'_>) -> Option<String> {
    if current.certificate.end <= situation.now {
        return Some(format!("the serving certificate ended at {}", current.certificate.end));
    }
    let refuser = refuser(&current.certificate, situation)?;
    Some(format!("the {} does not trust the serving certificate", refuser.kind.name()))
}

/// The configuration whose webhooks would not be called with this certificate.
fn refuser<'a>(certificate: &Certificate, situation: &Situation<'a>) -> Option<&'a Configuration> {
    let name = situation.names.first()?;
    situation
        .configurations
        .iter()
        .find(|configuration| !configuration.accepts(certificate, name, situation.now))
}
