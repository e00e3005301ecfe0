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
use tracing::{info, warn};
use tracing_subscriber::EnvFilter;

use super::{
    Answer, input,
    managed::{ManagedArgs, time},
    output::Output,
};
use crate::{
    cluster::{FileState, LiveState, Source, is_hosted_control_plane},
    server::{
        App, Listeners, Signals, log,
        managed::Managed,
        tls::{CertificateFiles, ClientCa, self_signed},
        traces::Traces,
    },
};
use mirrorguard_core::rules::Settings;

const HELP: &str = "\
Output:
  stdout  nothing
  stderr  the log, as text on a terminal and as JSON elsewhere

Environment:
  RUST_LOG                     what is logged, such as mirrorguard=debug
  OTEL_EXPORTER_OTLP_ENDPOINT  where traces are sent; other variables of OpenTelemetry too

Exit codes:
  0  stopped by SIGTERM or SIGINT, after the requests under way were answered
  2  usage, a certificate, configuration or state that cannot be read, an address that is taken, the cluster of a hosted control plane

Examples:
  mirrorguard serve --tls-cert tls.crt --tls-key tls.key --state cluster
  mirrorguard serve --tls-managed-secret mirrorguard/tls --tls-name mirrorguard.mirrorguard.svc \\
    --webhook-configuration mirrorguard
  mirrorguard serve --state mirrors/ --listen 127.0.0.1:8443 --tls-self-signed --tls-ca-out ca.crt
  curl --cacert ca.crt --json @review.json https://127.0.0.1:8443/validate";

/// Longer than any apiserver takes to learn that an endpoint is gone.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// Run the admission webhook
///
/// POST /validate and /mutate take AdmissionReviews of admission.k8s.io/v1 over TLS. The admin address serves
/// /healthz, /readyz and /metrics without TLS. Certificates and files of state are followed as they change.
/// SIGTERM ends it once the requests under way are answered.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
#[command(group(ArgGroup::new("certificate").args(["tls_cert", "tls_self_signed", "tls_managed_secret"]).required(true)))]
pub(super) struct ServeArgs {
    /// Where the mirror sets are: `cluster`, or a file or folder that is followed as it changes [default: cluster in
    /// a pod]
    ///
    /// With `cluster` the apiserver of the current kubeconfig, or of the pod, is watched, and asked again before
    /// each decision on a mirror set. A path needs no cluster.
    #[arg(long, value_name = "cluster|PATH")]
    pub(super) state: Option<PathBuf>,
    /// Where the webhook listens; [::] is every address, of IPv4 too
    #[arg(long, value_name = "ADDRESS", default_value = "[::]:8443", value_parser = address)]
    pub(super) listen: SocketAddr,
    /// Where probes and metrics are served, without TLS
    #[arg(long, value_name = "ADDRESS", default_value = "[::]:8080", value_parser = address)]
    pub(super) admin_listen: SocketAddr,
    /// Serving certificate, PEM; followed as it changes
    ///
    /// The chain, leaf first. It must name the service that the webhook configuration names, such as
    /// mirrorguard.mirrorguard.svc.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(super) tls_cert: Option<PathBuf>,
    /// Its key, PEM; followed as it changes
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(super) tls_key: Option<PathBuf>,
    /// Make a certificate for localhost and the listen address
    ///
    /// For trying out: it is made anew at every start, and only --tls-ca-out tells clients which CA to trust.
    #[arg(long, conflicts_with_all = ["tls_cert", "tls_key", "client_ca"])]
    pub(super) tls_self_signed: bool,
    /// Write the CA of the certificate that was made
    #[arg(long, value_name = "FILE", requires = "tls_self_signed", conflicts_with_all = ["tls_cert", "tls_key"])]
    pub(super) tls_ca_out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) managed: ManagedArgs,
    /// Answer only clients with a certificate of this CA, PEM
    #[arg(long, value_name = "FILE")]
    pub(super) client_ca: Option<PathBuf>,
    /// How long requests are still taken after SIGTERM, while /readyz answers 503 already
    ///
    /// As long as apiservers may take to learn that this endpoint goes away. Requests under way have 10 s more, so
    /// a pod needs a grace period that much longer, and some to spare.
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = pause, hide_short_help = true)]
    pub(super) shutdown_delay: Duration,
    /// Form of the log on standard error
    #[arg(long, value_enum, default_value_t = LogFormat::Auto, hide_short_help = true)]
    pub(super) log_format: LogFormat,
}

/// An address with its port; names are not looked up.
fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "expected an IP address and a port, such as 127.0.0.1:8443 or [::1]:8443".to_owned())
}

