//! Which programs in `PATH` are suitable.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest kubectl that prints what the tests read.
const OLDEST_KUBECTL_MINOR: u32 = 28;

pub(super) fn etcd() -> Option<PathBuf> {
    control_plane().map(|(etcd, _)| etcd)
}

pub(super) fn apiserver() -> Option<PathBuf> {
    control_plane().map(|(_, apiserver)| apiserver)
}

/// Both with a kubectl, or neither: an etcd alone is somebody's database, not half of a control plane.
fn control_plane() -> Option<(PathBuf, PathBuf)> {
    kubectl()?;
    Some((in_path("etcd")?, in_path("kube-apiserver")?))
}

pub(super) fn kubectl() -> Option<PathBuf> {
    in_path("kubectl").filter(|path| is_recent_kubectl(path))
}

pub(super) fn helm() -> Option<PathBuf> {
    in_path("helm").filter(|path| is_helm(path, "v4."))
}

pub(super) fn helm3() -> Option<PathBuf> {
    let mut candidates = ["helm3", "helm"].into_iter().filter_map(in_path);
    candidates.find(|path| is_helm(path, "v3."))
}

pub(super) fn promtool() -> Option<PathBuf> {
    in_path("promtool").filter(|path| prints(path, &["--version"], "promtool, version 3."))
}

/// Finds a file of this name in a folder of `PATH`.
pub(super) fn in_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}

/// What a program prints.
fn output_of(program: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()
}

fn is_helm(path: &Path, version: &str) -> bool {
    prints(path, &["version", "--short"], version)
}

/// Whether the output of a program begins like this.
fn prints(program: &Path, arguments: &[&str], beginning: &str) -> bool {
    output_of(program, arguments).is_some_and(|output| output.starts_with(beginning))
}

fn is_recent_kubectl(path: &Path) -> bool {
    let version = output_of(path, &["version", "--client"]).unwrap_or_default();
    let minor = version.split_once("Client Version: v1.").and_then(|(_, rest)| rest.split('.').next());
    minor.and_then(|minor| minor.parse().ok()).is_some_and(|minor: u32| minor >= OLDEST_KUBECTL_MINOR)
}
