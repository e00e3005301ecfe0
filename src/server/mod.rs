//! The webhook as a server: two listeners, one for API servers, and one for probes and metrics.

mod admin;
mod body;
pub mod certificate_files;
pub mod log;
pub mod managed;
mod metrics;
mod polled;
mod readiness;
mod router;
mod run;
pub mod tls;
pub mod traces;

pub use metrics::Metrics;
pub use readiness::Readiness;
pub use router::{App, router};
pub use run::{Bound, Listeners, Signals};
