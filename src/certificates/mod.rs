//! Certificates that mirrorguard manages itself: a CA and a serving certificate in a Secret, and the CA in its
//! webhook configurations.
//!
//! [`plan`] returns the next steps, given the contents of the Secret and the configurations; [`select`] and
//! [`obstacle`] return which certificate a replica serves, and why API servers would not accept it. The life of a CA:
//!
//! ```text
//! ca.crt  ca.key  tls.crt     what happens next
//! -       -       -           a CA is created
//! A       A       -           a certificate is issued
//! A       A       by A        A is added to the configurations; later the certificate is renewed
//! A B     B       by A        A nears its expiry: B is added to the configurations
//! A B     B       by B        one overlap later: B has issued a certificate, which every replica starts to serve
//! B       B       by B        two overlaps later: A is removed
//! ```
//!
//! Every replica does all of this; there is no leader. A write of the Secret carries the version that it was planned
//! for, so if two replicas write, one gets a conflict, reads again and finds nothing left to do. The CAs of the
//! configurations are taken from the Secret alone, which is read after the configurations: so a bundle is never
//! replaced by an older one. A lease would not make this any safer.

mod contents;
mod file;
mod issue;
mod plan;
mod serving;
mod suitable;
mod trust;

#[cfg(test)]
mod tests;

pub use contents::{Certificate, Contents, KEYS, Key, MARK, Reading, Serving, Signer};
pub use file::{Wanted, describe_certificate, describe_file, has_private_key};
pub use issue::{Lifetimes, UnusableLifetimes, authority, issue};
pub use plan::{Action, Change, Situation, plan};
pub use serving::{Obstacle, obstacle, select};
pub use suitable::{Called, describe_authorities, describe_names};
pub use trust::{Configuration, ConfigurationKind};
