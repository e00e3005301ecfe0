//! A request becomes a verdict: the flow that the webhook and the command line share.
//!
//! ```text
//! bytes -> wire::decode -> Request -+                                   +-> wire::encode -> bytes
//! files -> manifest     -> object  -+-> Reviewer::review_* -> Verdict --+-> cli::output  -> text
//!                   State (context, derivations) +
//! ```
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod exempt;
pub mod existing;
mod fill;
mod reviewer;
mod verdict;
pub mod wire;
mod writes;

pub(crate) use exempt::{Exempt, exempt};
pub use fill::{Filling, fill_in};
pub use reviewer::Reviewer;
pub use verdict::{Exempted, Judged, Verdict};
pub use writes::Writes;

use crate::{
    context::Context,
    hypershift::Derivations,
    objects::{MirrorSet, Object, SetKind},
};

/// What is known of a cluster: its context, and what is worked out once each time it changes.
#[derive(Debug, Clone)]
pub struct State {
    context: Context,
    derivations: Derivations,
}

impl State {
    /// Works out what a context means for the catalogs.
    pub fn new(context: Context) -> Self {
        let derivations = Derivations::of(context.view());
        Self { context, derivations }
    }

    /// Puts an object in, in place of one of the same kind and name.
    pub fn insert(&mut self, object: Object) {
        self.context.insert(object);
        self.derivations = Derivations::of(self.context.view());
    }

    /// The mirror sets and settings.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// What the mirror sets say about the catalogs.
    pub fn derivations(&self) -> &Derivations {
        &self.derivations
    }

    /// A mirror set by kind and name.
    pub fn set(&self, kind: SetKind, name: &str) -> Option<&MirrorSet> {
        self.context.set(kind, name)
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new(Context::default())
    }
}

impl FromIterator<Object> for State {
    fn from_iter<I: IntoIterator<Item = Object>>(objects: I) -> Self {
        Self::new(objects.into_iter().collect())
    }
}
