//! The command line as a process: what is printed where, and with which exit code.

mod command;

mod cluster;
mod colors;
mod completions;
mod demo;
mod documents;
mod examples;
mod exit_codes;
mod explain;
mod help;
mod input;
mod man;
mod pipes;
mod shapes;
mod snapshot;
