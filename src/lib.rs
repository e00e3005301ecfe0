//! The admission webhook and the command line around [`mirrorguard_core`].
//!
//! [`cluster`], [`server`] and [`cli`] do the input and output; the core makes the decisions.

pub mod certificates;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod server;
