//! Migrates ICSPs to IDMSs, with a proof and a plan, and unites the outputs of several runs.
//!
//! Neither guesses: what could mean two things is a [`Problem`] that names every place, and then nothing is
//! written.

mod conflict;
mod document;
mod merge;
mod migrate;
mod plan;
mod proof;

pub use document::{Document, Origin, Problem};
pub use merge::{Merging, merge};
pub use migrate::{Migration, migrate};
pub use plan::{Plan, Step, Written};
pub use proof::{NodeDifference, Proof, Stage};

#[cfg(test)]
mod tests;
