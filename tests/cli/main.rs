//! The command line as a process: what is printed where, and with which exit code.

mod api;
mod command;
#[path = "../pages/mod.rs"]
mod pages;

mod against;
mod apiserver;
mod audit;
mod chart;
mod check;
mod cluster;
mod colors;
mod completions;
mod demo;
mod documents;
mod examples;
mod exclude;
mod exit_codes;
mod explain;
mod fix;
mod gitops;
mod help;
mod image_config;
mod input;
mod junit;
mod man;
mod merge;
mod messages;
mod migrate;
mod overrides;
mod pipelines;
mod pipes;
mod release;
mod render;
mod rule_pages;
mod sarif;
mod shapes;
mod snapshot;
mod wrong_input;
