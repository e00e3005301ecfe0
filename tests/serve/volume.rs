//! A folder with the layout that the kubelet gives to a volume of a Secret or `ConfigMap`.
//!
//! The files are links into `..data`, which is a link to a folder with one version. Renaming a new `..data` over the old
//! one changes all files at once; no existing file is ever written.

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

    /// The path of a file.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Replaces the files all at once.
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
