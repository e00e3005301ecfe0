//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::{
    diff::DiffArgs, explain::ExplainArgs, lint::LintArgs, overrides::OverridesArgs, render::RenderArgs,
    rules::RulesArgs, serve::ServeArgs,
};

const ABOUT: &str = "Guards the mirror sets of disconnected OpenShift: ImageContentSourcePolicy, \
ImageDigestMirrorSet, ImageTagMirrorSet, and what HyperShift makes of them";

/// What `PATH…` means wherever it stands.
pub(super) const PATHS_HELP: &str = "Files, folders (*.yaml, *.yml, *.json, read recursively) or - for standard input; \
without any, the cluster of the current kubeconfig";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "mirrorguard", version, about = ABOUT, disable_help_subcommand = true)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// Rule levels and settings, YAML
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Form of the result
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Human)]
    pub(super) output: Format,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(super) color: Color,
    /// Say nothing but the result
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

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Lint(LintArgs),
    Render(RenderArgs),
    Explain(ExplainArgs),
    Diff(DiffArgs),
    Overrides(OverridesArgs),
    Rules(RulesArgs),
    Serve(Box<ServeArgs>),
    /// Start the webhook on loopback with an example cluster and show its answers
    Demo,
}
