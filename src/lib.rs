//! mirrorguard.
pub mod context;
pub mod hypershift;
pub mod node;
pub mod objects;
