//! What can be typed.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

const ABOUT: &str = "Guards the mirror sets of disconnected OpenShift: ImageContentSourcePolicy, \
ImageDigestMirrorSet, ImageTagMirrorSet, and what HyperShift makes of them";

const PATHS_HELP: &str = "Files, folders (*.yaml, *.yml, *.json, read recursively) or - for standard input; \
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
    /// Check mirror sets and HostedClusters by every rule, as one cluster
    #[command(
        after_help = "Examples:\n  mirrorguard lint mirrors/\n  mirrorguard lint --against cluster new-idms.yaml\n  oc get idms,itms,icsp -o yaml | mirrorguard lint -o json -"
    )]
    Lint(LintArgs),
    /// Print registries.conf as the nodes will get it
    #[command(
        after_help = "Examples:\n  mirrorguard render mirrors/\n  oc get icsp,idms,itms,image.config -o yaml | mirrorguard render -"
    )]
    Render(RenderArgs),
    /// Tell where a pull of an image goes, on the nodes and in HyperShift's own look-ups
    #[command(
        after_help = "Examples:\n  mirrorguard explain quay.io/openshift-release-dev/ocp-release:4.20.4-x86_64 mirrors/\n  mirrorguard explain registry.redhat.io/redhat/redhat-operator-index:v4.20"
    )]
    Explain(ExplainArgs),
    /// Tell what changing one set of objects into another costs the nodes
    #[command(
        after_help = "Examples:\n  mirrorguard diff cluster mirrors/\n  mirrorguard diff --fail-on drain old.yaml new.yaml"
    )]
    Diff(DiffArgs),
    /// Derive the catalog overrides annotation of HostedClusters, or judge one
    #[command(
        after_help = "Examples:\n  mirrorguard overrides mirrors/\n  mirrorguard overrides --check registry.redhat.io=m.lab:8443/redhat.io mirrors/"
    )]
    Overrides(OverridesArgs),
    /// List the rules, or print one rule's page
    #[command(after_help = "Examples:\n  mirrorguard rules\n  mirrorguard rules root-level-source")]
    Rules(RulesArgs),
    /// Run the admission webhook
    #[command(
        after_help = "Examples:\n  mirrorguard serve --tls-cert tls.crt --tls-key tls.key\n  mirrorguard serve --state mirrors/ --listen 127.0.0.1:8443 --tls-self-signed --tls-ca-out ca.crt"
    )]
    Serve(ServeArgs),
    /// Start the webhook on loopback with an example cluster and show its answers
    Demo,
}

/// `lint`.
#[derive(Debug, Args)]
pub(super) struct LintArgs {
    #[arg(value_name = "PATH", help = PATHS_HELP)]
    pub(super) paths: Vec<PathBuf>,
    /// Existing objects, read but not blamed: a file, a folder, or `cluster`
    #[arg(long, value_name = "PATH|cluster")]
    pub(super) against: Option<PathBuf>,
    /// The lowest level that makes the exit code 1
    #[arg(long, value_enum, default_value_t = FailOn::Deny)]
    pub(super) fail_on: FailOn,
}

/// Which findings fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// What the webhook would refuse
    Deny,
    /// Warnings too
    Warn,
}

/// `render`.
#[derive(Debug, Args)]
pub(super) struct RenderArgs {
    #[arg(value_name = "PATH", help = PATHS_HELP)]
    pub(super) paths: Vec<PathBuf>,
    /// What to write
    #[arg(long, value_enum, default_value_t = Target::RegistriesConf)]
    pub(super) to: Target,
}

/// What `render` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Target {
    /// The nodes' /etc/containers/registries.conf
    RegistriesConf,
}

/// `explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The image, with a tag or digest
    pub(super) image: String,
    #[arg(value_name = "PATH", help = PATHS_HELP)]
    pub(super) paths: Vec<PathBuf>,
}

/// `diff`.
#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// The objects before: a file, a folder, `-`, or `cluster`
    pub(super) old: PathBuf,
    /// The objects after: a file, a folder, `-`, or `cluster`
    pub(super) new: PathBuf,
    /// The least impact that makes the exit code 1
    #[arg(long, value_enum)]
    pub(super) fail_on: Option<FailOnImpact>,
}

/// Which impacts fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOnImpact {
    /// CRI-O reloads, or worse
    Reload,
    /// Nodes are drained
    Drain,
}

/// `overrides`.
#[derive(Debug, Args)]
pub(super) struct OverridesArgs {
    #[arg(value_name = "PATH", help = PATHS_HELP)]
    pub(super) paths: Vec<PathBuf>,
    /// Judge this value instead of deriving one
    #[arg(long, value_name = "VALUE")]
    pub(super) check: Option<String>,
    /// Only for this release of the hosted cluster, such as 4.20
    #[arg(long, value_name = "RELEASE")]
    pub(super) release: Option<String>,
}

/// `rules`.
#[derive(Debug, Args)]
pub(super) struct RulesArgs {
    /// The rule whose page to print
    pub(super) id: Option<String>,
}

/// `serve`.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Where the mirror sets are: `cluster`, or a file or folder that is followed as it changes
    /// [default: cluster in a pod]
    #[arg(long, value_name = "cluster|PATH")]
    pub(super) state: Option<PathBuf>,
    /// Where the webhook listens
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8443")]
    pub(super) listen: SocketAddr,
    /// Where probes and metrics are served, without TLS
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    pub(super) admin_listen: SocketAddr,
    /// Serving certificate, PEM; followed as it changes
    #[arg(long, value_name = "FILE", requires = "tls_key", required_unless_present = "tls_self_signed")]
    pub(super) tls_cert: Option<PathBuf>,
    /// Its key, PEM; followed as it changes
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(super) tls_key: Option<PathBuf>,
    /// Make a certificate for localhost and the listen address
    #[arg(long, conflicts_with_all = ["tls_cert", "tls_key", "client_ca"])]
    pub(super) tls_self_signed: bool,
    /// Write the CA of the certificate that was made
    #[arg(long, value_name = "FILE", requires = "tls_self_signed", conflicts_with_all = ["tls_cert", "tls_key"])]
    pub(super) tls_ca_out: Option<PathBuf>,
    /// Answer only clients with a certificate of this CA, PEM
    #[arg(long, value_name = "FILE")]
    pub(super) client_ca: Option<PathBuf>,
    /// Form of the log on standard error
    #[arg(long, value_enum, default_value_t = LogFormat::Auto)]
    pub(super) log_format: LogFormat,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// Text on a terminal, JSON elsewhere
    Auto,
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}
