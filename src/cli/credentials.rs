//! The credentials of a kubeconfig: its credential plugin (exec), and why there are none.

use std::{
    fmt::Display,
    io::{self, IsTerminal},
    thread,
    time::Duration,
};

use kube::{
    Client, Config, Error,
    client::AuthError,
    config::{AuthInfo, ExecConfig, ExecInteractiveMode},
};
use tokio::{runtime::Handle, sync::oneshot};

use crate::cluster::describe_plugin_failure;

/// Makes a client, which runs the credential plugin if there is one; `None` if the plugin did not end within the limit.
/// A plugin that may ask something on a terminal has no limit: people need minutes for a log-in.
pub(super) async fn make_client(
    mut config: Config,
    limit: Option<Duration>,
) -> Option<Result<Client, Error>> {
    let Some(exec) = &mut config.auth_info.exec else { return Some(Client::try_from(config)) };
    // The library connects a plugin to both or to neither. One that reads nothing may still show on standard error what
    // to do, such as the address of a log-in.
    if !(io::stdin().is_terminal() || io::stderr().is_terminal()) {
        set_not_interactive(exec);
    }
    let limit = limit.filter(|_| exec.interactive_mode == Some(ExecInteractiveMode::Never));
    let (send, made) = oneshot::channel();
    let runtime = Handle::current();
    // A thread of its own, which does not delay the end of the process as one of the runtime would.
    thread::spawn(move || {
        let _entered = runtime.enter();
        // After the limit, nobody waits for it any more.
        drop(send.send(Client::try_from(config)));
    });
    let made = match limit {
        Some(limit) => tokio::time::timeout(limit, made).await.ok()?,
        None => made.await,
    };
    // The thread always sends, unless it panics.
    made.ok()
}

/// As client-go, which lets a plugin ask only on a terminal. What it writes to standard error is then part of its
/// failure.
///
/// Follows `kubernetes staging/src/k8s.io/client-go/plugin/pkg/client/auth/exec/exec.go` `isInteractive`.
fn set_not_interactive(exec: &mut ExecConfig) {
    if exec.interactive_mode != Some(ExecInteractiveMode::Always) {
        exec.interactive_mode = Some(ExecInteractiveMode::Never);
    }
}

/// The command of the credential plugin, as messages name it.
fn plugin_of(auth: &AuthInfo) -> String {
    let command = auth.exec.as_ref().and_then(|exec| exec.command.as_deref()).unwrap_or_default();
    format!("the credential plugin (exec) \"{command}\"")
}

/// What to do about a plugin that is missing: its own hint, or else a general one.
fn advice_to_install(auth: &AuthInfo) -> &str {
    let hint = auth.exec.as_ref().and_then(|exec| exec.install_hint.as_deref()).unwrap_or_default().trim();
    if hint.is_empty() { "install it, or correct exec.command of the user" } else { hint }
}

/// Why there are no credentials, and what to do about it.
pub(super) fn describe_auth(auth: &AuthInfo, error: &AuthError) -> String {
    let plugin = plugin_of(auth);
    match error {
        AuthError::AuthExecStart(error) if error.kind() == io::ErrorKind::NotFound => {
            format!("{plugin} is not installed; {}", advice_to_install(auth))
        }
        AuthError::AuthExecStart(error) => {
            format!("cannot run {plugin}: {error}; correct exec.command of the user")
        }
        AuthError::AuthExecRun { out, .. } => {
            let failure = describe_plugin_failure(out);
            format!("{plugin} {failure}; log in again, or run the plugin alone to see why it fails")
        }
        AuthError::AuthExecParse(_) | AuthError::ExecPluginFailed => format!(
            "{plugin} did not print an ExecCredential with a status; correct exec.args and exec.apiVersion of the user"
        ),
        AuthError::MissingCommand => {
            "the credential plugin (exec) has no command; set exec.command of the user".to_owned()
        }
        AuthError::ReadTokenFile(error, path) => {
            format!("tokenFile: cannot read {}: {error}", path.display())
        }
        // The library has this error for an auth-provider that it does not support or cannot use, too.
        AuthError::AuthExec(_) if auth.auth_provider.is_some() => {
            let name = auth.auth_provider.as_ref().map(|provider| &*provider.name).unwrap_or_default();
            format!("the auth-provider \"{name}\" is not supported; use a credential plugin (exec)")
        }
        other => other.to_string(),
    }
}

/// That the plugin did not end within a limit, and what to do about it.
pub(super) fn describe_timeout(auth: &AuthInfo, limit: impl Display) -> String {
    format!(
        "{} did not end within {limit}; run it alone to see what it waits for, or raise --request-timeout",
        plugin_of(auth)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_asks_only_on_a_terminal() {
        use ExecInteractiveMode::{Always, IfAvailable, Never};
        let table = [
            (None, Never, "the default of kubectl for v1beta1 is IfAvailable"),
            (Some(IfAvailable), Never, "there is no terminal"),
            (Some(Never), Never, "it never asks"),
            (Some(Always), Always, "it has to, and fails by itself"),
        ];
        for (mode, expected, reason) in table {
            let mut exec = ExecConfig { interactive_mode: mode, ..ExecConfig::default() };
            set_not_interactive(&mut exec);
            assert_eq!(exec.interactive_mode, Some(expected), "{reason}");
        }
    }
}
