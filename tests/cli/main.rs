//! The command line as a process: what is printed where, and with which exit code.

mod command;
#[path = "../pages/mod.rs"]
mod pages;

mod apiserver;
mod audit;
mod cluster;
mod colors;
mod demo;
mod documents;
mod examples;
mod exit_codes;
mod input;
mod merge;
mod migrate;
mod pipes;
mod render;
mod rule_pages;
mod shapes;