/// A time that somebody waits for.
fn pause(text: &str) -> Result<Duration> {
    let time = Duration::try_from(time(text)?).ok().filter(|time| *time <= LONGEST_PAUSE);
    time.ok_or_else(|| anyhow!("expected a time from zero to an hour, such as 10s"))
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
    input::runtime()?.block_on(async {
        let traces = Traces::from_environment()?;
        log::start(args.log_format.form(), log_filter(output.verbose)?, traces.as_ref());
        let ended = serve(args, settings).await;
        if let Some(traces) = traces {
            traces.flush().await;
        }
        ended
    })
}

async fn serve(args: &ServeArgs, settings: Settings) -> Result<Answer> {
    let mut signals = Signals::catch().context("cannot catch signals")?;
    let start = async {
        let source = open(args.state.as_deref()).await?;
        let app = App::new(settings, source.clone());
        let tls = certificate(args, &app).await?;
        anyhow::Ok((source, app, tls))
    };
    let (source, app, tls) = tokio::select! {
        started = start => started?,
        // An apiserver that does not answer holds up the start, and not its end.
        () = signals.received() => {
            info!("stopped before it listened");
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

async fn open(state: Option<&Path>) -> Result<Source> {
    let in_pod = env::var_os("KUBERNETES_SERVICE_HOST").is_some();
    match state {
        Some(path) if path.as_os_str() != "cluster" => {
            FileState::open(path).map(Source::Files).with_context(|| format!("--state {}", path.display()))
        }
        None if !in_pod => {
            bail!("--state is missing: name a file or folder, or `cluster` for the current kubeconfig")
        }
        _ => {
            let client = input::client().await.context("--state cluster")?;
            refuse_hosted_control_plane(client.clone()).await?;
            Ok(Source::Live(LiveState::new(client)))
        }
    }
}

/// The chart refuses such a cluster too, where it was not rendered without one.
async fn refuse_hosted_control_plane(client: Client) -> Result<()> {
    match is_hosted_control_plane(client).await {
        Ok(false) => {}
        Ok(true) => bail!(
            "--state cluster: this is the cluster of a hosted control plane (Infrastructure/cluster has \
             controlPlaneTopology External): its mirror sets are written from spec.imageContentSources of its \
             HostedCluster. Run mirrorguard on the management cluster, and uninstall it here: until then writes \
             of mirror sets are refused"
        ),
        Err(why) => warn!(
            "cannot tell whether this is the cluster of a hosted control plane, needs get on \
             infrastructures.config.openshift.io: {why}"
        ),
    }
    Ok(())
}

fn follow(source: Source) -> tokio::task::JoinHandle<()> {
    match source {
        Source::Files(files) => tokio::spawn(files.follow()),
        Source::Live(live) => tokio::spawn(live.follow()),
    }
}

async fn certificate(args: &ServeArgs, app: &Arc<App>) -> Result<RustlsConfig> {
    if let (Some(certificate), Some(key)) = (&args.tls_cert, &args.tls_key) {
        let files = CertificateFiles {
            certificate: certificate.clone(),
            key: key.clone(),
            client_ca: args.client_ca.clone(),
        };
        let (config, loaded) = files.load(&app.metrics)?;
        tokio::spawn(files.follow(loaded, config.clone(), Arc::clone(app)));
        return Ok(config);
    }
    if let Some(options) = args.managed.options(args.client_ca.clone().map(ClientCa))? {
        let client = input::client().await.context("--tls-managed-secret")?;
        let (managed, config) = Managed::start(client, options, Arc::clone(app)).await?;
        tokio::spawn(managed.follow());
        return Ok(config);
    }
    let made = self_signed(&[args.listen.ip().to_string()])?;
    if let Some(path) = &args.tls_ca_out {
        fs::write(path, &made.ca)
            .with_context(|| format!("--tls-ca-out: cannot write {}", path.display()))?;
    }
    Ok(made.config)
}

/// What is logged: by `RUST_LOG`, or as `-v` says.
fn log_filter(verbose: u8) -> Result<EnvFilter> {
    if let Ok(directives) = env::var("RUST_LOG")
        && !directives.is_empty()
    {
        return EnvFilter::try_new(&directives).with_context(|| {
            format!("RUST_LOG: cannot read {directives:?}, expected such as mirrorguard=debug")
        });
    }
    let level = match verbose {
        0 => "info",
        1 => "debug,kube=info,hyper=info,hyper_util=info,rustls=info,tower=info,h2=info",
        _ => "trace",
    };
    // A request or batch that fails is told where it matters; the libraries would tell it once more.
    Ok(EnvFilter::new(format!("{level},kube_client::client::builder=off,opentelemetry=off")))
}
