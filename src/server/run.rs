//! From flags to listening sockets, and from a signal to a graceful end.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow};
use axum_server::{
    Handle,
    accept::NoDelayAcceptor,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use hyper_util::rt::TokioTimer;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};

use super::{App, admin, router};

/// How long a connection may be idle, or a request's head incomplete. An apiserver lets go of an idle connection after
/// 90 s (`apimachinery pkg/util/net/http.go` `SetTransportDefaults`) and has to be first: a request that meets the end
/// of its connection fails.
const HEAD_PATIENCE: Duration = Duration::from_mins(2);
/// How long an HTTP/2 connection may be silent before it is asked whether the other side is there.
const SILENCE: Duration = Duration::from_mins(1);
/// How much of a request a connection may hold before it is asked for; a request's head must fit.
const READ_BUFFER: usize = 8 << 10;
/// How many requests an HTTP/2 connection may carry at once, and how much of each may arrive unread. Bodies
/// that wait for their turn must never fill the connection, or the one whose turn it is does not arrive. So the
/// connection's window holds them all.
const STREAMS: u32 = 64;
const STREAM_WINDOW: u32 = 64 << 10;
/// How long requests that were taken may then still need.
const GRACE: Duration = Duration::from_secs(10);

/// Where to listen.
#[derive(Debug, Clone, Copy)]
pub struct Listeners {
    /// For the apiserver, TLS.
    pub webhook: SocketAddr,
    /// For probes and metrics, plain HTTP; `None`: not at all.
    pub admin: Option<SocketAddr>,
}

/// The signals that end the process, caught from here on.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Catches SIGTERM and SIGINT.
    pub fn catch() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the first of them, before there is anything to drain.
    pub async fn received(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Bound sockets: what can fail at start has not failed.
#[derive(Debug)]
pub struct Bound {
    webhook: TcpListener,
    admin: Option<TcpListener>,
    /// Where the webhook really listens.
    pub address: SocketAddr,
    /// Where probes and metrics really are.
    pub admin_address: Option<SocketAddr>,
}

impl Listeners {
    /// Binds.
    pub fn bind(self) -> Result<Bound> {
        let bind = |flag: &str, address: SocketAddr| {
            let listener = TcpListener::bind(address).and_then(|listener| {
                listener.set_nonblocking(true)?;
                Ok(listener)
            });
            listener.map_err(|error| {
                let fix = match error.kind() {
                    io::ErrorKind::AddrInUse => "; end what listens there, or choose another port",
                    io::ErrorKind::AddrNotAvailable => "; it is no address of this machine",
                    io::ErrorKind::PermissionDenied => "; choose a port from 1024 on",
                    _ => "",
                };
                anyhow!("{flag}: cannot listen on {address}: {error}{fix}")
            })
        };
        let webhook = bind("--listen", self.webhook)?;
        let admin = self.admin.map(|address| bind("--admin-listen", address)).transpose()?;
        let address = webhook.local_addr().context("--listen")?;
        let admin_address = admin.as_ref().and_then(|listener| listener.local_addr().ok());
        Ok(Bound { webhook, admin, address, admin_address })
    }
}

impl Bound {
    /// Serves until SIGTERM or SIGINT, then drains; a second signal aborts.
    ///
    /// After SIGTERM requests are taken for `delay` more, until every apiserver has heard that the endpoint is gone;
    /// `/readyz` says so at once, and so does every answer over HTTP/1.1. Then nobody can connect any more, and
    /// connections that are there are closed once what was asked on them is answered: those of HTTP/2 by GOAWAY.
    pub async fn serve(
        self,
        app: Arc<App>,
        tls: RustlsConfig,
        signals: Signals,
        delay: Duration,
    ) -> io::Result<()> {
        let handle = Handle::new();
        let admin_handle = Handle::new();
        let admin = {
            let (app, handle) = (Arc::clone(&app), admin_handle.clone());
            async move {
                let Some(listener) = self.admin else { return Ok(()) };
                axum_server::from_tcp(listener)?
                    .handle(handle)
                    .serve(admin::router(app).into_make_service())
                    .await
            }
        };
        let admin = tokio::spawn(admin);
        let stop = tokio::spawn(stop_on_signal(Arc::clone(&app), handle.clone(), signals, delay));
        let acceptor = RustlsAcceptor::new(tls).acceptor(NoDelayAcceptor::new());
        let mut server = axum_server::from_tcp(self.webhook)?.acceptor(acceptor).handle(handle);
        let mut http = server.http_builder().http1();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE).max_buf_size(READ_BUFFER);
        let mut http = server.http_builder().http2();
        http.timer(TokioTimer::new()).keep_alive_interval(SILENCE).keep_alive_timeout(GRACE);
        http.max_concurrent_streams(STREAMS).initial_stream_window_size(STREAM_WINDOW);
        http.initial_connection_window_size((STREAMS + 1) * STREAM_WINDOW);
        let result = server.serve(router(app).into_make_service()).await;
        stop.abort();
        admin_handle.shutdown();
        if let Ok(Err(error)) = admin.await {
            warn!("probes and metrics: {error}");
        }
        result
    }
}

async fn stop_on_signal(app: Arc<App>, handle: Handle<SocketAddr>, mut signals: Signals, delay: Duration) {
    let Signals { terminate, interrupt } = &mut signals;
    let delay = tokio::select! {
        _ = terminate.recv() => delay,
        // Someone at a terminal waits for nobody.
        _ = interrupt.recv() => Duration::ZERO,
    };
    info!("stopping; a second signal aborts");
    app.readiness.stop();
    let drain = async {
        tokio::time::sleep(delay).await;
        handle.graceful_shutdown(Some(GRACE));
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = drain => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    warn!("aborting");
    handle.shutdown();
}
