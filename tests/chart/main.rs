//! What the chart makes of its values, asked of Helm.

#![expect(clippy::print_stderr, reason = "a build of some minutes is told")]

#[path = "../monitoring/chart.rs"]
mod chart;
#[path = "../programs/mod.rs"]
mod programs;

mod names;
mod network;
mod pods;
mod refusals;
