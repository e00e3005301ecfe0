//! The next steps.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::{
    contents::{Certificate, Contents, Reading, Serving},
    issue::{Lifetimes, authority, issue},
    trust::{Configuration, accepts},
};

/// How many CAs that are only in the configurations are adopted at most. Each time that the Secret is emptied adds one;
/// the first of them are long out of use when this number is reached.
const ADOPTED_MAX: usize = 8;

/// Everything that a decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The Secret, read after the configurations.
    pub secret: &'a Reading,
    /// The webhook configurations that exist.
    pub configurations: &'a [Configuration],
    /// Names and addresses of the serving certificate, at least one. API servers call the first one.
    pub names: &'a [String],
    /// How long certificates are valid.
    pub lifetimes: Lifetimes,
    /// How long the Secret has been unchanged.
    pub secret_unchanged: SignedDuration,
    /// How long the bundles have been unchanged.
    pub bundles_unchanged: SignedDuration,
    /// The current time.
    pub now: Timestamp,
}

/// A step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Write nothing: the Secret belongs to somebody else.
    Refuse,
    /// Change the Secret, then plan again.
    Write(Change),
    /// Write the CAs of the Secret to the configuration at this index.
    Trust(usize),
}

/// A change of the Secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Create a CA that signs from now on; the trusted ones stay.
    NewAuthority,
    /// Issue a serving certificate with the CA that signs.
    NewCertificate,
    /// Remove the CAs that no longer sign.
    RetireAuthorities,
}

impl fmt::Display for Change {
    /// What was done, for the log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NewAuthority => "created a new CA",
            Self::NewCertificate => "issued a new serving certificate",
            Self::RetireAuthorities => "removed the previous CAs",
        })
    }
}

/// The next steps, in order; none if nothing is left to do.
pub fn plan(situation: &Situation<'_>) -> Vec<Action> {
    let Reading::Ours(contents) = situation.secret else { return vec![Action::Refuse] };
    if let Some(change) = change(situation, contents) {
        return vec![Action::Write(change)];
    }
    let bundle = contents.bundle();
    let mut actions = Vec::new();
    for (index, configuration) in situation.configurations.iter().enumerate() {
        if configuration.bundles.iter().any(|found| found != bundle.as_bytes()) {
            actions.push(Action::Trust(index));
        }
    }
    actions
}

/// The next change of the Secret; `None` if it can stay as it is. Only one at a time: the next one is planned from what
/// was written.
fn change(situation: &Situation<'_>, contents: &Contents) -> Option<Change> {
    let now = situation.now;
    let Some(signer) = &contents.signer else { return Some(Change::NewAuthority) };
    // One that is not valid yet was created by a replica whose clock was ahead.
    if !signer.certificate.is_valid(now) || signer.certificate.is_due(now) {
        return Some(Change::NewAuthority);
    }
    let Some(serving) = &contents.serving else { return Some(Change::NewCertificate) };
    // At once: no API server that trusts the CAs of the Secret accepts it, so there is nothing to wait for.
    if !situation.is_issued_by(&contents.authorities, serving) {
        return Some(Change::NewCertificate);
    }
    let overlap = situation.lifetimes.overlap;
    // Without configurations this holds too: no API server has to notice the CA.
    let trusts_signer =
        situation.configurations.iter().all(|configuration| configuration.holds(&signer.certificate));
    let is_signers = situation.is_issued_by(std::slice::from_ref(&signer.certificate), serving);
    let is_due = serving.certificate.is_due(now);
    if (is_due || !is_signers) && trusts_signer && situation.bundles_unchanged >= overlap {
        return Some(Change::NewCertificate);
    }
    let unchanged = situation.secret_unchanged.min(situation.bundles_unchanged);
    // Twice, because a replica may have noticed a change one overlap later than this one.
    if contents.authorities.len() > 1 && is_signers && trusts_signer && unchanged >= overlap * 2 {
        return Some(Change::RetireAuthorities);
    }
    None
}

impl Situation<'_> {
    /// Whether one of these CAs has issued the certificate for every name.
    fn is_issued_by(&self, authorities: &[Certificate], serving: &Serving) -> bool {
        self.names.iter().all(|name| accepts(authorities, &serving.certificate, name, self.now))
    }

    /// The contents of the Secret after a change that [`plan`] has returned for this situation. So the Secret is not
    /// foreign here, and there is a CA that signs when a certificate is to be issued.
    pub fn changed(&self, change: Change) -> Result<Contents, rcgen::Error> {
        let mut contents = match self.secret {
            Reading::Ours(contents) => contents.clone(),
            Reading::Foreign => Contents::default(),
        };
        let Lifetimes { serving, authority: life, .. } = self.lifetimes;
        match change {
            Change::NewAuthority => {
                let signer = authority(self.now, life)?;
                contents.authorities = self.trusted(&contents);
                contents.authorities.push(signer.certificate.clone());
                contents.signer = Some(signer);
            }
            Change::NewCertificate => {
                let signer = contents.signer.as_ref().ok_or(rcgen::Error::CouldNotParseKeyPair)?;
                contents.serving = Some(issue(signer, self.names, self.now, serving)?);
            }
            Change::RetireAuthorities => {
                let signer = contents.signer.as_ref().map(|signer| &signer.certificate);
                contents.authorities.retain(|authority| Some(authority) == signer);
            }
        }
        Ok(contents)
    }

    /// The trusted CAs that have not expired: first those that only the configurations have, then those of the Secret.
    /// The former are from before the Secret was emptied, or from another source of certificates; replicas may still
    /// serve certificates that they issued.
    fn trusted(&self, contents: &Contents) -> Vec<Certificate> {
        let bundles = self.configurations.iter().flat_map(|configuration| &configuration.bundles);
        let mut adopted: Vec<Certificate> = Vec::new();
        for found in bundles.flat_map(|bundle| Certificate::read_all(bundle)) {
            let is_known = adopted.contains(&found) || contents.authorities.contains(&found);
            if !is_known && found.end > self.now {
                adopted.push(found);
            }
        }
        adopted.drain(..adopted.len().saturating_sub(ADOPTED_MAX));
        adopted.extend(contents.authorities.iter().filter(|authority| authority.end > self.now).cloned());
        adopted
    }
}
