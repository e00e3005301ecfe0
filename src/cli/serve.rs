//! `mirrorguard serve`.

use std::{
    env, fs,
    io::IsTerminal,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail};
use axum_server::tls_rustls::RustlsConfig;
use clap::{ArgGroup, Args, ValueEnum};
use kube::Client;
use mirrorguard_core::rules::Settings;
use tracing::{info, warn};
use tracing_subscriber::EnvFilter;

use super::{
    Answer,
    connect::{client, runtime},
    input::{is_cluster, note_of_namesake},
    managed::{ManagedArgs, duration},
    output::Output,
};
use crate::{
    cluster::{FileState, LiveState, Source, is_hosted_control_plane},
    server::{
        App, Listeners, Signals,
        certificate_files::{CertificateFiles, ClientCa},
        log,
        managed::Managed,
        tls::self_signed,
        traces::Traces,
    },
};

const HELP: &str = "\
Output:
  stdout  nothing
  stderr  the log: text on a terminal, JSON elsewhere

Environment:
  RUST_LOG                     log filter, such as mirrorguard=debug
  OTEL_EXPORTER_OTLP_ENDPOINT  endpoint for traces; other OpenTelemetry variables apply too

Exit codes:
  0  stopped by SIGTERM or SIGINT after all requests were answered
  2  usage error; a certificate, configuration or state that cannot be read; an address that is in use; --state cluster in a hosted cluster

Examples:
  mirrorguard serve --tls-cert tls.crt --tls-key tls.key --state cluster
  mirrorguard serve --tls-managed-secret mirrorguard/tls --tls-name mirrorguard.mirrorguard.svc \\
    --webhook-configuration mirrorguard
  mirrorguard serve --state mirrors/ --listen 127.0.0.1:8443 --tls-self-signed --tls-ca-out ca.crt
  curl --cacert ca.crt --json @review.json https://127.0.0.1:8443/validate";

/// Longer than any API server needs to notice that an endpoint was removed.
const LONGEST_DELAY: Duration = Duration::from_hours(1);

/// Run the admission webhook
///
/// Serves POST /validate and /mutate for AdmissionReviews (admission.k8s.io/v1) over TLS, and /healthz, /readyz and
/// /metrics on the admin address without TLS. Reloads certificates and state files when they change. On SIGTERM it
/// answers the requests in progress, then stops.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
#[command(group(ArgGroup::new("certificate").args(["tls_cert", "tls_self_signed", "tls_managed_secret"]).required(true)))]
pub(super) struct ServeArgs {
    /// Source of the mirror sets: `cluster`, or a file or folder; required outside of a pod [default in a pod:
    /// cluster]
    ///
    /// With `cluster`, mirrorguard watches the cluster of the pod or of the current kubeconfig, and reads it again
    /// before each decision on a mirror set. Files are reloaded when they change.
    #[arg(long, value_name = "cluster|PATH")]
    pub(super) state: Option<PathBuf>,
    /// Address of the webhook; [::] listens on all IPv4 and IPv6 addresses
    #[arg(long, value_name = "ADDRESS", default_value = "[::]:8443", value_parser = address)]
    pub(super) listen: SocketAddr,
    /// Address for probes and metrics, without TLS
    #[arg(long, value_name = "ADDRESS", default_value = "[::]:8080", value_parser = address)]
    pub(super) admin_listen: SocketAddr,
    /// Serving certificate (PEM); reloaded when it changes
    ///
    /// The certificate chain, leaf first. It must be valid for the Service of the webhook configuration, such as
    /// mirrorguard.mirrorguard.svc.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(super) tls_cert: Option<PathBuf>,
    /// Private key of the serving certificate (PEM); reloaded when it changes
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(super) tls_key: Option<PathBuf>,
    /// Generate a self-signed certificate for localhost and the listen address
    ///
    /// For tests only: every start generates a new one. Use --tls-ca-out to get the CA that clients must trust.
    #[arg(long, conflicts_with_all = ["tls_cert", "tls_key", "client_ca"])]
    pub(super) tls_self_signed: bool,
    /// Write the CA of the self-signed certificate to this file
    #[arg(long, value_name = "FILE", requires = "tls_self_signed", conflicts_with_all = ["tls_cert", "tls_key"])]
    pub(super) tls_ca_out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) managed: ManagedArgs,
    /// CA of client certificates (PEM); clients without a certificate issued by this CA are rejected
    #[arg(long, value_name = "FILE")]
    pub(super) client_ca: Option<PathBuf>,
    /// How long to accept requests after SIGTERM, while /readyz returns 503
    ///
    /// API servers need this time to notice that this endpoint is gone. Requests in progress then have another 10 s, so
    /// the grace period of the pod must be more than 10 s longer than this.
    #[arg(long, value_name = "DURATION", default_value = "3s", value_parser = shutdown_delay, hide_short_help = true)]
    pub(super) shutdown_delay: Duration,
    /// Format of the log on standard error
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Auto, hide_short_help = true)]
    pub(super) log_format: LogFormat,
}

