//! The arguments of the program.

use clap::{Parser, Subcommand};

use super::{
    audit::AuditArgs, check::CheckArgs, completions::CompletionsArgs, demo::DemoArgs, diff::DiffArgs,
    explain::ExplainArgs, lint::LintArgs, man::ManArgs, merge::MergeArgs, migrate::MigrateArgs,
    options::Global, overrides::OverridesArgs, render::RenderArgs, rules::RulesArgs, serve::ServeArgs,
};

const ABOUT: &str = "Checks the mirror sets of disconnected OpenShift clusters (ImageContentSourcePolicy, \
ImageDigestMirrorSet, ImageTagMirrorSet) for nodes and HyperShift";

const LONG_ABOUT: &str = "Checks the mirror sets of disconnected OpenShift clusters: ImageContentSourcePolicy (ICSP), \
ImageDigestMirrorSet (IDMS) and ImageTagMirrorSet (ITMS).

The commands read objects from files, folders, standard input, or the cluster of the current kubeconfig, and show how \
nodes and HyperShift use them. `mirrorguard serve` is the admission webhook with the same rules. mirrorguard never \
contacts a registry, and its commands never change a cluster.";

const HELP: &str = "\
Output:
  stdout  the result; -o json prints JSON
  stderr  messages, errors, and progress on a terminal; -q prints errors only

Exit codes:
  0  success
  1  the answer is no: findings at or above --fail-on, a configuration that nodes reject, or a change with an impact at or above --fail-on
  2  usage, I/O or parse error

Environment:
  KUBECONFIG      kubeconfig of the cluster, as for kubectl
  NO_COLOR        disables colors; CLICOLOR_FORCE=1 enables them everywhere; --color overrides both
  COLUMNS         width of the output; defaults to the width of the terminal, or 140
  LC_ALL, LANG    trees use box characters on UTF-8 terminals and ASCII on others
  RUST_LOG        log filter of serve, overrides -v

Examples:
  mirrorguard demo
  mirrorguard lint mirrors/
  mirrorguard explain quay.io/openshift-release-dev/ocp-release:4.20.4-x86_64 mirrors/
  oc get idms,itms,icsp -o yaml | mirrorguard render -

kubectl plugin:
  With a link named kubectl-mirrorguard in PATH, `kubectl mirrorguard lint` and `oc mirrorguard lint` run \
`mirrorguard lint`. See mirrorguard completions --help for the completion of plugin commands.";

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
    pub(super) fn reports_findings(&self) -> bool {
        matches!(self, Self::Lint(_) | Self::Audit(_))
    }
}
