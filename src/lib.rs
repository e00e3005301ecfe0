//! The shell around [`mirrorguard_core`]: the admission webhook and the command line.
//!
//! [`cluster`], [`server`] and [`cli`] do the input and output; what they decide is decided in the core.

pub mod certificates;

pub mod clock;
pub mod cluster;

pub mod server;

pub mod cli;
