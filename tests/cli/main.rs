//! The command line as a process: what is printed where, and with which exit code.

mod api;
mod command;

mod against;
mod cluster;
mod colors;
mod demo;
mod documents;
mod examples;
mod exclude;
mod exit_codes;
mod forms;
mod input;
mod pipelines;
mod pipes;
mod shapes;
