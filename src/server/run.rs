//! Listening sockets, and the graceful shutdown after a signal.

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

/// How long a connection may be idle, or the head of a request incomplete. An API server closes an idle connection
/// after 90 s (`apimachinery pkg/util/net/http.go` `SetTransportDefaults`) and has to be the first to do so: a request
/// on a connection that the server closes at the same moment fails.
const HEAD_PATIENCE: Duration = Duration::from_mins(2);
/// How long an HTTP/2 connection may be silent before it is checked with a ping.
const SILENCE: Duration = Duration::from_mins(1);
/// How much of a request a connection may buffer before it is read; the head of a request must fit.
const READ_BUFFER: usize = 8 << 10;
/// How many requests an HTTP/2 connection may carry at once, and how much of each may arrive unread. Bodies that wait
/// for their turn must not fill the connection, or the body whose turn it is does not arrive. So the window of the
/// connection holds all of them.
const STREAMS: u32 = 64;
const STREAM_WINDOW: u32 = 64 << 10;
/// How long requests that have arrived may still take once the listener is closed, and how long a ping may stay
/// unanswered.
const GRACE: Duration = Duration::from_secs(10);

/// Where to listen.
#[derive(Debug, Clone, Copy)]
pub struct Listeners {
    /// Address for API servers, with TLS.
    pub webhook: SocketAddr,
    /// Address for probes and metrics, plain HTTP; `None` to serve neither.
    pub admin: Option<SocketAddr>,
}

/// The signals that end the process.
#[derive(Debug)]
pub struct Signals(Option<Caught>);

#[derive(Debug)]
struct Caught {
    terminate: Signal,
    interrupt: Signal,
}

/// A signal that was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Received {
    Terminate,
    Interrupt,
}

impl Signals {
    /// Catches SIGTERM and SIGINT from now on.
    pub fn catch() -> io::Result<Self> {
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(Self(Some(Caught { terminate, interrupt })))
    }

    /// Catches none: each ends the process at once.
    pub fn uncaught() -> Self {
        Self(None)
    }

    /// Waits for a signal during the start. Later, [`Bound::serve`] waits for signals, and drains requests.
    pub async fn received(&mut self) {
        self.next().await;
    }

    /// Waits for the next signal.
    async fn next(&mut self) -> Received {
        let Some(Caught { terminate, interrupt }) = &mut self.0 else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => Received::Terminate,
            _ = interrupt.recv() => Received::Interrupt,
        }
    }
}

/// Bound sockets.
#[derive(Debug)]
pub struct Bound {
    webhook: TcpListener,
    admin: Option<TcpListener>,
    /// The address of the webhook, with the port that was assigned.
    pub address: SocketAddr,
    /// The address of probes and metrics, with the port that was assigned.
    pub admin_address: Option<SocketAddr>,
}

impl Listeners {
    /// Binds the sockets. `[::]` means all addresses of IPv6 and IPv4, or of IPv4 alone if the kernel has no IPv6.
    pub fn bind(self) -> Result<Bound> {
        let webhook = listen("--listen", self.webhook)?;
        let admin = self.admin.map(|address| listen("--admin-listen", address)).transpose()?;
        let address = webhook.local_addr().context("--listen")?;
        let admin_address = admin.as_ref().and_then(|listener| listener.local_addr().ok());
        Ok(Bound { webhook, admin, address, admin_address })
    }
}

fn listen(flag: &str, address: SocketAddr) -> Result<TcpListener> {
    bind(flag, address).map_err(|error| {
        let fix = match error.kind() {
            io::ErrorKind::AddrInUse => "; stop the process that uses this port, or choose another port",
            io::ErrorKind::AddrNotAvailable => "; choose an address of this machine",
            io::ErrorKind::PermissionDenied => "; choose a port above 1023",
            _ => "",
        };
        anyhow!("{flag}: cannot listen on {address}: {error}{fix}")
    })
}

fn bind(flag: &str, address: SocketAddr) -> io::Result<TcpListener> {
    let listener = match TcpListener::bind(address) {
        Ok(listener) => listener,
        Err(error) => {
            let Some(other) = ipv4_fallback(address, error.kind()) else { return Err(error) };
            // The first error is about the address that the user specified.
            let listener = TcpListener::bind(other).map_err(|_| error)?;
            info!("{flag}: IPv6 is not available; listening on {other} instead of {address}");
            listener
        }
    };
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The address to use instead of `[::]`, unless the error is about the port. Kernels without IPv6 report an unknown
/// address family (`EAFNOSUPPORT`, for which there is no kind) or an unknown address.
fn ipv4_fallback(address: SocketAddr, error: io::ErrorKind) -> Option<SocketAddr> {
    let is_port_error = matches!(error, io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied);
    if address.ip() != Ipv6Addr::UNSPECIFIED || is_port_error {
        return None;
    }
    Some(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port()))
}

