//! What can be typed.

use clap::{Parser, Subcommand};

use super::{
    audit::AuditArgs, check::CheckArgs, completions::CompletionsArgs, demo::DemoArgs, diff::DiffArgs,
    explain::ExplainArgs, lint::LintArgs, man::ManArgs, merge::MergeArgs, migrate::MigrateArgs,
    options::Global, overrides::OverridesArgs, render::RenderArgs, rules::RulesArgs, serve::ServeArgs,
};

const ABOUT: &str = "Guards the mirror sets of disconnected OpenShift: ImageContentSourcePolicy, \
ImageDigestMirrorSet, ImageTagMirrorSet, and what HyperShift makes of them";

const LONG_ABOUT: &str = "Guards the mirror sets of disconnected OpenShift: ImageContentSourcePolicy (ICSP), \
ImageDigestMirrorSet (IDMS), ImageTagMirrorSet (ITMS), and what HyperShift makes of them.

The commands read objects from files, folders or standard input, or from the cluster of the current kubeconfig, \
and tell what the nodes and HyperShift would do with them. `serve` is the admission webhook with the same \
engine. No registry is ever called, and nothing is written to a cluster.";

const HELP: &str = "\
Output:
  stdout  the result; -o json makes it JSON
  stderr  what is said about it, errors, and on a terminal what takes longer than a second; -q leaves only errors

Exit codes:
  0  all is well
  1  the answer is no: findings, a refused configuration, an impact that --fail-on names
  2  the question could not be answered: usage, files, cluster

Environment:
  KUBECONFIG      the cluster that is read, as kubectl does it
  NO_COLOR        no colours; CLICOLOR_FORCE=1: colours everywhere; --color is stronger than both
  COLUMNS         how wide drawings are; else the terminal's width, or 140
  LC_ALL, LANG    a terminal gets trees of box characters where these say UTF-8, else of ASCII
  RUST_LOG        what serve logs, in place of -v

Examples:
  mirrorguard demo
  mirrorguard lint mirrors/
  mirrorguard explain quay.io/openshift-release-dev/ocp-release:4.20.4-x86_64 mirrors/
  oc get idms,itms,icsp -o yaml | mirrorguard render -

As a plugin of kubectl and oc:
  A link named kubectl-mirrorguard in the PATH makes `kubectl mirrorguard lint` of `mirrorguard lint`, also for oc; \
mirrorguard completions --help tells how its words are completed.";

/// What `--version` prints: the version, and the features of this build.
const LONG_VERSION: &str = if cfg!(feature = "otel") {
    concat!(env!("CARGO_PKG_VERSION"), "\nfeatures: otel")
} else {
    concat!(env!("CARGO_PKG_VERSION"), "\nfeatures: none")
};

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "mirrorguard", version, long_version = LONG_VERSION, about = ABOUT, long_about = LONG_ABOUT, after_long_help = HELP)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Lint(LintArgs),
    Render(RenderArgs),
    Explain(ExplainArgs),
    Diff(DiffArgs),
    Migrate(MigrateArgs),
    Merge(MergeArgs),
    Overrides(OverridesArgs),
    Audit(AuditArgs),
    Rules(RulesArgs),
    Serve(Box<ServeArgs>),
    Check(CheckArgs),
    Demo(DemoArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

impl Command {
    /// Whether the result is a list of findings.
    pub(super) fn tells_findings(&self) -> bool {
        matches!(self, Self::Lint(_) | Self::Audit(_))
    }
}
