//! Connections to the cluster of the current kubeconfig.

use std::{fmt, io, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use jiff::SignedDuration;
use kube::Client;
use mirrorguard_core::objects::{Kind, SetKind};

use super::{
    credentials::make_client,
    kubeconfig::{self, Selected},
    managed,
    output::Output,
    progress::Progress,
};
use crate::cluster::{ListError, Permission, cause, is_timeout};

/// A connection to a cluster for single requests. If it exists for longer than a moment, a message shows which server
/// is waited for.
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) server: Server,
    /// Ends the message when it is dropped.
    _waiting: Progress,
}

/// An API server, as messages name it.
#[derive(Debug, Clone)]
pub(super) struct Server {
    url: String,
    context: Option<String>,
    timeout: RequestTimeout,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.context {
            Some(context) => write!(f, "{} (context {context})", self.url),
            None => f.write_str(&self.url),
        }
    }
}

impl Server {
    /// Why a request failed.
    pub(super) fn describe(&self, error: &kube::Error) -> String {
        match self.timeout.0 {
            Some(_) if is_timeout(error) => {
                format!("no response within {} (--request-timeout)", self.timeout)
            }
            _ => cause(error),
        }
    }
}

/// The longest time that a request may take; without one, there is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RequestTimeout(Option<Duration>);

impl fmt::Display for RequestTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.and_then(|limit| SignedDuration::try_from(limit).ok()) {
            Some(limit) => write!(f, "{limit:#}"),
            // No limit; or one of billions of years, which no message is ever about.
            None => f.write_str("0"),
        }
    }
}

/// A limit as kubectl reads it: a number of seconds, or a duration such as `1m`; 0 is no limit.
pub(super) fn request_timeout(text: &str) -> Result<RequestTimeout> {
    let wrong = || anyhow!("expected a duration such as 30s or 1m, or 0 for no limit");
    let limit = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => Duration::try_from(managed::duration(text).map_err(|_| wrong())?).map_err(|_| wrong())?,
    };
    Ok(RequestTimeout(Some(limit).filter(|limit| !limit.is_zero())))
}

/// A connection for the current kubeconfig, or to the cluster of the pod if there is no kubeconfig. For commands that
/// read a cluster once: a request fails after `--request-timeout`. `serve` calls [`client`].
pub(super) async fn connect(output: &Output) -> Result<Connection> {
    let timeout = output.request_timeout;
    let mut selected = kubeconfig::load().await?;
    selected.config.read_timeout = timeout.0;
    let server = Server {
        url: selected.config.cluster_url.to_string().trim_end_matches('/').to_owned(),
        context: selected.origin.as_ref().map(|origin| origin.context.clone()),
        timeout,
    };
    let waiting = output.waiting(format!("waiting for {server}"));
    let client = client_of(selected, timeout).await?;
    Ok(Connection { client, server, _waiting: waiting })
}

/// A client for the current kubeconfig, or for the cluster of the pod. For `serve`: only connecting is limited by
/// `--request-timeout`, because a watch may be silent for minutes. Other commands call [`connect`].
pub(super) async fn client(output: &Output) -> Result<Client> {
    client_of(kubeconfig::load().await?, output.request_timeout).await
}

/// A client that may take this long to connect, and for its credential plugin. How long it waits for a response is up
/// to the caller.
async fn client_of(selected: Selected, timeout: RequestTimeout) -> Result<Client> {
    let Selected { mut config, origin } = selected;
    config.connect_timeout = timeout.0;
    let auth = config.auth_info.clone();
    let made = make_client(config, timeout.0).await;
    match (made, origin) {
        (Some(made), Some(origin)) => made.map_err(|error| origin.cannot_connect(&auth, &error)),
        (Some(made), None) => made.context("cannot create a client for the cluster of this pod"),
        // Only a kubeconfig has a credential plugin.
        (None, origin) => Err(origin.unwrap_or_default().plugin_timed_out(&auth, timeout)),
    }
}

/// What to do about a failed request to an API server: `right` names the permission that the request needs. Empty where
/// the message of the API server says enough.
pub(super) fn advice<'a>(error: &kube::Error, right: &'a str) -> &'a str {
    match error {
        kube::Error::Api(status) if status.code == 401 => "log in again, for example with oc login",
        kube::Error::Api(status) if status.code == 403 => right,
        kube::Error::Api(_) => "",
        kube::Error::SerdeError(_) => {
            "the response is not from an API server; check the server of the current context: \
             kubectl config view --minify"
        }
        _ => "check the server and certificates of the current context: kubectl config view --minify",
    }
}

/// Why a kind of a cluster could not be listed, and what to do about it.
pub(super) fn cannot_list(server: &Server, ListError { kind, error }: &ListError) -> anyhow::Error {
    if let kube::Error::Api(status) = error
        && status.code == 403
    {
        let why = Permission::to_list(*kind).describe_refusal(&status.message);
        return anyhow!("cannot list the {} of {server}: {why}", describe_kind(*kind));
    }
    let advice = advice(error, "");
    let advice = if advice.is_empty() { String::new() } else { format!("; {advice}") };
    // Any other error is about the cluster, not about the kind of mirror sets that was listed first.
    let what = if let Kind::Set(_) = kind { "mirror sets".to_owned() } else { describe_kind(*kind) };
    anyhow!("cannot list the {what} of {server}: {}{advice}", server.describe(error))
}

/// The objects of a kind, in the plural.
pub(super) fn describe_kind(kind: Kind) -> String {
    match kind {
        Kind::ImageConfig => "insecure and blocked registries (Image)".to_owned(),
        Kind::ClusterVersion => "release image (ClusterVersion)".to_owned(),
        Kind::Set(SetKind::Icsp) => "ImageContentSourcePolicies".to_owned(),
        other => format!("{}s", other.name()),
    }
}

/// A runtime for commands with network connections. On one core it has one thread, which saves waking another
/// one for every request.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime> {
    let is_single_core = std::thread::available_parallelism().is_ok_and(|cores| cores.get() == 1);
    let mut builder = if is_single_core {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    builder.enable_all().build().map_err(cannot_start)
}

fn cannot_start(error: io::Error) -> anyhow::Error {
    anyhow!(error).context("cannot start the async runtime")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_read_as_kubectl_reads_it() {
        // What is given, and the seconds that are read: `None` is an error, `Some(None)` no limit. Then how it is
        // shown.
        let table = [
            ("30s", Some(Some(30)), "30s", "a duration"),
            ("1m30s", Some(Some(90)), "1m 30s", "of two units"),
            ("5", Some(Some(5)), "5s", "seconds"),
            ("0", Some(None), "0", "no limit"),
            ("0s", Some(None), "0", "no limit"),
            ("-1s", None, "", "before it began"),
            ("soon", None, "", "no duration"),
            ("", None, "", "nothing"),
        ];
        for (text, seconds, shown, reason) in table {
            let read = request_timeout(text).ok();
            let expected = seconds.map(|seconds| RequestTimeout(seconds.map(Duration::from_secs)));
            assert_eq!(read, expected, "{reason}");
            assert_eq!(read.map(|read| read.to_string()).unwrap_or_default(), shown, "{reason}");
        }
    }
}
