//! What is to be done next.

use jiff::{SignedDuration, Timestamp};

use super::{
    contents::{Certificate, Contents, Reading},
    issue::{Lifetimes, authority, issue},
    trust::{Configuration, accepts},
};

/// How many CAs that only the configurations know are taken over. Each time that something empties the
/// Secret adds one; what they trusted at first is long out of use when the last comes.
const ADOPTED_MAX: usize = 8;

/// Everything a decision rests on.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The Secret, read after the configurations.
    pub secret: &'a Reading,
    /// Those of the webhook configurations that exist.
    pub configurations: &'a [Configuration],
    /// Names and addresses to be served, at least one. The first is the one that apiservers call.
    pub names: &'a [String],
    /// How long certificates live.
    pub lifetimes: Lifetimes,
    /// For how long the Secret has been seen as it is.
    pub secret_unchanged: SignedDuration,
    /// For how long the bundles have been seen as they are.
    pub bundles_unchanged: SignedDuration,
    /// The time.
    pub now: Timestamp,
}

/// One thing to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Touch nothing: the Secret is somebody else's.
    Refuse,
    /// Change the Secret, and then look again.
    Write(Change),
    /// Put the Secret's CAs into the configuration at this place of the list.
    Trust(usize),
}

/// A change of the Secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A new CA, which from now on signs. Those that are trusted stay.
    NewAuthority,
    /// A new serving certificate by the CA that signs.
    NewCertificate,
    /// The CAs that no longer sign go.
    RetireAuthorities,
}

/// What is to be done now, in this order; nothing when all is well.
pub fn plan(situation: &Situation<'_>) -> Vec<Action> {
    let Reading::Ours(contents) = situation.secret else { return vec![Action::Refuse] };
    if let Some(change) = change(situation, contents) {
        return vec![Action::Write(change)];
    }
    let bundle = contents.bundle();
    let differs =
        |configuration: &Configuration| configuration.bundles.iter().any(|found| found != bundle.as_bytes());
    let configurations = situation.configurations.iter().enumerate();
    configurations
        .filter(|(_, configuration)| differs(configuration))
        .map(|(place, _)| Action::Trust(place))
        .collect()
}

fn change(situation: &Situation<'_>, contents: &Contents) -> Option<Change> {
    let now = situation.now;
    let signs = |authority: &Certificate| authority.is_valid(now) && !authority.is_due(now);
    let signer = contents.signer.as_ref().filter(|signer| signs(&signer.certificate));
    let Some(signer) = signer else { return Some(Change::NewAuthority) };
    let verifies = |authorities: &[Certificate]| {
        contents.serving.as_ref().is_some_and(|serving| {
            situation.names.iter().all(|name| accepts(authorities, &serving.certificate, name, now))
        })
    };
    if !verifies(&contents.authorities) {
        return Some(Change::NewCertificate);
    }
    let overlap = situation.lifetimes.overlap;
    let trusts_signer =
        situation.configurations.iter().all(|configuration| configuration.holds(&signer.certificate));
    let is_signers = verifies(std::slice::from_ref(&signer.certificate));
    let is_due = contents.serving.as_ref().is_some_and(|serving| serving.certificate.is_due(now));
    if (is_due || !is_signers) && trusts_signer && situation.bundles_unchanged >= overlap {
        return Some(Change::NewCertificate);
    }
    let unchanged = situation.secret_unchanged.min(situation.bundles_unchanged);
    // Twice: a replica may have begun to look one overlap later than this one.
    let retire = contents.authorities.len() > 1 && is_signers && trusts_signer && unchanged >= overlap * 2;
    retire.then_some(Change::RetireAuthorities)
}

impl Situation<'_> {
    /// What the Secret is to hold after the change.
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

    /// The CAs that are trusted now and have not ended: by the Secret, or only by the configurations where
    /// the Secret was emptied or another way to certificates was used. Replicas may serve by them still.
    fn trusted(&self, contents: &Contents) -> Vec<Certificate> {
        let bundles = self.configurations.iter().flat_map(|configuration| &configuration.bundles);
        let mut adopted: Vec<Certificate> = Vec::new();
        for found in bundles.flat_map(|bundle| Certificate::read_all(bundle)) {
            if !adopted.contains(&found) && !contents.authorities.contains(&found) {
                adopted.push(found);
            }
        }
        adopted.drain(..adopted.len().saturating_sub(ADOPTED_MAX));
        adopted.extend(contents.authorities.iter().cloned());
        adopted.retain(|authority| authority.end > self.now);
        adopted
    }
}
