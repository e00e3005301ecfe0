//! The container: our binary with the pod's arguments, environment and volumes.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::facts::{field, token};
use super::only_container;
use super::volumes::Volume;
use crate::control_plane::{ControlPlane, kubeconfig};
use crate::json::{items, text};
use crate::namespace::Ground;
use crate::process::Process;

const BINARY: &str = env!("CARGO_BIN_EXE_mirrorguard");

/// Path of the binary in the image, for a pod without a command.
const ENTRYPOINT: &str = "/usr/local/bin/mirrorguard";

/// Makes a root folder that holds the pod's volumes and little else, and runs the binary in it.
const SANDBOX: &str = include_str!("container.sh");

/// The container's ports and where they really listen.
pub(super) struct Ports(Vec<Port>);

struct Port {
    name: Value,
    number: Value,
    address: SocketAddr,
}

impl Ports {
    pub(super) fn of(container: &Value, plane: &ControlPlane) -> Result<Self> {
        let ports = items(&container["ports"]).iter().map(|port| {
            let number = port["containerPort"].as_u64().context("a port without a number")?;
            let address = plane.pod_address(u16::try_from(number)?)?;
            Ok(Port { name: port["name"].clone(), number: number.into(), address })
        });
        Ok(Self(ports.collect::<Result<_>>()?))
    }

    /// Where a port given by name or number listens.
    pub(super) fn address(&self, port: &Value) -> Result<SocketAddr> {
        let found = self.0.iter().find(|known| known.name == *port || known.number == *port);
        Ok(found.with_context(|| format!("the container declares no port {port}"))?.address)
    }
}

/// Starts the pod's container.
pub(super) fn start(plane: &ControlPlane, pod: &Value, volumes: &[Volume], ports: &Ports) -> Result<Process> {
    let container = only_container(pod)?;
    let mounts = mounts(container, volumes)?;
    let mut command = match plane.ground {
        Ground::Namespace => sandboxed(plane, pod, container, &mounts)?,
        Ground::Host => plain(plane, pod, container, &mounts, ports)?,
    };
    for (name, value) in variables(plane, pod, container)? {
        command.env(name, replace(plane.ground, &value, &mounts, ports));
    }
    Process::start(text(container, "/name")?, &mut command, &plane.logs())
}

/// Mount paths and the folders to be found there.
type Mounts<'a> = BTreeMap<&'a str, &'a Path>;

fn mounts<'a>(container: &'a Value, volumes: &'a [Volume]) -> Result<Mounts<'a>> {
    let mounts = items(&container["volumeMounts"]).iter().map(|mount| {
        ensure!(mount.get("subPath").is_none(), "a subPath is never updated by the kubelet: {mount}");
        let volume = volumes.iter().find(|volume| volume.is_mounted_by(mount));
        let folder = volume.with_context(|| format!("no volume for {mount}"))?.folder.as_path();
        Ok((text(mount, "/mountPath")?, folder))
    });
    mounts.collect()
}

/// In the namespace the arguments are exactly the pod's.
fn sandboxed(plane: &ControlPlane, pod: &Value, container: &Value, mounts: &Mounts<'_>) -> Result<Command> {
    let root = plane.path(text(pod, "/metadata/name")?).join("root");
    fs::create_dir(&root)?;
    let [entrypoint, arguments @ ..] = &command_line(container)?[..] else { bail!("an empty command line") };
    let mut command = Command::new("unshare");
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.args(["--mount", "sh", "-euc", SANDBOX, "container"]).arg(root).args([BINARY, entrypoint]);
    for (path, folder) in mounts {
        command.arg(folder).arg(path);
    }
    command.arg("--").args(arguments);
    Ok(command)
}

/// On the host, the paths of volumes and the ports are replaced, and a kubeconfig replaces the in-cluster files.
fn plain(
    plane: &ControlPlane,
    pod: &Value,
    container: &Value,
    mounts: &Mounts<'_>,
    ports: &Ports,
) -> Result<Command> {
    let file = plane.path(text(pod, "/metadata/name")?).join("kubeconfig");
    fs::write(&file, kubeconfig(plane.address, &plane.authority, &token(plane, pod)?))?;
    let mut command = plane.ground.command(Path::new(BINARY));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("KUBECONFIG", file);
    let words = command_line(container)?;
    for argument in &words[1..] {
        command.arg(replace(plane.ground, argument, mounts, ports));
    }
    if words.iter().any(|word| word == "--tls-managed-secret") {
        // The webhooks are called by URL.
        command.args(["--tls-name", &plane.ground.address().to_string()]);
    }
    Ok(command)
}

/// The executable and its arguments.
fn command_line(container: &Value) -> Result<Vec<String>> {
    let mut words: Vec<Value> = items(&container["command"]).to_vec();
    if words.is_empty() {
        words.push(ENTRYPOINT.into());
    }
    words.extend_from_slice(items(&container["args"]));
    let words: Vec<String> =
        words.iter().map(|word| Ok(text(word, "")?.to_owned())).collect::<Result<_>>()?;
    ensure!(
        !words.iter().any(|word| word.contains("$(")),
        "this kubelet does not expand variables: {words:?}"
    );
    Ok(words)
}

fn replace(ground: Ground, word: &str, mounts: &Mounts<'_>, ports: &Ports) -> String {
    if ground == Ground::Namespace {
        return word.to_owned();
    }
    let (flag, value) = word.split_once('=').map_or(("", word), |(flag, value)| (flag, value));
    let listens = value.parse::<SocketAddr>().ok().and_then(|given| ports.address(&given.port().into()).ok());
    if let Some(address) = listens {
        return if flag.is_empty() { address.to_string() } else { format!("{flag}={address}") };
    }
    mounts.iter().fold(word.to_owned(), |word, (path, folder)| word.replace(path, &folder.to_string_lossy()))
}

/// What the kubelet sets, then what the pod template sets.
fn variables(plane: &ControlPlane, pod: &Value, container: &Value) -> Result<Vec<(String, String)>> {
    let mut variables = vec![("HOSTNAME".to_owned(), text(pod, "/metadata/name")?.to_owned())];
    if plane.ground == Ground::Namespace {
        variables.push(("KUBERNETES_SERVICE_HOST".to_owned(), plane.address.ip().to_string()));
        variables.push(("KUBERNETES_SERVICE_PORT".to_owned(), plane.address.port().to_string()));
    }
    for variable in items(&container["env"]) {
        let value = match variable.pointer("/valueFrom/fieldRef/fieldPath") {
            Some(path) => field(plane, pod, text(path, "")?)?,
            None if variable.get("valueFrom").is_some() => bail!("this kubelet does not know {variable}"),
            None => text(variable, "/value").unwrap_or_default().to_owned(),
        };
        variables.push((text(variable, "/name")?.to_owned(), value));
    }
    Ok(variables)
}
