//! mirrorguard.
pub mod cli;
pub mod cluster;
pub mod config;
pub mod context;
pub mod hypershift;
pub mod node;
pub mod objects;
pub mod review;
pub mod rules;
pub mod server;
