//! Certificates that mirrorguard manages itself: a CA and a serving certificate in a Secret, and the CA in its
//! own webhook configurations.
//!
//! [`plan`] says what is to be done next, from what the Secret and the configurations hold; [`select`] and
//! [`obstacle`] say what a replica serves, and whether it may be called. A CA's whole life:
//!
//! ```text
//! ca.crt  ca.key  tls.crt     what happens next
//! -       -       -           a CA is made
//! A       A       -           a certificate is issued
//! A       A       by A        the configurations come to trust A; later the certificate is renewed
//! A B     B       by A        A is near its end: the configurations come to trust both
//! A B     B       by B        after an overlap: B's certificate, which every replica begins to serve
//! B       B       by B        after two more: A goes
//! ```
//!
//! Every replica does all of this, and none leads. A write of the Secret carries the version it was planned
//! on, so that of two writers one is refused, reads again, and finds the work done. What the configurations
//! are to trust is read from the Secret alone, and later than they are: a bundle that is written over is
//! never newer than the one that is written. A lease would only say who is allowed to be late.

mod contents;
mod issue;
mod plan;
mod serving;
mod trust;

#[cfg(test)]
mod tests;

pub use contents::{Certificate, Contents, KEYS, Key, MARK, Reading, Serving, Signer};
pub use issue::{Lifetimes, UnusableLifetimes, authority, issue};
pub use plan::{Action, Change, Situation, plan};
pub use serving::{Obstacle, obstacle, select};
pub use trust::{Configuration, ConfigurationKind};
