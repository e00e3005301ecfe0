//! Separate network, mount and process namespaces, entered without privileges.
//!
//! An `EndpointSlice` may not name a loopback address, so a Service of the chart can only lead to a process on
//! this machine in a separate network.
//! The process namespace is what makes sure that nothing outlives the test, however it ends.

use std::env;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::programs::{NO_NAMESPACES, require_namespace_tools};

/// The address of everything inside the namespace: of the node, and of the one pod on it.
pub(crate) const NODE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);

/// Set for the process inside.
const INSIDE: &str = "MIRRORGUARD_TEST_INSIDE_NAMESPACE";

const UNSHARE: [&str; 7] =
    ["--kill-child", "--fork", "--map-root-user", "--user", "--net", "--mount", "--pid"];

/// Not `exec "$@"`: as the first process of its namespace the test would ignore Ctrl-C.
const SET_UP: &str = "mount -t proc proc /proc && ip link set lo up && ip address add \"$0\"/32 dev lo && \
                      \"$@\"; exit $?";

/// Where the control plane and the pod run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ground {
    /// In namespaces of their own: the pod is reached through its Service, and finds its volumes at their mount paths.
    Namespace,
    /// On the machine's loopback: the webhook is reached by URL, and paths and ports in the pod's arguments are replaced.
    Host,
}

impl Ground {
    /// The address that the apiserver and the pod listen on.
    pub(crate) fn address(self) -> IpAddr {
        match self {
            Self::Namespace => NODE.into(),
            Self::Host => Ipv4Addr::LOCALHOST.into(),
        }
    }

    /// A command whose process ends with ours: by the process namespace, or else by `setpriv` where there is one.
    pub(crate) fn command(self, program: &Path) -> Command {
        let by_signal =
            self == Self::Host && succeeds(Command::new("setpriv").args(["--pdeathsig", "KILL", "true"]));
        if !by_signal {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(program);
        command
    }
}

/// Starts this test again inside the namespaces, and then does not return; returns [`Ground::Host`] without namespaces.
pub(crate) fn enter() -> Result<Ground> {
    if env::var_os(INSIDE).is_some() {
        return Ok(Ground::Namespace);
    }
    if env::var_os(NO_NAMESPACES).is_some() {
        return Ok(Ground::Host);
    }
    require_namespace_tools()?;
    if !succeeds(inside().arg("true")) {
        eprintln!(
            "this system does not allow user namespaces: the webhook is called by URL, not through its Service"
        );
        return Ok(Ground::Host);
    }
    let this = env::current_exe()?;
    // No proxy outside can be reached.
    let failed = inside().arg(this).args(env::args_os().skip(1)).env(INSIDE, "1").env("NO_PROXY", "*").exec();
    Err(failed).context("failed to run unshare")
}

fn inside() -> Command {
    let mut command = Command::new("unshare");
    command.args(UNSHARE).args(["sh", "-c", SET_UP]).arg(NODE.to_string());
    command
}

fn succeeds(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
