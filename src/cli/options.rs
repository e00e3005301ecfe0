//! Options that several commands have.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::connect::{RequestTimeout, request_timeout};

/// The help of `PATH…`.
pub(super) const PATHS_HELP: &str = "Files, folders (*.yaml, *.yml, *.json, recursively) or - for standard input. \
Defaults to the cluster of the current kubeconfig";

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// Configuration file (YAML) with rule levels and settings
    ///
    /// The webhook reads the same file: profile, rule levels (deny, warn, off), exemptions and settings. See
    /// docs/configuration.md. Unknown keys and rules are errors.
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Output format
    #[arg(short, long, global = true, value_enum, value_name = "FORMAT", default_value_t = Format::Human)]
    pub(super) output: Format,
    /// Time after which a request to the cluster fails, such as 30s or 1m; 0 means no limit
    #[arg(long, global = true, value_name = "DURATION", default_value = "30s", value_parser = request_timeout, hide_short_help = true)]
    pub(super) request_timeout: RequestTimeout,
    /// When to use colors
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub(super) color: Color,
    /// Print the result and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Name what is skipped, and log more (serve); -vv logs everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

/// Output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Text
    Human,
    /// JSON
    Json,
    /// SARIF 2.1.0 for code scanning (lint and audit)
    Sarif,
    /// JUnit XML for test reports (lint and audit)
    Junit,
}

impl Format {
    /// Whether every command has it; the others hold findings only.
    pub(super) fn is_for_all(self) -> bool {
        matches!(self, Self::Human | Self::Json)
    }
}

/// When to use colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On terminals, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
