//! The command line as a process: what is printed where, and with which exit code.

mod command;

mod apiserver;
mod audit;
mod cluster;
mod colors;
mod demo;
mod documents;
mod examples;
mod exit_codes;
mod input;
mod pipes;
mod shapes;
