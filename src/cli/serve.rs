//! `mirrorguard serve`.

use std::{env, fs, io::IsTerminal, path::Path, sync::Arc};

use anyhow::{Context as _, Result, bail};
use axum_server::tls_rustls::RustlsConfig;
use tracing::info;
use tracing_subscriber::EnvFilter;

use super::{
    Answer,
    args::{LogFormat, ServeArgs},
    input,
    output::Output,
};
use crate::{
    cluster::{FileState, LiveState, Source},
    server::{
        App, Listeners, Signals,
        tls::{CertificateFiles, self_signed},
    },
};

pub(super) fn run(args: &ServeArgs, output: &Output) -> Result<Answer> {
    log_to_stderr(args.log_format, output.verbose);
    let settings = output.settings()?;
    input::runtime()?.block_on(async {
        let signals = Signals::catch().context("cannot catch signals")?;
        let source = open(args.state.as_deref()).await?;
        let app = App::new(settings, source.clone());
        let tls = certificate(args, &app)?;
        let listeners = Listeners { webhook: args.listen, admin: Some(args.admin_listen) };
        let bound = listeners.bind()?;
        let admin = bound.admin_address.unwrap_or(args.admin_listen);
        info!(address = %bound.address, %admin, "listening");
        let following = follow(source);
        bound.serve(app, tls, signals).await.context("the webhook stopped serving")?;
        following.abort();
        info!("stopped");
        Ok(Answer::Yes)
    })
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
        _ => Ok(Source::Live(LiveState::new(input::client().await.context("--state cluster")?))),
    }
}

fn follow(source: Source) -> tokio::task::JoinHandle<()> {
    match source {
        Source::Files(files) => tokio::spawn(files.follow()),
        Source::Live(live) => tokio::spawn(live.follow()),
    }
}

fn certificate(args: &ServeArgs, app: &Arc<App>) -> Result<RustlsConfig> {
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
    let made = self_signed(&[args.listen.ip().to_string()])?;
    if let Some(path) = &args.tls_ca_out {
        fs::write(path, &made.ca)
            .with_context(|| format!("--tls-ca-out: cannot write {}", path.display()))?;
    }
    Ok(made.config)
}

fn log_to_stderr(format: LogFormat, verbose: u8) {
    let level = match verbose {
        0 => "info",
        1 => "debug,kube=info,hyper=info,rustls=info,tower=info",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let text = match format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    if text { builder.init() } else { builder.json().flatten_event(true).init() }
}
