//! Guards the mirror sets of disconnected OpenShift: an admission webhook and a command line on one engine.
//!
//! ```text
//! bytes -> review::wire::decode -> Request -+                                   +-> wire::encode -> bytes
//! files -> objects::manifest    -> objects -+-> review::Reviewer -> Verdict ----+-> cli -> text, exit code
//! watches | files -> review::State -+
//! ```
//!
//! Everything up to [`review`], and [`certificates`], is pure: plain functions over plain data, kept so by a
//! lint. [`cluster`], [`server`] and [`cli`] do the input and output.

pub mod objects;
pub mod suggest;

pub mod context;

pub mod node;

pub mod hypershift;

pub mod explanation;

pub mod rules;

pub mod audit;
pub mod convert;
pub mod forms;

pub mod config;
pub mod review;

pub mod certificates;

pub mod clock;
pub mod cluster;

pub mod server;

pub mod cli;
