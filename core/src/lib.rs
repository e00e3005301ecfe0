//! What mirrorguard decides, without any I/O: plain functions over plain data.
//!
//! ```text
//! bytes -> review::wire::decode -> Write -+                                   +-> wire::encode -> bytes
//! files -> objects::manifest    -> Write -+-> review::Reviewer -> Verdict ----+-> report       -> text, JSON
//! watches | files -> State -+
//! ```
//!
//! The modules in reading order; each uses only those before it.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod suggest;
mod wording;

pub mod objects;

pub mod registries_conf;

pub mod context;

pub mod node;

pub mod hypershift;

pub mod inventory;
pub mod state;
pub mod write;

pub mod explanation;

pub mod rules;

pub mod convert;
pub mod forms;

pub mod config;
pub mod review;

pub mod report;

#[cfg(test)]
mod random;
#[cfg(test)]
mod text_snapshot;
