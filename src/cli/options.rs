//! Options that several commands have.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What `PATH…` means wherever it stands.
pub(super) const PATHS_HELP: &str = "Files, folders (*.yaml, *.yml, *.json, read recursively) or - for standard input; \
without any, the cluster of the current kubeconfig";

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// Rule levels and settings, YAML
    ///
    /// The same file as the webhook's: a profile, levels of rules (deny, warn, off), exemptions and settings, told
    /// in docs/configuration.md. A key or rule that does not exist is an error.
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Form of the result
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Human)]
    pub(super) output: Format,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(super) color: Color,
    /// Say nothing but the result and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Say more; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

/// Form of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Human,
    /// For programs
    Json,
    /// Findings for code hosts, SARIF 2.1.0
    Sarif,
    /// Findings for CI systems, JUnit XML
    Junit,
}

impl Format {
    /// Whether every command has it; the others tell findings and nothing else.
    pub(super) fn is_for_all(self) -> bool {
        matches!(self, Self::Human | Self::Json)
    }
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On terminals, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
