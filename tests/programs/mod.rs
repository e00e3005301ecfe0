//! The programs that tests run: found, or built once with Go.
//!
//! Looked up in this order: `KUBEBUILDER_ASSETS` (the convention of envtest), `PATH`, and `go build` into the target
//! folder. Before the first build, everything that all tests need is checked, so that nothing is missing halfway.

mod build;
mod lookup;
mod tools;

use std::env;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};

use self::build::Cache;
#[allow(unused_imports, reason = "only the control plane has namespaces")]
pub(crate) use self::tools::{NO_NAMESPACES, require_namespace_tools};

/// How one program is found or built.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// Folder of its Go module, below `tests/control-plane`.
    module: &'static str,
    package: &'static str,
    /// Finds a suitable version in `PATH`.
    in_path: fn() -> Option<PathBuf>,
}

pub(crate) const ETCD: Program =
    Program { name: "etcd", module: "", package: "go.etcd.io/etcd/server/v3", in_path: lookup::etcd };
pub(crate) const APISERVER: Program = Program {
    name: "kube-apiserver",
    module: "",
    package: "k8s.io/kubernetes/cmd/kube-apiserver",
    in_path: lookup::apiserver,
};
pub(crate) const KUBECTL: Program = Program {
    name: "kubectl",
    module: "",
    package: "k8s.io/kubernetes/cmd/kubectl",
    in_path: lookup::kubectl,
};
pub(crate) const HELM: Program =
    Program { name: "helm", module: "helm", package: "helm.sh/helm/v4/cmd/helm", in_path: lookup::helm };
pub(crate) const HELM3: Program =
    Program { name: "helm3", module: "helm3", package: "helm.sh/helm/v3/cmd/helm", in_path: lookup::helm3 };
pub(crate) const PROMTOOL: Program = Program {
    name: "promtool",
    module: "promtool",
    package: "github.com/prometheus/prometheus/cmd/promtool",
    in_path: lookup::promtool,
};

/// The programs of all tests.
const ALL: [&Program; 6] = [&ETCD, &APISERVER, &KUBECTL, &HELM, &HELM3, &PROMTOOL];

/// What it takes to build all of them on two cores, measured with empty caches.
const COST: &str =
    "about 6 minutes and 11 GB of disk (0.4 GB for the programs, the rest for the caches of Go)";

/// Finds these programs, or builds them. Fails before the first build with everything that is missing for it.
pub(crate) fn find<const N: usize>(wanted: [&Program; N]) -> Result<[PathBuf; N]> {
    let mut paths = wanted.map(Program::existing);
    if paths.iter().any(Option::is_none) {
        tools::require_all()?;
        announce_builds()?;
    }
    for (program, path) in wanted.iter().zip(&mut paths) {
        if path.is_none() {
            *path = Some(program.build()?);
        }
    }
    Ok(paths.map(Option::unwrap_or_default))
}

impl Program {
    /// The program among the assets, in `PATH` or in the cache.
    fn existing(&self) -> Option<PathBuf> {
        let asset = env::var_os("KUBEBUILDER_ASSETS").map(|folder| Path::new(&folder).join(self.name));
        asset.filter(|path| path.is_file()).or_else(self.in_path).or_else(|| self.cached())
    }

    fn cached(&self) -> Option<PathBuf> {
        let program = Cache::of(self).ok()?.program();
        program.is_file().then_some(program)
    }

    fn build(&self) -> Result<PathBuf> {
        let built = Cache::of(self).and_then(|cache| cache.build(self));
        built.map_err(|error| anyhow!("cannot build {}: {error:#}\n{}", self.name, tools::WITHOUT_BUILDS))
    }
}

/// Announces what this run and the tests after it build.
fn announce_builds() -> Result<()> {
    let missing: Vec<&str> =
        ALL.iter().filter(|program| program.existing().is_none()).map(|program| program.name).collect();
    let folder = build::folder()?;
    report(&format!(
        "The tests need programs that are built from source on first use, into {}: {}.\n\
         This takes {COST} for all of them.",
        folder.display(),
        missing.join(", "),
    ));
    Ok(())
}

/// Writes a line to standard error that the test harness does not capture.
fn report(text: &str) {
    // A progress message must not make a test fail.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
