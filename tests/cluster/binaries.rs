//! The programs of a control plane.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};

use crate::programs::{Program, in_path, output_of, says};

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

fn is_recent_kubectl(path: &Path) -> bool {
    let version = output_of(path, &["version", "--client"]).unwrap_or_default();
    let minor = version.split_once("Client Version: v1.").and_then(|(_, rest)| rest.split('.').next());
    minor.and_then(|minor| minor.parse().ok()).is_some_and(|minor: u32| minor >= OLDEST_KUBECTL_MINOR)
}
