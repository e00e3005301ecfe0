//! The programs of a control plane.

use std::path::PathBuf;

use anyhow::Result;

use crate::programs::{self, APISERVER, ETCD, HELM, HELM3, KUBECTL};

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
        let [etcd, apiserver, kubectl, helm, helm3] =
            programs::find([&ETCD, &APISERVER, &KUBECTL, &HELM, &HELM3])?;
        Ok(Self { etcd, apiserver, kubectl, helm, helm3 })
    }
}
