//! The command line as a process: what is printed where, and with which exit code.

mod command;

mod cluster;
mod colors;
mod demo;
mod documents;
mod examples;
mod exit_codes;
mod input;
mod pipes;
mod render;
mod shapes;
