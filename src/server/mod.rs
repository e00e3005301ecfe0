//! The webhook as a server: two listeners, one for the apiserver and one for probes and metrics.

mod admin;
pub mod managed;
mod metrics;
mod router;
mod run;
pub mod tls;

pub use metrics::Metrics;
pub use router::{App, router};
pub use run::{Bound, Listeners, Signals};