impl Bound {
    /// Serves until SIGTERM or SIGINT, then drains; a second signal stops at once.
    ///
    /// After SIGTERM, requests are accepted for `delay`, until every API server knows that the endpoint is gone.
    /// `/readyz` reports the shutdown immediately, and answers over HTTP/1.1 ask clients to close the connection. Then
    /// the listener is closed, and each open connection is closed once its requests are answered, those of HTTP/2
    /// with GOAWAY.
    pub async fn serve(
        self,
        app: Arc<App>,
        tls: RustlsConfig,
        signals: Signals,
        delay: Duration,
    ) -> io::Result<()> {
        let handle = Handle::new();
        let admin_handle = Handle::new();
        let admin = tokio::spawn(serve_admin(self.admin, Arc::clone(&app), admin_handle.clone()));
        let stop = tokio::spawn(stop_on_signal(Arc::clone(&app), handle.clone(), signals, delay));
        let acceptor = RustlsAcceptor::new(tls).acceptor(NoDelayAcceptor::new());
        let mut server = axum_server::from_tcp(self.webhook)?.acceptor(acceptor).handle(handle);
        let mut http = server.http_builder().http1();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE).max_buf_size(READ_BUFFER);
        let mut http = server.http_builder().http2();
        http.timer(TokioTimer::new()).keep_alive_interval(SILENCE).keep_alive_timeout(GRACE);
        http.max_concurrent_streams(STREAMS).initial_stream_window_size(STREAM_WINDOW);
        // The window of one stream is left when all bodies wait.
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

async fn serve_admin(
    listener: Option<TcpListener>,
    app: Arc<App>,
    handle: Handle<SocketAddr>,
) -> io::Result<()> {
    let Some(listener) = listener else { return Ok(()) };
    let server = axum_server::from_tcp(listener)?.handle(handle);
    server.serve(admin::router(app).into_make_service()).await
}

/// Drains the server after the first signal, and stops it at once after the second one.
async fn stop_on_signal(app: Arc<App>, handle: Handle<SocketAddr>, mut signals: Signals, delay: Duration) {
    let delay = match signals.next().await {
        Received::Terminate => delay,
        // Nobody at a terminal waits for endpoints to disappear.
        Received::Interrupt => Duration::ZERO,
    };
    info!("shutting down; a second signal stops the process immediately");
    app.readiness.stop();
    let drain = async {
        tokio::time::sleep(delay).await;
        handle.graceful_shutdown(Some(GRACE));
        // `serve` aborts this task once the last connection is closed.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = drain => {}
        _ = signals.next() => {}
    }
    warn!("stopping immediately");
    handle.shutdown();
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, TcpStream};

    use super::*;

    #[test]
    fn all_addresses_are_those_of_ipv6_and_ipv4() -> Result<()> {
        let all = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0);
        let bound = Listeners { webhook: all, admin: Some(all) }.bind()?;
        let ports = [bound.address.port(), bound.admin_address.context("no admin address")?.port()];
        let loopbacks: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        for address in loopbacks {
            if TcpListener::bind((address, 0)).is_err() {
                // The machine does not have this address.
                continue;
            }
            for port in ports {
                TcpStream::connect((address, port)).with_context(|| format!("{address}, port {port}"))?;
            }
        }
        Ok(())
    }

    #[test]
    fn only_an_ipv6_listener_for_all_addresses_falls_back_to_ipv4() -> Result<()> {
        // EAFNOSUPPORT of Linux.
        let no_family = io::Error::from_raw_os_error(97).kind();
        let table = [
            ("[::]:8443", no_family, Some("0.0.0.0:8443"), "a kernel without IPv6"),
            (
                "[::]:8443",
                io::ErrorKind::AddrNotAvailable,
                Some("0.0.0.0:8443"),
                "a kernel with IPv6 turned off",
            ),
            ("[::]:8443", io::ErrorKind::AddrInUse, None, "the port is in use there too"),
            ("[::]:443", io::ErrorKind::PermissionDenied, None, "the port is not allowed there either"),
            ("[::1]:8443", no_family, None, "one address was specified"),
            ("0.0.0.0:8443", io::ErrorKind::AddrNotAvailable, None, "it is the fallback"),
        ];
        for (address, error, expected, reason) in table {
            let expected = expected.map(str::parse::<SocketAddr>).transpose()?;
            assert_eq!(ipv4_fallback(address.parse()?, error), expected, "{address}, {error}: {reason}");
        }
        Ok(())
    }
}
