//! The programs of a control plane: found, or built once with Go.
//!
//! In this order: `KUBEBUILDER_ASSETS` (the convention of envtest), `PATH`, and `go build` into the target folder.

use std::env;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, File, TryLockError};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, ensure};

/// The oldest kubectl that prints what the tests read.
const OLDEST_KUBECTL_MINOR: u32 = 28;

const REMEDY: &str = "\
Set KUBEBUILDER_ASSETS to a folder with kube-apiserver, etcd and kubectl (for example `setup-envtest use -p path`), \
or install Go 1.26 or later with access to a Go module proxy, so that they can be built once; \
Helm 4 and Helm 3 are taken from PATH (`helm`, `helm3`) or built likewise.";

/// Paths of the programs.
#[derive(Clone, Debug)]
pub(crate) struct Binaries {
    pub(crate) etcd: PathBuf,
    pub(crate) apiserver: PathBuf,
    pub(crate) kubectl: PathBuf,
    pub(crate) helm: PathBuf,
    pub(crate) helm3: PathBuf,
}

impl Binaries {
    /// Finds or builds each of them; fails with what to install, since a skipped test proves nothing.
    pub(crate) fn find() -> Result<Self> {
        Self::locate().map_err(|error| anyhow!("{error:#}\n{REMEDY}"))
    }

    fn locate() -> Result<Self> {
        let kubectl = in_path("kubectl").filter(|path| is_recent_kubectl(path));
        // A lone etcd in PATH is somebody's database, not half of a control plane.
        let pair = in_path("etcd").zip(in_path("kube-apiserver")).filter(|_| kubectl.is_some());
        let (etcd, apiserver) = pair.unzip();
        let helm = |name, major| in_path(name).filter(|path| says(path, &["version", "--short"], major));
        Ok(Self {
            etcd: ETCD.find(etcd)?,
            apiserver: APISERVER.find(apiserver)?,
            kubectl: KUBECTL.find(kubectl)?,
            helm: HELM.find(helm("helm", "v4."))?,
            helm3: HELM3.find(helm("helm3", "v3.").or_else(|| helm("helm", "v3.")))?,
        })
    }
}

const ETCD: Program = Program { name: "etcd", module: "", package: "go.etcd.io/etcd/server/v3" };
const APISERVER: Program =
    Program { name: "kube-apiserver", module: "", package: "k8s.io/kubernetes/cmd/kube-apiserver" };
const KUBECTL: Program = Program { name: "kubectl", module: "", package: "k8s.io/kubernetes/cmd/kubectl" };
const HELM: Program = Program { name: "helm", module: "helm", package: "helm.sh/helm/v4/cmd/helm" };
const HELM3: Program = Program { name: "helm3", module: "helm3", package: "helm.sh/helm/v3/cmd/helm" };

/// How one program is built.
struct Program {
    name: &'static str,
    /// The folder of its Go module, below `tests/control-plane`.
    module: &'static str,
    package: &'static str,
}

impl Program {
    fn find(&self, in_path: Option<PathBuf>) -> Result<PathBuf> {
        let asset = env::var_os("KUBEBUILDER_ASSETS").map(|folder| Path::new(&folder).join(self.name));
        match asset.filter(|path| path.is_file()).or(in_path) {
            Some(found) => Ok(found),
            None => {
                self.built().with_context(|| format!("no {} was found, and none could be built", self.name))
            }
        }
    }

    /// The program from the cache, built first where it is missing.
    /// It gets its name only when it is complete, and only one test run builds at a time.
    fn built(&self) -> Result<PathBuf> {
        let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/control-plane").join(self.module);
        let cache = cache()?.join(fingerprint(&module)?);
        let program = cache.join(self.name);
        if program.is_file() {
            return Ok(program);
        }
        fs::create_dir_all(&cache)?;
        let _lock = lock(&cache)?;
        if !program.is_file() {
            let unfinished = cache.join(format!("{}.unfinished", self.name));
            self.build(&module, &unfinished)?;
            fs::rename(&unfinished, &program)?;
        }
        Ok(program)
    }

    fn build(&self, module: &Path, output: &Path) -> Result<()> {
        eprintln!("building {} from source (first use only, several minutes) ...", self.name);
        let start = Instant::now();
        let mut go = go(module);
        go.args(["build", "-trimpath", "-ldflags", &self.link_flags(module)?, "-o"])
            .arg(output)
            .arg(self.package);
        let status = go.status().context("failed to run go")?;
        ensure!(status.success(), "go build {}: {status}", self.package);
        eprintln!("built {} in {:.0} s", self.name, start.elapsed().as_secs_f64());
        Ok(())
    }

    /// Kubernetes learns its version from the linker; without it the server calls itself v0.0.0, which Helm refuses.
    fn link_flags(&self, module: &Path) -> Result<String> {
        let mut flags = "-s -w".to_owned();
        if self.package.starts_with("k8s.io/kubernetes/") {
            let mut go = go(module);
            go.args(["list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes"]).stderr(Stdio::inherit());
            let version = String::from_utf8(go.output().context("failed to run go")?.stdout)?;
            let mut numbers = version.trim().trim_start_matches('v').split('.');
            let (major, minor) = numbers.next().zip(numbers.next()).context("go list names no version")?;
            for (name, value) in [("gitVersion", version.trim()), ("gitMajor", major), ("gitMinor", minor)] {
                write!(flags, " -X k8s.io/component-base/version.{name}={value}")?;
            }
        }
        Ok(flags)
    }
}

/// Go in our module, whatever workspace surrounds it.
fn go(module: &Path) -> Command {
    let mut command = Command::new("go");
    command.current_dir(module).env("GOWORK", "off");
    command
}

fn cache() -> Result<PathBuf> {
    let target =
        Path::new(env!("CARGO_TARGET_TMPDIR")).parent().context("the target folder has no parent")?;
    Ok(target.join("control-plane"))
}

/// Changes whenever a version does.
fn fingerprint(module: &Path) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for file in ["go.mod", "go.sum"] {
        fs::read(module.join(file)).with_context(|| format!("failed to read {file}"))?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// Held until the file is closed, thus also by a process that dies.
fn lock(folder: &Path) -> Result<File> {
    let file = File::create(folder.join("lock"))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            eprintln!("waiting for another test run that builds the control plane ...");
            file.lock()?;
        }
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    Ok(file)
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}

fn is_recent_kubectl(path: &Path) -> bool {
    let version = output_of(path, &["version", "--client"]).unwrap_or_default();
    let minor = version.split_once("Client Version: v1.").and_then(|(_, rest)| rest.split('.').next());
    minor.and_then(|minor| minor.parse().ok()).is_some_and(|minor: u32| minor >= OLDEST_KUBECTL_MINOR)
}

fn says(program: &Path, arguments: &[&str], beginning: &str) -> bool {
    output_of(program, arguments).is_some_and(|output| output.starts_with(beginning))
}

fn output_of(program: &Path, arguments: &[impl AsRef<OsStr>]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()
}
