//! What the chart gives to Prometheus and Grafana, asked of Helm and promtool.

#![expect(clippy::print_stderr, reason = "a build of some minutes is told")]

#[path = "../programs/mod.rs"]
mod programs;

mod alerts;
mod cases;
mod chart;
mod dashboard;
mod expressions;
mod objects;
mod promtool;
