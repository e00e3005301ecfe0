//! Programs that tests ask: found, or built once with Go.
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

use anyhow::{Context as _, Result, ensure};

/// How one program is built.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// The folder of its Go module, below `tests/control-plane`.
    pub(crate) module: &'static str,
    pub(crate) package: &'static str,
}

impl Program {
    /// The program: among the assets, the one of `PATH`, or built.
    pub(crate) fn find(&self, in_path: Option<PathBuf>) -> Result<PathBuf> {
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
            eprintln!("waiting for another test run that builds programs ...");
            file.lock()?;
        }
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    Ok(file)
}

/// A file of this name in a folder of `PATH`.
pub(crate) fn in_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}

/// Whether the output of a program begins like this.
pub(crate) fn says(program: &Path, arguments: &[&str], beginning: &str) -> bool {
    output_of(program, arguments).is_some_and(|output| output.starts_with(beginning))
}

/// What a program prints.
pub(crate) fn output_of(program: &Path, arguments: &[impl AsRef<OsStr>]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()
}
