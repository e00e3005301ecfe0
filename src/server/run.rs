//! From flags to listening sockets, and from a signal to a graceful end.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
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
    /// Binds. `[::]` is every address, those of IPv4 too, and these alone where the kernel has no IPv6.
    pub fn bind(self) -> Result<Bound> {
        let webhook = listen("--listen", self.webhook)?;
        let admin = self.admin.map(|address| listen("--admin-listen", address)).transpose()?;
        let address = webhook.local_addr().context("--listen")?;
        let admin_address = admin.as_ref().and_then(|listener| listener.local_addr().ok());
        Ok(Bound { webhook, admin, address, admin_address })
    }
}

fn listen(flag: &str, address: SocketAddr) -> Result<TcpListener> {
    let bound = TcpListener::bind(address).or_else(|error| {
        let Some(other) = stand_in(address, error.kind()) else { return Err(error) };
        // What was asked for is what the user knows.
        let listener = TcpListener::bind(other).map_err(|_| error)?;
        info!("{flag}: IPv6 is not available; listening on {other} instead of {address}");
        Ok(listener)
    });
    let listener = bound.and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
    listener.map_err(|error| {
        let fix = match error.kind() {
            io::ErrorKind::AddrInUse => "; stop the process that uses this port, or choose another port",
            io::ErrorKind::AddrNotAvailable => "; choose an address of this machine",
            io::ErrorKind::PermissionDenied => "; choose a port above 1023",
            _ => "",
        };
        anyhow!("{flag}: cannot listen on {address}: {error}{fix}")
    })
}

/// Where to listen in place of `[::]`, unless it is the port that cannot be had. Kernels without IPv6 do not know the
/// address family (`EAFNOSUPPORT`, for which there is no kind), or that address.
fn stand_in(address: SocketAddr, error: io::ErrorKind) -> Option<SocketAddr> {
    let of_port = matches!(error, io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied);
    let is_every = address.ip() == Ipv6Addr::UNSPECIFIED;
    (is_every && !of_port).then(|| SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port()))
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
            warn!("cannot serve probes and metrics: {error}");
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
    info!("shutting down; a second signal stops the process immediately");
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
    warn!("stopping immediately");
    handle.shutdown();
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, TcpStream};

    use super::*;

    #[test]
    fn every_address_is_that_of_ipv6_and_of_ipv4() -> Result<()> {
        let every = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0);
        let bound = Listeners { webhook: every, admin: Some(every) }.bind()?;
        let ports = [bound.address.port(), bound.admin_address.context("no admin address")?.port()];
        let loopbacks: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        // What this machine does not have, nobody comes from.
        let here = loopbacks.into_iter().filter(|address| TcpListener::bind((*address, 0)).is_ok());
        for address in here {
            for port in ports {
                TcpStream::connect((address, port)).with_context(|| format!("{address}, port {port}"))?;
            }
        }
        Ok(())
    }

    #[test]
    fn only_every_address_has_a_stand_in() -> Result<()> {
        let no_family = io::Error::from_raw_os_error(97).kind();
        let table = [
            ("[::]:8443", no_family, Some("0.0.0.0:8443"), "a kernel that does not know IPv6"),
            ("[::]:8443", io::ErrorKind::AddrNotAvailable, Some("0.0.0.0:8443"), "one that has none"),
            ("[::]:8443", io::ErrorKind::AddrInUse, None, "the port is taken there too"),
            ("[::]:443", io::ErrorKind::PermissionDenied, None, "the port may not be had there either"),
            ("[::1]:8443", no_family, None, "it was asked for by name"),
            ("0.0.0.0:8443", io::ErrorKind::AddrNotAvailable, None, "it is the stand-in"),
        ];
        for (address, error, expected, reason) in table {
            let expected = expected.map(str::parse::<SocketAddr>).transpose()?;
            assert_eq!(stand_in(address.parse()?, error), expected, "{address}, {error}: {reason}");
        }
        Ok(())
    }
}
