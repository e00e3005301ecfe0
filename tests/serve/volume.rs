//! A folder of files as the kubelet lays out a volume of a Secret or `ConfigMap`.
//!
//! The files are links into `..data`, itself a link to a folder of one version; renaming a new `..data` over
//! the old one changes all files at once, and nothing is ever written to a file that is there.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// A volume.
pub(crate) struct Volume {
    folder: PathBuf,
    version: usize,
}

impl Volume {
    /// A volume without files.
    pub(crate) fn new(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self { folder, version: 0 })
    }

    /// Where a file is found.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Puts files in place of those that are there, all at once.
    pub(crate) fn publish(&mut self, files: &[(&str, &str)]) -> Result<()> {
        let old = self.folder.join(format!("..{}", self.version));
        self.version += 1;
        let version = format!("..{}", self.version);
        fs::create_dir(self.folder.join(&version))?;
        for (name, text) in files {
            fs::write(self.folder.join(&version).join(name), text)?;
        }
        let next = self.folder.join("..data_tmp");
        symlink(&version, &next)?;
        fs::rename(next, self.folder.join("..data"))?;
        for (name, _) in files {
            let link = self.folder.join(name);
            if link.symlink_metadata().is_err() {
                symlink(Path::new("..data").join(name), link)?;
            }
        }
        if old.exists() {
            fs::remove_dir_all(old).context("failed to remove the old version")?;
        }
        Ok(())
    }
}
