//! The tools that the tests need from the system, and how to install them.

use std::env;
use std::process::Output;

use anyhow::{Result, bail};

use super::build::{go, modules};
use super::lookup::in_path;

/// Set to any value to run the control plane without namespaces.
pub(crate) const NO_NAMESPACES: &str = "MIRRORGUARD_TEST_NO_NETNS";

/// For machines that cannot build the programs.
pub(super) const WITHOUT_BUILDS: &str = "\
Go needs access to a module proxy (GOPROXY). To build nothing, set KUBEBUILDER_ASSETS to a folder with kube-apiserver, \
etcd and kubectl (for example `setup-envtest use -p path`), and put helm (Helm 4), helm3 and promtool 3 into it or PATH";

const INSTALL_GO: &str = "Install Go 1.26 or later: https://go.dev/dl/";

/// A tool, under any of its names, and its package in Debian and Ubuntu.
struct Tool {
    names: &'static [&'static str],
    package: &'static str,
}

const C_COMPILER: Tool = Tool { names: &["cc", "gcc", "clang"], package: "gcc" };

/// What the namespaces of the control plane are made with, and processes in them stopped.
const NAMESPACE_TOOLS: [Tool; 4] = [
    Tool { names: &["unshare"], package: "util-linux" },
    Tool { names: &["mount"], package: "mount" },
    Tool { names: &["ip"], package: "iproute2" },
    Tool { names: &["kill"], package: "procps" },
];

/// Fails with everything that is missing to build the programs or to run any of the tests.
pub(super) fn require_all() -> Result<()> {
    let mut tools = vec![&C_COMPILER];
    tools.extend(namespace_tools());
    report_missing(&tools, go_problem())
}

/// Fails with everything that is missing to run the control plane in namespaces.
#[allow(dead_code, reason = "only the control plane has namespaces")]
pub(crate) fn require_namespace_tools() -> Result<()> {
    report_missing(&namespace_tools(), None)
}

/// Only Linux has namespaces.
fn namespace_tools() -> Vec<&'static Tool> {
    if cfg!(target_os = "linux") && env::var_os(NO_NAMESPACES).is_none() {
        NAMESPACE_TOOLS.iter().collect()
    } else {
        Vec::new()
    }
}

/// Why Go cannot build the modules: it is missing, or too old and not allowed to download a newer one.
fn go_problem() -> Option<String> {
    if in_path("go").is_none() {
        return Some("go".to_owned());
    }
    match go(&modules()).args(["list", "-m"]).output() {
        Ok(output) if output.status.success() => None,
        Ok(Output { stderr, .. }) => {
            Some(format!("a suitable go ({})", String::from_utf8_lossy(&stderr).trim()))
        }
        Err(error) => Some(format!("a working go ({error})")),
    }
}

fn report_missing(tools: &[&Tool], go: Option<String>) -> Result<()> {
    let missing: Vec<&&Tool> =
        tools.iter().filter(|tool| tool.names.iter().all(|name| in_path(name).is_none())).collect();
    let mut remedies = Vec::new();
    if !missing.is_empty() {
        let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
        remedies.push(format!("On Debian or Ubuntu: sudo apt-get install -y {}", packages.join(" ")));
    }
    if go.is_some() {
        remedies.push(INSTALL_GO.to_owned());
        remedies.push(WITHOUT_BUILDS.to_owned());
    }
    let names: Vec<String> =
        go.into_iter().chain(missing.iter().map(|tool| tool.names[0].to_owned())).collect();
    if names.is_empty() {
        return Ok(());
    }
    bail!("the tests need tools that are missing: {}\n{}", names.join(", "), remedies.join("\n"))
}
