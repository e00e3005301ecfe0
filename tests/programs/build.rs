//! Building programs with Go, into a cache in the target folder.

use std::fmt::Write as _;
use std::fs::{self, File, TryLockError};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use super::{Program, report};

/// Where one program is built from, and where to.
pub(super) struct Cache {
    module: PathBuf,
    folder: PathBuf,
    name: &'static str,
}

impl Cache {
    pub(super) fn of(program: &Program) -> Result<Self> {
        let module = modules().join(program.module);
        let folder = folder()?.join(fingerprint(&module)?);
        Ok(Self { module, folder, name: program.name })
    }

    /// Path of the built program.
    pub(super) fn program(&self) -> PathBuf {
        self.folder.join(self.name)
    }

    /// Builds the program unless another test run has built it meanwhile.
    /// It gets its name only when it is complete, and only one test run builds at a time.
    pub(super) fn build(&self, program: &Program) -> Result<PathBuf> {
        fs::create_dir_all(&self.folder)?;
        let _lock = lock(&self.folder)?;
        let path = self.program();
        if !path.is_file() {
            let unfinished = self.folder.join(format!("{}.unfinished", self.name));
            self.run_go(program.package, &unfinished)?;
            fs::rename(&unfinished, &path)?;
        }
        Ok(path)
    }

    fn run_go(&self, package: &str, output: &Path) -> Result<()> {
        report(&format!("building {} ...", self.name));
        let start = Instant::now();
        let mut go = go(&self.module);
        go.args(["build", "-trimpath", "-ldflags", &self.link_flags(package)?, "-o"])
            .arg(output)
            .arg(package);
        let status = go.status().context("failed to run go")?;
        ensure!(status.success(), "go build {package}: {status}");
        report(&format!("built {} in {:.0} s", self.name, start.elapsed().as_secs_f64()));
        Ok(())
    }

    /// Kubernetes gets its version from the linker; without it the server calls itself v0.0.0, which Helm rejects.
    fn link_flags(&self, package: &str) -> Result<String> {
        let mut flags = "-s -w".to_owned();
        if package.starts_with("k8s.io/kubernetes/") {
            let mut go = go(&self.module);
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

/// The Go modules of the programs; the control plane's is the folder itself.
pub(super) fn modules() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/control-plane")
}

/// The folder of all built programs.
pub(super) fn folder() -> Result<PathBuf> {
    let target =
        Path::new(env!("CARGO_TARGET_TMPDIR")).parent().context("the target folder has no parent")?;
    Ok(target.join("control-plane"))
}

/// Go in a module, whatever workspace surrounds it.
pub(super) fn go(module: &Path) -> Command {
    let mut command = Command::new("go");
    command.current_dir(module).env("GOWORK", "off");
    command
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
            report("waiting for another test run that builds programs ...");
            file.lock()?;
        }
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    Ok(file)
}