/// An address with its port; names are not resolved.
fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "expected an IP address and a port, such as 127.0.0.1:8443 or [::1]:8443".to_owned())
}

/// A delay of at most [`LONGEST_DELAY`].
fn shutdown_delay(text: &str) -> Result<Duration> {
    let delay = Duration::try_from(duration(text)?).ok().filter(|delay| *delay <= LONGEST_DELAY);
    delay.ok_or_else(|| anyhow!("expected a duration from 0s to 1h, such as 10s"))
}

/// Format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// Text on a terminal, JSON elsewhere
    Auto,
    /// Text
    Text,
    /// One JSON object per line
    Json,
}

impl LogFormat {
    fn form(self) -> log::Form {
        match self {
            Self::Text => log::Form::Text,
            Self::Auto if std::io::stderr().is_terminal() => log::Form::Text,
            Self::Auto | Self::Json => log::Form::Json,
        }
    }
}

pub(super) fn run(args: &ServeArgs, output: &Output) -> Result<Answer> {
    let settings = output.settings()?;
    runtime()?.block_on(async {
        let traces = Traces::from_environment()?;
        log::start(args.log_format.form(), log_filter(output.verbose)?, traces.as_ref());
        let ended = serve(args, settings, output).await;
        if let Some(traces) = traces {
            traces.flush().await;
        }
        ended
    })
}

async fn serve(args: &ServeArgs, settings: Settings, output: &Output) -> Result<Answer> {
    let mut signals = Signals::catch().context("cannot catch signals")?;
    let (source, app, tls) = tokio::select! {
        started = start(args, settings, output) => started?,
        // An API server that does not respond delays the start, not the end.
        () = signals.received() => {
            info!("stopped before listening");
            return Ok(Answer::Yes);
        }
    };
    let listeners = Listeners { webhook: args.listen, admin: Some(args.admin_listen) };
    let bound = listeners.bind()?;
    let admin = bound.admin_address.unwrap_or(args.admin_listen);
    info!(address = %bound.address, %admin, "listening");
    let following = follow(source);
    bound.serve(app, tls, signals, args.shutdown_delay).await.context("the webhook stopped serving")?;
    following.abort();
    info!("stopped");
    Ok(Answer::Yes)
}

/// Opens the state and loads the certificate.
async fn start(
    args: &ServeArgs,
    settings: Settings,
    output: &Output,
) -> Result<(Source, Arc<App>, RustlsConfig)> {
    let source = open(args.state.as_deref(), output).await?;
    let app = App::new(settings, source.clone());
    let tls = certificate(args, &app, output).await?;
    Ok((source, app, tls))
}

