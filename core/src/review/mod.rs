//! From a write to a verdict: what the webhook and the command line share.
//!
//! ```text
//! bytes -> wire::decode -> Request -+                                 +-> wire::encode -> bytes
//! files -> manifest     -> Write   -+-> Reviewer::review -> Verdict --+-> report       -> text, JSON
//!                          State  --+
//! ```

mod audit;
mod exempt;
pub mod existing;
mod fill;
mod guest;
mod overlays;
mod reviewer;
mod sequence;
mod verdict;
pub mod wire;

pub use audit::Audited;
pub use fill::{Filling, Patch, fill_in};
pub use reviewer::Reviewer;
pub use sequence::Sequence;
pub use verdict::{Diagnostic, Exempted, Verdict};
