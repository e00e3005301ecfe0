//! The chart as Helm renders it from its values.

#[path = "../monitoring/chart.rs"]
mod chart;
#[path = "../programs/mod.rs"]
mod programs;

mod names;
mod network;
mod pods;
mod refusals;