/// Opens the state: files are read, a cluster is only connected to.
async fn open(state: Option<&Path>, output: &Output) -> Result<Source> {
    match state {
        Some(path) if !is_cluster(path) => {
            FileState::open(path).map(Source::Files).with_context(|| format!("--state {}", path.display()))
        }
        None if !is_in_pod() => {
            bail!(
                "--state is required outside of a pod: specify a file, a folder, or cluster (that of the current kubeconfig)"
            )
        }
        // `cluster`, or nothing in a pod. Only the word could also mean a file of that name.
        _ => {
            if let Some(note) = note_of_namesake().filter(|_| state.is_some()) {
                warn!("--state: {note}");
            }
            let client = client(output).await.context("--state cluster")?;
            refuse_hosted_control_plane(client.clone()).await?;
            Ok(Source::Live(LiveState::new(client)))
        }
    }
}

/// Fails on a hosted cluster. The chart does too, unless it is rendered without a cluster.
async fn refuse_hosted_control_plane(client: Client) -> Result<()> {
    match is_hosted_control_plane(client).await {
        Ok(false) => {}
        Ok(true) => bail!(
            "--state cluster: this is a hosted cluster (controlPlaneTopology of Infrastructure/cluster is External); \
             its mirror sets come from spec.imageContentSources of its HostedCluster. Uninstall mirrorguard here, \
             and run it on the management cluster. Until then, writes of mirror sets are denied here"
        ),
        Err(why) => warn!(
            "cannot check whether this is a hosted cluster (needs get on \
             infrastructures.config.openshift.io): {why}"
        ),
    }
    Ok(())
}

/// Keeps the state up to date, in a task of its own.
fn follow(source: Source) -> tokio::task::JoinHandle<()> {
    match source {
        Source::Files(files) => tokio::spawn(files.follow()),
        Source::Live(live) => tokio::spawn(live.follow()),
    }
}

/// The serving certificate from the source that the options name, and a task that keeps it up to date.
async fn certificate(args: &ServeArgs, app: &Arc<App>, output: &Output) -> Result<RustlsConfig> {
    if let (Some(certificate), Some(key)) = (&args.tls_cert, &args.tls_key) {
        let files = CertificateFiles {
            certificate: certificate.clone(),
            key: key.clone(),
            client_ca: args.client_ca.clone(),
            called: args.managed.called(is_in_pod()),
        };
        let (config, loaded) = files.load(app)?;
        tokio::spawn(files.follow(loaded, config.clone(), Arc::clone(app)));
        return Ok(config);
    }
    if let Some(options) = args.managed.options(args.client_ca.clone().map(ClientCa))? {
        let client = client(output).await.context("--tls-managed-secret")?;
        let (managed, config) = Managed::start(client, options, Arc::clone(app)).await?;
        tokio::spawn(managed.follow());
        return Ok(config);
    }
    // The group of these options requires one of them, so this is --tls-self-signed.
    let made = self_signed(&[args.listen.ip().to_string()])?;
    if let Some(path) = &args.tls_ca_out {
        fs::write(path, &made.ca)
            .with_context(|| format!("--tls-ca-out: cannot write {}", path.display()))?;
    }
    Ok(made.config)
}

fn is_in_pod() -> bool {
    env::var_os("KUBERNETES_SERVICE_HOST").is_some()
}

/// The log filter: `RUST_LOG`, or by `-v`.
fn log_filter(verbose: u8) -> Result<EnvFilter> {
    if let Ok(directives) = env::var("RUST_LOG")
        && !directives.is_empty()
    {
        return EnvFilter::try_new(&directives).with_context(|| {
            format!("RUST_LOG: cannot parse {directives:?}, expected a filter such as mirrorguard=debug")
        });
    }
    let level = match verbose {
        0 => "info",
        1 => "debug,kube=info,hyper=info,hyper_util=info,rustls=info,tower=info,h2=info",
        _ => "trace",
    };
    // mirrorguard itself logs the failed requests and batches that these two report.
    Ok(EnvFilter::new(format!("{level},kube_client::client::builder=off,opentelemetry=off")))
}
