//! The objects of the chart for Prometheus and Grafana, checked with Helm and promtool.

#[path = "../programs/mod.rs"]
mod programs;

mod alerts;
mod cases;
mod chart;
mod dashboard;
mod expressions;
mod objects;
mod promtool;
