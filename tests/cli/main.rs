//! The command line as a process: what is printed where, and with which exit code.

mod command;
#[path = "../pages/mod.rs"]
mod pages;

mod cluster;
mod colors;
mod demo;
mod documents;
mod examples;
mod exit_codes;
mod input;
mod pipes;
mod rule_pages;
mod shapes;
