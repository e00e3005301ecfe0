//! The webhook as a process, with real TLS on loopback, files and signals.

#![expect(clippy::print_stderr, reason = "a failed test shows the log of the process")]

#[path = "../cluster/certificates.rs"]
mod certificates;
#[path = "../cluster/http.rs"]
mod http;
#[path = "../cluster/wait.rs"]
mod wait;

mod apiserver;
mod client;
#[cfg(feature = "otel")]
mod collector;
mod frames;
mod ground;
mod process;
mod reviews;
mod stalled;
mod texts;
mod volume;
mod webhook;

mod certificate_files;
mod client_certificates;
mod connections;
mod logs;
mod metrics_page;
mod probes;
mod signals;
mod start;
mod state;
mod tls;
#[cfg(feature = "otel")]
mod traces;
mod watches;
#[cfg(not(feature = "otel"))]
mod without_traces;
